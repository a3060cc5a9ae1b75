#!/usr/bin/env node
"use strict";

const { spawn } = require("node:child_process");
const { binaryPath } = require("..");

function fail(error) {
  process.stderr.write(`runattest: ${error.message}\n`);
  process.exit(3);
}

let program;
try {
  program = binaryPath();
} catch (error) {
  fail(error);
}
delete process.env.RUNATTEST_BIN; // it may name a launcher, which would start itself for ever
let child; // is there when a handler runs: one that came after the start could miss a signal, and leave the program behind
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to the program too, which takes the second one for an order to stop at once.
    const sent = signal === "SIGINT" && (process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
    if (!sent) child.kill(signal);
  });
}
child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
child.on("error", fail);
child.on("exit", (status, signal) => {
  if (!signal) process.exit(status);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
