package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

// managed is a key of the test's own, with trusted roots: one that names no log, so that what the
// key signs needs none, and one that does.
type managed struct {
	t                     *testing.T
	dir                   string
	key                   signer.Signer
	withoutLogs, withLogs string
}

func newManaged(t *testing.T) *managed {
	t.Helper()
	m := &managed{t: t, dir: t.TempDir()}
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	if err == nil {
		m.key, err = signer.Parse(pair.Private, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.write("key.pub", pair.Public)
	files := pkitest.Files()
	spec := sigstore.RootSpec{TimestampAuthorities: []sigstore.AuthoritySpec{{URL: "https://tsa.acme.example", Chain: files["tsa.pem"]}}}
	m.withoutLogs = m.root("without.json", spec)
	spec.TransparencyLogs = []sigstore.LogSpec{{URL: "https://rekor.acme.example", PublicKey: files["ecdsa.pub"]}}
	m.withLogs = m.root("with.json", spec)
	return m
}

func (m *managed) write(name string, data []byte) string {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

func (m *managed) root(name string, spec sigstore.RootSpec) string {
	m.t.Helper()
	r, err := sigstore.CreateTrustedRoot(spec)
	if err != nil {
		m.t.Fatal(err)
	}
	text, err := r.JSON()
	if err != nil {
		m.t.Fatal(err)
	}
	return m.write(name, text)
}

// bundle signs a payload of any kind.
func (m *managed) bundle(payloadType, payload string) string {
	m.t.Helper()
	e := evidence.Envelope{PayloadType: payloadType, Payload: []byte(payload)}
	sig, err := m.key.Sign(m.t.Context(), e.Message())
	if err != nil {
		m.t.Fatal(err)
	}
	return object{
		"mediaType":            attest.BundleMediaType,
		"verificationMaterial": object{"publicKey": object{"hint": m.key.PublicKey().Hint()}},
		"dsseEnvelope": object{
			"payload": e.Payload, "payloadType": payloadType, "signatures": []object{{"sig": sig}},
		},
	}.write(m.t, "bundle.json")
}

// TestSigned are payloads that are well signed by a trusted key.
func TestSigned(t *testing.T) {
	m := newManaged(t)
	const content = "artifact\n"
	artifact := m.write("artifact", []byte(content))
	sum := sha256.Sum256([]byte(content))
	digest := hex.EncodeToString(sum[:])
	zeros := strings.Repeat("0", 64)
	statement := func(edits ...string) string {
		text := `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"` + digest +
			`"}}],"predicateType":"https://acme.example/any","predicate":{"big":18446744073709551616}}`
		return strings.NewReplacer(edits...).Replace(text)
	}
	for name, c := range map[string]struct{ payloadType, payload, root, artifact, says string }{
		"managed-key-and-trusted-root": {attest.PayloadType, statement(), m.withoutLogs, artifact, ""},
		"digest":                       {attest.PayloadType, statement(), m.withoutLogs, "sha256:" + digest, ""},
		"another digest":               {attest.PayloadType, statement(), m.withoutLogs, "sha256:" + zeros, "is none of the 1 subjects"},
		"another file":                 {attest.PayloadType, statement(), m.withoutLogs, m.withLogs, "is none of the 1 subjects"},
		"second subject":               {attest.PayloadType, statement(`[{`, `[{"digest":{"sha256":"`+zeros+`"}},{`), m.withoutLogs, artifact, ""},
		"one digest of two is wrong":   {attest.PayloadType, statement(`{"sha256"`, `{"sha512":"`+zeros+zeros+`","sha256"`), m.withoutLogs, artifact, "is none of the 1 subjects"},
		"unknown algorithm besides":    {attest.PayloadType, statement(`{"sha256"`, `{"gitCommit":"1","sha256"`), m.withoutLogs, artifact, ""},
		"older statement":              {attest.PayloadType, statement("Statement/v1", "Statement/v0.1"), m.withoutLogs, artifact, ""},

		"dsse-statement-missing-type_fail": {attest.PayloadType, statement(`"_type":"https://in-toto.io/Statement/v1",`, ""), m.withoutLogs, artifact, `statement: _type is ""`},
		"dsse-statement-unknown-type_fail": {attest.PayloadType, statement("Statement/v1", "Statement/v9"), m.withoutLogs, artifact, "statement: _type is"},
		"no predicate type":                {attest.PayloadType, statement(`"predicateType"`, `"predicatetype"`), m.withoutLogs, artifact, "predicateType"},
		"no subject":                       {attest.PayloadType, statement(`"subject"`, `"Subject"`), m.withoutLogs, artifact, "want 1 to 1000 subjects"},
		"upper-case digest":                {attest.PayloadType, statement(digest, strings.ToUpper(digest)), m.withoutLogs, artifact, "want lower-case hex"},
		"subject twice":                    {attest.PayloadType, statement(`{"_type"`, `{"subject":[],"_type"`), m.withoutLogs, artifact, "duplicate"},
		"trailing data":                    {attest.PayloadType, statement() + "{}", m.withoutLogs, artifact, "statement: "},
		"not JSON":                         {attest.PayloadType, "hello", m.withoutLogs, artifact, "statement: "},
		"payload type":                     {"application/json", statement(), m.withoutLogs, artifact, "payloadType is"},
		"no log entry":                     {attest.PayloadType, statement(), m.withLogs, artifact, "time: no log entry counts"},
	} {
		args := []string{"verify-bundle", "--bundle", m.bundle(c.payloadType, c.payload), "--key", filepath.Join(m.dir, "key.pub"), "--trusted-root", c.root, c.artifact}
		err := run(t.Context(), args)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v\nwant %q", name, err, c.says)
		}
	}
}

// TestFileNamedAsDigest: what is on disk is a file, whatever it is called.
func TestFileNamedAsDigest(t *testing.T) {
	t.Chdir(t.TempDir())
	sum := sha256.Sum256([]byte("x"))
	name := "sha256:" + hex.EncodeToString(sum[:])
	if d, err := readArtifact(name); err != nil || len(d) != 1 {
		t.Errorf("%v, %v", d, err)
	}
	if err := os.WriteFile(name, []byte("y"), 0o600); err != nil {
		t.Skip(err) // where a name may not have a colon
	}
	if d, err := readArtifact(name); err != nil || len(d) != len(hashes) || d["sha256"] == hex.EncodeToString(sum[:]) {
		t.Errorf("%v, %v", d, err)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"sign-bundle"}, {"verify-bundle"}, {"verify-bundle", "--bundle", "b"}, {"verify-bundle", "--frobnicate"}, {"verify-bundle", "--bundle", "b", "--key", "k", "a", "b"}} {
		if err := run(t.Context(), args); err == nil {
			t.Errorf("%q: accepted", args)
		}
	}
	for _, more := range [][]string{{"--bundle", "c"}, {"--key", "l"}, {"--trusted-root", "s"}, {"--staging=false"}} {
		args := append([]string{"--staging", "--bundle", "b", "--key", "k", "--trusted-root", "r"}, more...)
		if r, err := parse(append(args, "a")); err == nil || !strings.Contains(err.Error(), "it is given twice") {
			t.Errorf("%q: %+v, %v", more, r, err)
		}
	}
	for _, name := range []string{"--certificate-identity", "--certificate-oidc-issuer"} {
		args := []string{"--bundle", "b", "--certificate-identity", "i", "--certificate-oidc-issuer", "o", name, "another", "a"}
		if r, err := parse(args); err == nil || !strings.Contains(err.Error(), "it is given twice") {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if r, err := parse([]string{"--staging", "--bundle", "b", "--key", "k", "a"}); err != nil || !r.staging || r.artifact != "a" {
		t.Errorf("%+v, %v", r, err)
	}
}
