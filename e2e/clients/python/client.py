"""sigstore-python and securesystemslib, for the end-to-end tests.

Each line of standard input is a JSON object that says what to do; each gets one line, {"ok": true, ...} or {"ok": false, "error": ...}.
Paths are relative to the working directory. "error" names the exception: a crash of this program is another thing than a client's no.
"""

import json
import sys
from pathlib import Path

from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from sigstore.dsse import Statement, StatementBuilder, Subject
from sigstore.models import Bundle, ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier, policy


def read(name: str) -> str:
    return Path(name).read_text(encoding="utf-8")


def verify(root: str, identity: str, issuer: str, bundle: str) -> dict:
    """Verify a bundle with a certificate: signer, log entry, timestamps."""
    verifier = Verifier(trusted_root=TrustedRoot.from_file(root))
    kind, payload = verifier.verify_dsse(
        bundle=Bundle.from_json(read(bundle)), policy=policy.Identity(identity=identity, issuer=issuer)
    )
    return {"payloadType": kind, "payload": payload.decode()}


def parse(bundle: str) -> dict:
    """Read a bundle's envelope and nothing else; sigstore-python itself takes only bundles with a certificate."""
    from sigstore_models.bundle.v1 import Bundle as Message

    Message.from_json(read(bundle))
    return {}


def parse_dsse(envelope: str) -> dict:
    """Read a bare DSSE envelope."""
    Envelope.from_dict(json.loads(read(envelope)))
    return {}


def read_root(root: str) -> dict:
    TrustedRoot.from_file(root)
    return {}


def sign(root: str, config: str, token: str, statement: str, bundle: str, build: bool = False) -> dict:
    """Sign a statement without a key: its bytes, or what sigstore-python builds of what it says."""
    text = read(statement)
    content = Statement(text.encode())
    if build:
        said = json.loads(text)
        content = (
            StatementBuilder()
            .subjects([Subject(name=s["name"], digest=s["digest"]) for s in said["subject"]])
            .predicate_type(said["predicateType"])
            .predicate(said["predicate"])
            .build()
        )
    trust = ClientTrustConfig.from_json(
        json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": json.loads(read(root)),
                "signingConfig": json.loads(read(config)),
            }
        )
    )
    with SigningContext.from_trust_config(trust).signer(IdentityToken(read(token).strip())) as signer:
        Path(bundle).write_text(signer.sign_dsse(content).to_json(), encoding="utf-8")
    return {}


def verify_dsse(envelope: str, key: str, keyid: str, scheme: str | None = None) -> dict:
    """Verify a bare DSSE envelope with securesystemslib."""
    public = load_pem_public_key(read(key).encode())
    data = json.loads(read(envelope))
    data = data.get("dsseEnvelope", data)
    Envelope.from_dict(data).verify([SSlibKey.from_crypto(public, keyid=keyid, scheme=scheme)], 1)
    return {}


def sign_dsse(statement: str, key: str, envelope: str, scheme: str | None = None) -> dict:
    """Sign a statement with securesystemslib."""
    private = load_pem_private_key(read(key).encode(), None)
    public = SSlibKey.from_crypto(private.public_key(), scheme=scheme)
    made = Envelope(read(statement).encode(), "application/vnd.in-toto+json", {})
    made.sign(CryptoSigner(private, public))
    Path(envelope).write_text(json.dumps(made.to_dict()), encoding="utf-8")
    return {}


DO = {f.__name__: f for f in (verify, parse, parse_dsse, read_root, sign, verify_dsse, sign_dsse)}

for line in sys.stdin:
    request = json.loads(line)
    act = DO[request.pop("do")]
    try:
        answer = {"ok": True, **act(**request)}
    except Exception as e:  # noqa: BLE001: whatever a client says is its answer
        answer = {"ok": False, "error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
