package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each real declaration's identity recomputes from its bundle with a JSON reader and SHA-256, and cosign
// accepts the bytes that were hashed.
func TestIdentityRecomputesWithoutRunattest(t *testing.T) {
	files, err := filepath.Glob("../testdata/declarations/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d real declarations, want at least 10 (%v)", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.declare(name)
			d.makeKey("runattest", "ecdsa-p256", "--no-password")
			d.sign("runattest")

			declared, identity := d.declaration(d.readBundle("runattest.sigstore.json"))
			if got := identityOf(declared); got != identity {
				t.Errorf("the declaration in the payload hashes to %s, the identity is %s", got, identity)
			}
			inspected := d.runattest("inspect", "--declaration", "runattest.sigstore.json").ok()
			if got := identityOf(inspected); got != identity {
				t.Errorf("inspect --declaration hashes to %s, the identity is %s", got, identity)
			}
			if printed := bytes.TrimSpace(d.runattest("id", "run.json").ok()); string(printed) != identity {
				t.Errorf("id prints %s, the identity in the bundle is %s", printed, identity)
			}
			if !frozen(t, identity, name) {
				t.Errorf("%s is not the identity in testdata/declarations/IDENTITIES", identity)
			}
			d.write("declared.json", declared)
			d.cosignVerifies("runattest.pub", "runattest.sigstore.json", "declared.json").ok()
		})
	}
}

func frozen(t *testing.T, identity, name string) bool {
	t.Helper()
	list, err := os.ReadFile("../testdata/declarations/IDENTITIES")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains("\n"+string(list), "\n"+identity+"  "+name+"\n")
}

// Cosign vouches for a signature, a subject digest and a predicate type. That the identity is the declaration's,
// it does not ask: here it says yes and runattest says no, and why.
func TestRunattestRefusesWhatCosignAccepts(t *testing.T) {
	d := newDesk(t)
	d.usePassword()
	d.declare("chat-llama-3.1-8b")
	d.cosign("generate-key-pair").ok()
	d.sign("cosign")
	statement := d.statement("cosign.sigstore.json", "statement.json")
	without := d.withoutServices()

	replace := func(old, new string) []byte {
		if bytes.Count(statement, []byte(old)) != 1 {
			t.Fatalf("%q is not in the statement once", old)
		}
		return bytes.Replace(statement, []byte(old), []byte(new), 1)
	}
	identity := identityOf(d.read("canonical.json"))
	rows := []struct {
		name, check string
		statement   []byte
	}{
		{"declaration changed", "identity", replace(`"kind":"inference"`, `"kind":"batch"`)},
		{"identity changed", "identity", replace(`"identity":"`+identity, `"identity":"`+identityOf(nil))},
		{"unknown predicate member", "statement", replace(`"predicate":{`, `"predicate":{"approved":true,`)},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			d := d.in(t)
			d.write("forged.json", r.statement)
			d.cosignAttests("cosign.key", "forged.json", "forged.sigstore.json", without).ok()
			d.cosignVerifies("cosign.pub", "forged.sigstore.json", "canonical.json").ok()
			d.notVerified("cosign.pub", "forged.sigstore.json", r.check)
		})
	}

	// With --predicate cosign writes the statement itself, and writes Statement v0.1.
	t.Run("statement v0.1", func(t *testing.T) {
		d := d.in(t)
		var s struct {
			Predicate json.RawMessage `json:"predicate"`
		}
		if err := json.Unmarshal(statement, &s); err != nil {
			t.Fatal(err)
		}
		d.write("predicate.json", s.Predicate)
		args := []string{"attest-blob", "--key", "cosign.key", "--predicate", "predicate.json",
			"--type", predicateType, "--bundle", "v01.sigstore.json"}
		d.cosign(append(append(args, without...), "canonical.json")...).ok()
		if payload := d.statement("v01.sigstore.json", "v01.json"); !bytes.Contains(payload, []byte("Statement/v0.1")) {
			t.Errorf("cosign wrote no Statement v0.1:\n%s", payload)
		}
		d.cosignVerifies("cosign.pub", "v01.sigstore.json", "canonical.json").ok()
		d.notVerified("cosign.pub", "v01.sigstore.json", "statement")
	})
}
