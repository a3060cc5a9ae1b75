package sigstore

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

// TestRekorVersion: a proof by Rekor v2 is one for an entry of Rekor v2, a proof by Rekor v1 one for an entry of Rekor v1,
// and the index that is reported is the one that was proved.
func TestRekorVersion(t *testing.T) {
	w := newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}
	// invented has the kind and a body of Rekor v1, which was never logged.
	invented := func(p parts) parts {
		sum := sha256.Sum256(decodedMember(t, p.envelope()["payload"]))
		body, err := json.Marshal(parts{"apiVersion": "0.0.1", "kind": "dsse", "spec": parts{
			"envelopeHash": parts{"algorithm": "sha256", "value": strings.Repeat("0", 64)},
			"payloadHash":  parts{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])},
			"signatures": []parts{{
				"signature": base64.StdEncoding.EncodeToString(p.signature(t)), "verifier": base64.StdEncoding.EncodeToString(certificatePEM(p)),
			}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		p.entry()["canonicalizedBody"], p.entry()["kindVersion"] = body, parts{"kind": "dsse", "version": "0.0.1"}
		return p
	}
	proved := func(p parts, index string) parts { proof(p)["logIndex"] = index; return p }
	claimed := func(p parts, index string) parts { p.entry()["logIndex"] = index; return p }
	ofV1 := w.v2()
	ofV1.entry()["inclusionProof"] = w.inclusion(decodedMember(t, ofV1.entry()["canonicalizedBody"]))
	const notThere = "time: log entry 0: its inclusion proof does not lead to the root hash that the log has signed"
	for name, c := range map[string]trial{
		"v1":                             {w.v1(), o, ""},
		"v2":                             {w.v2(), o, ""},
		"v2 as v1":                       {invented(w.v2()), o, notThere},
		"v2 as v1, proved elsewhere":     {proved(invented(w.v2()), "777"), o, "time: log entry 0: index is beyond size"},
		"v2 with a proof of v1":          {ofV1, o, `time: log entry 0: an entry of kind "hashedrekord 0.0.2", which Rekor v2 writes, with a checkpoint of Rekor v1`},
		"v2, proved elsewhere":           {proved(w.v2(), "777"), o, "time: log entry 0: has the index 0, but its inclusion proof is of the index 777"},
		"v2, claimed to be elsewhere":    {claimed(w.v2(), "777"), o, "time: log entry 0: has the index 777, but its inclusion proof is of the index 0"},
		"v2, claimed as proved":          {claimed(proved(w.v2(), "777"), "777"), o, "time: log entry 0"},
		"v1, proved elsewhere":           {proved(w.v1(), "777"), o, "time: log entry 0"},
		"another client's v1, elsewhere": {proved(proofOfClients(t), "777"), trustsAda(t, "trusted_root.json"), "time: log entry 0"},
	} {
		t.Run(name, func(t *testing.T) { verifies(t, c) })
	}
}

// TestOneEntryTwice: an entry without its promise has the index in its shard of the log, and is the same entry.
func TestOneEntryTwice(t *testing.T) {
	w := newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}
	twice := func(p parts, change func(map[string]any)) parts {
		again := maps.Clone(p.entry())
		change(again)
		p.material()["tlogEntries"] = []any{p.entry(), again}
		return p
	}
	const stands = "time: log entry 1: stands twice"
	bare := func(e map[string]any) { delete(e, "inclusionPromise") }
	for name, c := range map[string]trial{
		"another client's": {twice(proofOfClients(t), bare), trustsAda(t, "trusted_root.json"), stands},
		"v2":               {twice(w.v2(), func(map[string]any) {}), o, stands},
	} {
		t.Run(name, func(t *testing.T) { verifies(t, c) })
	}
}

// TestUnreadKind: an entry of a kind that is not known is wrong in a log that the root names, and passed over in another,
// where it is an entry at all.
func TestUnreadKind(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}
	with := func(log world, body []byte) parts {
		p, more := w.v2(), maps.Clone(log.v2().entry())
		more["logIndex"], more["kindVersion"] = "1", parts{"kind": "hashedrekord", "version": "0.0.3"}
		more["canonicalizedBody"] = body
		p.material()["tlogEntries"] = []any{p.entry(), more}
		return p
	}
	body := []byte(`{"apiVersion":"0.0.3","kind":"hashedrekord","spec":{"hashedRekordV003":{}}}`)
	for name, c := range map[string]trial{
		"in a log that is named": {with(w, body), o, `time: log entry 1: the kind of the entry is "hashedrekord 0.0.3", which is about no envelope`},
		"in another":             {with(other, body), o, ""},
		"of another kind, there": {with(other, []byte(`{"apiVersion":"0.0.4","kind":"hashedrekord","spec":{}}`)), o, "time: log entry 1: kindVersion is "},
		"not JSON, there":        {with(other, []byte("\x00")), o, "time: log entry 1: body: "},
		"large, there":           {with(other, make([]byte, 1<<18)), o, "time: log entry 1: a body of"},
	} {
		t.Run(name, func(t *testing.T) { verifies(t, c) })
	}
}

// TestProofIsOfTheBody: the body of an entry is the one that the log holds, byte for byte, and size and root hash in its proof
// are those of the checkpoint. Rekor v1 and v2 alike.
func TestProofIsOfTheBody(t *testing.T) {
	w := newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}
	cases := map[string]trial{}
	for version, entry := range map[string]func() parts{"v1": w.v1, "v2": w.v2} {
		body := func(change func(string) string) parts {
			p := entry()
			before := string(decodedMember(t, p.entry()["canonicalizedBody"]))
			after := change(before)
			if after == before {
				t.Fatalf("%s: nothing is changed in %s", version, before)
			}
			p.entry()["canonicalizedBody"] = []byte(after)
			return p
		}
		replaced := func(old, other string) parts {
			return body(func(s string) string { return strings.Replace(s, old, other, 1) })
		}
		member := func(name string, value any) parts { p := entry(); proof(p)[name] = value; return p }
		for name, c := range map[string]trial{
			"as it is":          {entry(), o, ""},
			"spaced":            {body(func(s string) string { return s + " " }), o, "time: log entry 0: its inclusion proof "},
			"spaced inside":     {replaced(`{"apiVersion"`, `{ "apiVersion"`), o, "time: log entry 0: its inclusion proof "},
			"escaped":           {replaced(`"kind"`, `"k\u0069nd"`), o, "time: log entry 0: its inclusion proof "},
			"another root hash": {member("rootHash", make([]byte, 32)), o, "time: log entry 0: its inclusion proof "},
			"no root hash":      {member("rootHash", nil), o, "time: log entry 0: its inclusion proof "},
			"another size":      {member("treeSize", "2"), o, "time: log entry 0: a proof for a tree of size 2"},
			"no size":           {member("treeSize", nil), o, "time: log entry 0: a proof for a tree of size 0"},
			"a negative size":   {member("treeSize", "-1"), o, "time: log entry 0: a proof for a tree of size -1"},
			"a negative index":  {member("logIndex", "-1"), o, "time: log entry 0: its inclusion proof has the index -1"},
			"entry's negative":  {func() parts { p := entry(); p.entry()["logIndex"] = "-1"; return p }(), o, "time: log entry 0: has the index -1"},
		} {
			cases[version+" "+name] = c
		}
		if version == "v2" {
			const details = `"PKIX_ECDSA_P256_SHA_256"`
			for name, other := range map[string]string{"another key's details": `"PKIX_ECDSA_P384_SHA_384"`, "details as a number": "5"} {
				cases[version+" "+name] = trial{replaced(details, other), o, "time: log entry 0: its inclusion proof "}
			}
			cases[version+" no details"] = trial{replaced(`"keyDetails":`+details+",", ""), o, "time: log entry 0: its inclusion proof "}
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { verifies(t, c) })
	}
}
