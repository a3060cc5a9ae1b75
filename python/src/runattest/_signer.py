"""Signing: one process of the program, to which each declaration is a line."""

from __future__ import annotations

import errno
import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from ._errors import InputError, OperationalError, SignTimeout, failure
from ._json import encode
from ._process import _GRACE, Conversation, check_arguments, check_timeout, environment, give_up_after_fork, run
from ._show import Shown


class Signed(Shown):
    """A signed run: its ``identity``, and the Sigstore ``bundle`` as a dict."""

    def __init__(self, identity: str, bundle: dict[str, Any]) -> None:
        self.identity = identity
        self.bundle = bundle

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the bundle to a file, whole or not at all.

        It replaces a file of that name, and keeps who may read it. A link stays, and the file that it leads to is written.

        Raises:
            InputError: there is no folder for it, or what is there is not a file.
            OperationalError: it cannot be written.
        """
        given = os.fsdecode(path)
        try:
            self._write(given, os.path.realpath(given))
        except OSError as e:
            hint = "mount the folder that it is in" if e.errno == errno.EBUSY else ""  # it is mounted itself
            raise failure(2 if e.errno == errno.ENOENT else 3, f"{given}: cannot be written: {(e.strerror or str(e)).lower()}", hint) from None

    def _write(self, given: str, path: str) -> None:
        there = os.path.lexists(path)
        if (there or os.path.exists(given) or given.endswith(("/", os.sep))) and not os.path.isfile(given):
            raise InputError(f"{given}: is not a file")
        mode = os.lstat(path).st_mode & 0o777 if there else 0o644  # less what umask takes
        name = os.path.join(os.path.dirname(path), f".runattest-{os.urandom(16).hex()}.tmp")
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with open(file, "w", encoding="utf-8") as f:
                print(json.dumps(self.bundle, ensure_ascii=False, separators=(",", ":")), file=f, flush=True)
                os.fsync(f.fileno())
            os.chmod(name, mode if there else os.stat(name).st_mode & 0o777)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise

    def _rows(self) -> list[tuple[str, str]]:
        return [("run", self.identity)]


class Signer:
    """Signs runs with one key, through one process of the program that goes on. Use it in a with statement.

    Threads share it; each forked child gets a process of its own. It cannot be pickled: make one in each process.
    After an exception nothing is sent again, and the next call starts another process.

    Args:
        key: what --key takes: a file, env://NAME or a key in a KMS. None, if options name another way to sign.
        password: of an encrypted key; without it RUNATTEST_PASSWORD is read, and no terminal is asked.
        annotations: are signed with every run, and no part of its identity.
        capture: a format such as "openai-chat": what is signed are requests, and the run is what they declare.
        options: further flags of ``runattest sign``, for every run.
        timeout: seconds for one answer.

    Raises:
        InputError: the key is not there or malformed, the password is wrong, or a flag is.
        OperationalError: a KMS or a service gives no answer.
    """

    public_key: str | None
    """The public key in PEM; None without a key."""

    def __init__(
        self,
        key: str | os.PathLike[str] | None = None,
        *,
        password: str | None = None,
        annotations: Mapping[str, str] | None = None,
        capture: str | None = None,
        options: Sequence[str] = (),
        timeout: float = 30.0,
    ) -> None:
        self._lock = threading.RLock()
        self._conversation: Conversation | None = None
        self._closed = False
        self._password = password
        self._timeout = check_timeout(timeout)
        arguments = [] if key is None else [f"--key={os.fsdecode(key)}"]
        for name, value in (annotations or {}).items():
            if not (isinstance(name, str) and isinstance(value, str)) or "=" in name:
                raise InputError(f"annotation {name!r}: names and values are strings, and names hold no equals sign")
            arguments.append(f"--annotation={name}={value}")
        if capture is not None:
            arguments.append(f"--capture={capture}")
        self._arguments = ["sign", "--format=json", "--jsonl", "-", *check_arguments([*arguments, *check_arguments(options)])]
        self.public_key = None if key is None else self._ask_public_key(os.fsdecode(key))
        self._conversation = self._start()
        give_up_after_fork(self)

    def sign(self, declaration: dict[str, Any] | str | bytes) -> Signed:
        """Sign a declaration, a dict or JSON text; with capture, a request.

        Raises:
            DeclarationError: it is not a valid declaration.
            OperationalError: it could not be signed; SignTimeout, if not in time.
            InputError: the signer is closed.
        """
        request = encode(declaration)
        with self._lock:
            conversation = self._take()
            try:
                answer = conversation.alone(conversation.ask(request))
                self._put(conversation)
            except BaseException:
                conversation.end()
                raise
        return _signed(answer)

    def close(self) -> None:
        """End the process. It may be called again."""
        with self._lock:
            self._closed = True
            conversation, self._conversation = self._conversation, None
        if conversation is not None:
            conversation.end(_GRACE)

    def _take(self) -> Conversation:
        """Take the process away while it is asked: what an exception interrupts is never asked again."""
        if self._closed:
            raise InputError("the signer is closed")
        conversation, self._conversation = self._conversation, None
        if conversation is not None and conversation.usable():
            return conversation
        if conversation is not None:
            conversation.end()
        return self._start()

    def _put(self, conversation: Conversation) -> None:
        if self._closed or self._conversation is not None:  # by a handler of signals, in the middle
            conversation.end(_GRACE)
        else:
            self._conversation = conversation

    def _start(self) -> Conversation:
        """Start the process, and wait until it has its key: it answers an empty line with an error."""
        conversation = Conversation(self._arguments, self._timeout, environment(self._password), late=SignTimeout)
        try:
            answer = conversation.alone(conversation.ask(b""))
            if "bundle" in answer or not isinstance(answer.get("error"), str):
                raise OperationalError("the program signed an empty line")
        except BaseException:
            conversation.end()
            raise
        return conversation

    def _ask_public_key(self, key: str) -> str:
        text = run(["public-key", "--format=json", f"--key={key}"], timeout=self._timeout, env=environment(self._password))
        try:
            return str(json.loads(text)["publicKey"])
        except (ValueError, KeyError, TypeError):
            raise OperationalError(f"the program printed what is not a public key: {text[:200]!r}") from None

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._conversation = None

    def __enter__(self) -> Signer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> str:
        raise TypeError("a Signer cannot be pickled or copied: make one in each process")


def sign(declaration: dict[str, Any] | str | bytes, key: str | os.PathLike[str] | None = None, **arguments: Any) -> Signed:
    """Sign one run; the arguments are those of Signer, which is faster for several."""
    with Signer(key, **arguments) as signer:
        return signer.sign(declaration)


_IDENTITY = re.compile(r"airun:1:sha256:[0-9a-f]{64}\Z")


def _signed(answer: dict[str, Any]) -> Signed:
    error = answer.get("error")
    if isinstance(error, str):
        status = answer.get("status")
        message = error.replace(f"line {answer['line']}, ", "", 1)
        raise failure(status if type(status) is int else 3, message, str(answer.get("hint", "")), declaration=True)
    identity, bundle = answer.get("identity"), answer.get("bundle")
    if not isinstance(identity, str) or not _IDENTITY.match(identity) or not isinstance(bundle, dict):
        raise OperationalError(f"the program answered what is not a signature: {answer!r:.200}")
    return Signed(identity, bundle)
