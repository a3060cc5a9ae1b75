"""The gateway: calls in its block are signed before they leave, or refused."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import runattest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="hands over a socket")

CHAT = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]}
CLOUDS = [  # what the SDKs' clients of clouds call
    "/openai/deployments/m/chat/completions",
    "/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent",
    "/projects/p/locations/l/publishers/anthropic/models/m:rawPredict",
    "/model/m/invoke",
]


class Upstream(ThreadingHTTPServer):
    """A stand-in for a model's API. It answers with what it was asked, and streams where it is asked to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, bytes]] = []
        self.wait = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True, args=(0.02,)).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, Upstream)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.calls.append((self.path, body))
        self.send_response(200)
        if not json.loads(body).get("stream"):
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")
            return
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.chunk(b"data: 1\n\n")
        self.server.wait.wait(20)
        self.chunk(b"data: 2\n\n")
        self.chunk(b"")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.wait.set()
    server.shutdown()
    server.server_close()


def post(url: str, body: object, timeout: float = 20) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    return urllib.request.urlopen(request, timeout=timeout)


def test_signed_refused_and_restored(keys: Path, tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://before.example")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # none may see the calls
    monkeypatch.setenv("NO_PROXY", "acme.example")
    before = dict(os.environ)
    with runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstream.url, provider="openai") as g:
        assert os.environ["NO_PROXY"] == "acme.example,127.0.0.1" and g.env.items() <= os.environ.items()
        assert os.environ["OPENAI_BASE_URL"] == g.url() + "/v1" and os.environ["OLLAMA_HOST"] == g.url()
        with post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", CHAT) as answer:
            identity = answer.headers["Airun-Identity"]
            assert answer.read() == b"{}" and answer.headers["Airun-Journal"]
        assert upstream.calls == [("/v1/chat/completions", json.dumps(CHAT).encode())]
        for url, body, code in [
            ("/v1/chat/completions", {**CHAT, "messages": 1}, "capture_refused"),
            ("/v1/completions", CHAT, "endpoint_undeclared"),
            ("/v1/messages", CHAT, "endpoint_unknown"),  # what Anthropic's SDK calls
            *((path, CHAT, "endpoint_unknown") for path in CLOUDS),
        ]:
            with pytest.raises(urllib.error.HTTPError) as e:
                post(g.url() + url, body)
            with e.value:
                assert e.value.headers["Airun-Refusal"] == code and json.loads(e.value.read())["error"]["message"]
        for past in g.url().rpartition("/")[0], g.url()[:-1] + ("0" if g.url()[-1] != "0" else "1"):
            with pytest.raises(urllib.error.HTTPError, match="401"):
                post(past + "/v1/chat/completions", CHAT)
        assert len(upstream.calls) == 1 and len(g.url().rpartition("/")[2]) == 32
        with pytest.raises(runattest.InputError, match="no upstream is named"):
            g.url("openai")
    assert dict(os.environ) == before
    with runattest.Signer(keys / "k.key", capture="openai-chat") as signer:
        assert signer.sign(CHAT).identity == identity
    assert identity.rpartition(":")[2] in "".join(p.name + p.read_text() for p in (tmp_path / "j").rglob("*") if p.is_file())
    with pytest.raises(OSError):  # refused, or reset
        post(g.url() + "/v1/chat/completions", CHAT, timeout=2)


def test_hosts_past_the_proxy(keys: Path, tmp_path: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many clients read no_proxy first, and NO_PROXY only without it: the hosts of the one that is set stay."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    both = "lower.example,127.0.0.1", "upper.example,127.0.0.1"
    for i, (lower, upper, want) in enumerate([
        (None, None, ("127.0.0.1",) * 2), (None, "*", ("*",) * 2), ("*", None, ("*",) * 2), ("lower.example", None, both[:1] * 2),
        (None, "upper.example", both[1:] * 2), ("", "upper.example", both[1:] * 2), ("lower.example", "upper.example", both),
    ]):
        for name, value in ("no_proxy", lower), ("NO_PROXY", upper):
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        before = dict(os.environ)
        with runattest.gateway(keys / "k.key", journal=tmp_path / f"j{i}", upstream=upstream.url, provider="openai") as g:
            assert (os.environ["no_proxy"], os.environ["NO_PROXY"]) == want == (g.env["no_proxy"], g.env["NO_PROXY"])
            hosts = "*" if want[0] == "*" else lower or upper
            assert not hosts or urllib.request.proxy_bypass("any.example" if hosts == "*" else hosts), want
            post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", CHAT).close()
        assert dict(os.environ) == before


def test_clients_of_clouds_reach_the_gateway(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    variables = ["AZURE_OPENAI_ENDPOINT", "GOOGLE_VERTEX_BASE_URL", "ANTHROPIC_VERTEX_BASE_URL", "ANTHROPIC_BEDROCK_BASE_URL"]
    upstreams = {name: upstream.url for name in ("openai", "anthropic", "google")}
    with runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstreams) as g:
        for variable, path in zip(variables, CLOUDS):
            assert os.environ[variable] == g.env[variable] == g.url()
            with pytest.raises(urllib.error.HTTPError) as e:
                post(os.environ[variable] + path, CHAT)
            e.value.close()
    assert upstream.calls == [] and not any(variable in os.environ for variable in variables)


def test_several_upstreams(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    upstreams: dict[str, Any] = {"openai": {"url": upstream.url, "provider": "openai", "prefix": "/elsewhere"}, "local": upstream.url}
    with runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstreams) as g:
        assert os.environ["OPENAI_BASE_URL"] == g.url("openai") + "/v1" == g.url() + "/openai/v1"
        for url in g.url("openai"), g.url("local"):
            post(url + "/v1/chat/completions", CHAT).close()
        with pytest.raises(urllib.error.HTTPError):
            post(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", CHAT)
    assert len(upstream.calls) == 2


def test_policy(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "k.pub").write_text((keys / "k.pub").read_text())
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: gateway, key: k.pub}]}\n"
        "rules: [{name: small, expr: declaration.parameters.maxCompletionTokens <= 100, message: at most 100 tokens}]\n"
    )
    try:
        g = runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstream.url, provider="openai", policy=policy)
        with g, pytest.raises(urllib.error.HTTPError) as e:
            post(g.url() + "/v1/chat/completions", CHAT)
        with e.value:
            assert e.value.headers["Airun-Refusal"] == "policy_denied" and b"small" in e.value.read()
    finally:
        assert not upstream.calls


def test_streaming(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    """The first part of an answer arrives while the second is not there yet."""
    with runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstream.url, provider="openai") as g:
        with post(g.url() + "/v1/chat/completions", {**CHAT, "stream": True}) as answer:
            assert answer.readline() == b"data: 1\n"
            upstream.wait.set()
            assert answer.read() == b"\ndata: 2\n\n"


def test_killed(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    """After a crash calls fail at once, none goes past the gateway, and the block says so."""
    with pytest.raises(runattest.OperationalError, match="did not end well.*status -9"):
        with runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstream.url, provider="openai") as g:
            assert g._conversation is not None
            os.kill(g._conversation._child.popen.pid, signal.SIGKILL)
            begin = time.monotonic()
            for _ in range(3):
                with pytest.raises(OSError):
                    post(g.url() + "/v1/chat/completions", CHAT)
            assert time.monotonic() - begin < 20 and not upstream.calls
    assert "OLLAMA_HOST" not in os.environ
    runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstream.url).__enter__().__exit__(None, None, None)


def test_an_exception_in_the_block_is_that_of_the_block(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    with pytest.raises(ZeroDivisionError):
        with runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstream.url) as g:
            assert g._conversation is not None
            os.kill(g._conversation._child.popen.pid, signal.SIGKILL)
            raise ZeroDivisionError


def test_wrong(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNATTEST_PASSWORD", raising=False)
    before = dict(os.environ)
    wrong: list[dict[str, Any]] = [
        {"key": "none.key"}, {"upstream": "nothing"}, {"upstream": {"a": "nothing"}}, {"upstream": {"a": {"none": 1}}},
        {"policy": "none.yaml"}, {"options": ["--nothing"]}, {"key": keys / "locked.key", "password": "wrong"}, {"key": keys / "locked.key"},
    ]
    for w in wrong:
        with pytest.raises(runattest.InputError):
            with runattest.gateway(**{"key": keys / "k.key", "journal": tmp_path / "j", "upstream": "http://127.0.0.1:9", **w}):
                raise AssertionError(w)
    with pytest.raises(runattest.InputError, match="provider goes with a single upstream"):
        runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream={"openai": "http://127.0.0.1:9"}, provider="openai")
    assert dict(os.environ) == before


def test_blocks_do_not_overlap(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    """A second block is refused before it starts: the variables lead to the first, and calls would change their signer."""
    before = dict(os.environ)
    one, two = (runattest.gateway(keys / "k.key", journal=tmp_path / name, upstream=upstream.url, provider="openai") for name in "ab")

    def refused() -> None:
        with pytest.raises(runattest.InputError, match="the block of another gateway is open in this process"):
            two.__enter__()

    async def task() -> None:
        refused()

    with one:
        inside = dict(os.environ)
        refused()
        with ThreadPoolExecutor() as threads:
            threads.submit(refused).result()
        asyncio.run(task())
        assert dict(os.environ) == inside and inside["OPENAI_BASE_URL"] == one.url() + "/v1" and not (tmp_path / "b").exists()
        post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", CHAT).close()
    assert dict(os.environ) == before
    with two:
        inside = dict(os.environ)
        assert inside["OPENAI_BASE_URL"] == two.url() + "/v1"
        one.__exit__(None, None, None)  # a second time
        three = runattest.gateway(keys / "k.key", journal=tmp_path / "c", upstream=upstream.url)
        with pytest.raises(runattest.InputError, match="is open"):
            three.__enter__()
        assert dict(os.environ) == inside
    assert dict(os.environ) == before


def test_one_thread_enters_a_gateway(keys: Path, tmp_path: Path, upstream: Upstream) -> None:
    before = dict(os.environ)
    one = runattest.gateway(keys / "k.key", journal=tmp_path / "j", upstream=upstream.url, provider="openai")
    at_once = threading.Barrier(4)

    def enter() -> bool:
        at_once.wait()
        try:
            one.__enter__()
        except runattest.InputError as e:
            assert "a gateway serves once" in str(e)
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        entered = [done.result() for done in [threads.submit(enter) for _ in range(4)]]
    assert sorted(entered) == [False, False, False, True]
    assert os.environ["OPENAI_BASE_URL"] == one.url() + "/v1"
    one.__exit__(None, None, None)
    assert dict(os.environ) == before


def test_blocks_of_a_forked_child_overlap_with_its_parents(keys: Path, tmp_path: Path) -> None:
    """Processes have variables of their own: what one does in or after a fork leaves the other's as they are."""
    code = f"""
import os, runattest
def block(name):
    return runattest.gateway({str(keys / "k.key")!r}, journal=os.path.join({str(tmp_path)!r}, name), upstream="http://127.0.0.1:9")
before = dict(os.environ)
with block("parent") as g:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with block("child") as own:
                try:
                    block("third").__enter__()
                except runattest.InputError:
                    status = 0 if os.environ["OLLAMA_HOST"] == own.url() else 2
            if os.environ["OLLAMA_HOST"] != g.url():
                status = 3
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0 and os.environ["OLLAMA_HOST"] == g.url(), status
assert dict(os.environ) == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_killed_parent_ends_the_gateway(keys: Path, tmp_path: Path) -> None:
    code = f"""
import os, time, runattest
with runattest.gateway({str(keys / "k.key")!r}, journal={str(tmp_path / "j")!r}, upstream="http://127.0.0.1:9") as g:
    child = os.fork()
    if child == 0:  # holds nothing that keeps the gateway
        time.sleep(60)
        os._exit(0)
    print(g._conversation._child.popen.pid, child, flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid, child = map(int, parent.stdout.readline().split())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    from test_conversation import alive, gone

    try:
        assert gone(pid) and alive(child)
    finally:
        os.kill(child, signal.SIGKILL)
