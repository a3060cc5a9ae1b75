package sigstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"testing"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/tlog"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
)

// FuzzLogBody: what is read in a body is what sigstore-go reads in it.
func FuzzLogBody(f *testing.F) {
	w := newWorld(f)
	p := w.v1()
	body := intotoBody(f, p, certificatePEM(p))
	intoto, err := json.Marshal(body)
	if err != nil {
		f.Fatal(err)
	}
	body.content()["payloadHash"] = body.content()["hash"]
	lying, err := json.Marshal(body)
	if err != nil {
		f.Fatal(err)
	}
	e := evidence.Envelope{PayloadType: attest.PayloadType, Payload: decodedMember(f, p.envelope()["payload"]), Signature: p.signature(f)}
	for _, body := range [][]byte{
		intoto, lying,
		decodedMember(f, p.entry()["canonicalizedBody"]), decodedMember(f, w.v2().entry()["canonicalizedBody"]),
		[]byte(`{"apiVersion":"0.0.1","kind":"intoto","spec":{}}`), []byte(`{}`),
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var said struct{ Kind, APIVersion string }
		_ = json.Unmarshal(body, &said)
		entry := &protorekor.TransparencyLogEntry{
			CanonicalizedBody: body, LogId: &protocommon.LogId{KeyId: []byte("log")},
			KindVersion: &protorekor.KindVersion{Kind: said.Kind, Version: said.APIVersion},
		}
		b, err := readBody(entry, e)
		if err != nil {
			return
		}
		_ = guard(func() error {
			parsed, err := tlog.ParseTransparencyLogEntry(entry)
			if err != nil {
				return err
			}
			if !bytes.Equal(parsed.Signature(), b.signature) || parsed.IsRekorV2() != (b.kind == hashedRekord) {
				t.Errorf("signature %x and kind %s, sigstore-go reads %x", b.signature, b.kind, parsed.Signature())
			}
			stated := b.digest
			if b.payload != nil { // sigstore-go hashes it itself, whatever the body states; about wants both to be right
				sum := sha256.Sum256(b.payload)
				stated = sum[:]
			}
			if digest, ok := parsed.GetDssePayloadHash(); ok && !bytes.Equal(digest, stated) {
				t.Errorf("payload %x, sigstore-go reads %x", stated, digest)
			}
			return nil
		})
	})
}
