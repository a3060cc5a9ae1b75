"use strict";

const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { version, optionalDependencies = {} } = require("./package.json");

const system = `${process.platform}-${process.arch}`;

function binaryPath() {
  const chosen = process.env.RUNATTEST_BIN;
  return chosen ? checkChosen(path.resolve(chosen)) : installed();
}

function installed() {
  const name = `@runattest/${system}`;
  if (!(name in optionalDependencies)) {
    throw new Error(`there is no program for ${system}\nhint: with Go: CGO_ENABLED=0 go install github.com/runattest/runattest/cmd/runattest@v${version}`);
  }
  let manifest;
  try {
    manifest = require.resolve(`${name}/package.json`);
  } catch {
    throw new Error(
      `the package ${name}, which has the program for this system, is not installed\n` +
        `hint: install without --omit=optional or --no-optional; if the lock file was made on another system, ` +
        `remove it and node_modules, and install again`,
    );
  }
  const found = require(manifest).version;
  if (found !== version) {
    throw new Error(`the package ${name} is version ${found}, want ${version}\nhint: npm install runattest@${version}`);
  }
  const program = path.join(path.dirname(manifest), "bin", process.platform === "win32" ? "runattest.exe" : "runattest");
  try {
    fs.accessSync(program, fs.constants.X_OK);
  } catch (error) {
    throw new Error(`${program}: ${error.code === "ENOENT" ? "is not there" : "is not executable"}\nhint: remove node_modules and install again`);
  }
  return program;
}

function checkChosen(program) {
  const wrong = (reason) => new Error(`RUNATTEST_BIN: ${program}: ${reason}\nhint: unset RUNATTEST_BIN`);
  let found;
  try {
    const options = { stdio: ["ignore", "pipe", "ignore"], timeout: 30000, env: unchosen() };
    found = JSON.parse(execFileSync(program, ["version", "--format", "json"], options)).version;
  } catch (error) {
    throw wrong({ ENOENT: "is not there", EACCES: "is not executable" }[error.code] ?? "is not a runattest");
  }
  if (found !== `v${version}`) throw wrong(`is ${found}, want v${version}`);
  return program;
}

// unchosen is the environment of what is started. RUNATTEST_BIN may name a launcher, which would start itself for ever.
function unchosen() {
  const { RUNATTEST_BIN, ...env } = process.env;
  return env;
}

module.exports = { binaryPath };
