package sigstore

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/rekor/pkg/util"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore/pkg/signature"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

const (
	alice  = "alice@example.com"
	issuer = "https://issuer.example.com"
)

// world is a certificate authority, a timestamp authority and a log of the test's own.
type world struct {
	*ca.VirtualSigstore
	t testing.TB
}

func newWorld(t testing.TB) world {
	t.Helper()
	v, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	return world{v, t}
}

// rootOf is the trusted root that names the authorities of these worlds, as edited.
func rootOf(t testing.TB, edit func(*rootParts), worlds ...world) *TrustedRoot {
	t.Helper()
	p := rootParts{tlogs: map[string]*root.TransparencyLog{}, ctlogs: map[string]*root.TransparencyLog{}}
	for i, w := range worlds {
		p.cas = append(p.cas, w.FulcioCertificateAuthorities()...)
		tsa := *w.TimestampingAuthorities()[0].(*root.SigstoreTimestampingAuthority)
		tsa.URI += strings.Repeat("/2", i) // each world's authority is another
		p.tsas = append(p.tsas, &tsa)
		for id, l := range w.RekorLogs() {
			l.ID, _ = hex.DecodeString(id)
			p.tlogs[id] = l
		}
	}
	if edit != nil {
		edit(&p)
	}
	made, err := root.NewTrustedRoot(root.TrustedRootMediaType01, p.cas, p.ctlogs, p.tsas, p.tlogs)
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseTrustedRoot(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type rootParts struct {
	cas           []root.CertificateAuthority
	tsas          []root.TimestampingAuthority
	tlogs, ctlogs map[string]*root.TransparencyLog
}

func statement(t testing.TB) []byte {
	t.Helper()
	d, err := identity.Parse([]byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference","model":{"name":"m"},"prompt":{"text":"hello"},"parameters":{},"context":[],"constraints":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Bytes()
}

// parts are a bundle before it is written.
type parts map[string]any

func (p parts) material() parts { return p["verificationMaterial"].(parts) }
func (p parts) envelope() parts { return p["dsseEnvelope"].(parts) }
func (p parts) entry() map[string]any {
	return p.material()["tlogEntries"].([]any)[0].(map[string]any)
}

func (p parts) signature(t testing.TB) []byte {
	t.Helper()
	sig, err := base64.StdEncoding.DecodeString(p.envelope()["signatures"].([]parts)[0]["sig"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func (p parts) stamp(stamps ...[]byte) parts {
	list := []parts{}
	for _, s := range stamps {
		list = append(list, parts{"signedTimestamp": s})
	}
	p.material()["timestampVerificationData"] = parts{"rfc3161Timestamps": list}
	return p
}

func (p parts) bundle(t testing.TB) *attest.Bundle {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.ParseBundle(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return b
}

// attested is a statement signed with a certificate, stamped and logged.
func (w world) attested(e *ca.TestEntity, err error) parts {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	content, _ := e.SignatureContent()
	envelope := content.EnvelopeContent().RawEnvelope()
	leaf, _ := e.VerificationContent()
	stamps, _ := e.Timestamps()
	entries, _ := e.TlogEntries()
	var logged []any
	for _, entry := range entries {
		text, err := protojson.Marshal(entry.TransparencyLogEntry())
		if err != nil {
			w.t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			w.t.Fatal(err)
		}
		logged = append(logged, v)
	}
	p := parts{
		"mediaType":            attest.BundleMediaType,
		"verificationMaterial": parts{"certificate": parts{"rawBytes": leaf.Certificate().Raw}, "tlogEntries": logged},
		"dsseEnvelope": parts{
			"payload": envelope.Payload, "payloadType": envelope.PayloadType,
			"signatures": []parts{{"sig": envelope.Signatures[0].Sig}},
		},
	}
	return p.stamp(stamps...)
}

// v1 is logged as Rekor v1 does, with a proof.
func (w world) v1() parts {
	return w.v1At(time.Now().Add(time.Minute))
}

func (w world) v1At(at time.Time) parts {
	p := w.attested(w.AttestAtTime(alice, issuer, statement(w.t), at, true))
	p.entry()["kindVersion"] = map[string]any{"kind": "dsse", "version": "0.0.1"} // which the generator leaves out
	body, err := base64.StdEncoding.DecodeString(p.entry()["canonicalizedBody"].(string))
	if err != nil {
		w.t.Fatal(err)
	}
	p.entry()["inclusionProof"] = w.inclusion(body) // whose tree is of the size that its checkpoint states
	return p
}

// inclusion proves a body to be the second of two entries of the log, or the first of one.
func (w world) inclusion(body []byte, before ...[]byte) map[string]any {
	w.t.Helper()
	leaf := sha256.Sum256(append([]byte{0}, body...))
	root, hashes := leaf, []any{}
	for _, b := range before {
		sibling := sha256.Sum256(append([]byte{0}, b...))
		root = sha256.Sum256(slices.Concat([]byte{1}, sibling[:], root[:]))
		hashes = append(hashes, sibling[:])
	}
	size := len(before) + 1
	return map[string]any{
		"logIndex": fmt.Sprint(size - 1), "treeSize": fmt.Sprint(size), "rootHash": root[:], "hashes": hashes,
		"checkpoint": map[string]any{"envelope": w.checkpoint(size, root[:])},
	}
}

// checkpoint is signed with the log's key, as Rekor v1 does.
func (w world) checkpoint(size int, root []byte) string {
	w.t.Helper()
	s, err := signature.LoadECDSASignerVerifier(w.logKey(), crypto.SHA256)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := util.CreateAndSignCheckpoint(w.t.Context(), "rekor.localhost", 123, uint64(size), root, s)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// logKey is the key of the log, which the library keeps to itself.
func (w world) logKey() *ecdsa.PrivateKey {
	return (*ecdsa.PrivateKey)(reflect.ValueOf(w.VirtualSigstore).Elem().FieldByName("rekorKey").UnsafePointer())
}

// promised is logged as Rekor v1 does before the tree has grown: with a promise, which signs a time.
func (w world) promised() parts {
	p := w.attested(w.AttestAtTime(alice, issuer, statement(w.t), time.Now().Add(time.Minute), false))
	p.entry()["kindVersion"] = map[string]any{"kind": "dsse", "version": "0.0.1"}
	integrated, err := strconv.ParseInt(p.entry()["integratedTime"].(string), 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := w.RekorLogID()
	if err != nil {
		w.t.Fatal(err)
	}
	set, err := w.RekorSignPayload(tlog.RekorPayload{Body: p.entry()["canonicalizedBody"], IntegratedTime: integrated, LogID: id})
	if err != nil {
		w.t.Fatal(err)
	}
	p.entry()["inclusionPromise"] = map[string]any{"signedEntryTimestamp": set}
	p["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1" // later versions want the proof
	return p.chained()
}

// chained has the certificate where bundles before v0.3 have it.
func (p parts) chained() parts {
	p.material()["x509CertificateChain"] = parts{"certificates": []any{p.material()["certificate"]}}
	delete(p.material(), "certificate")
	return p
}

// v2 is logged as Rekor v2 does, which signs no time.
func (w world) v2() parts { return w.attested(w.AttestHashedRekordV2(alice, issuer, statement(w.t))) }

// byKey is signed with a key.
func byKey(t testing.TB) (parts, *signer.PublicKey) {
	t.Helper()
	key := keytest.New(t, signer.ECDSAP256)
	e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: statement(t)}
	sig, err := key.Sign(context.Background(), e.Message())
	if err != nil {
		t.Fatal(err)
	}
	return parts{
		"mediaType":            attest.BundleMediaType,
		"verificationMaterial": parts{"publicKey": parts{"hint": key.PublicKey().Hint()}},
		"dsseEnvelope": parts{
			"payload": e.Payload, "payloadType": e.PayloadType,
			"signatures": []parts{{"sig": base64.StdEncoding.EncodeToString(sig)}},
		},
	}, key.PublicKey()
}

func (w world) stampOf(sig []byte) []byte {
	w.t.Helper()
	s, err := w.TimestampResponse(sig)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

var trustsAlice = []CertificateIdentity{{SubjectAlternativeName: Exactly(alice), Issuer: Exactly(issuer)}}

func trusting(t testing.TB, o TrustOptions) attest.Trust {
	t.Helper()
	trust, err := NewTrust(o)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// libraryFile is a file of sigstore-go's own, which holds bundles of the public services.
func libraryFile(t testing.TB, name string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sigstore/sigstore-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
