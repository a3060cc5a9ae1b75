"""What all tests share: the real program, keys, a declaration, and a stand-in for the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BINARY = os.environ.get("RUNATTEST_BIN", "")

DECLARATION: dict[str, Any] = {
    "schema": "https://github.com/runattest/runattest/declaration/v1",
    "kind": "inference",
    "model": {"name": "m"},
    "prompt": {"text": "What is the capital of France?"},
    "parameters": {"temperature": 0.6, "seed": 7},
    "context": [],
    "constraints": {},
}


def pytest_configure() -> None:
    if not os.path.isabs(BINARY) or not os.access(BINARY, os.X_OK):
        raise pytest.UsageError("RUNATTEST_BIN must be the absolute path of the program")


@pytest.fixture
def declaration() -> dict[str, Any]:
    return {**DECLARATION}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys k, other, and locked, whose password is "secret"."""
    folder = tmp_path_factory.mktemp("keys")
    env = {**os.environ, "RUNATTEST_PASSWORD": "secret"}
    for name, flags in ("k", ["--no-password"]), ("other", ["--no-password"]), ("locked", []):
        subprocess.run([BINARY, "keygen", *flags, "-o", name], cwd=folder, env=env, check=True, capture_output=True)
    return folder


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a stand-in take the place of the program. What it does wrong is the name of its key."""
    script = tmp_path / "standin"
    source = (Path(__file__).parent / "standin.py").read_text()
    script.write_text(f"#!{sys.executable} -ES\n{source}")
    script.chmod(0o755)
    monkeypatch.setenv("RUNATTEST_BIN", str(script))
    monkeypatch.setenv("STANDIN", str(tmp_path / "mark"))
    return script


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="more instants, signers and bundles")
