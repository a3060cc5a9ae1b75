#!/usr/bin/env python3
"""The digests of a model's files by OpenSSF model_signing and by runattest capture hf-model, file by file.

Run by hand, with a built runattest; DIR is a folder with a model, or, if none is given, a small one that is made here:

    python3 -m venv /tmp/ms && /tmp/ms/bin/pip install model-signing==1.1.1 pyopenssl==26.4.0
    /tmp/ms/bin/python model_signing_digests.py RUNATTEST [DIR]
"""
import json, subprocess, sys, tempfile
from pathlib import Path

from model_signing import hashing

SKIPPED = {".git", ".cache", ".huggingface", ".gitattributes", ".gitignore", ".DS_Store", "README.md"}


def example(top):
    files = {"config.json": b"{}", "model-00001-of-00002.safetensors": bytes(range(256)) * 40000, "model-00002-of-00002.safetensors": b"w",
             "model.safetensors.index.json": b'{"weight_map": {"a": "model-00001-of-00002.safetensors"}}', "tokenizer.json": b"{}", "empty.txt": b"",
             "modeling_x.py": b"x = 1\n", "sub/README.md": b"kept", "sub/é b.bin": b"\0", "README.md": b"skipped",
             "chat_template.jinja": b"{{ messages }}", "Z": b"1", "a": b"2"}
    for name, data in files.items():
        path = top / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


def main(runattest, folder=None):
    with tempfile.TemporaryDirectory() as made:
        top = Path(folder or made)
        if not folder:
            example(top)
        config = hashing.Config().set_ignored_paths(paths=[top / name for name in SKIPPED], ignore_git_paths=False)
        theirs = {r.identifier: r.digest.digest_hex for r in config.hash(top).resource_descriptors() if r.identifier.split("/")[0] not in SKIPPED}
        text = subprocess.run([runattest, "capture", "--model", "org/name", "hf-model", str(top)], check=True, capture_output=True).stdout
        components = json.loads(text)["model"]["components"]
        ours = {c["name"]: c["digest"]["sha256"] for c in components}
        for name in sorted(theirs.keys() | ours.keys()):
            same = theirs.get(name) == ours.get(name)
            print("same " if same else "OTHER", ours.get(name), name)
        if ours != theirs or not ours or [c["name"] for c in components] != sorted(ours, key=str.encode):
            sys.exit("the digests differ")


main(*sys.argv[1:])
