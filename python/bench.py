"""Measures signatures from one thread: python bench.py KEY DECLARATION. It is a part of make bench-python."""

import subprocess
import sys
import time
from pathlib import Path

import runattest

ROUNDS = 20_000


def main() -> None:
    key, path = sys.argv[1:]
    declaration = runattest.load(path)
    took = []
    with runattest.Signer(key) as signer:
        for _ in range(200):
            signer.sign(declaration)
        begin = time.perf_counter()
        for _ in range(ROUNDS):
            start = time.perf_counter()
            signer.sign(declaration)
            took.append(time.perf_counter() - start)
        whole = time.perf_counter() - begin
    took.sort()
    name = "Python " + sys.version.split()[0]
    size = Path(path).stat().st_size
    print(
        f"{name:10} {'Signer.sign, one thread':26} {ROUNDS / whole:6.0f} a second, round trip median "
        f"{took[ROUNDS // 2] * 1e3:.3f} ms, p99 {took[ROUNDS * 99 // 100] * 1e3:.3f} ms ({ROUNDS} declarations of {size} bytes, P-256)"
    )
    code = "import time; t = time.process_time(); import runattest; print(time.process_time() - t)"
    imports = sorted(float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout) for _ in range(21))
    print(f"{name:10} {'import runattest':26} {imports[10] * 1e3:.1f} ms of CPU (median of {len(imports)} processes, least {imports[0] * 1e3:.1f})")


main()
