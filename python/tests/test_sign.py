"""Signing with the real program."""

from __future__ import annotations

import copy
import errno
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import BINARY

import runattest


def test_sign_and_verify(keys: Path, tmp_path: Path, declaration: dict[str, Any]) -> None:
    with runattest.Signer(keys / "k.key", annotations={"ticket": "ML-1=2", "team": "--x"}) as signer:
        signed = signer.sign(declaration)
        assert signer.public_key == (keys / "k.pub").read_text()
        assert signer.sign(json.dumps(declaration, indent=1)).identity == signed.identity
        assert signer.sign(json.dumps(declaration).encode()).identity == signed.identity
        assert signed.identity == runattest.identity(declaration)
    signed.save(tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text()) == signed.bundle and os.listdir(tmp_path) == ["b.json"]
    subprocess.run([BINARY, "verify", "--key", keys / "k.pub", tmp_path / "b.json"], check=True, capture_output=True)
    for bundle in signed.bundle, json.dumps(signed.bundle, indent=2).encode(), tmp_path / "b.json", str(tmp_path / "b.json"):
        verified = runattest.verify(bundle, key=keys / "k.pub", identity=signed.identity)
        assert verified and verified.identity == signed.identity
        assert verified.annotations == {"ticket": "ML-1=2", "team": "--x"}


def test_sign_once(keys: Path, declaration: dict[str, Any]) -> None:
    signed = runattest.sign(declaration, keys / "k.key", annotations={"a": "b"})
    assert runattest.verify(signed.bundle, key=keys / "k.pub").annotations == {"a": "b"}


def test_a_bad_declaration_ends_nothing(keys: Path, declaration: dict[str, Any]) -> None:
    with runattest.Signer(keys / "k.key") as signer:
        first = signer.sign(declaration)
        process = signer._conversation
        with pytest.raises(runattest.DeclarationError, match="^invalid declaration: column [0-9]+: /parameters/seed: number") as e:
            signer.sign({**declaration, "parameters": {"seed": 2**64}})
        assert e.value.hint == "quote it: a string keeps every digit" and isinstance(e.value, ValueError)
        with pytest.raises(runattest.DeclarationError, match="larger than 16777216 bytes"):
            signer.sign({**declaration, "prompt": {"text": "x" * (17 << 20)}})
        with pytest.raises(runattest.DeclarationError):
            signer.sign({**declaration, "parameters": {"a": float("nan")}})
        assert signer.sign(declaration).identity == first.identity and signer._conversation is process


def test_large(keys: Path, declaration: dict[str, Any]) -> None:
    """4 MiB are more than a pipe holds, in both directions."""
    with runattest.Signer(keys / "k.key") as signer:
        signed = signer.sign({**declaration, "prompt": {"text": "x" * (4 << 20)}})
    assert runattest.verify(signed.bundle, key=keys / "k.pub").identity == signed.identity


def test_key_mistakes(keys: Path, tmp_path: Path) -> None:
    with pytest.raises(runattest.InputError, match="none.key: no such file"):
        runattest.Signer("none.key")
    (tmp_path / "x.key").write_text("no key")
    with pytest.raises(runattest.InputError, match="x.key") as e:
        runattest.Signer(tmp_path / "x.key")
    assert e.value.hint
    with pytest.raises(runattest.InputError, match="other users of this machine can see arguments"):
        runattest.Signer((keys / "k.key").read_text())
    with pytest.raises(runattest.InputError, match="unknown flag: --nothing"):
        runattest.Signer(keys / "k.key", options=["--nothing"])
    with pytest.raises(runattest.InputError, match="--key is empty"):
        runattest.Signer("")
    with pytest.raises(runattest.OperationalError, match="not a JSON object"):
        runattest.Signer(keys / "k.key", options=["--help"])
    with pytest.raises(TypeError, match="options is one string"):
        runattest.Signer(keys / "k.key", options="--detached")
    with pytest.raises(runattest.InputError, match="equals sign"):
        runattest.Signer(keys / "k.key", annotations={"a=b": "c"})
    for timeout in 0, -1, float("nan"), float("inf"):
        with pytest.raises(runattest.InputError, match="positive number of seconds"):
            runattest.Signer(keys / "k.key", timeout=timeout)


def test_password(keys: Path, declaration: dict[str, Any]) -> None:
    with runattest.Signer(keys / "locked.key", password="secret") as signer:
        signed = signer.sign(declaration)
        assert "secret" not in repr(signer)
    assert runattest.verify(signed.bundle, key=keys / "locked.pub")
    with pytest.raises(runattest.InputError, match="password"):
        runattest.Signer(keys / "locked.key", password="wrong")


def test_no_prompt(keys: Path) -> None:
    """Without a password the answer is an error at once, though the caller has a terminal: in a notebook no one sees it ask."""
    pty = pytest.importorskip("pty")
    code = f"""
import runattest
try:
    runattest.Signer({str(keys / "locked.key")!r})
except runattest.InputError as e:
    print("REFUSED", e.hint)
"""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.pop("RUNATTEST_PASSWORD", None)
        os.execv(sys.executable, [sys.executable, "-c", code])
    output = b""
    begin = time.monotonic()
    try:
        while chunk := os.read(terminal, 4096):
            output += chunk
            if b"password for" in output:
                os.kill(pid, 9)
    except OSError:
        pass  # the terminal has ended
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"REFUSED set RUNATTEST_PASSWORD" in output and b"password for" not in output
    assert time.monotonic() - begin < 20


def test_capture(keys: Path) -> None:
    request = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
    with runattest.Signer(keys / "k.key", capture="openai-chat") as signer:
        signed = signer.sign(request)
        with pytest.raises(runattest.DeclarationError):
            signer.sign({"model": 1})
    verified = runattest.verify(signed.bundle, key=keys / "k.pub")
    assert verified.model == {"name": "gpt-4o", "provider": "openai"} and "capture" in verified.annotations


def test_closed_and_pickled(keys: Path, declaration: dict[str, Any]) -> None:
    signer = runattest.Signer(keys / "k.key")
    for attempt in pickle.dumps, copy.copy, copy.deepcopy:
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            attempt(signer)
    signer.close()
    signer.close()
    with pytest.raises(runattest.InputError, match="the signer is closed"):
        signer.sign(declaration)


def test_save_leaves_what_was(keys: Path, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("old")
    with pytest.raises(TypeError):
        runattest.Signed("i", {"a": object()}).save(tmp_path / "b.json")
    assert (tmp_path / "b.json").read_text() == "old" and os.listdir(tmp_path) == ["b.json"]
    with pytest.raises(runattest.InputError, match=r"none.b\.json: cannot be written: no such file or directory$"):
        runattest.Signed("i", {}).save(tmp_path / "none" / "b.json")
    for slash in f"{tmp_path}/b.json/", f"{tmp_path}/new/":
        with pytest.raises(runattest.InputError, match="is not a file$"):
            runattest.Signed("i", {}).save(slash)
    runattest.Signed("i", {}).save(os.fsencode(tmp_path / "b.json"))  # type: ignore[arg-type]
    assert (tmp_path / "b.json").read_text() == "{}\n" and os.listdir(tmp_path) == ["b.json"]


def test_save_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, hint in (errno.EBUSY, "mount the folder that it is in"), (errno.ENOSPC, ""):

        def refuse(name: str, path: str, number: int = number) -> None:
            raise OSError(number, os.strerror(number), name, None, path)

        monkeypatch.setattr(os, "replace", refuse)
        with pytest.raises(runattest.OperationalError) as e:
            runattest.Signed("i", {}).save(tmp_path / "b.json")
        assert (e.value.message, e.value.hint) == (f"{tmp_path / 'b.json'}: cannot be written: {os.strerror(number).lower()}", hint)
    assert not os.listdir(tmp_path)


def test_paths_as_bytes_and_lone_surrogates(keys: Path, declaration: dict[str, Any]) -> None:
    key, public = os.fsencode(keys / "k.key"), os.fsencode(keys / "k.pub")
    bundle = runattest.sign(declaration, key).bundle  # type: ignore[arg-type]
    assert runattest.verify(bundle, key=public) and runattest.verify(bundle, key=[public])  # type: ignore[arg-type, list-item]
    for text in "\ud800", "a\udc00", "\0":
        for arguments in {"annotations": {"a": text}}, {"options": [f"--subject={text}"]}, {"password": text}:
            with pytest.raises(runattest.InputError, match="holds a NUL character, or half of a surrogate pair"):
                runattest.Signer(keys / "k.key", **arguments)


@pytest.mark.skipif(sys.platform == "win32", reason="modes, links and pipes are those of Unix")
def test_save_as_the_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = runattest.Signed("i", {"a": 1})
    before = os.umask(0o077)
    try:
        signed.save(tmp_path / "new.json")
    finally:
        os.umask(before)
    (tmp_path / "private.json").touch(0o600)
    written: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: written.append(os.fstat(file).st_mode & 0o777))
    signed.save(tmp_path / "private.json")
    assert written == [0o600], "while it is written, too"
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("new.json", "private.json")] == [0o600, 0o600]
    for target in "private.json", "not-there.json":
        (tmp_path / "link.json").symlink_to(target)
        signed.save(tmp_path / "link.json")
        assert os.readlink(tmp_path / "link.json") == target and json.loads((tmp_path / target).read_text()) == signed.bundle
        os.unlink(tmp_path / "link.json")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop.json").symlink_to("loop.json")
    for other in tmp_path / "pipe", tmp_path, Path(os.devnull), tmp_path / "loop.json":
        with pytest.raises(runattest.InputError, match="is not a file"):
            signed.save(other)
    assert sorted(os.listdir(tmp_path)) == ["loop.json", "new.json", "not-there.json", "pipe", "private.json"]


def test_load(tmp_path: Path, declaration: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "schema: https://github.com/runattest/runattest/declaration/v1\nkind: other\nmodel: {name: m}\nprompt: {}\n"
    for name in "run.yaml", "--help.yaml", "-":
        Path(name).write_text((text + "parameters: {a: 1.0, b: 1e21}\ncontext: []\nconstraints: {}\n") if name != "-" else json.dumps(declaration))
        loaded = runattest.load(name)
        want = subprocess.run([BINARY, "id", "--", "./" + name], check=True, capture_output=True, text=True).stdout.strip()
        assert runattest.identity(loaded) == want
    Path("bad.yaml").write_text(text)
    with pytest.raises(runattest.DeclarationError, match="missing"):
        runattest.load("bad.yaml")
    with pytest.raises(runattest.DeclarationError, match="no such file"):
        runattest.load("none.yaml")
    with pytest.raises(runattest.OperationalError):
        runattest.load("/proc/self/mem")
    with pytest.raises(runattest.DeclarationError, match="not a JSON object"):
        runattest.identity("a: 1 # comment\nb: 2")
