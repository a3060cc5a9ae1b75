package sigstore

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
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
	return TrustOptions{Root: r, Identities: []CertificateIdentity{{Exactly("ada@example.com"), Exactly("http://127.0.0.1:38795")}}}
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
		"none":               {without, alice, says},
		"v1":                 {w.v1(), alice, ""},
		"v2":                 {w.v2(), alice, ""},
	} {
		t.Run(name, c.run)
	}
}
