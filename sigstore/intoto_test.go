package sigstore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/tlog"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/signer"
)

// relogged is a bundle with one entry of Rekor v1 whose body is that, promised and proved by the test's log.
func (w world) relogged(p parts, kind, version string, body any, at time.Time) parts {
	w.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := w.RekorLogID()
	if err != nil {
		w.t.Fatal(err)
	}
	rawID, _ := hex.DecodeString(id)
	set, err := w.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(text), IntegratedTime: at.Unix(), LogIndex: 1000, LogID: id,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	p.material()["tlogEntries"] = []any{map[string]any{
		"logIndex": "1000", "logId": map[string]any{"keyId": rawID}, "integratedTime": strconv.FormatInt(at.Unix(), 10),
		"kindVersion":       map[string]any{"kind": kind, "version": version},
		"canonicalizedBody": text, "inclusionProof": w.inclusion(text),
		"inclusionPromise": map[string]any{"signedEntryTimestamp": set},
	}}
	return p
}

func twice(data []byte) string {
	return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(data)))
}

// decodedMember is one of the envelope's members that the generator has in base64 or as bytes.
func decodedMember(t testing.TB, v any) []byte {
	t.Helper()
	text, ok := v.(string)
	if !ok {
		return v.([]byte)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// intotoBody is what a log has of a bundle that was proposed as an intoto entry, with its payload.
func intotoBody(t testing.TB, p parts, key []byte) parts {
	payload := decodedMember(t, p.envelope()["payload"])
	sum := sha256.Sum256(payload)
	return parts{"apiVersion": "0.0.2", "kind": "intoto", "spec": parts{"content": parts{
		"envelope": parts{
			"payload": twice(payload), "payloadType": p.envelope()["payloadType"],
			"signatures": []parts{{"publicKey": key, "sig": twice(p.signature(t))}},
		},
		"hash":        parts{"algorithm": "sha256", "value": strings.Repeat("ab", 32)},
		"payloadHash": parts{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])},
	}}}
}

func (p parts) content() parts { return p["spec"].(parts)["content"].(parts) }

func certificatePEM(p parts) []byte {
	der := p.material()["certificate"].(parts)["rawBytes"].([]byte)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestIntotoEntries: an intoto entry of Rekor v1, with the payload in its body or without, is about the bundle's envelope in
// everything that it says, or proves nothing. Names with hyphens are those of sigstore-conformance's cases.
func TestIntotoEntries(t *testing.T) {
	w := newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice, RequireLogEntries: 1}
	soon := time.Now().Add(time.Minute)
	entry := func(at time.Time, edit func(body, own parts)) parts {
		p := w.v1().stamp()
		body := intotoBody(t, p, certificatePEM(p))
		edit(body, p)
		return w.relogged(p, "intoto", "0.0.2", body, at)
	}
	with := func(edit func(content, envelope, signature parts)) parts {
		return entry(soon, func(body, _ parts) {
			envelope := body.content()["envelope"].(parts)
			edit(body.content(), envelope, envelope["signatures"].([]parts)[0])
		})
	}
	another := w.v1()
	sum := sha256.Sum256([]byte("another"))
	swapped := entry(soon, func(body, own parts) {})
	swapped.entry()["canonicalizedBody"] = entry(soon, func(_, _ parts) {}).entry()["canonicalizedBody"]
	unbound := entry(soon, func(body, own parts) {})
	body := decodedMember(t, unbound.entry()["canonicalizedBody"])
	unbound.entry()["canonicalizedBody"] = bytes.Replace(body, []byte(strings.Repeat("ab", 32)), []byte(strings.Repeat("ac", 32)), 1)
	for name, c := range map[string]trial{
		"intoto-with-custom-trust-root": {entry(soon, func(_, _ parts) {}), o, ""},
		"without payload":               {with(func(_, e, _ parts) { delete(e, "payload") }), o, ""},
		"with a key ID":                 {with(func(_, _, s parts) { s["keyid"] = "any" }), o, ""},

		"intoto-log-entry-mismatch_fail":                {swapped, o, "time: log entry 0: is about another signature"},
		"intoto-set-outside-signing-cert-validity_fail": {entry(soon.Add(30*time.Minute), func(_, _ parts) {}), o, "time: log entry 0: integrated time outside certificate validity"},
		"body that the log has not signed":              {unbound, o, "time: log entry 0: its inclusion promise does not hold"},
		"another payload in the body":                   {with(func(_, e, _ parts) { e["payload"] = twice([]byte("another")) }), o, "time: log entry 0: holds another payload"},
		"another payload's hash":                        {with(func(c, _, _ parts) { c["payloadHash"].(parts)["value"] = hex.EncodeToString(sum[:]) }), o, "time: log entry 0: is about another payload"},
		"another payload's hash, without payload": {with(func(c, e, _ parts) {
			c["payloadHash"].(parts)["value"] = hex.EncodeToString(sum[:])
			delete(e, "payload")
		}), o, "time: log entry 0: is about another payload"},
		"another payload and its hash": {with(func(c, e, _ parts) {
			c["payloadHash"].(parts)["value"] = hex.EncodeToString(sum[:])
			e["payload"] = twice([]byte("another"))
		}), o, "time: log entry 0: is about another payload"},
		"another hash":                                        {with(func(c, _, _ parts) { c["payloadHash"].(parts)["algorithm"] = "sha512" }), o, "time: log entry 0: body: the hash of the payload"},
		"no hash of the payload":                              {with(func(c, _, _ parts) { delete(c, "payloadHash") }), o, "time: log entry 0: body: "},
		"no hash of the envelope":                             {with(func(c, _, _ parts) { delete(c, "hash") }), o, "time: log entry 0: body: "},
		"another type of payload":                             {with(func(_, e, _ parts) { e["payloadType"] = "text/plain" }), o, "time: log entry 0: is about another type of payload"},
		"another signature":                                   {with(func(_, _, s parts) { s["sig"] = twice(another.signature(t)) }), o, "time: log entry 0: is about another signature"},
		"signature in base64 once":                            {with(func(_, _, s parts) { s["sig"] = another.signature(t) }), o, "time: log entry 0: body: signature: not base64"},
		"another certificate":                                 {with(func(_, _, s parts) { s["publicKey"] = certificatePEM(another) }), o, "time: log entry 0: is about another signer's key or certificate"},
		"two certificates":                                    {entry(soon, func(body, own parts) { inBody(body)["publicKey"] = bytes.Repeat(certificatePEM(own), 2) }), o, "time: log entry 0: body: want one certificate"},
		"two signatures":                                      {with(func(_, e, s parts) { e["signatures"] = []parts{s, s} }), o, "time: log entry 0: body: is about 2 signatures"},
		"no signature":                                        {with(func(_, e, _ parts) { e["signatures"] = []parts{} }), o, "time: log entry 0: body: is about 0 signatures"},
		"a payload in other letters":                          {with(func(_, e, _ parts) { e["Payload"] = twice([]byte("another")) }), o, `time: log entry 0: body: "Payload" is not in an entry`},
		"another spec":                                        {entry(soon, func(body, _ parts) { body["Spec"] = parts{} }), o, `time: log entry 0: body: "Spec" is not in an entry`},
		"a payload of null":                                   {with(func(_, e, _ parts) { e["payload"] = nil }), o, "time: log entry 0: body: has no payload"},
		"a longer payload than the bundle's":                  {with(func(_, e, _ parts) { e["payload"] = twice(bytes.Repeat([]byte("x"), 100_000)) }), o, "time: log entry 0: a body of"},
		"a longer body than the payload's":                    {with(func(_, e, s parts) { s["keyid"] = strings.Repeat("x", 70_000); delete(e, "payload") }), o, "time: log entry 0: a body of"},
		"intoto 0.0.1, which does not hold the signature":     {w.relogged(w.v1().stamp(), "intoto", "0.0.1", parts{"apiVersion": "0.0.1", "kind": "intoto", "spec": parts{}}, soon), o, "time: log entry 0: an entry of kind"},
		"a proposal, whose payload is verified under its key": {entry(soon, func(body, _ parts) { body["spec"].(parts)["publicKey"] = "x" }), o, `time: log entry 0: body: "publicKey" is not in an entry`},
	} {
		t.Run(name, c.run)
	}
}

func inBody(body parts) parts {
	return body.content()["envelope"].(parts)["signatures"].([]parts)[0]
}

// TestIntotoWithoutProof: intoto-missing-inclusion-proof_fail is a bundle v0.2 with a promise alone.
func TestIntotoWithoutProof(t *testing.T) {
	w := newWorld(t)
	p := w.v1().stamp()
	body := intotoBody(t, p, certificatePEM(p))
	p = w.relogged(p, "intoto", "0.0.2", body, time.Now().Add(time.Minute)).chained()
	p["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	p.bundle(t)
	delete(p.entry(), "inclusionProof")
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attest.ParseBundle(text); !errors.Is(err, attest.ErrMalformed) || !strings.Contains(err.Error(), "has no inclusionProof") {
		t.Errorf("got %v", err)
	}
}

// TestIntotoByKey: what a key signed is logged with that key.
func TestIntotoByKey(t *testing.T) {
	w := newWorld(t)
	soon := time.Now().Add(time.Minute)
	p, key := byKey(t)
	_, other := byKey(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Keys: []attest.TrustedKey{{Name: "k", Key: key}}, RequireLogEntries: 1}
	logged := func(by *signer.PublicKey, edit func(parts)) parts {
		text, err := by.PEM()
		if err != nil {
			t.Fatal(err)
		}
		body := intotoBody(t, p, text)
		edit(body)
		q := parts{"mediaType": p["mediaType"], "dsseEnvelope": p["dsseEnvelope"], "verificationMaterial": parts{"publicKey": p.material()["publicKey"]}}
		return w.relogged(q, "intoto", "0.0.2", body, soon)
	}
	same := func(parts) {}
	for name, c := range map[string]trial{
		"with payload":    {logged(key, same), o, ""},
		"without payload": {logged(key, func(b parts) { delete(b.content()["envelope"].(parts), "payload") }), o, ""},
		"another key":     {logged(other, same), o, "time: log entry 0: is about another signer's key or certificate"},
		"not a key":       {logged(key, func(b parts) { inBody(b)["publicKey"] = []byte("key") }), o, "time: log entry 0: body: want one certificate or public key in PEM"},
	} {
		t.Run(name, c.run)
	}
}

// underOrigin has a proof whose checkpoint is the log's, with another origin.
func (w world) underOrigin(p parts, origin string) parts {
	w.t.Helper()
	body := decodedMember(w.t, p.entry()["canonicalizedBody"])
	root := sha256.Sum256(append([]byte{0}, body...))
	text := origin + "\n1\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"
	sum := sha256.Sum256([]byte(text))
	signature, err := ecdsa.SignASN1(rand.Reader, w.logKey(), sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	id := decodedMember(w.t, p.entry()["logId"].(map[string]any)["keyId"])
	line := "\n\u2014 " + strings.TrimSuffix(origin, " - 123") + " " + base64.StdEncoding.EncodeToString(append(id[:4:4], signature...)) + "\n"
	p.entry()["inclusionProof"] = w.inclusion(body)
	proof(p)["checkpoint"] = map[string]any{"envelope": text + line}
	return p
}

// TestIntotoUnderHost: sigstore-conformance's intoto-canonical-log-entry has an entry of Rekor v1 under a checkpoint whose origin is the
// log's host, without the ID of a tree. It proves what it would prove with one: the log has this body, and a promise signs a time.
func TestIntotoUnderHost(t *testing.T) {
	w := newWorld(t)
	p, key := byKey(t)
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	const host = "rekor.example"
	o := TrustOptions{
		Root: rootOf(t, func(p *rootParts) {
			for _, l := range p.tlogs {
				l.BaseURL, l.ValidityPeriodEnd = "https://"+host, time.Time{} // which would need a time
			}
		}, w),
		Keys: []attest.TrustedKey{{Name: "k", Key: key}}, RequireLogEntries: 1,
	}
	entryAt := func(at time.Time, origin string, edit func(parts)) parts {
		body := intotoBody(t, p, text)
		delete(body.content()["envelope"].(parts), "payload")
		q := parts{"mediaType": p["mediaType"], "dsseEnvelope": p["dsseEnvelope"], "verificationMaterial": parts{"publicKey": p.material()["publicKey"]}}
		q = w.underOrigin(w.relogged(q, "intoto", "0.0.2", body, at), origin)
		edit(q)
		return q
	}
	entry := func(origin string, edit func(parts)) parts { return entryAt(time.Now(), origin, edit) }
	inMilliseconds := time.Unix(time.Now().UnixMilli(), 0)
	same := func(parts) {}
	bare := func(p parts) { delete(p.entry(), "inclusionPromise") }
	untimed := func(p parts) { bare(p); p.entry()["integratedTime"] = "0" }
	const notThere = "time: log entry 0: its inclusion proof does not lead to the root hash that the log has signed"
	for name, c := range map[string]struct {
		trial
		times int
	}{
		"intoto-canonical-log-entry": {trial{entry(host, untimed), o, ""}, 0},
		"with a time, not promised":  {trial{entry(host, bare), o, ""}, 0},
		"promised":                   {trial{entry(host, same), o, ""}, 1},
		"with a tree, promised":      {trial{entry(host+" - 123", same), o, ""}, 1},
		"in milliseconds":            {trial{entryAt(inMilliseconds, host, same), o, "time: log entry 0: its promise states the time 1"}, 0},
		"with a tree, milliseconds":  {trial{entryAt(inMilliseconds, host+" - 123", same), o, "time: log entry 0: its promise states the time 1"}, 0},
		"another host":               {trial{entry("other.example", untimed), o, `time: log entry 0: an entry of kind "intoto 0.0.2", which Rekor v1 writes, with a checkpoint whose origin "other.example" is neither`}, 0},
		"another time than promised": {trial{entry(host, func(p parts) { p.entry()["integratedTime"] = "1700000000" }), o, "time: log entry 0: its inclusion promise does not hold"}, 0},
		"another index":              {trial{entry(host, func(p parts) { bare(p); proof(p)["logIndex"] = "1" }), o, "time: log entry 0: "}, 0},
		"another body": {trial{entry(host, func(p parts) {
			bare(p)
			body := decodedMember(t, p.entry()["canonicalizedBody"])
			p.entry()["canonicalizedBody"] = bytes.Replace(body, []byte(strings.Repeat("ab", 32)), []byte(strings.Repeat("ac", 32)), 1)
		}), o, notThere}, 0},
		"a checkpoint that another log signed": {trial{func() parts {
			q, other := entry(host, bare), newWorld(t)
			id := q.entry()["logId"]
			signed := proof(other.underOrigin(q, host))["checkpoint"]
			q.entry()["logId"], proof(q)["checkpoint"] = id, signed
			return q
		}(), o, "time: log entry 0: "}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.bundle.bundle(t).CheckTrust(t.Context(), trusting(t, c.trust))
			_, reason, _ := strings.Cut(c.refused, ": ")
			if yes := got.Time.Verdict != evidence.Fail; yes != (c.refused == "") || !yes && !strings.Contains(got.Time.Reason, reason) || len(got.Times) != c.times {
				t.Errorf("%+v\nwant %q", got, c.refused)
			}
			at := map[bool]int64{true: 1000, false: 0}[c.times > 0] // that of the log is promised, that of the tree proved
			if c.refused == "" && (len(got.Logs) != 1 || got.Logs[0].Index != at) {
				t.Errorf("in the logs %+v, want at %d", got.Logs, at)
			}
		})
	}
}

// TestOtherSignatureInLog: an entry about another signature is called that, and numbers stand in no reason.
func TestOtherSignatureInLog(t *testing.T) {
	w := newWorld(t)
	alice, ada := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}, trustsAda(t, "trusted_root.json")
	moved := func(p parts) parts {
		proof(p)["hashes"], proof(p)["treeSize"] = []any{make([]byte, 32)}, "2"
		return p
	}
	p := w.promised()
	p.entry()["inclusionPromise"] = w.promised().entry()["inclusionPromise"]
	for name, c := range map[string]trial{
		"another client's":     {ofClients(t, "14-other-signature-in-log.sigstore.json"), ada, "time: log entry 0: is about another signature"},
		"v1":                   {w.v1().with(w.v1()), alice, "time: log entry 0: is about another signature"},
		"v2":                   {w.v2().with(w.v2()), alice, "time: log entry 0: is about another signature"},
		"promised":             {w.promised().with(w.promised()), alice, "time: log entry 0: is about another signature"},
		"another root hash":    {moved(w.v2()), alice, "time: log entry 0: "},
		"another's promise":    {p, alice, "time: log entry 0: its inclusion promise does not hold: unable to verify SET"},
		"proof for another":    {func() parts { p := w.v2(); proof(p)["checkpoint"] = proof(w.v2())["checkpoint"]; return p }(), alice, "time: log entry 0: its inclusion proof does not lead to the root hash"},
		"proof for another v1": {func() parts { p := w.v1(); p.entry()["inclusionProof"] = w.inclusion([]byte("another")); return p }(), alice, "time: log entry 0: its inclusion proof does not lead to the root hash"},
	} {
		t.Run(name, func(t *testing.T) {
			c.run(t)
			if o := c.bundle.bundle(t).CheckTrust(t.Context(), trusting(t, c.trust)); strings.Contains(o.Time.Reason, "[") {
				t.Error(o.Time.Reason)
			}
		})
	}
}

// with is the bundle with another's log entries.
func (p parts) with(other parts) parts {
	p.material()["tlogEntries"] = other.material()["tlogEntries"]
	return p
}
