"""Declarations: read from files, and their identities."""

from __future__ import annotations

import json
import os
from typing import Any

from ._errors import DeclarationError, InputError, OperationalError
from ._json import encode
from ._process import run


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the declaration in a file, JSON or YAML, and return it as it is in its canonical form.

    Raises:
        DeclarationError: the file is not there, or holds no valid declaration.
        OperationalError: the file cannot be read.
    """
    name = os.fspath(path)
    text = _declared(["canonicalize", "--declaration", "--", "./-" if name == "-" else name])
    value = json.loads(text)
    if not isinstance(value, dict):
        raise OperationalError("the program printed what is not a declaration")
    return value


def identity(declaration: dict[str, Any] | str | bytes) -> str:
    """Return the identity of a declaration, a dict or JSON text: ``airun:1:sha256:`` and 64 hex digits.

    Raises:
        DeclarationError: it is not a valid declaration.
    """
    answer = json.loads(_declared(["id", "--format=json", "--", "-"], encode(declaration)))
    if not (isinstance(answer, dict) and isinstance(answer.get("identity"), str)):
        raise OperationalError("the program printed what is not an identity")
    return str(answer["identity"])


def _declared(arguments: list[str], stdin: bytes = b"") -> bytes:
    try:
        return run(arguments, stdin)
    except InputError as e:
        raise DeclarationError(e.message, e.hint) from None
