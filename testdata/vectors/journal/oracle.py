#!/usr/bin/env python3
"""The vectors of journals: an implementation of docs/spec/predicate-journal-segment-v1.md, with nothing of runattest.

    python3 oracle.py write     writes the files of this folder
    python3 oracle.py check     compares them with what is there, and verifies each with a verifier of its own

It needs the package cryptography, for Ed25519. Texts are ASCII and numbers whole, so that json.dumps with sorted names writes
the RFC 8785 form.
"""
import base64, hashlib, json, os, re, struct, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = "https://github.com/runattest/runattest/"
KIND = b"application/vnd.in-toto+json"


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def jcs(v):
    return json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


# --- runs and bundles, as run identity v1 and run set v1 have them

KEY = Ed25519PrivateKey.from_private_bytes(sha(b"runattest journal vectors: a public test key"))
OTHER = Ed25519PrivateKey.from_private_bytes(sha(b"runattest journal vectors: another public test key"))


def raw(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def hint(key):
    text = lambda b: struct.pack(">I", len(b)) + b
    return "SHA256:" + base64.b64encode(sha(text(b"ssh-ed25519"), text(raw(key)))).decode().rstrip("=")


def pae(payload):
    return b"DSSEv1 %d %s %d %s" % (len(KIND), KIND, len(payload), payload)


def bundle(statement, key=KEY):
    payload = jcs(statement)
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hint(key)}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(), "payloadType": KIND.decode(),
            "signatures": [{"sig": base64.b64encode(key.sign(pae(payload))).decode(), "keyid": hint(key)}],
        },
    }


def declaration(i):
    return {
        "schema": BASE + "declaration/v1", "kind": "inference", "model": {"name": "m"}, "prompt": {"text": "hello"},
        "parameters": {"seed": i}, "context": [], "constraints": {},
    }


def identity(i):
    return "airun:1:sha256:" + sha(jcs(declaration(i))).hex()


def in_toto(name, digest, kind, predicate):
    return {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": name, "digest": {"sha256": digest}}],
            "predicateType": BASE + kind, "predicate": predicate}


def run(i, detached=False):
    predicate = {"identity": identity(i), "declaration": declaration(i)}
    if detached:
        del predicate["declaration"]
        predicate["declarationRef"] = {"size": len(jcs(declaration(i))), "mediaType": "application/vnd.runattest.declaration.v1+json"}
    return in_toto(identity(i), identity(i)[15:], "run-identity/v1", predicate)


def proof(i):
    """The proof of the one run of a set."""
    salt = sha(b"salt %d" % i)
    root = sha(b"\x00", salt, jcs(run(i))).hex()
    head = {"root": root, "size": 1, "tree": "rfc9162-sha256"}
    return {"mediaType": "application/vnd.runattest.run-proof.v1+json", "statement": run(i), "index": 0, "salt": salt.hex(), "path": [],
            "bundle": bundle(in_toto("runset", sha(jcs(head)).hex(), "run-set/v1", head))}


# --- journals

ID = sha(b"a journal").hex()


class Journal:
    """A journal that is being written: files are its texts by name."""

    def __init__(self, gateway=ID, key=KEY):
        self.key, self.gateway, self.prev, self.previous, self.number = key, gateway, gateway, None, 0
        self.files = {"journal.json": jcs({"gateway": gateway, "mediaType": "application/vnd.runattest.journal.v1+json"}) + b"\n"}
        self.begin()

    def begin(self):
        self.number += 1
        self.lines, self.declarations, self.group = [], [], 1

    def line(self, i=None, detached=False, new_group=True, **members):
        n = len(self.lines) + 1
        if new_group:
            self.group = n
        l = {"body": {"sha256": sha(b"body %d" % (i or 0)).hex(), "size": 6}, "client": "local", "fate": "admitted", "group": self.group,
             "headers": ["accept", "user-agent"], "n": n, "prev": self.prev, "time": "2026-11-27T12:00:%02d.000000000Z" % n}
        if i is not None:
            l["identity"] = identity(i)
            if "same" not in members and "proof" not in members:
                l["bundle"] = bundle(run(i, detached))
                if detached:
                    self.declarations.append(jcs(declaration(i)) + b"\n")
        l.update(members)
        self.put({k: v for k, v in l.items() if v is not None})
        return self

    def put(self, l):
        self.lines.append(jcs(l))
        self.prev = sha(self.lines[-1]).hex()

    def name(self, suffix):
        return "%08d.%s" % (self.number, suffix)

    def open(self, behind=b"\x00" * 100):
        """Writes the segment as it is while it is open."""
        self.files[self.name("jsonl")] = b"".join(l + b"\n" for l in self.lines) + behind
        self.files[self.name("declarations.jsonl")] = b"".join(self.declarations) + b"\x00" * 50
        return self

    def close(self, key=None, subject=None, **changes):
        """Writes the segment, signed, and begins the next."""
        text = b"".join(l + b"\n" for l in self.lines)
        predicate = {"number": self.number, "lines": len(self.lines), "last": self.prev, "previous": self.previous, "gateway": self.gateway}
        predicate.update(changes)
        predicate = {k: v for k, v in predicate.items() if v is not None}
        self.files[self.name("jsonl")] = text
        if self.declarations:
            self.files[self.name("declarations.jsonl")] = b"".join(self.declarations)
        statement = in_toto(subject or self.name("jsonl"), sha(text).hex(), "journal-segment/v1", predicate)
        self.files[self.name("sigstore.json")] = jcs(bundle(statement, key or self.key)) + b"\n"
        self.previous = sha(text).hex()
        self.begin()
        return self


# --- a verifier

class Refused(Exception):
    pass


def want(ok, level, why):
    if not ok:
        raise Refused(level, why)


def strict(text):
    def pairs(p):
        d = dict(p)
        want(len(d) == len(p), "segment", "duplicate member")
        return d
    try:
        v = json.loads(text, object_pairs_hook=pairs)
    except ValueError:
        raise Refused("segment", "not JSON")
    want(jcs(v) == text, "segment", "not canonical")
    return v


def signed(b, level):
    payload = base64.b64decode(b["dsseEnvelope"]["payload"])
    try:
        KEY.public_key().verify(base64.b64decode(b["dsseEnvelope"]["signatures"][0]["sig"]), pae(payload))
    except InvalidSignature:
        raise Refused(level, "signature")
    return json.loads(payload)


def verify_run(l, declaration):
    """Verifies what a line has of a run: whether its declaration was erased."""
    if "proof" in l:
        p = l["proof"]
        head = signed(p["bundle"], "line")["predicate"]
        want(sha(b"\x00", bytes.fromhex(p["salt"]), jcs(p["statement"])).hex() == head["root"], "line", "inclusion")
        s = p["statement"]
    else:
        s = signed(l["bundle"], "line")
    stated = s["predicate"]
    want(stated["identity"] == l["identity"], "segment", "bundle of another run")
    if "declarationRef" not in stated:
        want("airun:1:sha256:" + sha(jcs(stated["declaration"])).hex() == l["identity"], "line", "identity")
        return False
    want(len(declaration) == stated["declarationRef"]["size"], "segment", "declaration: size")
    if declaration == b" " * len(declaration):
        return True
    want("airun:1:sha256:" + sha(declaration).hex() == l["identity"], "segment", "declaration")
    return False


MEMBERS = {"attempt", "body", "bundle", "client", "fate", "group", "headers", "identity", "n", "policy", "prev", "proof", "same", "time"}


def verify_line(l, state):
    want(set(l) <= MEMBERS, "segment", "unknown member")
    want(l["n"] == state["n"] + 1 and state["prev"] in (None, l["prev"]), "segment", "chain")
    want(l["group"] in (l["n"], state["group"]) and 1 <= l["group"] <= l["n"], "segment", "group")
    has = [m for m in ("bundle", "proof", "same") if m in l]
    if l["fate"] != "admitted":
        want(l["fate"] in ("undeclared", "denied") and not has and "identity" not in l, "segment", "fate")
        return False
    want("identity" in l, "segment", "identity")
    want(len(has) == 1, "segment", "want one of bundle, proof and same")
    if "same" in l:
        want(state["own"].get(l["same"]) == l["identity"], "segment", "same")
        return l["same"] in state["erased"]
    s = l["proof"]["statement"] if "proof" in l else json.loads(base64.b64decode(l["bundle"]["dsseEnvelope"]["payload"]))
    declaration = b""
    if "declarationRef" in s["predicate"]:
        declaration, feed, state["rest"] = state["rest"].partition(b"\n")
        want(feed, "segment", "declaration missing")
    state["own"][l["n"]] = l["identity"]
    if verify_run(l, declaration):
        state["erased"].add(l["n"])
        return True
    return False


def verify(files, receipts=()):
    """Gives how many lines there are, how many of them are erased, and how many in open segments; and how many more are not signed."""
    gateway = json.loads(files["journal.json"])["gateway"]
    numbers = sorted({int(n[:8]) for n in files if re.fullmatch(r"\d{8}\.(jsonl|sigstore\.json)", n)})
    closed = [n for n in numbers if "%08d.sigstore.json" % n in files]
    lines, erased, opened, unsigned, met = 0, 0, 0, 0, set()
    prev, previous = gateway, None
    want(numbers and numbers[0] == 1, "journal", "segments are missing at the beginning")
    for number in range(1, numbers[-1] + 1):
        name = "%08d.jsonl" % number
        want(number in numbers, "journal", "segments are missing between others")
        want(name in files, "segment", "missing")
        want(number in closed or not closed or number > closed[-1], "segment", "bundle missing")
        text = files[name]
        state = {"n": 0, "prev": prev, "group": 0, "own": {}, "erased": set(), "rest": files.get("%08d.declarations.jsonl" % number, b"")}
        head = None
        if number in closed:
            s = signed(json.loads(files["%08d.sigstore.json" % number]), "segment")
            want(s["predicateType"] == BASE + "journal-segment/v1", "segment", "type")
            head = s["predicate"]
            want(set(head) == {"number", "lines", "last", "gateway"} | ({"previous"} if number > 1 else set()), "segment", "members")
            want(s["subject"] == [{"name": name, "digest": {"sha256": sha(text).hex()}}], "segment", "subject")
            want(head["number"] == number and head["gateway"] == gateway and head.get("previous") == previous, "segment", "head")
        else:
            body = text.rstrip(b"\x00")
            if number == numbers[-1] and not body.endswith(b"\n"):
                body = body[:body.rfind(b"\n") + 1]  # a line that is being written
            text = body
        want(not text or text.endswith(b"\n"), "segment", "line feed")
        for one in text.split(b"\n")[:-1]:
            l = strict(one)
            erased += verify_line(l, state)
            state.update(n=l["n"], prev=sha(one).hex(), group=l["group"])
            if not head and l["fate"] != "admitted":
                unsigned += 1
                continue
            lines += 1
            opened += not head
            met.add("%08d/%d/%s" % (number, l["n"], sha(one).hex()))
        if head:
            want(head["lines"] == state["n"] and head["last"] == state["prev"] and not state["rest"], "segment", "end")
        prev, previous = state["prev"], sha(files[name]).hex()
    want(lines, "journal", "no line that is signed")
    want(set(receipts) <= met, "journal", "receipt")
    return {"lines": lines, "erased": erased, "open": opened, "unsigned": unsigned}


# --- the vectors

VECTORS = {}


def put(name, about, journal, expect="verified", receipts=()):
    files = journal if isinstance(journal, dict) else journal.files
    v = {"about": about, "expect": expect, "files": {n: t.decode() for n, t in sorted(files.items())}}
    if receipts:
        v["receipts"] = list(receipts)
    if expect == "verified":
        v.update(verify(files, receipts))
    else:
        try:
            verify(files, receipts)
        except Refused as e:
            assert e.args[0] == expect, (name, e.args)
        else:
            raise AssertionError(name + " verifies")
    VECTORS[name + ".json"] = json.dumps(v, indent=1, sort_keys=True).encode() + b"\n"


def receipt(files, number, n):
    return "%08d/%d/%s" % (number, n, sha(files["%08d.jsonl" % number].split(b"\n")[n - 1]).hex())


def two(**changes):
    """Two closed segments, of three lines and two."""
    j = Journal().line(1).line(2, detached=True).line(3, detached=True, new_group=False)
    return j.close().line(4, detached=True).line(5).close(**changes)


def good():
    put("one-line", "one closed segment of one line", Journal().line(1).close())
    put("two-segments", "the second segment goes on where the first ends", two())
    put("same", "a line has the bundle of an earlier one", Journal().line(1, detached=True).line(1, same=1, attempt=1).line(2).close())
    put("fates", "calls without an identity", Journal().line(fate="undeclared").line(fate="denied", body=None).line(1, policy=sha(b"p").hex()).close())
    put("decoded", "a body with a content coding, and names that need escapes",
        Journal().line(1, body={"sha256": sha(b"z").hex(), "size": 3, "decoded": sha(b"d").hex()}, client='a "b" <c>').close())
    put("proof", "a run that is in a set", Journal().line(1, proof=proof(1)).close())
    put("open", "the last segment is open: zero bytes are its end", two().line(6, detached=True).open())
    put("open-alone", "the only segment is open", Journal().line(1).open())
    put("open-incomplete", "an open segment ends with a part of a line: it is being written", two().line(6).open(b'{"attempt":1,"bo' + b"\x00" * 30))
    put("open-fates", "calls without an identity in an open segment, which nothing signs yet",
        two().line(fate="undeclared").line(6).line(fate="denied", body=None).open())
    put("open-unsigned", "nothing of the open segment is signed yet", two().line(fate="undeclared").open())
    put("refused-unsigned", "a journal of which nothing is signed", Journal().line(fate="undeclared").line(fate="denied", body=None).open(), "journal")
    j = two().line(fate="undeclared").open()
    put("refused-receipt-unsigned", "a receipt of a line of which nothing is signed yet", j, "journal",
        receipts=["00000003/1/" + sha(j.files["00000003.jsonl"].split(b"\n")[0]).hex()])
    j = two()
    text = j.files["00000001.declarations.jsonl"]
    end = text.index(b"\n")
    j.files["00000001.declarations.jsonl"] = b" " * end + text[end:]
    put("erased", "one declaration was erased", j)
    j = two()
    put("receipts", "receipts that the journal meets", j, receipts=[receipt(j.files, 1, 1), receipt(j.files, 2, 2)])
    j = two()
    kept = receipt(j.files, 2, 2)
    for name in list(j.files):
        if name.startswith("00000002"):
            del j.files[name]
    put("cut-segment", "the last segment was taken away: without a receipt that is not seen", j)
    put("refused-receipt-of-cut", "the last segment was taken away, and a receipt is of it", j, "journal", receipts=[kept])


def change(f, expect, name, about, journal=two):
    j = journal()
    f(j.files)
    put("refused-" + name, about, j, expect)


def edit(name, f):
    def g(files):
        files[name] = f(files[name])
    return g


def lines(f):
    return edit("00000001.jsonl", lambda t: b"".join(l + b"\n" for l in f(t.split(b"\n")[:-1])))


def bad_files():
    first, declared = "00000001.jsonl", "00000001.declarations.jsonl"
    c = change
    c(edit(first, lambda t: t.replace(b'"client":"local"', b'"client":"lokal"', 1)), "segment", "line-changed", "a line was changed")
    c(lines(lambda l: l + [l[0]]), "segment", "line-put-in", "a line was put in at the end")
    c(lines(lambda l: [l[0], l[2]]), "segment", "line-taken-out", "a line was taken out")
    c(lines(lambda l: l[:2]), "segment", "line-cut", "the last line of a closed segment was cut")
    c(lines(lambda l: [l[1], l[0], l[2]]), "segment", "lines-swapped", "two lines were swapped")
    c(edit(first, lambda t: t + b"\x00" * 10), "segment", "zeros-behind", "zero bytes behind a closed segment")
    c(edit(first, lambda t: t[:-1]), "segment", "line-feed", "the last line feed is missing")
    c(lambda f: f.pop(first), "segment", "segment-missing", "the first segment's file is missing, and its bundle is there")
    c(lambda f: [f.pop(n) for n in list(f) if n.startswith("00000001")], "journal", "first-missing", "the first segment is missing")
    three = lambda: two().line(7).close()
    c(lambda f: [f.pop(n) for n in list(f) if n.startswith("00000002")], "journal", "middle-missing", "a segment is missing in the middle", three)
    c(lambda f: f.pop("00000001.sigstore.json"), "segment", "bundle-missing", "a segment has no bundle, and the next has one")
    c(lambda f: f.update({"00000002.sigstore.json": f["00000001.sigstore.json"]}), "segment", "bundle-of-other", "the bundle of another segment")
    c(edit(declared, lambda t: t.replace(b"hello", b"hallo", 1)), "segment", "declaration-changed", "a declaration was changed")
    c(edit(declared, lambda t: t[:-8]), "segment", "declaration-cut", "the last declaration was cut")
    c(edit(declared, lambda t: t.split(b"\n", 1)[1]), "segment", "declaration-taken-out", "a declaration was taken out")
    c(edit(declared, lambda t: t + t), "segment", "declaration-more", "there are more declarations than lines that have one")
    c(edit(declared, lambda t: b" " * 20 + t[20:]), "segment", "declaration-half-erased", "a part of a declaration was erased")
    c(edit(declared, lambda t: b"\n".join(reversed(t[:-1].split(b"\n"))) + b"\n"), "segment", "declarations-swapped", "two declarations were swapped")
    c(lambda f: f.pop(declared), "segment", "declarations-missing", "the declarations are missing")
    c(lambda f: f.update({"journal.json": f["journal.json"].replace(ID.encode(), sha(b"x").hex().encode())}), "segment", "other-id", "the journal has another id")
    opened = lambda: two().line(6).line(7).open()
    third = "00000003.jsonl"
    c(edit(third, lambda t: t.replace(b'"client":"local"', b'"client":"lokal"', 1)), "segment", "open-line-changed", "a line of the open segment was changed", opened)
    c(edit(third, lambda t: t.replace(b'"headers"', b"\x00" * 9, 1)), "segment", "open-zeros", "zero bytes in a line", opened)
    c(edit(third, lambda t: t.split(b"\n", 1)[0] + b"\n" + b"\x00" * 40 + t.split(b"\n", 1)[1]), "segment", "open-zeros-between", "zero bytes between lines", opened)
    c(edit(third, lambda t: t.split(b"\n", 1)[1]), "segment", "open-first-cut", "the first line of the open segment was taken out", opened)
    j = two()
    put("refused-receipt", "a receipt of another line", j, "journal", receipts=["00000001/1/" + sha(b"x").hex()])
    put("refused-receipt-line", "a receipt of a line that there is not", j, "journal", receipts=["00000001/9/" + sha(b"x").hex()])
    put("refused-empty", "a journal without a line", {"journal.json": j.files["journal.json"]}, "journal")


def bad_lines():
    """Lines that a gateway would not write, signed all the same."""
    def signed_line(name, about, expect="segment", **members):
        put("refused-" + name, about, Journal().line(1).line(2, **members).close(), expect)
    signed_line("unknown-member", "a member that is not known", comment="x")
    signed_line("n", "a number that does not follow", n=3)
    signed_line("prev", "another digest than that of the line before", prev=sha(b"x").hex())
    signed_line("group-behind", "a group that begins behind its line", group=3)
    signed_line("group-other", "a group that is neither that of the line before nor new", group=0)
    signed_line("fate", "an unknown fate", fate="lost")
    signed_line("no-identity", "an admitted call without an identity", identity=None)
    signed_line("identity", "another identity than the bundle has", identity=identity(9))
    signed_line("no-bundle", "an admitted call without a bundle", bundle=None)
    signed_line("denied-bundle", "a denied call with a bundle", fate="denied")
    signed_line("same-self", "the bundle of the line itself", same=2)
    signed_line("same-other", "the bundle of another run", same=1)
    signed_line("same-and-bundle", "both a bundle and same", same=1, bundle=bundle(run(2)))
    signed_line("run-key", "the bundle is signed by another key", "line", bundle=bundle(run(2), OTHER))
    s = run(2)
    s["predicate"]["declaration"]["parameters"]["seed"] = 3
    signed_line("run-identity", "the identity is not that of the declaration", "line", bundle=bundle(s))
    j = Journal().line(1)
    j.lines.append(j.lines[0][:-1] + b',"n":1}')
    j.prev = sha(j.lines[-1]).hex()
    put("refused-duplicate-member", "a member stands twice", j.close(), "segment")
    j = Journal().line(1)
    j.lines[0] = j.lines[0].replace(b'"client":', b'"client": ')
    j.prev = sha(j.lines[-1]).hex()
    put("refused-space", "a line that is not in RFC 8785 form", j.close(), "segment")


def bad_heads():
    for name, about, changes in (
        ("head-number", "the Statement has another number", {"number": 3}),
        ("head-lines", "the Statement has another count of lines", {"lines": 3}),
        ("head-last", "the Statement has another last line", {"last": sha(b"x").hex()}),
        ("head-previous", "the Statement names another segment before", {"previous": sha(b"x").hex()}),
        ("head-no-previous", "the Statement of the second segment names none before", {"previous": None}),
        ("head-gateway", "the Statement is of another journal", {"gateway": sha(b"x").hex()}),
        ("head-member", "the Statement has a member that is not known", {"comment": "x"}),
        ("head-subject", "the Statement is about a file of another name", {"subject": "00000001.jsonl"}),
        ("head-key", "the segment is signed by another key", {"key": OTHER}),
    ):
        put("refused-" + name, about, two(**changes), "segment")


def main(do):
    good()
    bad_files()
    bad_lines()
    bad_heads()
    VECTORS["signer.pub"] = PEM
    if do == "write":
        for name, data in VECTORS.items():
            with open(os.path.join(HERE, name), "wb") as f:
                f.write(data)
        print(len(VECTORS), "files")
        return 0
    bad = 0
    there = set(os.listdir(HERE)) - {"oracle.py", "__pycache__"}
    for name in sorted(there | set(VECTORS)):
        if name not in there or VECTORS.get(name) != open(os.path.join(HERE, name), "rb").read():
            bad += 1
            print("differs:", name)
    print("%d bad of %d" % (bad, len(VECTORS)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
