"""An answer belongs to its request, whatever the program, its caller and the system do."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import DECLARATION, descriptors

import runattest
from runattest import _process

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def number(i: int) -> dict[str, Any]:
    return {**DECLARATION, "parameters": {"seed": i}}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def gone(pid: int) -> bool:
    end = time.monotonic() + 30
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def pid_of(signer: runattest.Signer) -> int:
    assert signer._conversation is not None
    return signer._conversation._child.popen.pid


def hurry(signer: runattest.Signer) -> None:
    """Have the process answer in 0.4 s from now on. Its start may take longer, on a busy machine."""
    assert signer._conversation is not None
    child = signer._conversation._child
    child.timeout = 0.4
    threading.Thread(target=child._watch, daemon=True).start()


FAILURES = {
    "crash": (runattest.OperationalError, "status -6 out of turn; its standard error ends:\n  a last word"),
    "exit": (runattest.OperationalError, "status 2 out of turn"),
    "hang": (runattest.SignTimeout, "no answer in 0.4 s"),
    "late": (runattest.SignTimeout, "no answer in 0.4 s"),
    "nonsense": (runattest.OperationalError, "not a JSON object: b'Segmentation fault'"),
    "list": (runattest.OperationalError, "not a JSON object"),
    "half": (runattest.OperationalError, "status 0 out of turn"),
    "stale": (runattest.OperationalError, "answered another request: .* want line 2"),
    "twice": (runattest.OperationalError, "answered more than it was asked"),
    "identity": (runattest.OperationalError, "not a signature"),
    "no-bundle": (runattest.OperationalError, "not a signature"),
    "endless": (runattest.OperationalError, "answered without an end|no answer"),
    "child": (runattest.SignTimeout, "no answer in 0.4 s"),
    "flood-crash": (runattest.OperationalError, "line 199$"),
}


@pytest.mark.parametrize("mode", FAILURES)
def test_a_call_after_a_failure_gets_its_own_answer(standin: Path, mode: str) -> None:
    kind, message = FAILURES[mode]
    with runattest.Signer(mode) as signer:
        hurry(signer)
        pid = pid_of(signer)
        with pytest.raises(kind, match=message) as e:
            signer.sign({"n": 1})
        assert "line 149\n" not in str(e.value)  # the last 50 lines
        for n in 2, 3:
            assert signer.sign({"n": n}).bundle["n"] == n
        if mode not in ("identity", "no-bundle"):
            assert gone(pid) and pid_of(signer) != pid


def test_an_answer_that_waits_in_the_pipe_is_not_taken(standin: Path) -> None:
    with runattest.Signer("twice-late", timeout=5) as signer:
        assert signer.sign({"n": 1}).bundle["n"] == 1
        time.sleep(0.3)
        with pytest.raises(runattest.OperationalError, match="answered another request"):
            signer.sign({"n": 2})
        assert signer.sign({"n": 3}).bundle["n"] == 3


def test_a_process_that_dies_idle_is_replaced(standin: Path) -> None:
    with runattest.Signer("dies-idle") as signer:
        time.sleep(0.3)
        assert signer.sign({"n": 1}).bundle["n"] == 1


def test_deaf(standin: Path) -> None:
    """A program that does not read blocks the write, which ends in time, too."""
    with runattest.Signer("deaf") as signer:
        hurry(signer)
        with pytest.raises(runattest.SignTimeout):
            signer.sign({"n": 1, "text": "x" * (1 << 20)})
        assert signer.sign({"n": 2}).bundle["n"] == 2


def test_flood(standin: Path) -> None:
    """Standard error is drained: a program that writes a lot there goes on."""
    with runattest.Signer("flood", timeout=10) as signer:
        assert signer.sign({"n": 1}).bundle["n"] == 1
        conversation = signer._conversation
        assert conversation is not None and len(conversation._child.tail) <= _process._TAIL


@pytest.mark.parametrize("mode", ["hang-key", "hang-start"])
def test_a_start_that_hangs(standin: Path, mode: str) -> None:
    with pytest.raises(runattest.ProgramTimeout):
        runattest.Signer(mode, timeout=0.5)


def test_a_start_that_answers_wrong(standin: Path) -> None:
    with pytest.raises(runattest.OperationalError, match="signed an empty line|more than it was asked"):
        runattest.Signer("no-error")


def test_identity_of_nonsense(standin: Path) -> None:
    with pytest.raises((runattest.OperationalError, ValueError)):
        runattest.identity({})


def test_threads(keys: Path) -> None:
    want = {i: runattest.identity(number(i)) for i in range(8)}
    with runattest.Signer(keys / "k.key") as signer, ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda i: signer.sign(number(i % 8)).identity, range(400)))
    assert got == [want[i % 8] for i in range(400)]


def test_asyncio(keys: Path) -> None:
    want = [runattest.identity(number(i)) for i in range(5)]

    async def main(signer: runattest.Signer) -> None:
        tasks = [asyncio.create_task(asyncio.to_thread(signer.sign, number(i % 5))) for i in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::7]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        for i, signed in enumerate(done):
            assert isinstance(signed, asyncio.CancelledError) if i % 7 == 0 else signed.identity == want[i % 5]  # type: ignore[union-attr]

    with runattest.Signer(keys / "k.key") as signer:
        asyncio.run(main(signer))
        assert signer.sign(number(3)).identity == want[3]


@linux
def test_sigint(standin: Path, request: pytest.FixtureRequest) -> None:
    """Ctrl-C at instants spread over a call: the next call has its own answer, and no process is left."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores for what it starts in the background
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with runattest.Signer("right") as signer:
        begin = time.monotonic()
        for n in range(20):
            signer.sign({"n": n})
        usual = (time.monotonic() - begin) / 20
    pids = set()
    interrupted = 0
    instants = 60 if request.config.getoption("--long") else 12
    with runattest.Signer("slow", timeout=20) as signer:
        for n in range(0, 2 * instants, 2):
            instant = 0.2 * n / instants if n % 4 else usual * n / instants
            timer = threading.Timer(instant / 2, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
            try:
                timer.start()
                assert signer.sign({"n": n}).bundle["n"] == n
                timer.join()
            except KeyboardInterrupt:
                interrupted += 1
            while True:
                try:
                    timer.join()
                    break
                except KeyboardInterrupt:
                    pass
            signed = signer.sign({"n": n + 1})
            assert signed.bundle["n"] == n + 1
            pids.add(signed.bundle["pid"])
    assert interrupted > instants // 2 and all(gone(pid) for pid in pids)


@linux
def test_ctrl_c_of_a_terminal_does_not_reach_the_program(keys: Path) -> None:
    with runattest.Signer(keys / "k.key") as signer:
        assert os.getsid(pid_of(signer)) == pid_of(signer) != os.getsid(0)


def test_fork_with_busy_threads(keys: Path) -> None:
    """Forks while threads sign: parent and child go on, each with a process of its own."""
    want = {i: runattest.identity(number(i)) for i in range(4)}
    stop = threading.Event()
    wrong: list[object] = []

    def busy(signer: runattest.Signer, i: int) -> None:
        while not stop.is_set():
            if (got := signer.sign(number(i)).identity) != want[i]:
                wrong.append(got)

    with runattest.Signer(keys / "k.key") as signer:
        threads = [threading.Thread(target=busy, args=(signer, i)) for i in range(3)]
        for thread in threads:
            thread.start()
        children = []
        for _ in range(4):
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                try:
                    os.write(write, signer.sign(number(3)).identity.encode())
                    signer.close()
                finally:
                    os._exit(0)
            os.close(write)
            children.append((pid, read))
        for pid, read in children:
            assert os.read(read, 1000).decode() == want[3]
            os.close(read)
            os.waitpid(pid, 0)
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong and signer.sign(number(1)).identity == want[1]


@linux
@pytest.mark.parametrize("asked", [False, True])
def test_a_forked_child_holds_nothing_of_its_parent(keys: Path, asked: bool) -> None:
    """Or the parent's process would go on after its parent: its input has no end while a child holds it. Nor does it hold
    a process that another thread asks at this moment, which the signer itself does not have then."""
    with runattest.Signer(keys / "k.key") as signer:
        before, pid = descriptors(), pid_of(signer)
        taken = signer._take() if asked else None
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(read)
                os.write(write, b"%d %d" % (descriptors() - before, signer._conversation is None))
                time.sleep(60)
            finally:
                os._exit(0)
        os.close(write)
        assert os.read(read, 100) == b"-2 1"  # the three pipes are closed, and one end of this one is open
        os.close(read)
        if taken is not None:
            signer._put(taken)
        assert alive(pid)
        signer.close()
        assert gone(pid)
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_a_forked_child_that_exits_ends_no_process_of_its_parent(keys: Path) -> None:
    with runattest.Signer(keys / "k.key") as signer:
        pid = pid_of(signer)
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        code = f"""
import os, sys, runattest
signer = runattest.Signer({str(keys / "k.key")!r})
child = signer._conversation._child.popen.pid
if os.fork() == 0:
    sys.exit(0)
os.wait()
os.kill(child, 0)
signer.sign({DECLARATION!r})
assert signer._conversation._child.popen.pid == child
"""
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
        assert pid_of(signer) == pid


@linux
def test_a_check_is_not_continued_in_a_forked_child(keys: Path, tmp_path: Path) -> None:
    with runattest.Signer(keys / "k.key") as signer:
        bundles = [signer.sign(number(i)).bundle for i in range(3)]
    reports = runattest.check(bundles, key=keys / "k.pub")
    assert next(reports).verified
    said, child = tmp_path / "said", os.fork()
    if child == 0:
        try:
            next(reports)
        except runattest.OperationalError as e:
            said.write_text(str(e))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert said.read_text().startswith("the program cannot be asked: ")
    assert [r.verified for r in reports] == [True, True]


def sign_in_process(path: str, i: int) -> str:
    with runattest.Signer(path) as signer:
        return signer.sign(number(i)).identity


def fail_in_process(path: str) -> None:
    with runattest.Signer(path) as signer:
        signer.sign({**DECLARATION, "kind": "none"})


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes(keys: Path, method: str) -> None:
    context = multiprocessing.get_context(method)
    with runattest.Signer(keys / "k.key") as signer, context.Pool(1) as pool:
        assert pool.apply(sign_in_process, (str(keys / "k.key"), 1)) == runattest.identity(number(1))
        with pytest.raises(runattest.DeclarationError, match="/kind"):
            pool.apply(fail_in_process, (str(keys / "k.key"),))
        with pytest.raises(TypeError, match="cannot be pickled"):
            pool.apply(runattest.Signer.close, (signer,))


def test_exceptions_are_pickled() -> None:
    report = runattest.Report({"bundle": "b", "verified": False, "checks": [], "error": "e"})
    for error in runattest.DeclarationError("m", "h"), runattest.SignTimeout("m"), runattest.NotVerified(report), runattest.ProgramNotFound("m", "h"):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error) and again.hint == error.hint
    assert issubclass(runattest.SignTimeout, TimeoutError) and issubclass(runattest.InputError, ValueError)


@linux
def test_a_killed_parent_leaves_no_process(keys: Path) -> None:
    code = f"""
import runattest, time
signer = runattest.Signer({str(keys / "k.key")!r})
print(signer._conversation._child.popen.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(pid)


@linux
def test_nothing_is_left(keys: Path, request: pytest.FixtureRequest) -> None:
    """Of many signers, closed, dropped and failed, no descriptor, thread or process is left."""
    runattest.sign(DECLARATION, keys / "k.key")
    gc.collect()
    before, pids = (descriptors(), threading.active_count()), []
    for i in range(1000 if request.config.getoption("--long") else 40):
        signer = runattest.Signer(keys / "k.key")
        pids.append(pid_of(signer))
        if i % 2:
            signer.close()
    del signer
    gc.collect()
    with pytest.raises(runattest.InputError):
        runattest.Signer(keys / "k.key", options=["--nothing"])
    assert (descriptors(), threading.active_count()) == before and all(gone(pid) for pid in pids)


@linux
def test_the_end_of_the_interpreter(keys: Path) -> None:
    """A signer that is never closed ends with its interpreter, without a word."""
    code = f"""
import runattest, threading
signer = runattest.Signer({str(keys / "k.key")!r})
def busy():
    while True:
        signer.sign({DECLARATION!r})
threading.Thread(target=busy, daemon=True).start()
print(signer._conversation._child.popen.pid if signer._conversation else 0)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and gone(int(done.stdout) or 10**6)
