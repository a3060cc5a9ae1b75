"""What is sent is what was given, or it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runattest import DeclarationError
from runattest._json import encode

LOOP: dict[str, Any] = {}
LOOP["a"] = [LOOP]
DEEP: dict[str, Any] = {}
for _ in range(100_000):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    "value, message",
    [
        ({"a": float("nan")}, "cannot be written as JSON"),
        ({"a": [float("-inf")]}, "cannot be written as JSON"),
        ({1: "a"}, "the object: the name 1 is not a string"),
        ({"a": {True: 1}}, "/a: the name True is not a string"),
        ({"a": [{"b": ({None: 1},)}]}, "/a/0/b/0: the name None is not a string"),
        ({"a": "\ud800"}, "lone surrogate"),
        ({"\udc80": 1}, "lone surrogate"),
        ({"a": {1, 2}}, "cannot be written as JSON: Object of type set"),
        ({"a": b"bytes"}, "cannot be written as JSON: Object of type bytes"),
        (LOOP, "nested too deeply, or contains itself"),
        (DEEP, "nested too deeply, or contains itself"),
        ('{"a":"\ud800"}', "character 6 is a lone surrogate"),
        ('{"a":"one\ntwo"}', "the string at byte 5 holds a raw line break"),
        ('{"a":"say \\"one\ntwo\\""}', "the string at byte 5 holds a raw line break"),
        (b'{"one\r\ntwo":1}', "the string at byte 1 holds a raw line break"),
        ("kind: other\nmodel: {}", "is not a JSON object"),
        ("\ufeff{}", "is not a JSON object"),
        ("\x0c{}", "is not a JSON object"),
        ('"run.json"', "is not a JSON object"),
        ("[]", "is not a JSON object"),
        ("", "is not a JSON object"),
    ],
)
def test_refused(value: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message.replace("(", r"\(")):
        encode(value)


@pytest.mark.parametrize("value", [None, 1, [], ["a"], ("a",), bytearray(b"{}"), object()])
def test_other_types(value: Any) -> None:
    with pytest.raises(TypeError, match="want a dict"):
        encode(value)


@pytest.mark.parametrize(
    "text, line",
    [
        ('{"a":1.50,"b":18446744073709551616,"a":2}', '{"a":1.50,"b":18446744073709551616,"a":2}'),
        (' \n{"a":\n  "\\n\\"",\r\n"b": 1}\n', '{"a":   "\\n\\"",\r "b": 1}'),
        ('{"a":"unfinished\n}', '{"a":"unfinished }'),
        ('{"ä":"\u2028"}', '{"ä":"\u2028"}'),
    ],
)
def test_text_keeps_its_bytes(text: str, line: str) -> None:
    assert encode(text) == encode(text.encode()) == line.encode()


def test_values() -> None:
    class Name(str):
        pass

    value = {"ü": [1, 1.5, True, None, "\n", "\u2028", {"x": (1, 2)}], Name("n"): 10**30}
    line = encode(value)
    assert b"\n" not in line and json.loads(line) == {**value, "ü": [1, 1.5, True, None, "\n", "\u2028", {"x": [1, 2]}]}
