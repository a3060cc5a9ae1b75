"""Finds the program that was installed with this package, and refuses every other."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from ._errors import Error

if TYPE_CHECKING:
    from pathlib import Path

try:
    from runattest import _build  # type: ignore[attr-defined, unused-ignore]  # written when the wheel is built
except ImportError:
    _build = None

_REINSTALL = "install it again: python -m pip install --force-reinstall --no-deps runattest"


class ProgramNotFound(Error, FileNotFoundError):
    """The program is not where it was installed, or what is there is another one. The message lists where it was sought."""


def program() -> str:
    """Return the absolute path of the command ``runattest`` of this very release.

    The program must have the SHA-256 that it had when the package was made: another runattest that lies in its place is
    refused. The environment variable ``RUNATTEST_BIN`` names another file, which must be of the same release.

    Raises:
        ProgramNotFound: there is no such program; the message lists where it was sought.
    """
    chosen = os.environ.get("RUNATTEST_BIN")
    return _check_chosen(os.path.abspath(chosen)) if chosen else _installed()


@functools.cache
def _installed() -> str:
    if _build is None:
        raise ProgramNotFound("this package is a source tree and has no program", "set RUNATTEST_BIN to a runattest")
    refused = []
    for path in _places():
        reason = _unfit(path)
        if reason is None:
            return str(path)
        refused.append(f"{path}: {reason}")
    raise ProgramNotFound("\n".join(["the program of this package was not found", *refused]), _REINSTALL)


def _places() -> list[Path]:
    """Where installers put scripts: below the folder that has the package (pip --target), then where they wrote it down.

    The first comes before the second: with --target, pip writes down a path that is outside the folder.
    """
    import csv
    from pathlib import Path

    site = Path(os.path.abspath(__file__)).parent.parent  # links are not followed: they lead into the cache of uv
    places = [site / "bin" / _build.NAME, site / "Scripts" / _build.NAME]
    record = site / f"runattest-{_build.VERSION}.dist-info" / "RECORD"
    try:
        with open(record, encoding="utf-8", newline="") as lines:
            for row in csv.reader(lines):
                if row and row[0].replace("\\", "/").split("/")[-1] == _build.NAME:
                    places.append(Path(os.path.normpath(site / row[0])))
    except OSError:
        pass  # a missing RECORD names no place
    return list(dict.fromkeys(places))


def _unfit(path: Path) -> str | None:
    """Say why a file is not the program of this package."""
    import hashlib

    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
    except OSError as error:
        return (error.strerror or str(error)).lower()
    if digest != _build.SHA256:
        return "is another program"
    if not os.access(path, os.X_OK):
        return "is not executable"
    return None


@functools.cache
def _check_chosen(path: str) -> str:
    import json
    import subprocess

    try:
        env = {name: value for name, value in os.environ.items() if name != "RUNATTEST_BIN"}  # path may start this module
        command = [path, "version", "--format", "json"]
        out = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, env=env)
        version = json.loads(out.stdout)["version"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        reason = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "is not a runattest"
        raise ProgramNotFound(f"RUNATTEST_BIN: {path}: {reason}", "unset RUNATTEST_BIN") from None
    if _build is not None and version != _build.RELEASE:
        raise ProgramNotFound(f"RUNATTEST_BIN: {path}: is {version}, want {_build.RELEASE}", "unset RUNATTEST_BIN")
    return path
