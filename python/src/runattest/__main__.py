"""``python -m runattest`` is the command ``runattest``."""

import os
import signal
import subprocess
import sys

from runattest._program import ProgramNotFound, program


def main() -> int:
    try:
        path = program()
    except ProgramNotFound as error:
        print(f"runattest: {error}", file=sys.stderr)
        return 3
    os.environ.pop("RUNATTEST_BIN", None)  # it may name a script that starts this module, for ever
    command = [path, *sys.argv[1:]]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(path, command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program has the console's Ctrl-C too, and decides what it means
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
