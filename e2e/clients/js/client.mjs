// @sigstore/verify and @sigstore/sign, for the end-to-end tests: the same protocol as ../python/client.py.
import { createPrivateKey, createPublicKey, sign as signWith } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { DSSEBundleBuilder, FulcioSigner, TSAWitness } from '@sigstore/sign';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

const read = (name) => readFileSync(name, 'utf8');
const json = (name) => JSON.parse(read(name));
const empty = {
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [],
};

// verify takes the thresholds of @sigstore/verify, and either an identity with its issuer or a key with its hint.
function verify({ root, bundle, key, hint, identity, issuer, thresholds }) {
  const trust = toTrustMaterial(TrustedRoot.fromJSON(root ? json(root) : empty), key && {
    [hint]: { rawBytes: createPublicKey(read(key)).export({ type: 'spki', format: 'der' }) },
  });
  const policy = identity && {
    subjectAlternativeName: `^${RegExp.escape ? RegExp.escape(identity) : identity.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`,
    extensions: { issuer },
  };
  const entity = toSignedEntity(bundleFromJSON(json(bundle)));
  new Verifier(trust, thresholds).verify(entity, policy);
  return {};
}

// sign makes a bundle of a statement: with a key, or without one by a token, and with a timestamp where a server is named.
async function sign({ statement, bundle, key, hint, fulcio, token, timestamper }) {
  const witnesses = timestamper ? [new TSAWitness({ tsaBaseURL: timestamper })] : [];
  let signer;
  if (key) {
    const privateKey = createPrivateKey(read(key));
    signer = {
      sign: async (data) => ({
        key: { $case: 'publicKey', publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }), hint },
        signature: signWith(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', data, privateKey),
      }),
    };
  } else {
    signer = new FulcioSigner({ fulcioBaseURL: fulcio, identityProvider: { getToken: async () => read(token).trim() } });
  }
  const made = await new DSSEBundleBuilder({ signer, witnesses }).create({
    data: readFileSync(statement), type: 'application/vnd.in-toto+json',
  });
  writeFileSync(bundle, JSON.stringify(bundleToJSON(made)));
  return {};
}

const todo = { verify, sign };
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const act = todo[request.do];
  if (!act) throw new Error(`no such thing to do: ${request.do}`);
  let answer;
  try {
    answer = { ok: true, ...(await act(request)) };
  } catch (e) {
    answer = { ok: false, error: `${e.code ?? e.name}: ${e.message}` };
  }
  console.log(JSON.stringify(answer));
}
