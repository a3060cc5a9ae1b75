"""Measures signatures from one thread: python bench.py KEY DECLARATION. It is a part of make bench-python."""

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


main()
