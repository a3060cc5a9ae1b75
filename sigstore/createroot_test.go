package sigstore

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// acme is a private Sigstore as its operator would have us trust it.
func acme(files map[string][]byte) RootSpec {
	const host = "https://rekor.acme.example"
	return RootSpec{
		CertificateAuthorities: []AuthoritySpec{
			{URL: "https://fulcio.acme.example", Chain: files["old.pem"], End: pkitest.From.AddDate(1, 0, 0)},
			{URL: "https://fulcio.acme.example", Chain: files["ca.pem"], Start: pkitest.From.AddDate(1, 0, 0)},
		},
		TimestampAuthorities:        []AuthoritySpec{{URL: "https://tsa.acme.example", Chain: files["tsa.pem"]}},
		CertificateTransparencyLogs: []LogSpec{{URL: "https://ct.acme.example", PublicKey: files["ecdsa.pub"], Origin: "ct.acme.example/2026"}},
		TransparencyLogs: []LogSpec{
			{URL: host, PublicKey: files["rekor.pub"], Origin: "rekor.acme.example", Start: pkitest.From},
			{URL: host, PublicKey: files["ecdsa.pub"]},
		},
	}
}

func TestCreate(t *testing.T) {
	files := pkitest.Files()
	spec := acme(files)
	r, err := CreateTrustedRoot(spec)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := CreateTrustedRoot(spec)
		if err != nil {
			t.Fatal(err)
		}
		if other, _ := again.JSON(); !bytes.Equal(text, other) {
			t.Fatal("the same spec gives another file")
		}
	}
	read, err := ParseTrustedRoot(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range read.Trusted() {
		got = append(got, strings.Join([]string{a.Kind, a.URL, a.Name, bound(a.From), bound(a.Until)}, " | "))
	}
	want := []string{
		"certificate-authority | https://fulcio.acme.example | CN=Stranger,O=Acme | 2026-01-01T00:00:00Z | 2027-01-01T00:00:00Z",
		"certificate-authority | https://fulcio.acme.example | CN=Acme Root,O=Acme | 2027-01-01T00:00:00Z | 2046-01-01T00:00:00Z",
		"certificate-transparency-log | https://ct.acme.example |  | any time | any time",
		"timestamp-authority | https://tsa.acme.example | CN=Acme Root,O=Acme | 2026-01-01T00:00:00Z | 2046-01-01T00:00:00Z",
		"transparency-log | https://rekor.acme.example |  | 2026-01-01T00:00:00Z | any time",
		"transparency-log | https://rekor.acme.example |  | any time | any time",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestCreateRefuses changes one thing of what is accepted.
func TestCreateRefuses(t *testing.T) {
	files := pkitest.Files()
	ca := func(edit func(*AuthoritySpec)) func(*RootSpec) {
		return func(s *RootSpec) { edit(&s.CertificateAuthorities[1]) }
	}
	caChain := func(name string) func(*RootSpec) { return ca(func(a *AuthoritySpec) { a.Chain = files[name] }) }
	tsaChain := func(name string) func(*RootSpec) {
		return func(s *RootSpec) { s.TimestampAuthorities[0].Chain = files[name] }
	}
	rekor := func(edit func(*LogSpec)) func(*RootSpec) {
		return func(s *RootSpec) { edit(&s.TransparencyLogs[0]) }
	}
	for says, edit := range map[string]func(*RootSpec){
		`certificate authority "fulcio": want a URL`:                                  ca(func(a *AuthoritySpec) { a.URL = "fulcio" }),
		`certificate authority "https://": want a URL`:                                ca(func(a *AuthoritySpec) { a.URL = "https://" }),
		"fulcio.acme.example: certificate chain: holds no certificate":                ca(func(a *AuthoritySpec) { a.Chain = []byte("x") }),
		"the root comes first: turn the certificates around":                          caChain("reversed.pem"),
		"ends in CN=Acme Signing,O=Acme, which is by CN=Acme Root,O=Acme and no root": caChain("noroot.pem"),
		"certificate 1, CN=Acme Signing,O=Acme, is not by certificate 2, CN=Stranger": caChain("stranger.pem"),
		"certificate 2, CN=Acme Root,O=Acme, stands twice":                            caChain("twice.pem"),
		"at no time valid together":                                                   caChain("never.pem"),
		"incompatible key usage":                                                      caChain("tls.pem"),
		"begins with CN=ada@acme.example,O=Acme, which is not an authority":           caChain("leaf.pem"),
		"holds a private key, which no verifier needs":                                caChain("private.pem"),
		"holds PEM that cannot be read":                                               caChain("broken.pem"),
		"certificate chain: holds a PUBLIC KEY, want certificates alone":              caChain("ecdsa.pub"),
		"begins with CN=Acme Stamps,O=Acme, which is not an authority":                caChain("tsa.pem"),
		"has the same certificates as https://fulcio.acme.example":                    caChain("old.pem"),
		"ends 2025-01-01T00:00:00Z, before it begins 2027-01-01T00:00:00Z":            ca(func(a *AuthoritySpec) { a.End = pkitest.From.AddDate(-1, 0, 0) }),
		"is trusted from 2050-01-01T00:00:00Z to any time, but its certificates":      ca(func(a *AuthoritySpec) { a.Start = pkitest.Until.AddDate(4, 0, 0) }),

		"timestamp authority https://tsa.acme.example: certificate chain: is CN=Acme Stamps,O=Acme alone": tsaChain("tsa-leaf.pem"),
		"certificate chain: the root comes first":                                                         tsaChain("tsa-reversed.pem"),
		"begins with CN=Acme Web,O=Acme, which is not for timestamping":                                   tsaChain("tsa-usage.pem"),
		"begins with CN=Acme Both,O=Acme, which is not for timestamping":                                  tsaChain("tsa-both.pem"),
		"extended key usage is not critical":                                                              tsaChain("tsa-notcritical.pem"),
		"begins with CN=Acme Signing,O=Acme, an authority":                                                tsaChain("ca.pem"),

		"transparency log https://rekor.acme.example: public key: this is a private key": rekor(func(l *LogSpec) { l.PublicKey = files["rekor.key"] }),
		"public key: this is a certificate; give the public key that it certifies":       rekor(func(l *LogSpec) { l.PublicKey = files["ca.pem"] }),
		"public key: not PEM": rekor(func(l *LogSpec) { l.PublicKey = nil }),
		`the origin is "rekor", but verifiers take the host of the URL`:       rekor(func(l *LogSpec) { l.Origin = "rekor" }),
		`transparency log "rekor.acme.example": want a URL`:                   rekor(func(l *LogSpec) { l.URL = "rekor.acme.example" }),
		"ends 2025-01-01T00:00:00Z, before it begins":                         rekor(func(l *LogSpec) { l.End = pkitest.From.AddDate(-1, 0, 0) }),
		"has the same key as https://rekor.acme.example: one log stands once": rekor(func(l *LogSpec) { l.PublicKey = files["ecdsa.pub"] }),
		"a key of kind ed25519 signs no certificate timestamps":               func(s *RootSpec) { s.CertificateTransparencyLogs[0].PublicKey = files["rekor.pub"] },
		"a key of kind ecdsa-p384 signs no certificate timestamps":            func(s *RootSpec) { s.CertificateTransparencyLogs[0].PublicKey = files["p384.pub"] },
		"lists no authority": func(s *RootSpec) { *s = RootSpec{} },
	} {
		spec := acme(files)
		edit(&spec)
		if _, err := CreateTrustedRoot(spec); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v\nwant %s", err, says)
		}
	}
}

func TestDoubts(t *testing.T) {
	spec := acme(pkitest.Files())
	if d := spec.Warnings(); d != nil {
		t.Errorf("%q", d)
	}
	spec.TransparencyLogs[0].Origin = ""
	if d := spec.Warnings(); len(d) != 1 || !strings.Contains(d[0], "add origin=rekor.acme.example") {
		t.Errorf("%q", d)
	}
}

// TestCreateVouches has roots that were made from PEM vouch for what the services sign: a
// Rekor v1 log, known by its key, and a Rekor v2 log, known by its origin.
func TestCreateVouches(t *testing.T) {
	w := newWorld(t)
	ca := w.FulcioCertificateAuthorities()[0].(*root.FulcioCertificateAuthority)
	tsa := w.TimestampingAuthorities()[0].(*root.SigstoreTimestampingAuthority)
	spec := RootSpec{
		CertificateAuthorities: []AuthoritySpec{{URL: "https://fulcio.acme.example", Chain: certificates(append(ca.Intermediates, ca.Root)...)}},
		TimestampAuthorities:   []AuthoritySpec{{URL: "https://tsa.acme.example", Chain: certificates(append(append(tsa.Intermediates[:0:0], tsa.Leaf), append(tsa.Intermediates, tsa.Root)...)...)}},
	}
	for id, l := range w.RekorLogs() {
		made := LogSpec{URL: l.BaseURL, PublicKey: pkitest.PublicKey(l.PublicKey)}
		spec.TransparencyLogs = append(spec.TransparencyLogs, made)
		r, err := CreateTrustedRoot(RootSpec{TransparencyLogs: []LogSpec{made}})
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(r.spec.GetTlogs()[0].GetLogId().GetKeyId()); got != id {
			t.Errorf("%s: ID %s, want %s", l.BaseURL, got, id)
		}
	}
	r, err := CreateTrustedRoot(spec)
	if err != nil {
		t.Fatal(err)
	}
	trust := trusting(t, TrustOptions{Root: r, Identities: trustsAlice})
	for name, p := range map[string]parts{"v1": w.v1(), "v2": w.v2()} {
		if o := p.bundle(t).CheckTrust(t.Context(), trust); o.By == nil || o.Time.Verdict != evidence.Pass {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// TestLogIDs recomputes by hand how logs are named (c2sp.org/signed-note, RFC 6962).
func TestLogIDs(t *testing.T) {
	files := pkitest.Files()
	r, err := CreateTrustedRoot(acme(files))
	if err != nil {
		t.Fatal(err)
	}
	der := func(name string) []byte {
		block, _ := pem.Decode(files[name])
		return block.Bytes
	}
	ed := der("rekor.pub")
	v2 := sha256.Sum256(append([]byte("rekor.acme.example\n\x01"), ed[len(ed)-ed25519.PublicKeySize:]...))
	v1 := sha256.Sum256(der("ecdsa.pub"))
	logs := r.spec.GetTlogs()
	for i, want := range [][sha256.Size]byte{v2, v1} {
		if got := logs[i].GetLogId().GetKeyId(); !bytes.Equal(got, want[:]) {
			t.Errorf("tlogs[%d]: %x, want %x", i, got, want)
		}
	}
	if got := r.spec.GetCtlogs()[0].GetLogId().GetKeyId(); !bytes.Equal(got, v1[:]) {
		t.Errorf("ctlogs[0]: %x, want %x", got, v1)
	}
}

func certificates(chain ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}
