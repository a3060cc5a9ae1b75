"""Takes out each safeguard once, in a copy of the package, and wants a test to fail: python safeguards.py PYTEST."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SAFEGUARDS = [  # a file, what is taken out, what is put there, and the test that must fail
    ("_signer.py", "conversation, self._conversation = self._conversation, None\n        if conversation is not None and",
     "conversation = self._conversation\n        if conversation is not None and", "test_conversation.py -k after_a_failure"),
    ("_signer.py", "except BaseException:\n                conversation.end()\n                raise",
     "except BaseException:\n                self._conversation = conversation\n                raise", "test_conversation.py -k after_a_failure"),
    ("_signer.py", "conversation.usable()", "True", "test_conversation.py -k dies_idle"),
    ("_signer.py", "self._lock = threading.RLock()\n        self._conversation = None\n\n", "pass\n\n", "test_conversation.py -k 'fork'"),
    ("_signer.py", 'raise TypeError("a Signer cannot', 'return "Signer" or ("a Signer cannot', "test_sign.py -k pickled"),
    ("_process.py", 'or answer["line"] != self._line', "", "test_conversation.py -k 'after_a_failure or pipe'"),
    ("_process.py", "        if self._buffer:\n", "        if False:\n", "test_conversation.py -k 'after_a_failure and twice'"),
    ("_process.py", "self.expired, self.deadline, wait = True, None, self.timeout\n                        self.kill()", "break",
     "test_conversation.py -k 'hangs' --deselect x"),
    ("_process.py", 'return {"start_new_session": True}', "return {}", "test_conversation.py -k terminal"),
    ("_process.py", "self.tail = (self.tail + chunk)[-_TAIL:]", "self._done.wait(60)", "test_conversation.py -k 'test_flood'"),
    ("_process.py", "            give_up_after_fork(self)\n", "", "test_conversation.py -k holds_nothing"),
    ("_process.py", "if os.getpid() != self.owner:", "if False:", "test_conversation.py -k 'ends_no_process'"),
    ("_process.py", "os.killpg(self.popen.pid, 9)", "os.kill(self.popen.pid, 9)", "test_conversation.py -k 'after_a_failure and child'"),
    ("_process.py", '"PRIVATE KEY-----" in argument', "False", "test_sign.py -k key_mistakes"),
    ("_json.py", "allow_nan=False", "allow_nan=True", "test_json.py"),
    ("_json.py", "if not _named_by_strings(value):", "if False:", "test_json.py"),
    ("_json.py", '        if b"\\n" in string.group():', "        if False:", "test_json.py"),
    ("_json.py", 'if not text.startswith(b"{"):', "if False:", "test_json.py"),
    ("_verify.py", "or (status == 0) != all(reports)", "", "test_verify.py -k contradicts"),
    ("_verify.py", "or not reports", "", "test_verify.py -k contradicts"),
    ("_verify.py", "self._conversation.finish(self._worst)", "pass", "test_verify.py -k contradicts"),
    ("_verify.py", "if len(reports) != 1:", "if False:", "test_verify.py -k several"),
    ("_report.py", '= data["verified"] is True', '= bool(data["verified"])', "test_verify.py -k contradicts"),
    ("_report.py", "return self.verified\n\n    @property\n    def failed", "return True\n\n    @property\n    def failed", "test_verify.py -k test_no"),
    ("_show.py", "<td>{html.escape(t)}</td>", "<td>{t}</td>", "test_verify.py -k shown"),
    ("_gateway.py", "self._socket.accept()[0].close()", "self._over.wait(9)", "test_gateway.py -k test_killed"),
    ("_gateway.py", 'in ("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY"):', "in ():", "test_gateway.py -k test_signed"),
    ("_gateway.py", " or os.environ.get(other)", "", "test_gateway.py -k past_the_proxy"),
    ("_gateway.py", '"*" if hosts == "*" else ', "", "test_gateway.py -k past_the_proxy"),
    ("_gateway.py", "_open.setdefault(os.getpid(), self) is not self", "False", "test_gateway.py -k overlap"),
    ("_gateway.py", "_open.setdefault(os.getpid(), self)", "_open.setdefault(0, self)", "test_gateway.py -k overlap"),
    ("_gateway.py", "            del _open[os.getpid()]\n", "            pass\n", "test_gateway.py -k overlap"),
    ("_gateway.py", "        self._before = {}\n        if", "        if", "test_gateway.py -k overlap"),
    ("_gateway.py", '"--url-secret=env://RUNATTEST_URL_SECRET"', '"--log-denied"', "test_gateway.py -k test_signed"),
]


def main() -> int:
    kept = 0
    only = sys.argv[2:]
    for file, old, new, test in SAFEGUARDS:
        if only and not any(o in old for o in only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(HERE.parent / "src" / "runattest", Path(folder, "runattest"), ignore=shutil.ignore_patterns("__pycache__"))
            path = Path(folder, "runattest", file)
            text = path.read_text()
            if text.count(old) != 1:
                print(f"{file}: {old!r} is there {text.count(old)} times, want once")
                kept += 1
                continue
            path.write_text(text.replace(old, new))
            command = f"{sys.argv[1]} -q -x -p no:cacheprovider {HERE}/{test}"
            env = {**os.environ, "PYTHONPATH": folder}
            pytest = subprocess.Popen(
                command, shell=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            try:
                status = pytest.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(pytest.pid, signal.SIGKILL)  # with the processes that it forked, which hang too
                pytest.wait()
                status = 1
            print(f"{'fails as it should' if status == 1 else 'KEPT'}: {file} without {old.split(chr(10))[0].strip()!r}", flush=True)
            kept += status != 1
    return 1 if kept else 0


if __name__ == "__main__":
    sys.exit(main())
