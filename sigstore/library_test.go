package sigstore

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
)

// libraryVerify asks sigstore-go's own verifier about a bundle, with as much of the options as
// it knows. What our verifier accepts must be accepted there.
func libraryVerify(text []byte, o TrustOptions) error {
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(text); err != nil {
		return err
	}
	var material root.TrustedMaterial = emptyRoot.root
	if o.Root != nil {
		material = o.Root.root
	}
	var options []verify.VerifierOption
	policy := []verify.PolicyOption{verify.WithKey()}
	if len(o.Identities) > 0 {
		options = append(options, verify.WithObserverTimestamps(1))
		if len(material.CTLogs()) > 0 {
			options = append(options, verify.WithSignedCertificateTimestamps(1))
		}
		if len(material.RekorLogs()) > 0 && (o.RequireLogEntries != NoLogEntries || len(b.GetVerificationMaterial().GetTlogEntries()) > 0) {
			options = append(options, verify.WithTransparencyLog(1))
		}
		policy = []verify.PolicyOption{verify.WithoutIdentitiesUnsafe()} // the matchers are this package's own
	} else {
		mapping := map[string]*root.ExpiringKey{}
		bounded := false
		for _, k := range o.Keys {
			v, err := signature.LoadDefaultVerifier(k.Key.Public())
			if err != nil {
				return err
			}
			mapping[k.Key.Hint()] = root.NewExpiringKey(v, k.NotBefore, k.NotAfter)
			bounded = bounded || k.Bounded()
		}
		material = root.TrustedMaterialCollection{material, root.NewTrustedPublicKeyMaterialFromMapping(mapping)}
		if bounded || o.RequireTimestamps > 0 {
			options = append(options, verify.WithSignedTimestamps(max(1, o.RequireTimestamps)))
		} else {
			options = append(options, verify.WithNoObserverTimestamps())
		}
	}
	v, err := verify.NewVerifier(material, options...)
	if err != nil {
		return err
	}
	_, err = v.Verify(b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), policy...))
	return err
}

// agreesWithLibrary holds every yes against sigstore-go's verifier.
func agreesWithLibrary(t *testing.T, b *attest.Bundle, p parts, o TrustOptions, yes bool) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := libraryVerify(text, o); err != nil && yes {
		t.Errorf("sigstore-go refuses what is accepted here: %v", err)
	}
}

// TestPublicBundles reads and believes what the public services signed, offline and long after
// the certificates have expired: bundles of three versions, with SCTs and Rekor v1 entries.
func TestPublicBundles(t *testing.T) {
	r, err := ParseTrustedRoot(libraryFile(t, "pkg/testing/data/trusted-roots/public-good.json"))
	if err != nil {
		t.Fatal(err)
	}
	const github = "https://token.actions.githubusercontent.com"
	for name, c := range map[string]struct {
		san, issuer, refused string
		promised             bool // and not proved, as the first clients had it
	}{
		"pkg/testing/data/bundles/dsse.sigstore.json":                         {`brian@dehamer\.com`, "https://github.com/login/oauth", "", true},
		"pkg/testing/data/bundles/sigstore.js@2.0.0-provenance.sigstore.json": {`https://github\.com/sigstore/.*`, github, "", false},
		"examples/bundle-provenance.json":                                     {`https://github\.com/sigstore/.*`, github, "", true},
		"pkg/testing/data/bundles/dsse-2sigs.sigstore.json":                   {".*", github, "want exactly one", false},
	} {
		b, err := attest.ParseBundle(libraryFile(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		trust := TrustOptions{Root: r, Identities: []CertificateIdentity{{SubjectAlternativeName: matching(t, c.san), Issuer: Exactly(c.issuer)}}}
		o := b.CheckTrust(t.Context(), trusting(t, trust))
		if c.promised {
			if o.By != nil || !strings.Contains(o.Time.Reason, "which does not prove that it is there") {
				t.Errorf("%s: a promise is taken for a proof: %+v", name, o)
			}
			trust.RequireLogEntries = NoLogEntries
			o = b.CheckTrust(t.Context(), trusting(t, trust))
		}
		if c.refused == "" && (o.By == nil || o.Time.Verdict != evidence.Pass || (len(o.Promises) > 0) != c.promised || (len(o.Logs) > 0) == c.promised) {
			t.Errorf("%s: %+v", name, o)
		}
		if c.refused != "" && (o.By != nil || !strings.Contains(o.Signature.Reason, c.refused)) {
			t.Errorf("%s: %+v", name, o)
		}
	}
}
