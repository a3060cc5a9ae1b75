"""Verification: verify raises and check reports exactly as the exit statuses of the program say."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import BINARY, DECLARATION

import runattest


@pytest.fixture(scope="module")
def bundle(keys: Path) -> dict[str, Any]:
    return runattest.sign(DECLARATION, keys / "k.key").bundle


def tampered(bundle: dict[str, Any]) -> dict[str, Any]:
    bundle = copy.deepcopy(bundle)
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"]).replace(b"France", b"Greece")
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    return bundle


def test_no(keys: Path, bundle: dict[str, Any]) -> None:
    with pytest.raises(runattest.NotVerified) as e:
        runattest.verify(tampered(bundle), key=keys / "k.pub")
    assert not e.value.report and {c.name for c in e.value.report.failed} >= {"signature", "identity"}
    assert e.value.report.identity is None and e.value.report.signer is None
    with pytest.raises(runattest.NotVerified, match="signer: the key that the bundle names"):
        runattest.verify(bundle, key=keys / "other.pub")
    with pytest.raises(runattest.NotVerified, match="identity: recomputed"):
        runattest.verify(bundle, key=keys / "k.pub", identity="airun:1:sha256:" + "1" * 64)
    assert runattest.verify(bundle, key=[keys / "other.pub", keys / "k.pub"])


def test_malformed_and_unreadable(keys: Path, bundle: dict[str, Any], tmp_path: Path) -> None:
    key = keys / "k.pub"
    (tmp_path / "empty").write_text("")
    for bad in {}, b"{}", b"[]", b'"' + str(keys / "k.pub").encode() + b'"', {"a": float("nan")}, tmp_path / "empty", "none.json", "", str(tmp_path):
        with pytest.raises(runattest.InputError):
            runattest.verify(bad, key=key)
    with pytest.raises(runattest.InputError, match="as bytes: text.encode"):
        runattest.verify(json.dumps(bundle), key=key)
    with pytest.raises(runattest.InputError, match="is not a file of bundles"):
        runattest.verify("oci://127.0.0.1:9/a", key=key)
    with pytest.raises(runattest.InputError, match="is not a file of bundles"):
        runattest.verify(tmp_path, key=key)  # the answer about a journal is not a report
    reports = list(runattest.check([bundle, tmp_path, bundle], key=key))
    assert [r.verified for r in reports] == [True, False, True] and "is not a file of bundles" in str(reports[1].error)
    with pytest.raises(runattest.InputError, match="not UTF-8"):
        runattest.verify("\udcff.json", key=key)
    with pytest.raises(runattest.OperationalError):
        runattest.verify("/proc/self/mem", key=key)
    for other in None, 1, [], ["a"], b"x" and tmp_path.iterdir():
        with pytest.raises(TypeError):
            runattest.verify(other, key=key)  # type: ignore[arg-type]


def test_trust(keys: Path, bundle: dict[str, Any], tmp_path: Path) -> None:
    trusts: list[dict[str, Any]] = [{}, {"key": []}, {"key": "none.pub"}, {"key": ""}, {"key": keys / "k.key"}, {"policy": "none.yaml"}]
    for trust in [*trusts, {"identity": "", "key": keys / "k.pub"}]:
        with pytest.raises(runattest.InputError):
            runattest.verify(bundle, **trust)
        if "identity" not in trust:
            for bundles in [bundle], []:
                with pytest.raises(runattest.InputError):
                    list(runattest.check(bundles, **trust))
    with pytest.raises(runattest.OperationalError):
        runattest.verify(bundle, key="awskms:///alias/x")
    (tmp_path / "k.pub").write_text((keys / "k.pub").read_text())
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        f"schema: https://github.com/runattest/runattest/policy/v1\nsigners: {{keys: [{{name: ci, key: k.pub}}]}}\n"
        "rules: [{name: small, expr: declaration.parameters.seed < 8}]\n"
    )
    assert runattest.verify(bundle, policy=policy)
    big = runattest.sign({**DECLARATION, "parameters": {"seed": 8}}, keys / "k.key").bundle
    with pytest.raises(runattest.NotVerified, match="policy: .*small"):
        runattest.verify(big, policy=policy)
    with pytest.raises(runattest.OperationalError, match="not a JSON object"):
        runattest.verify(tampered(bundle), key=keys / "k.pub", options=["--help"])


def test_several_and_sets(keys: Path, bundle: dict[str, Any], tmp_path: Path) -> None:
    both = tmp_path / "both.jsonl"
    both.write_text(json.dumps(bundle) + "\n" + json.dumps(tampered(bundle)) + "\n")
    with pytest.raises(runattest.InputError, match="holds 2 bundles, want one"):
        runattest.verify(both, key=keys / "k.pub")
    assert [r.verified for r in runattest.check([both], key=keys / "k.pub")] == [True, False]
    (tmp_path / "runs.jsonl").write_text(json.dumps(DECLARATION) + "\n")
    sign = [BINARY, "sign", "--key", str(keys / "k.key"), "--set", str(tmp_path / "s.runset.jsonl"), str(tmp_path / "runs.jsonl")]
    subprocess.run(sign, check=True, capture_output=True)
    with pytest.raises(runattest.InputError, match="is a run set"):
        runattest.verify(tmp_path / "s.runset.jsonl", key=keys / "k.pub")
    (report,) = runattest.check([tmp_path / "s.runset.jsonl"], key=keys / "k.pub")
    assert report and report.identity is None and report.data["size"] == 1


def test_detached(keys: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(DECLARATION))
    bundle = runattest.sign(DECLARATION, keys / "k.key", options=["--detached"]).bundle
    with pytest.raises(runattest.NotVerified) as e:
        runattest.verify(bundle, key=keys / "k.pub")
    assert e.value.hint
    assert runattest.verify(bundle, key=keys / "k.pub", declaration=tmp_path / "run.json")


def test_check(keys: Path, bundle: dict[str, Any], tmp_path: Path) -> None:
    """Every kind of answer, in order, from one process."""
    (tmp_path / "good.json").write_text(json.dumps(bundle))
    items: list[Any] = [tmp_path / "good.json", bundle, tampered(bundle), b"[]", {1: 2}, "none.json", "/proc/self/mem", "oci://x/y", bundle]
    reports = list(runattest.check(iter(items), key=keys / "k.pub"))
    assert [r.verified for r in reports] == [True, True, False, False, False, False, False, False, True]
    assert [r.error_code for r in reports] == ["", "", "", "malformed", "malformed", "malformed", "unreadable", "malformed", ""]
    assert [r.bundle for r in reports[:4]] == [str(tmp_path / "good.json"), "bundle 2", "bundle 3", "bundle 4"]
    rows = [r.row() for r in reports]
    assert len({tuple(row) for row in rows}) == 1 and rows[0]["signer"] == str(keys / "k.pub") and rows[2]["identity"] is None
    for one in bundle, "run.json", b"{}", tmp_path:
        with pytest.raises(TypeError, match="put one into a list"):
            runattest.check(one, key=keys / "k.pub")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not int"):
        list(runattest.check([1], key=keys / "k.pub"))  # type: ignore[list-item]


def test_many(keys: Path, bundle: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """5,000 bundles through one process; the short form has a line of bundles in one file, too."""
    bad, n = tampered(bundle), 5000 if request.config.getoption("--long") else 250
    reports = list(runattest.check((bad if i % 10 == 3 else bundle for i in range(n)), key=keys / "k.pub"))
    assert [r.verified for r in reports] == [i % 10 != 3 for i in range(n)]


@pytest.mark.parametrize("policy", ["contradiction", "no-and-yes", "word", "nothing", "cut", "exit", "shape", "hang"])
def test_a_program_that_contradicts_itself(standin: Path, policy: str) -> None:
    kind, timeout = (runattest.ProgramTimeout, 0.5) if policy == "hang" else (runattest.OperationalError, 30)
    with pytest.raises(kind):
        runattest.verify({}, policy=policy, timeout=timeout)
    with pytest.raises(kind):
        list(runattest.check([{}], policy=policy, timeout=timeout))


def test_the_stand_in_can_do_right(standin: Path) -> None:
    """Or the test above would pass for another reason."""
    assert runattest.verify({}, policy="right")
    assert list(runattest.check([{}, {}], policy="right")) and standin


def test_shown(keys: Path, bundle: dict[str, Any]) -> None:
    evil = "<script>alert(1)</script>"
    signed = runattest.sign({**DECLARATION, "model": {"name": evil}}, keys / "k.key", annotations={evil: evil})
    verified = runattest.verify(signed.bundle, key=keys / "k.pub")
    for shown in signed, verified, verified.checks[0], runattest.Report({"bundle": evil, "verified": False, "checks": [], "error": evil}):
        html = shown._repr_html_()
        assert html.startswith("<table>") and "<script>" not in html
        assert repr(shown).startswith(f"<{type(shown).__name__} ")
    assert "&lt;script&gt;" in verified._repr_html_()
    with pytest.raises(ValueError):
        runattest.Verified({"bundle": "b", "verified": False, "checks": []})
    with pytest.raises(ValueError):
        runattest.Verified({"bundle": "b", "verified": True, "checks": []})
