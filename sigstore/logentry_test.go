package sigstore

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
)

// clients is where bundles of other clients are, with a trusted root for them.
const clients = "../testdata/clients"

// ofClients is a bundle of another client.
func ofClients(t *testing.T, name string) parts {
	t.Helper()
	var p parts
	if err := json.Unmarshal(readClients(t, name), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func readClients(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(clients, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// trustsAda trusts the signer of those bundles.
func trustsAda(t *testing.T, root string) TrustOptions {
	t.Helper()
	r, err := ParseTrustedRoot(readClients(t, root))
	if err != nil {
		t.Fatal(err)
	}
	return TrustOptions{Root: r, Identities: []CertificateIdentity{{SubjectAlternativeName: Exactly("ada@example.com"), Issuer: Exactly("http://127.0.0.1:38795")}}}
}

// TestKindVersion: kind and version of an entry are those of its body.
func TestKindVersion(t *testing.T) {
	w := newWorld(t)
	alice, ada := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}, trustsAda(t, "trusted_root.json")
	stating := func(p parts, kind, version string) parts {
		p.entry()["kindVersion"] = map[string]any{"kind": kind, "version": version}
		return p
	}
	without := w.v2()
	delete(without.entry(), "kindVersion")
	const says = "time: log entry 0: kindVersion is "
	for name, c := range map[string]trial{
		"nonsense":           {ofClients(t, "02-kind-nonsense.sigstore.json"), ada, says + `"nonsense 9.9.9", but the body is of kind "hashedrekord 0.0.2"`},
		"another version":    {stating(w.v2(), "hashedrekord", "0.0.1"), alice, says},
		"another kind":       {stating(w.v2(), "dsse", "0.0.2"), alice, says},
		"another kind in v1": {stating(w.v1(), "intoto", "0.0.2"), alice, says},
		"in other letters":   {stating(w.v1(), "DSSE", "0.0.1"), alice, says},
		"none":               {without, alice, says + `missing, but the body is of kind "hashedrekord 0.0.2"`},
		"no version":         {stating(w.v1(), "dsse", ""), alice, says + `"dsse", but the body is of kind "dsse 0.0.1"`},
		"with a blank":       {stating(w.v1(), "dsse ", "0.0.1"), alice, says + `"dsse " in version "0.0.1", but the body is of kind "dsse 0.0.1"`},
		"all in the kind":    {stating(w.v1(), "dsse 0.0.1", ""), alice, says + `"dsse 0.0.1" in version "", but the body is of kind "dsse 0.0.1"`},
		"a look-alike":       {stating(w.v1(), "ds\u0455e", "0.0.1"), alice, says + `"ds\u0455e" in version "0.0.1", but`},
		"v1":                 {w.v1(), alice, ""},
		"v2":                 {w.v2(), alice, ""},
	} {
		t.Run(name, c.run)
	}
}

// TestPromises: that a log has promised an entry says when it saw the signature, and not that it is in the log.
func TestPromises(t *testing.T) {
	w := newWorld(t)
	r := rootOf(t, nil, w)
	const refused = "time: promised by the log"
	asking := func(logs int) TrustOptions {
		return TrustOptions{Root: r, Identities: trustsAlice, RequireLogEntries: logs}
	}
	for name, c := range map[string]trial{
		"by default":           {w.promised(), asking(0), refused},
		"one wanted":           {w.promised(), asking(1), refused},
		"none wanted":          {w.promised(), asking(NoLogEntries), ""},
		"without a timestamp":  {w.promised().stamp(), asking(NoLogEntries), ""},
		"proved, v0.1":         {w.relabelled("0.1"), asking(1), ""},
		"proved, v0.2":         {w.relabelled("0.2"), asking(1), ""},
		"of another signature": {w.promisedBy(w.promised()), asking(NoLogEntries), "time: log entry 0"},
	} {
		t.Run(name, c.run)
	}
	o := w.promised().stamp().bundle(t).CheckTrust(t.Context(), trusting(t, asking(NoLogEntries)))
	if len(o.Promises) != 1 || len(o.Logs) != 0 || len(o.Times) != 1 || strings.Contains(o.Time.Reason, "in the log") ||
		strings.Contains(o.Time.Reason, "logged") || !strings.Contains(o.Time.Reason, "is promised, not proved") {
		t.Errorf("%+v", o)
	}
	o = w.relabelled("0.1").bundle(t).CheckTrust(t.Context(), trusting(t, asking(0)))
	if len(o.Promises) != 0 || len(o.Logs) != 1 || !strings.Contains(o.Time.Reason, "in the log") {
		t.Errorf("%+v", o)
	}
}

// relabelled is a bundle with promise and proof that states an older version.
func (w world) relabelled(version string) parts {
	p := w.promised()
	proved := w.rekorV1Entry(p)
	p.material()["tlogEntries"] = []any{proved}
	p["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=" + version
	return p
}

// rekorV1Entry is a bundle's entry with promise and proof.
func (w world) rekorV1Entry(p parts) map[string]any {
	w.t.Helper()
	entry := p.entry()
	body, err := base64.StdEncoding.DecodeString(entry["canonicalizedBody"].(string))
	if err != nil {
		w.t.Fatal(err)
	}
	entry["inclusionProof"] = w.inclusion(body)
	return entry
}

// promisedBy is a bundle with the entry of another.
func (w world) promisedBy(p parts) parts {
	other := w.promised()
	p.material()["tlogEntries"] = other.material()["tlogEntries"]
	return p
}

// TestRelabelled: what states an older version has what that version has.
func TestRelabelled(t *testing.T) {
	w := newWorld(t)
	edited := func(p parts, edit func(parts)) parts {
		edit(p)
		return p
	}
	const v = "application/vnd.dev.sigstore.bundle+json;version="
	for name, c := range map[string]struct {
		p    parts
		says string
	}{
		"relabelled":             {ofClients(t, "03-relabelled-v01-promise-only.sigstore.json"), "certificate: a bundle v0.1 carries x509CertificateChain"},
		"certificate in v0.2":    {edited(w.v2(), func(p parts) { p["mediaType"] = v + "0.2" }), "certificate: a bundle v0.2 carries x509CertificateChain"},
		"promise alone, v0.2":    {edited(w.promised(), func(p parts) { p["mediaType"] = v + "0.2" }), "tlogEntries[0]: has no inclusionProof"},
		"no promise in v0.1":     {edited(w.v2().chained(), func(p parts) { p["mediaType"] = v + "0.1" }), "tlogEntries[0]: has no inclusionPromise"},
		"no proof in v0.3":       {edited(w.v2(), func(p parts) { delete(p.entry(), "inclusionProof") }), "tlogEntries[0]: has no inclusionProof"},
		"no proof in a v1's":     {edited(w.v1(), func(p parts) { delete(p.entry(), "inclusionProof") }), "tlogEntries[0]: has no inclusionProof"},
		"null proof in v0.3":     {edited(w.v2(), func(p parts) { p.entry()["inclusionProof"] = nil }), "tlogEntries[0]: has no inclusionProof"},
		"null promise in v0.1":   {edited(w.promised(), func(p parts) { p.entry()["inclusionPromise"] = nil }), "tlogEntries[0]: has no inclusionPromise"},
		"second entry in v0.3":   {edited(w.v2(), func(p parts) { p.material()["tlogEntries"] = []any{p.entry(), map[string]any{}} }), "tlogEntries[1]: has no inclusionProof"},
		"the other label of 0.3": {edited(w.v2(), func(p parts) { p["mediaType"], p.entry()["inclusionProof"] = v+"0.3", nil }), "tlogEntries[0]: has no inclusionProof"},
	} {
		text, err := json.Marshal(c.p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := attest.ParseBundle(text); !errors.Is(err, attest.ErrMalformed) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v\nwant %s", name, err, c.says)
		}
	}
}

// TestLogsPassedOver: where no time is trusted, the reason says which log would have signed one, and what helps.
func TestLogsPassedOver(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	r, id := rootOf(t, nil, w), "" // of other's log
	for id = range other.RekorLogs() {
	}
	stranger := func(p parts) parts {
		p.material()["tlogEntries"].([]any)[0].(map[string]any)["logId"] = other.v2().entry()["logId"]
		return p
	}
	unnamed := func(p parts) parts {
		p.material()["tlogEntries"].([]any)[0].(map[string]any)["logId"] = nil
		return p
	}
	bare, key := byKey(t)
	bare.material()["tlogEntries"] = other.v1().material()["tlogEntries"]
	keyed := TrustOptions{Root: r, Keys: []attest.TrustedKey{{Name: "k", Key: key, NotAfter: time.Now()}}}
	alice := TrustOptions{Root: r, Identities: trustsAlice}
	const none, rootHint, stampHint = "no trusted timestamp: the bundle has none", string(evidence.HintOtherRoot), string(evidence.HintTimestamp)
	without := func(edit func(*rootParts)) TrustOptions {
		return TrustOptions{Root: rootOf(t, edit, w), Identities: trustsAlice}
	}
	for name, c := range map[string]struct {
		bundle             parts
		trust              TrustOptions
		says, naming, hint string
	}{
		"another client's": {ofClients(t, "01-good-rekor1.sigstore.json"), trustsAda(t, "trusted_root-without-rekor1.json"), none,
			"; log entry 0: the trusted root names no log 2270bb873ccf2b0613ab8a7ab86259bb4344c9ceec05c1dcd451a3c7a0063744", rootHint},
		"unknown log":                {stranger(w.v1().stamp()), alice, none, "names no log " + id, rootHint},
		"no log":                     {unnamed(w.v1().stamp()), alice, none, "log entry 0: it does not say of which log it is: logId is missing or empty", rootHint},
		"unknown log, by a key":      {bare, keyed, none, "names no log " + id, rootHint},
		"unknown log, strange stamp": {stranger(w.v1().stamp(other.stampOf(w.v1().signature(t)))), alice, "timestamp 0: ", "names no log " + id, rootHint},
		"unknown log, no authority":  {stranger(w.v1()), without(func(p *rootParts) { p.tsas = nil }), "no timestamp authority is configured to prove when it was signed", "names no log " + id, rootHint},
		"unknown log, stamped":       {stranger(w.v1()), alice, "in 0 transparency logs of the trusted root, want 1", "names no log " + id, rootHint},
		"proof without promise":      {w.v1().stamp(), alice, none, "; entry 0 of the log https://rekor.localhost has no promise", stampHint},
		"v2":                         {w.v2().stamp(), alice, none, "; entry 0 of the log https://rekor.localhost has no promise", stampHint},
		"a timestamp is required": {stranger(w.v1().stamp()), TrustOptions{Root: r, Identities: trustsAlice, RequireTimestamps: 1},
			none, "", stampHint},
	} {
		o := c.bundle.bundle(t).CheckTrust(t.Context(), trusting(t, c.trust))
		if got := o.Time; got.Verdict != evidence.Fail || !strings.Contains(got.Reason, c.says) || !strings.Contains(got.Reason, c.naming) || string(got.Hint) != c.hint {
			t.Errorf("%s: %s: %s\nhint: %s", name, got.Verdict, got.Reason, got.Hint)
		}
	}
}
