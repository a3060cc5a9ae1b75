"""JSON on one line, as the program reads it, from Python values or from JSON text."""

from __future__ import annotations

import json
import re
from typing import Any

from ._errors import DeclarationError

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CONTAINERS = (dict, list, tuple)
_NAMES = {str}
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def encode(value: dict[str, Any] | str | bytes) -> bytes:
    """Return a JSON object as one line.

    What JSON would silently change is refused: names that are not strings, NaN, lone surrogates. JSON text keeps its
    exact bytes but for line breaks between its tokens, so that the program sees its numbers as they were written.

    Raises:
        DeclarationError: the value cannot be written as JSON without changing it.
        TypeError: the value is neither a dict nor text.
    """
    if isinstance(value, dict):
        return _encode_dict(value)
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError as e:
            raise DeclarationError(f"character {e.start} is a lone surrogate, which JSON cannot hold") from None
    elif not isinstance(value, bytes):
        raise TypeError(f"want a dict, or JSON text as str or bytes, not {type(value).__name__}")
    return _one_line(value)


def _encode_dict(value: dict[str, Any]) -> bytes:
    try:
        if not _named_by_strings(value):
            _refuse_names(value, "")
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        raise DeclarationError("a string holds a lone surrogate, which JSON cannot hold") from None
    except RecursionError:
        raise DeclarationError("is nested too deeply, or contains itself") from None
    except (TypeError, ValueError) as e:
        if isinstance(e, DeclarationError):
            raise
        raise DeclarationError(f"cannot be written as JSON: {e}") from None


def _named_by_strings(value: Any) -> bool:
    """Say whether all names in a container are exactly str: json would make 1 and True into the strings "1" and "true"."""
    if isinstance(value, dict):
        if not _NAMES.issuperset(map(type, value)):
            return False
        value = value.values()
    for member in value:
        if isinstance(member, _CONTAINERS) and not _named_by_strings(member):
            return False
    return True


def _refuse_names(value: Any, pointer: str) -> None:
    """Refuse names that are not strings, and say where they are."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        if isinstance(value, dict) and not isinstance(name, str):
            raise DeclarationError(f"{pointer or 'the object'}: the name {name!r} is not a string")
        if isinstance(member, _CONTAINERS):
            _refuse_names(member, f"{pointer}/{name}")


def _one_line(text: bytes) -> bytes:
    text = text.strip(b" \t\r\n")
    if not text.startswith(b"{"):
        raise DeclarationError("is not a JSON object", "runattest.load(path) reads a file, JSON or YAML")
    if b"\n" not in text:
        return text
    for string in _STRING.finditer(text):
        if b"\n" in string.group():
            raise DeclarationError(f"the string at byte {string.start()} holds a raw line break", "write it as \\n")
    return text.replace(b"\n", b" ")
