package attest

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/signer"
)

func FuzzParseBundle(f *testing.F) {
	key := newSigner(f, signer.Ed25519)
	for _, format := range []Format{SigstoreBundle, DSSE} {
		text, err := signed(f, newStatement(f, StatementOptions{}), key, format).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"mediaType":"` + BundleMediaType + `","verificationMaterial":{"certificate":{"rawBytes":"YQ=="},"tlogEntries":[{}],"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"YQ=="}]}},"dsseEnvelope":{"payload":"","payloadType":"","signatures":[{"sig":"YQ==","keyid":"x"}]}}`))
	verifier := trusting(f, newSigner(f, signer.Ed25519)) // whose key signed none of them
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBundle(data)
		if err != nil {
			return
		}
		if v, err := verifier.Verify(ctx, b, Expect{}); err == nil {
			t.Fatalf("verified without a signature by the key: %v", v)
		}
		text, err := b.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseBundle(text)
		if err != nil || !bytes.Equal(again.payload, b.payload) || again.keyHint() != b.keyHint() || !reflect.DeepEqual(again.material, b.material) || len(again.signatures) != len(b.signatures) {
			t.Fatalf("written and read again: %v\n%s", err, text)
		}
	})
}

func FuzzReadStatement(f *testing.F) {
	f.Add(newStatement(f, StatementOptions{}).Bytes())
	f.Add(newStatement(f, StatementOptions{Annotations: map[string]string{"a": "b"}, Detached: &DeclarationRef{URI: "https://example.com"}}).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := readStatement(jsontree.Read, data)
		if err != nil {
			return
		}
		root, err := jsontree.Read(data, payloadRules)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readStatement(jsontree.Read, root.Raw())
		if err != nil {
			t.Fatalf("the canonical form is refused: %v", err)
		}
		if diff := cmp.Diff(c, again, cmp.AllowUnexported(content{}, runSubjectText{}), sameTrees, cmp.Comparer(func(a, b interface{ String() string }) bool { return a.String() == b.String() })); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParseSubject(f *testing.F) {
	f.Add("name@sha256:4f1cbbd1a2dfd7a1c9a15f0b1e1b2a2f5a7c0ad2e6a4dbb1b6a5e2b7c9d0e1f2")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ParseSubject(text); err == nil && s.String() != text {
			t.Fatalf("%q is written back as %q", text, s)
		}
	})
}

// sameBase64 holds decodeBase64 to encoding/base64 alone.
func sameBase64(t *testing.T, text []byte) {
	t.Helper()
	alphabet := base64.StdEncoding
	if bytes.ContainsAny(text, "-_") {
		alphabet = base64.URLEncoding
	}
	want := make([]byte, alphabet.DecodedLen(len(text)))
	n, err := alphabet.Strict().Decode(want, text)
	isStrict := err == nil && alphabet.EncodedLen(n) == len(text)
	got, err := decodeBase64(text)
	if (err == nil) != isStrict || isStrict && !bytes.Equal(got, want[:n]) {
		t.Fatalf("%q: %x, %v, want %x, %v", text, got, err, want[:n], isStrict)
	}
}

// TestBase64 puts each byte in each place of texts of each length.
func TestBase64(t *testing.T) {
	data := make([]byte, 40)
	for i := range data {
		data[i] = byte(i * 199)
	}
	for n := range data {
		for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			text := alphabet.AppendEncode(nil, data[:n])
			sameBase64(t, text)
			for i := range text {
				sameBase64(t, text[:i])
				for c := range 256 {
					changed := bytes.Clone(text)
					changed[i] = byte(c)
					sameBase64(t, changed)
				}
			}
		}
	}
}

func FuzzBase64(f *testing.F) {
	for _, text := range []string{"", "YQ==", "YR==", "YWI=", "YWJj", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=", "-_-_", "+/+/+/+/+/+/+/+/", "+/+/+/+/-_-_-_-_", "YWJj\nYWJj"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sameBase64(t, data)
		sameBase64(t, base64.StdEncoding.AppendEncode(nil, data))
		sameBase64(t, base64.URLEncoding.AppendEncode(nil, data))
	})
}
