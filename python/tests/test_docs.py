"""The examples of docs/python.md run, in their order, in one folder; and what its text promises."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from conftest import BINARY
from test_gateway import CHAT, Upstream, post
from test_gateway import upstream as upstream  # a fixture

import runattest

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text()


def fake_openai() -> types.ModuleType:
    """What the page uses of OpenAI's package: a client that reads its variable when it is made."""
    class OpenAI:
        def __init__(self, api_key: str) -> None:
            self.base = os.environ["OPENAI_BASE_URL"]
            self.chat = self.completions = self

        def create(self, **request: Any) -> None:
            post(self.base + "/chat/completions", request).close()

    module = types.ModuleType("openai")
    module.__dict__["OpenAI"] = OpenAI
    return module


def fake_transformers() -> types.ModuleType:
    """What the page uses of transformers: arguments that are printed as JSON."""
    class TrainingArguments:
        def __init__(self, **given: Any) -> None:
            self.all = {"max_steps": -1, "num_train_epochs": 3.0, "per_device_train_batch_size": 8, **given}

        def to_json_string(self) -> str:
            return json.dumps(self.all, indent=2)

    module = types.ModuleType("transformers")
    module.__dict__["TrainingArguments"] = TrainingArguments
    return module


def test_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upstream: Upstream, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "openai", fake_openai())
    monkeypatch.setitem(sys.modules, "transformers", fake_transformers())
    namespace: dict[str, Any] = {}
    blocks = re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 9
    for language, text in blocks:
        if language == "sh":
            name, *arguments = text.split()
            assert name == "runattest"
            subprocess.run([BINARY, *arguments], check=True, capture_output=True)
            continue
        text = text.replace('"https://api.openai.com"', f'{{"url": "{upstream.url}", "provider": "openai"}}')
        exec(compile(text, "docs/python.md", "exec"), namespace)
    identity, signer = capsys.readouterr().out.splitlines()[0].split()
    assert identity == namespace["signed"].identity and signer == "runattest.pub"
    assert len(namespace["queue"]) == 3 and len(namespace["reports"]) == 5 and not namespace["bad"]
    assert [path for path, _ in upstream.calls] == ["/v1/chat/completions"] and json.loads(upstream.calls[0][1]) == CHAT


def test_the_page_names_all_that_is_exported() -> None:
    assert not [name for name in runattest.__all__ if f"`{name}" not in PAGE and f"runattest.{name}" not in PAGE and name not in ("Check", "Gateway")]
    for exception in "NotVerified", "InputError", "DeclarationError", "OperationalError", "ProgramTimeout", "SignTimeout", "ProgramNotFound":
        assert issubclass(getattr(runattest, exception), runattest.Error)


def test_the_package_is_thin() -> None:
    """No dependency, under 1,000 lines of code, and few modules to import: bench.py has the time."""
    lines = 0
    for path in Path(runattest.__file__).parent.glob("*.py"):
        docs = re.sub(r'^ *"""(?:.|\n)*?"""\n', "", path.read_text(), flags=re.MULTILINE)
        lines += sum(1 for line in docs.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    assert lines < 1000, lines
    code = f"import sys; sys.path.insert(0, {str(Path(runattest.__file__).parent.parent)!r}); a = set(sys.modules); import runattest; print(*set(sys.modules) - a)"
    modules = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert {m.partition(".")[0] for m in modules} <= sys.stdlib_module_names | {"runattest"}
    assert len(modules) <= 60, sorted(modules)


def test_the_program_is_never_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNATTEST_BIN")
    monkeypatch.setenv("PATH", str(Path(BINARY).parent))
    monkeypatch.chdir(Path(BINARY).parent)
    with pytest.raises(runattest.ProgramNotFound) as e:
        runattest.program()
    assert e.value.hint == "set RUNATTEST_BIN to a runattest"
    (tmp_path / "x").write_text("#!/bin/sh\necho hello\n")
    for mode, reason in (0o600, "permission denied"), (0o700, "is not a runattest"):
        (tmp_path / "x").chmod(mode)
        monkeypatch.setenv("RUNATTEST_BIN", str(tmp_path / "x"))
        with pytest.raises(runattest.ProgramNotFound, match=f"RUNATTEST_BIN: {tmp_path}/x: {reason}"):
            runattest.Signer("k.key")
    with pytest.raises(runattest.ProgramNotFound, match="no such file"):
        monkeypatch.setenv("RUNATTEST_BIN", "/none")
        runattest.load("run.yaml")
    with pytest.raises(FileNotFoundError):
        list(runattest.check(["a"], key="k.pub"))
