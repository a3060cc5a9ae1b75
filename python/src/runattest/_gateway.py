"""A block in which the calls of models' SDKs are signed before they leave, or refused."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._errors import InputError, OperationalError
from ._process import Conversation, check_arguments, environment, give_up_after_fork

_END = 45.0  # seconds: calls in flight have 30 to end, and the journal 10
_VARIABLES = {  # of the SDKs, with the name of the upstream and the path that each wants; _REFUSED have no upstream
    "OPENAI_BASE_URL": ("openai", "/v1"),
    "ANTHROPIC_BASE_URL": ("anthropic", ""),
    "GOOGLE_GEMINI_BASE_URL": ("google", ""),
    "OLLAMA_HOST": ("ollama", ""),
}
# Of the SDKs' clients of clouds: no capture table has their endpoints, so the gateway refuses their calls.
_CLOUDS = "BEDROCK", "BEDROCK_MANTLE", "FOUNDRY", "GOOGLE_CLOUD", "VERTEX"
_REFUSED = ["AZURE_OPENAI_ENDPOINT", "AWS_BEDROCK_BASE_URL", "GOOGLE_VERTEX_BASE_URL", *(f"ANTHROPIC_{c}_BASE_URL" for c in _CLOUDS)]

if TYPE_CHECKING:
    import socket

Path = str | os.PathLike[str]
_open: dict[int, Gateway] = {}  # by process, the gateway that has set its variables; a forked child may open its own


class Gateway:
    """A gateway that serves in a with statement; ``gateway`` makes one.

    ``env`` are the variables that the block sets, for programs that it starts with an environment of their own.
    """

    def __init__(self, arguments: list[str], upstreams: Mapping[str, str | Mapping[str, Any]], password: str | None, timeout: float) -> None:
        self.env: dict[str, str] = {}
        self._arguments, self._upstreams, self._password, self._timeout = arguments, upstreams, password, timeout
        self._conversation: Conversation | None = None
        self._socket: socket.socket | None = None
        self._before: dict[str, str | None] = {}
        self._base, self._over, self._entered = "", threading.Event(), threading.Lock()

    def url(self, name: str | None = None) -> str:
        """The base URL of the gateway, or of one of several upstreams, for a client that is made without the variables.

        OpenAI's clients want ``/v1`` behind it. It holds a secret: who knows it can have calls signed.
        """
        if name is None:
            return self._base
        if name not in self._upstreams:
            raise InputError(f"no upstream is named {name!r}, want one of: {', '.join(self._upstreams)}")
        return f"{self._base}/{name}"

    def __enter__(self) -> Gateway:
        import secrets
        import socket
        import tempfile

        if not self._entered.acquire(blocking=False):
            raise InputError("a gateway serves once: make another")
        if _open.setdefault(os.getpid(), self) is not self:  # its calls would come here, to another key and policy
            self._entered.release()
            raise InputError("the block of another gateway is open in this process", "leave it first, or name all upstreams in one block")
        try:
            secret, listen, pass_fds = secrets.token_hex(16), "127.0.0.1:0", []
            if sys.platform != "win32":  # the port is ours: no one else gets it, and the API keys, if the program crashes
                self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
                self._socket.settimeout(0.1)
                listen, pass_fds = f"fd://{self._socket.fileno()}", [self._socket.fileno()]
            arguments = [*self._arguments, f"--listen={listen}", "--url-secret=env://RUNATTEST_URL_SECRET"]
            env = environment(self._password, RUNATTEST_URL_SECRET=secret)
            with tempfile.TemporaryDirectory() as folder:
                if self._upstreams:
                    arguments.append(f"--config={self._configure(folder)}")
                self._conversation = Conversation(arguments, self._timeout, env, pass_fds=pass_fds)
                url = self._conversation.ready().get("url")
            if not isinstance(url, str) or self._socket and url != f"http://127.0.0.1:{self._socket.getsockname()[1]}":
                raise OperationalError(f"the gateway serves at {url!r}")
            self._base = f"{url}/{secret}"
            give_up_after_fork(self)
            threading.Thread(target=self._refuse_after_end, name="runattest", daemon=True).start()
            self._set_variables()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._conversation is not None
        try:
            self._conversation.finish(0, _END)
        except OperationalError as e:
            if kind is None:
                raise OperationalError(f"the gateway did not end well; its journal may have an open segment: {e.message}") from None
        finally:
            self._close()

    def _close(self) -> None:
        self._over.set()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}
        if _open.get(os.getpid()) is self:
            del _open[os.getpid()]
        if self._conversation is not None:
            self._conversation.end()
        if self._socket is not None:
            self._socket.close()

    def _configure(self, folder: str) -> str:
        upstreams = [{**({"url": u} if isinstance(u, str) else u), "prefix": "/" + name} for name, u in self._upstreams.items()]
        path = os.path.join(folder, "gateway.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"schema": "https://github.com/runattest/runattest/gateway/v1", "upstreams": upstreams}, f)
        return path

    def _set_variables(self) -> None:
        """Set the variables of the SDKs: one whose API has no upstream is refused, and does not go past the gateway."""
        for variable, (name, path) in _VARIABLES.items():
            self.env[variable] = (self.url(name) if name in self._upstreams else self._base) + path
        self.env.update(dict.fromkeys(_REFUSED, self._base))
        for variable, other in ("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY"):  # a proxy would be sent the calls, and the API keys
            hosts = os.environ.get(variable) or os.environ.get(other)  # clients read one of the two
            self.env[variable] = "*" if hosts == "*" else ",".join(filter(None, [hosts, "127.0.0.1"]))
        self._before = {name: os.environ.get(name) for name in self.env}
        os.environ.update(self.env)

    def _refuse_after_end(self) -> None:
        """Close each connection once the program has ended: calls fail at once, and do not wait for an answer."""
        assert self._conversation is not None
        try:
            self._conversation.drain()
            while self._socket is not None and not self._over.is_set():
                try:
                    self._socket.accept()[0].close()
                except TimeoutError:
                    pass
        except (OSError, ValueError):
            pass  # closed

    def after_fork(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def __reduce__(self) -> str:
        raise TypeError("a Gateway cannot be pickled or copied: give other processes its env")


def gateway(
    key: Path,
    *,
    journal: Path,
    upstream: str | Mapping[str, str | Mapping[str, Any]],
    provider: str | None = None,
    policy: Path | None = None,
    password: str | None = None,
    options: Sequence[str] = (),
    timeout: float = 30.0,
) -> Gateway:
    """Sign the calls of models' SDKs in a with statement, before they leave, or refuse them.

    The block has the base URL variables of openai, anthropic, google-genai and ollama point to the gateway, and those of
    their clients of Azure, Bedrock, Foundry and Vertex AI, whose calls the gateway refuses. Calls go past the gateway,
    unsigned, if a client was made before the block, is given a URL of its own, or reads none of these variables.

    Args:
        key: a key's file, or env://NAME.
        journal: the folder of the journal, which is made if there is none.
        upstream: the URL of the API's server; or several by name, each a URL or the members of an upstream in
            gateway.yaml, but prefix, which is the name. The variable of an SDK leads to the upstream named openai,
            anthropic, google or ollama.
        provider: who runs the model behind a single upstream, if its host does not say so.
        policy: a file; a call that it does not allow is refused.
        password: of an encrypted key.
        options: further flags of ``runattest gateway``.
        timeout: seconds until the gateway must be ready.

    Raises:
        InputError: on entering the block, wrong keys, policies and upstreams, or the block of another gateway that is
            open in the process: its variables lead to one gateway at a time.
        OperationalError: on leaving it, if the program did not end well: then calls have failed.
    """
    if provider is not None and not isinstance(upstream, str):
        raise InputError("provider goes with a single upstream", 'name it with each: {"openai": {"url": URL, "provider": "openai"}}')
    single, upstreams = (upstream, {}) if isinstance(upstream, str) else (None, dict(upstream))
    given: list[tuple[str, Path | None]] = [("key", key), ("journal", journal), ("upstream", single), ("provider", provider), ("policy", policy)]
    arguments = [f"--{name}={os.fsdecode(value)}" for name, value in given if value is not None]
    arguments = check_arguments([*arguments, *check_arguments(options)])
    return Gateway(["gateway", "--format=json", "--until-stdin-ends", *arguments], upstreams, password, timeout)
