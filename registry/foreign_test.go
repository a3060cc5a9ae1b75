package registry_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// foreign is a bundle with a statement of another predicate type about such a subject.
func foreign(predicateType, subject string) []byte {
	statement := fmt.Sprintf(`{"_type":%q,"predicateType":%q,"subject":[{"name":"other","digest":{"sha256":"00"}},%s]}`, attest.StatementType, predicateType, subject)
	return fmt.Appendf(nil, `{"mediaType":%q,"verificationMaterial":{"publicKey":{"hint":"x"}},"dsseEnvelope":{"payload":%q,"payloadType":%q,"signatures":[{"sig":"YQ=="}]}}`,
		attest.BundleMediaType, base64.StdEncoding.EncodeToString([]byte(statement)), attest.PayloadType)
}

// TestAttachForeign: a foreign statement belongs to the artifact by any digest of it, and not by digests of
// another algorithm, in another case or of nothing; our own types need the one that they have.
func TestAttachForeign(t *testing.T) {
	const slsa = "https://slsa.dev/provenance/v1"
	s := newServer(t, true)
	s.artifact()
	target, a := resolve(t, s.host+"/app:v1")
	sum256, sum512 := fmt.Sprintf("%x", sha256.Sum256(a.Manifest())), fmt.Sprintf("%x", sha512.Sum512(a.Manifest()))
	sum384 := fmt.Sprintf("%x", sha512.Sum384(a.Manifest()))
	for _, subject := range []string{
		`{"digest":{"sha256":"` + sum256 + `"}}`,
		`{"digest":{"sha512":"` + sum512 + `"}}`,
		`{"name":"n","digest":{"sha384":"` + sum384 + `","gitCommit":"x"}}`,
		`{"digest":{"sha256":"` + sum256 + `","sha512":"ab"},"uri":"u"}`,
	} {
		if _, err := target.Attach(context.Background(), a, foreign(slsa, subject)); err != nil {
			t.Errorf("%s: %v", subject, err)
		}
	}
	for _, subject := range []string{
		`{"digest":{"sha256":"` + strings.ToUpper(sum256) + `"}}`,
		`{"digest":{"sha512":"` + sum256 + `"}}`,
		`{"digest":{"x":"` + sum256 + `"}}`,
		`{"name":"app@sha256:` + sum256 + `","digest":{"sha256":"ab"}}`,
		`{"digest":{"sha256":"sha256:` + sum256 + `"}}`,
	} {
		if _, err := target.Attach(context.Background(), a, foreign(slsa, subject)); !errors.Is(err, registry.ErrNotSubject) {
			t.Errorf("%s: %v", subject, err)
		}
	}
	if _, err := target.Attach(context.Background(), a, foreign(attest.PredicateType, `{"digest":{"sha256":"`+sum256+`"}}`)); !errors.Is(err, attest.ErrMalformed) {
		t.Errorf("our own type as others': %v", err)
	}
}
