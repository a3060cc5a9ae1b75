#!/usr/bin/env python3
"""The vectors of run sets: an implementation of docs/spec/predicate-run-set-v1.md from RFC 9162, with nothing of runattest.

    python3 oracle.py write     writes the files of this folder
    python3 oracle.py check     compares them with what is there; prints how many differ

It needs the package cryptography, for Ed25519. Trees are computed by the recursive definitions of RFC 9162, sections 2.1.1
and 2.1.3. Texts are ASCII and numbers whole, so that json.dumps with sorted names writes the RFC 8785 form.
"""
import base64, copy, hashlib, hmac, json, os, struct, sys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = os.path.dirname(os.path.abspath(__file__))
BASE = "https://github.com/runattest/runattest/"
SET = "application/vnd.runattest.run-set.v1+json"
PROOF = "application/vnd.runattest.run-proof.v1+json"


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def jcs(v):
    return json.dumps(v, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


# --- RFC 9162

def mth(leaves):
    """Merkle tree hash of a list of leaf hashes."""
    n = len(leaves)
    if n == 1:
        return leaves[0]
    k = 1
    while k * 2 < n:
        k *= 2
    return sha(b"\x01", mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    n = len(leaves)
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


def included(index, size, leaf, proof, root):
    """Section 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = sha(b"\x01", p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha(b"\x01", r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


# The published vectors of Certificate Transparency (certificate-transparency's merkle_tree_test): leaves, and the root of
# the first n of them.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def self_test():
    leaves = [sha(b"\x00", bytes.fromhex(x)) for x in CT_LEAVES]
    for n, root in enumerate(CT_ROOTS, 1):
        assert mth(leaves[:n]).hex() == root, n
        for m in range(n):
            assert included(m, n, leaves[m], path(m, leaves[:n]), mth(leaves[:n]))


# --- run sets

KEY = Ed25519PrivateKey.from_private_bytes(sha(b"runattest run-set vectors: a public test key"))
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def hint():
    text = lambda b: struct.pack(">I", len(b)) + b
    return "SHA256:" + base64.b64encode(sha(text(b"ssh-ed25519"), text(PUBLIC))).decode().rstrip("=")


def declaration(i):
    return {
        "schema": BASE + "declaration/v1", "kind": "inference", "model": {"name": "m"}, "prompt": {"text": "hello"},
        "parameters": {"seed": i}, "context": [], "constraints": {},
    }


def statement(i, detached=False, annotations=None, artifact=None):
    d = declaration(i)
    digest = sha(jcs(d)).hex()
    predicate = {"identity": "airun:1:sha256:" + digest, "declaration": d}
    if detached:
        del predicate["declaration"]
        predicate["declarationRef"] = {"size": len(jcs(d)), "mediaType": "application/vnd.runattest.declaration.v1+json"}
    if annotations:
        predicate["annotations"] = annotations
    subjects = [{"name": predicate["identity"], "digest": {"sha256": digest}}]
    if artifact:
        subjects.append({"name": artifact, "digest": {"sha256": sha(artifact.encode()).hex()}})
    return {"_type": "https://in-toto.io/Statement/v1", "subject": subjects,
            "predicateType": BASE + "run-identity/v1", "predicate": predicate}


def head(root, size):
    return jcs({"root": root.hex(), "size": size, "tree": "rfc9162-sha256"})


def bundle(root, size, /, annotations=None, subject=None, **members):
    predicate = {"root": root.hex(), "size": size, "tree": "rfc9162-sha256", **members}
    if annotations:
        predicate["annotations"] = annotations
    payload = jcs({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": BASE + "run-set/v1", "predicate": predicate,
        "subject": [subject or {"name": "runset", "digest": {"sha256": sha(head(root, size)).hex()}}],
    })
    kind = b"application/vnd.in-toto+json"
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hint()}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(), "payloadType": kind.decode(),
            "signatures": [{"sig": base64.b64encode(KEY.sign(pae)).decode(), "keyid": hint()}],
        },
    }


class RunSet:
    def __init__(self, name, statements, annotations=None):
        self.name, self.statements, self.annotations = name, statements, annotations
        self.seed = sha(b"seed of " + name.encode())
        self.leaves = [sha(b"\x00", self.salt(i), jcs(s)) for i, s in enumerate(statements)]
        self.root = mth(self.leaves)
        self.bundle = bundle(self.root, len(statements), annotations)

    def salt(self, i):
        return hmac.new(self.seed, struct.pack(">Q", i), hashlib.sha256).digest()

    def header(self, **changes):
        h = {"mediaType": SET, "seed": self.seed.hex(), "bundle": self.bundle, **changes}
        return {k: v for k, v in h.items() if v is not None}

    def file(self, statements=None, **changes):
        lines = [self.header(**changes)] + (self.statements if statements is None else statements)
        return b"".join(jcs(x) + b"\n" for x in lines)

    def proof(self, i, **changes):
        p = {"mediaType": PROOF, "statement": self.statements[i], "index": i, "salt": self.salt(i).hex(),
             "path": [h.hex() for h in path(i, self.leaves)], "bundle": self.bundle}
        assert included(i, len(self.leaves), self.leaves[i], path(i, self.leaves), self.root)
        p.update(changes)
        return {k: v for k, v in p.items() if v is not None}


FILES, INDEX = {}, []


def put(name, data, expect, about, **more):
    """expect is "verified", "malformed", or the name of the check that fails first."""
    FILES[name] = data if isinstance(data, bytes) else jcs(data) + b"\n"
    INDEX.append({"file": name, "expect": expect, "about": about, **more})


def put_set(s, about):
    more = {"root": s.root.hex(), "size": len(s.leaves), "head": sha(head(s.root, len(s.leaves))).hex(),
            "identities": [x["predicate"]["identity"] for x in s.statements]}
    if s.annotations:
        more["annotations"] = s.annotations
    put(s.name + ".runset.jsonl", s.file(), "verified", about, **more)


def put_proof(s, i, about):
    put("%s-%d.runproof.json" % (s.name, i), s.proof(i), "verified", about, root=s.root.hex(), size=len(s.leaves),
        index=i, identities=[s.statements[i]["predicate"]["identity"]])


def good():
    for n in (1, 2, 3, 5, 8):
        s = RunSet(str(n), [statement(i) for i in range(n)], {"sweep": "s-1"} if n == 2 else None)
        put_set(s, "%d runs" % n)
        for i in range(n):
            put_proof(s, i, "run %d of %d" % (i, n))
    s = RunSet("repeats", [statement(7), statement(8), statement(7), statement(7)])
    put_set(s, "a run that is listed three times")
    for i in range(4):
        put_proof(s, i, "each place of a repeated run has a proof of its own")
    s = RunSet("members", [statement(1, annotations={"ticket": "ML-1"}, artifact="ghcr.io/acme/trainer"), statement(2)])
    put_set(s, "annotations and artifacts of a run")
    put_proof(s, 0, "annotations and artifacts of a run")
    s = RunSet("detached", [statement(1, detached=True), statement(2)])
    put_set(s, "a detached run: verified where its declaration is given")
    put_proof(s, 0, "a detached run: verified where its declaration is given")
    FILES["detached-declaration.json"] = jcs(declaration(1))
    spaced = RunSet("spaced", [statement(0), statement(1)])
    text = b"".join(json.dumps(x, separators=(" , ", " : ")).encode() + b" \r\n" for x in [spaced.header()] + spaced.statements)
    put("spaced.runset.jsonl", text, "verified", "white space and another order of members", root=spaced.root.hex(), size=2,
        head=sha(head(spaced.root, 2)).hex(), identities=[x["predicate"]["identity"] for x in spaced.statements])
    put("spaced-1.runproof.json", json.dumps(spaced.proof(1), indent=2).encode(), "verified", "white space and another order of members",
        root=spaced.root.hex(), size=2, index=1, identities=[spaced.statements[1]["predicate"]["identity"]])
    thousand = RunSet("1000", [statement(i) for i in range(1000)])
    for i in (0, 511, 512, 999):
        put_proof(thousand, i, "run %d of 1,000" % i)
    # the lines are statement(0) to statement(999), which a reader makes itself
    FILES["1000.header.json"] = jcs(thousand.header()) + b"\n"


def bad_sets():
    s = RunSet("bad", [statement(i) for i in range(5)], {"sweep": "s-1"})
    runs = s.statements

    def refuse(name, expect, about, data):
        put("refused-%s.runset.jsonl" % name, data, expect, about)

    changed = copy.deepcopy(runs)
    changed[3] = statement(3, annotations={"approved": "yes"})
    refuse("line-changed", "inclusion", "an annotation was added to a run", s.file(changed))
    refuse("lines-swapped", "inclusion", "two runs in the other order", s.file([runs[1], runs[0]] + runs[2:]))
    refuse("line-removed", "inclusion", "a run is missing", s.file(runs[:2] + runs[3:]))
    refuse("last-removed", "inclusion", "the last run is missing", s.file(runs[:-1]))
    refuse("line-added", "inclusion", "a run was added", s.file(runs + [statement(9)]))
    refuse("line-repeated", "inclusion", "a run is there twice, and signed once", s.file(runs[:3] + runs[2:]))
    refuse("last-repeated", "inclusion", "RFC 9162 does not repeat the last leaf of an odd level", s.file(runs + runs[-1:]))
    refuse("line-replaced", "inclusion", "one run in the place of another", s.file(runs[:3] + runs[2:3] + runs[4:]))
    refuse("other-seed", "inclusion", "another seed", s.file(seed=sha(b"another").hex()))
    refuse("no-seed", "malformed", "no seed", s.file(seed=None))
    refuse("short-seed", "malformed", "a seed of 31 bytes", s.file(seed=s.seed.hex()[2:]))
    refuse("upper-case-seed", "malformed", "a seed in upper case", s.file(seed=s.seed.hex().upper()))
    refuse("no-bundle", "malformed", "no bundle", s.file(bundle=None))
    refuse("null-bundle", "malformed", "null for the bundle", s.file().replace(jcs(s.bundle), b"null", 1))
    refuse("envelope", "malformed", "a bare envelope for the bundle", s.file(bundle=s.bundle["dsseEnvelope"]))
    refuse("proof-for-bundle", "malformed", "a proof for the bundle", s.file(bundle=s.proof(0)))
    refuse("unknown-member", "malformed", "a member that is not known", s.file(size=5))
    refuse("other-type", "malformed", "the media type of proofs", s.file(mediaType=PROOF))
    refuse("duplicate-member", "malformed", "the seed stands twice", s.file().replace(b'"seed":', b'"seed":"%s","seed":' % s.seed.hex().encode(), 1))
    refuse("cut-off", "malformed", "no line feed after the last line", s.file()[:-1])
    refuse("cut-in-line", "malformed", "the last line is not whole", s.file()[:-100])
    refuse("blank-line", "malformed", "a blank line between runs", s.file().replace(b"}\n{", b"}\n\n{", 2))
    refuse("blank-end", "malformed", "a blank line at the end", s.file() + b"\n")
    refuse("two-in-line", "malformed", "two runs in one line", s.file().replace(b'}\n{"_type"', b'} {"_type"', 2))
    refuse("no-object", "malformed", "a line that is not an object", s.file(runs[:4] + [5]))
    refuse("inexact", "malformed", "a number that is not exact", s.file(changed).replace(b'"seed":4', b'"seed":9007199254740993', 1))
    refuse("header-alone", "inclusion", "no run at all", s.file([]))
    refuse("empty", "statement", "no run, and the size 0 signed", s.file([], bundle=bundle(sha(b""), 0)))
    refuse("resigned-root", "inclusion", "signed with another root", s.file(bundle=bundle(sha(b"x"), 5)))
    refuse("resigned-size", "inclusion", "signed with one run more", s.file(bundle=bundle(s.root, 6)))
    refuse("resigned-less", "inclusion", "signed with one run less", s.file(bundle=bundle(s.root, 4)))
    other = {"name": "runset", "digest": {"sha256": sha(head(sha(b"x"), 5)).hex()}}
    refuse("resigned-subject", "statement", "a signed subject that is not that of the predicate", s.file(bundle=bundle(s.root, 5, subject=other)))
    named = {"name": "set", "digest": {"sha256": sha(head(s.root, 5)).hex()}}
    refuse("resigned-name", "statement", "a signed subject of another name", s.file(bundle=bundle(s.root, 5, subject=named)))
    refuse("resigned-tree", "statement", "another tree", s.file(bundle=bundle(s.root, 5, tree="rfc6962-sha256")))
    refuse("resigned-member", "statement", "a signed member that is not known", s.file(bundle=bundle(s.root, 5, first="x")))
    refuse("resigned-text-size", "statement", "the size is a string", s.file(bundle=bundle(s.root, 5, size="5")))
    refuse("resigned-fraction", "statement", "the size is not a whole number", s.file(bundle=bundle(s.root, 5, size=5.5)))
    refuse("resigned-large", "statement", "the size is beyond 2^32", s.file(bundle=bundle(s.root, 5, size=2**32 + 1)))
    refuse("resigned-upper-case", "statement", "the root is in upper case", s.file(bundle=bundle(s.root, 5, root=s.root.hex().upper())))
    stranger = copy.deepcopy(s.bundle)
    sig = bytearray(base64.b64decode(stranger["dsseEnvelope"]["signatures"][0]["sig"]))
    sig[0] ^= 1
    stranger["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(sig).decode()
    refuse("signature", "signature", "the signature is not over this head", s.file(bundle=stranger))
    lying = copy.deepcopy(runs)
    lying[2]["predicate"]["identity"] = runs[1]["predicate"]["identity"]
    refuse("run-identity", "identity", "a signed run whose identity is not that of its declaration", RunSet("lying", lying).file())
    foreign = copy.deepcopy(runs)
    foreign[2]["predicateType"] = BASE + "run-approval/v1"
    refuse("run-type", "statement", "a signed line of another predicate type", RunSet("foreign", foreign).file())
    invalid = copy.deepcopy(runs)
    d = invalid[2]["predicate"]["declaration"]
    d["kind"] = "dance"
    digest = sha(jcs(d)).hex()
    invalid[2]["predicate"]["identity"] = "airun:1:sha256:" + digest
    invalid[2]["subject"] = [{"name": "airun:1:sha256:" + digest, "digest": {"sha256": digest}}]
    refuse("run-declaration", "declaration", "a signed run whose declaration is invalid", RunSet("invalid", invalid).file())
    refuse("run-detached", "identity", "a detached run whose declaration is not given",
           RunSet("alone", [statement(11, detached=True)]).file())


def bad_proofs():
    s = RunSet("proofs", [statement(i) for i in range(5)])
    whole = [h.hex() for h in path(2, s.leaves)]

    def refuse(name, expect, about, proof):
        put("refused-%s.runproof.json" % name, proof, expect, about)

    refuse("index-other", "inclusion", "the index of another run", s.proof(2, index=3))
    refuse("index-at-size", "inclusion", "the index is the size", s.proof(2, index=5))
    refuse("index-last", "inclusion", "the index of the last run, whose path is shorter", s.proof(2, index=4))
    refuse("index-negative", "malformed", "an index below 0", s.proof(2, index=-1))
    refuse("index-fraction", "malformed", "an index that is not a whole number", s.proof(2, index=2.5))
    refuse("index-text", "malformed", "an index as a string", s.proof(2, index="2"))
    refuse("index-large", "malformed", "an index of 2^32", s.proof(2, index=2**32))
    refuse("no-index", "malformed", "no index", s.proof(2, index=None))
    refuse("other-salt", "inclusion", "the salt of another run", s.proof(2, salt=s.salt(3).hex()))
    refuse("no-salt", "malformed", "no salt", s.proof(2, salt=None))
    refuse("upper-case-salt", "malformed", "a salt in upper case", s.proof(2, salt=s.salt(2).hex().upper()))
    refuse("other-statement", "inclusion", "another run's statement", s.proof(2, statement=s.statements[3]))
    refuse("statement-changed", "inclusion", "an annotation was added", s.proof(2, statement=statement(2, annotations={"a": "b"})))
    refuse("no-statement", "malformed", "no statement", s.proof(2, statement=None))
    refuse("statement-type", "malformed", "a statement of another predicate type", s.proof(2, statement={**s.statements[2], "predicateType": BASE + "run-approval/v1"}))
    refuse("path-short", "inclusion", "one hash less", s.proof(2, path=whole[:-1]))
    refuse("path-long", "inclusion", "one hash more", s.proof(2, path=whole + whole[-1:]))
    refuse("path-swapped", "inclusion", "two hashes in the other order", s.proof(2, path=[whole[1], whole[0], whole[2]]))
    refuse("path-empty", "inclusion", "no hash", s.proof(2, path=[]))
    refuse("path-33", "malformed", "more hashes than any tree has levels", s.proof(2, path=whole * 11))
    refuse("no-path", "malformed", "no path", s.proof(2, path=None))
    refuse("null-path", "malformed", "null for the path", jcs(s.proof(2)).replace(jcs(whole), b"null"))
    refuse("upper-case-path", "malformed", "a path in upper case", s.proof(2, path=[h.upper() for h in whole]))
    refuse("unknown-member", "malformed", "the size, which the signature says", s.proof(2, size=5))
    refuse("duplicate-member", "malformed", "the index stands twice", jcs(s.proof(2)).replace(b'"index":2', b'"index":2,"index":2'))
    refuse("trailing", "malformed", "something behind the proof", jcs(s.proof(2)) + b"{}")
    refuse("other-set", "inclusion", "the bundle of another set", s.proof(2, bundle=RunSet("other", s.statements).bundle))
    refuse("other-type", "malformed", "the media type of sets", s.proof(2, mediaType=SET))
    refuse("envelope", "malformed", "a bare envelope for the bundle", s.proof(2, bundle=s.bundle["dsseEnvelope"]))
    refuse("proof-in-proof", "malformed", "a proof for the bundle", s.proof(2, bundle=s.proof(2)))
    # The inner node over runs 0 and 1 as if it were a leaf: its salt the left hash, the run's statement where the right one is.
    refuse("second-preimage", "inclusion", "an inner node for a leaf", s.proof(0, index=0, salt=s.leaves[0].hex(), path=whole[1:]))
    resigned = lambda **x: bundle(s.root, 5, **x)
    refuse("resigned-size", "inclusion", "the proof of run 4 of 5, and the size 6 signed", s.proof(4, bundle=bundle(s.root, 6)))
    refuse("resigned-subject", "statement", "a signed subject that is not that of the predicate",
           s.proof(2, bundle=resigned(subject={"name": "runset", "digest": {"sha256": sha(b"x").hex()}})))
    lying = copy.deepcopy(s.statements)
    lying[2]["predicate"]["identity"] = s.statements[1]["predicate"]["identity"]
    refuse("run-identity", "identity", "a signed run whose identity is not that of its declaration", RunSet("lying", lying).proof(2))
    refuse("run-detached", "identity", "a detached run whose declaration is not given",
           RunSet("alone", [statement(11, detached=True)]).proof(0))


def main(do):
    self_test()
    good()
    bad_sets()
    bad_proofs()
    FILES["signer.pub"] = PEM
    FILES["index.json"] = json.dumps(INDEX, indent=1).encode() + b"\n"
    if do == "write":
        for name, data in FILES.items():
            with open(os.path.join(HERE, name), "wb") as f:
                f.write(data)
        print(len(FILES), "files")
        return 0
    bad = 0
    there = set(os.listdir(HERE)) - {"oracle.py", "__pycache__"}
    for name in sorted(there | set(FILES)):
        same = name in there and FILES.get(name) == open(os.path.join(HERE, name), "rb").read()
        if not same:
            bad += 1
            print("differs:", name)
    print("%d bad of %d" % (bad, len(FILES)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
