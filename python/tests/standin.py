"""A program that answers as runattest does until it does wrong what its key says, once for each run of it.

The second process of it does right, so that a test sees what the call after a failure gets.
"""

import json
import os
import sys
import time

HEX = "%064x"
args = sys.argv[1:]
mode = next((a[len("--key=") :] for a in args if a.startswith("--key=")), "")
mark = os.environ["STANDIN"]


def say(value):
    os.write(1, json.dumps(value).encode() + b"\n")


def signed(line, text):
    n = int(json.loads(text).get("n", 0))
    say({"line": line, "identity": "airun:1:sha256:" + HEX % n, "bundle": {"n": n, "pid": os.getpid()}})


def first():
    """Say whether this is the first process that signs, and does wrong."""
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def wrong(line, text):
    if mode == "crash":
        os.write(2, b"a last word\n")
        os.abort()
    elif mode == "exit":
        sys.exit(2)
    elif mode == "hang":
        time.sleep(60)
    elif mode == "late":  # the answer comes when its caller has given up
        time.sleep(0.6)
        signed(line, text)
    elif mode == "nonsense":
        os.write(1, b"Segmentation fault\n")
    elif mode == "list":
        say([line])
    elif mode == "half":
        os.write(1, b'{"line":2,"ident')
        sys.exit(0)
    elif mode == "stale":  # the answer to another line
        say({"line": line - 1, "identity": "airun:1:sha256:" + HEX % 9, "bundle": {"n": 9}})
    elif mode == "twice":
        answer = {"line": line, "identity": "airun:1:sha256:" + HEX % 9, "bundle": {"n": 9}}
        os.write(1, 2 * (json.dumps(answer).encode() + b"\n"))  # at once
    elif mode == "twice-late":  # the second answer waits in the pipe for the next request
        signed(line, text)
        time.sleep(0.05)
        say({"line": line, "identity": "airun:1:sha256:" + HEX % 9, "bundle": {"n": 9}})
        return
    elif mode == "identity":
        say({"line": line, "identity": "airun:1:sha256:XYZ", "bundle": {}})
    elif mode == "no-bundle":
        say({"line": line, "identity": "airun:1:sha256:" + HEX % 1})
    elif mode == "flood":  # of standard error, more than a pipe holds
        for i in range(20000):
            os.write(2, b"line %d of many without use\n" % i)
        signed(line, text)
    elif mode == "flood-crash":
        for i in range(200):
            os.write(2, b"line %d\n" % i)
        os.abort()
    elif mode == "endless":
        while True:
            os.write(1, b"x" * 65536)
    elif mode == "deaf":  # reads nothing any more
        time.sleep(60)
    elif mode == "slow":
        time.sleep(0.2)
        signed(line, text)
    elif mode == "child":  # has a child that keeps its pipes open
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        time.sleep(60)
    else:
        signed(line, text)


if args[:1] == ["version"]:
    say({"version": "(devel)"})
elif args[:1] == ["public-key"]:
    if mode == "hang-key":
        time.sleep(60)
    say({"publicKey": mode})
elif args[:1] == ["sign"]:
    if mode == "hang-start":
        time.sleep(60)
    if mode == "no-error":
        say({"line": 1, "identity": "airun:1:sha256:" + HEX % 1, "bundle": {}})
    line, bad = 0, None
    for text in iter(sys.stdin.readline, ""):
        line += 1
        if not text.strip():
            say({"line": line, "error": "is empty", "status": 2})
            if mode == "dies-idle" and first():
                sys.exit(0)
            if mode == "deaf" and first():
                time.sleep(60)
            continue
        if bad is None:
            bad = mode in ("slow", "") or first()
        if bad and mode == "twice-late" and line == 2:
            wrong(line, text)
        elif bad and mode == "flood-crash":
            wrong(line, text)
        elif bad and line == 2 or mode == "slow":
            wrong(line, text)
        else:
            signed(line, text)
elif args[:1] == ["verify"]:
    report = {"line": 1, "bundle": "b", "verified": True, "identity": "airun:1:sha256:" + HEX % 1, "checks": []}
    policy = next((a[len("--policy=") :] for a in args if a.startswith("--policy=")), "")
    for line, text in enumerate(sys.stdin, 1):
        report["line"] = line
        if policy == "contradiction":  # verified, and the status of a no
            say(report)
            say({"line": line, "status": 1})
        elif policy == "no-and-yes":
            say({**report, "verified": False})
            say({"line": line, "status": 0})
        elif policy == "word":  # only true means verified
            say({**report, "verified": "true"})
            say({"line": line, "status": 0})
        elif policy == "nothing":
            say({"line": line, "status": 0})
        elif policy == "cut":
            say(report)
            sys.exit(0)
        elif policy == "exit":
            say(report)
            say({"line": line, "status": 0})
            sys.exit(3)
        elif policy == "shape":
            say({"line": line, "verified": True})
            say({"line": line, "status": 0})
        elif policy == "hang":
            time.sleep(60)
        else:
            say(report)
            say({"line": line, "status": 0})
elif args[:1] == ["id"]:
    os.write(1, b"help\n")
