"""The program, asked once or in a conversation, so that an answer never belongs to another request.

A conversation is one process that reads requests and writes answers, a line each. Its owner ends it after every
exception: an answer that was left in the pipe would be taken for the answer to the next request.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Protocol

from ._errors import Error, InputError, OperationalError, ProgramTimeout, failure
from ._program import program

if TYPE_CHECKING:
    import subprocess

_ANSWER = 64 << 20  # bytes of an answer, at most
_TAIL = 16 << 10  # bytes of standard error that are kept
_LINES = 50  # lines of it that go into an exception
_UNSENDABLE = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")  # the surrogates between stand for bytes of a file's name
_GRACE = 5.0  # seconds that a process has to end with its input


def environment(password: str | None, **more: str) -> dict[str, str] | None:
    """Return the environment for secrets, None for ours: arguments can be seen by other users, an environment cannot."""
    if password is not None:
        more["RUNATTEST_PASSWORD"] = password
    if any(_UNSENDABLE.search(value) for value in more.values()):
        raise InputError("the password holds a NUL character, or half of a surrogate pair")
    return {**os.environ, **more} if more else None


class Forked(Protocol):
    """What gives up in a forked child what belongs to its parent."""

    def after_fork(self) -> None: ...


_forked: weakref.WeakSet[Forked] = weakref.WeakSet()
_starting = threading.RLock()  # held while pipes are made: a fork then would copy them unseen


def give_up_after_fork(thing: Forked) -> None:
    """Have after_fork called in every forked child."""
    _forked.add(thing)


def _in_child() -> None:
    global _starting
    _starting = threading.RLock()
    for thing in list(_forked):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lambda: _starting.acquire(), after_in_parent=lambda: _starting.release(), after_in_child=_in_child)


def check_timeout(timeout: float) -> float:
    """Return a number of seconds, which must be positive."""
    if not 0 < timeout <= threading.TIMEOUT_MAX:
        raise InputError(f"timeout is {timeout}, want a positive number of seconds")
    return float(timeout)


def check_arguments(arguments: Sequence[str]) -> list[str]:
    """Return arguments that can be handed to a program, and are not secret."""
    if isinstance(arguments, (str, bytes)):
        raise TypeError("options is one string, want a list of arguments")
    for argument in arguments:
        if not isinstance(argument, str):
            raise TypeError(f"an argument is {type(argument).__name__}, want str")
        if "PRIVATE KEY-----" in argument:
            raise InputError(
                "an argument holds a private key, and other users of this machine can see arguments",
                "name the key's file, or put the key into a variable: env://NAME",
            )
        if _UNSENDABLE.search(argument):
            raise InputError(f"an argument holds a NUL character, or half of a surrogate pair: {argument!r:.100}")
    return list(arguments)


def _apart() -> dict[str, Any]:
    """Arguments of Popen for a session of its own: without Ctrl-C of the terminal, and no terminal to ask on."""
    if sys.platform == "win32":
        import subprocess

        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    return {"start_new_session": True}


def _exited(status: int, stderr: bytes) -> Error:
    """Return the exception for a program that said on standard error why it ended."""
    text = stderr.decode(errors="replace")
    said = [line[len("runattest: "):] for line in text.splitlines() if line.startswith("runattest: ")]
    hints = [line[len("hint: "):] for line in text.splitlines() if line.startswith("hint: ")]
    if status in (1, 2, 3) and said:
        return failure(status, "\n".join(said), hints[0] if hints else "")
    return OperationalError(f"the program ended with status {status}{_last_lines(stderr)}")


def _last_lines(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").splitlines()[-_LINES:]
    return "".join(["; its standard error ends:", *("\n  " + line for line in lines)]) if lines else ""


class _Child:
    """A process, and the two threads that drain its standard error and end what takes too long."""

    def __init__(self, arguments: Sequence[str], timeout: float, env: Mapping[str, str] | None, pass_fds: Sequence[int] = ()) -> None:
        import subprocess

        self.owner = os.getpid()
        self.timeout = timeout
        self.guard = threading.RLock()  # of the fields below; a finalizer may run while this thread holds it
        self.deadline: float | None = None
        self.expired = False
        self.tail = b""
        self._done = threading.Event()
        command = [program(), *arguments]
        try:
            self.popen: subprocess.Popen[bytes] = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                bufsize=0, env=env, pass_fds=pass_fds, **_apart(),
            )
        except OSError as e:
            raise OperationalError(f"{command[0]}: cannot be started: {e.strerror or e}") from e
        self.threads = [threading.Thread(target=f, name="runattest", daemon=True) for f in (self._drain, self._watch)]
        try:
            for thread in self.threads:
                thread.start()
        except BaseException:
            self.end()
            raise

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
        """Standard input, output and error, unbuffered: there is no lock in them that a forked thread may hold."""
        p = self.popen
        assert p.stdin is not None and p.stdout is not None and p.stderr is not None
        return p.stdin, p.stdout, p.stderr

    def _drain(self) -> None:
        pipe = self.pipes[2]
        try:
            while chunk := pipe.read(4096):
                self.tail = (self.tail + chunk)[-_TAIL:]
        except (OSError, ValueError):
            pass  # closed
        pipe.close()

    def _watch(self) -> None:
        # A deadline that is set while this thread sleeps is not earlier than its end: it does not need to be woken.
        wait = self.timeout
        while not self._done.wait(wait):
            with self.guard:
                wait = self.timeout
                if self.deadline is not None:
                    wait = self.deadline - time.monotonic()
                    if wait <= 0:
                        self.expired, self.deadline, wait = True, None, self.timeout
                        self.kill()

    def kill(self) -> None:
        """Kill the process with what it has started."""
        with self.guard:
            if self.popen.returncode is not None:
                return
            try:
                if sys.platform == "win32":
                    self.popen.kill()
                else:
                    os.killpg(self.popen.pid, 9)
            except OSError:
                pass  # it has ended

    def wait(self, seconds: float) -> int | None:
        """Return the exit status of a process that is ending, or None."""
        import subprocess

        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self, grace: float = 0.0) -> None:
        """End the process, if it does not end with its input in time, and close its pipes. It may be called again."""
        stdin, stdout, stderr = self.pipes
        if os.getpid() != self.owner:  # forked: the process is the parent's
            self.popen.returncode = self.popen.returncode or 0
            for pipe in (stdin, stdout, stderr):
                pipe.close()
            return
        with self.guard:
            self.deadline = None
        if grace:
            stdin.close()
            self.wait(grace)
        self.kill()
        self.wait(_GRACE)
        self._done.set()
        for pipe in (stdin, stdout):
            pipe.close()
        for thread in self.threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(_GRACE)


class Conversation:
    """One process that answers requests line by line. It is not for two threads at a time."""

    def __init__(
        self, arguments: Sequence[str], timeout: float, env: Mapping[str, str] | None = None,
        *, late: type[ProgramTimeout] = ProgramTimeout, pass_fds: Sequence[int] = (),
    ) -> None:
        self._late = late
        self._line = 0
        self._buffer = b""
        self._answered = False
        with _starting:
            self._child = _Child(arguments, check_timeout(timeout), env, pass_fds)
            self._finalizer = weakref.finalize(self, self._child.end)
            give_up_after_fork(self)

    def after_fork(self) -> None:
        self._finalizer.detach()
        self._child.end()

    def end(self, grace: float = 0.0) -> None:
        """End the process, at once or once it had time to end with its input."""
        self._finalizer.detach()
        self._child.end(grace)

    def finish(self, want: int, grace: float = _GRACE) -> None:
        """Close the process's input; it must end with this exit status, in so many seconds."""
        self._child.pipes[0].close()
        if self._child.wait(grace) != want:
            raise self._ended()

    def usable(self) -> bool:
        """Say whether the process can be asked."""
        return not self._buffer and not self._child.expired and self._child.popen.poll() is None

    def ask(self, request: bytes) -> dict[str, Any]:
        """Send one line, and return the first object that answers it."""
        self._line += 1
        self._limit()
        self._write(request + b"\n")
        return self._receive()

    def more(self) -> dict[str, Any]:
        """Return the next object that answers the request."""
        self._limit()
        return self._receive()

    def alone(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer after which nothing may follow."""
        if self._buffer:
            raise OperationalError(f"the program answered more than it was asked: {self._buffer[:200]!r}")
        return answer

    def once(self, data: bytes) -> bytes:
        """Send all of the process's input, and return all of its output."""
        self._limit()
        self._write(data)
        self._child.pipes[0].close()
        chunks, pipe = [], self._child.pipes[1]
        while chunk := pipe.read(1 << 16):
            chunks.append(chunk)
        if self._child.wait(_GRACE) != 0:
            raise self._ended()
        return b"".join(chunks)

    def _limit(self) -> None:
        with self._child.guard:
            self._child.deadline = time.monotonic() + self._child.timeout

    def ready(self) -> dict[str, Any]:
        """Return what a program says first of its own accord, once it is ready."""
        self._limit()
        answer = self._object()
        self._answered = True
        return answer

    def drain(self) -> None:
        """Return when the process closes its output, as it does at its end."""
        while self._child.pipes[1].read(4096):
            pass

    def _receive(self) -> dict[str, Any]:
        answer = self._object()
        if type(answer.get("line")) is not int or answer["line"] != self._line:
            raise OperationalError(f"the program answered another request: {answer!r:.200}, want line {self._line}")
        self._answered = True
        return answer

    def _object(self) -> dict[str, Any]:
        line = self._read_line()
        with self._child.guard:
            self._child.deadline = None
        if line is None:
            raise self._ended()
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise OperationalError(f"the program answered what is not a JSON object: {line[:200]!r}")
        if "line" not in answer and isinstance(answer.get("error"), str) and not self._answered:
            self._child.pipes[0].close()
            status = self._child.wait(_GRACE)
            raise failure(status or 3, answer["error"], str(answer.get("hint", "")))
        return answer

    def _write(self, data: bytes) -> None:
        pipe, rest = self._child.pipes[0], memoryview(data)
        try:
            while rest:
                rest = rest[pipe.write(rest) :]
        except BrokenPipeError:
            pass  # it has ended, and its output says why
        except (OSError, ValueError) as e:  # ValueError: closed, in a forked child
            if getattr(e, "errno", 0) != errno.EINVAL:  # the same as above, on Windows
                raise OperationalError(f"the program cannot be asked: {e}") from e

    def _read_line(self) -> bytes | None:
        pipe = self._child.pipes[1]
        chunks, size = [self._buffer], len(self._buffer)
        while b"\n" not in chunks[-1]:
            chunk = pipe.read(1 << 16)
            if not chunk or size > _ANSWER:
                return None
            chunks.append(chunk)
            size += len(chunk)
        line, _, self._buffer = b"".join(chunks).partition(b"\n")
        return line

    def _ended(self) -> Error:
        child = self._child
        if child.expired:
            return self._late(f"no answer in {child.timeout:g} s{_last_lines(child.tail)}")
        status = child.wait(1.0)
        if status is None:
            return OperationalError("the program closed its output, or answered without an end")
        child.threads[0].join(1.0)  # the reason comes through another pipe
        if not self._answered:
            return _exited(status, child.tail)
        return OperationalError(f"the program ended with status {status} out of turn{_last_lines(child.tail)}")


def run(arguments: Sequence[str], stdin: bytes = b"", timeout: float = 30.0, env: Mapping[str, str] | None = None) -> bytes:
    """Run the program once, and return its standard output.

    Raises:
        Error: the exception of its exit status; ProgramTimeout after timeout seconds.
    """
    conversation = Conversation(check_arguments(arguments), timeout, env)
    try:
        return conversation.once(stdin)
    finally:
        conversation.end()
