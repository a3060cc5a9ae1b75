package attest

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// saying is a policy that answers what it is.
type saying Check

func (s saying) CheckPolicy(context.Context, *Verified) Check { return Check(s) }

// TestCodes: each way to be refused has its code, and the class that an auditor counts it in is a function of the codes.
func TestCodes(t *testing.T) {
	key, stranger := newSigner(t, signer.ECDSAP256), newSigner(t, signer.ECDSAP256)
	good := signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle)
	payload := string(newStatement(t, StatementOptions{}).Bytes())
	id := good.mustID(t)
	changed := []byte(strings.Replace(declarationText, `"kind":"inference"`, `"kind":"none"`, 1))
	changedID, err := identity.Compute(changed)
	if err != nil {
		t.Fatal(err)
	}
	_, changedHex, _ := strings.Cut(changedID.String(), "sha256:")
	invalid := strings.ReplaceAll(strings.Replace(payload, `"kind":"inference"`, `"kind":"none"`, 1), id, changedHex)
	other := strings.Repeat("1", 64)
	altered := func(edit func(b *Bundle)) *Bundle {
		b := *signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle)
		edit(&b)
		return &b
	}
	otherRun := parse(t, strings.Replace(declarationText, "hello", "bye", 1)).ID()
	for name, test := range map[string]struct {
		bundle *Bundle
		want   Expect
		check  CheckName
		code   Code
		class  string
	}{
		"good":               {good, Expect{}, CheckSignature, CodeOK, "verified"},
		"not asked":          {good, Expect{}, CheckSubject, CodeNotAsked, "verified"},
		"changed payload":    {altered(func(b *Bundle) { b.payload = append([]byte(" "), b.payload...) }), Expect{}, CheckSignature, CodeSignature, "tampered"},
		"stranger":           {signed(t, newStatement(t, StatementOptions{}), stranger, SigstoreBundle), Expect{}, CheckSigner, CodeSignerUnknown, "untrusted-signer"},
		"certificate":        {altered(func(b *Bundle) { b.material = material{certificates: [][]byte{{1}}} }), Expect{}, CheckSigner, CodeSignerKind, "untrusted-signer"},
		"no signature":       {altered(func(b *Bundle) { b.signatures = nil }), Expect{}, CheckSignature, CodeSignatureCount, "malformed"},
		"payload type":       {resigned(t, key, "text/plain", payload), Expect{}, CheckStatement, CodePayloadType, "other-attestation"},
		"statement v0.1":     {resigned(t, key, PayloadType, strings.Replace(payload, "Statement/v1", "Statement/v0.1", 1)), Expect{}, CheckStatement, CodePayloadType, "other-attestation"},
		"another predicate":  {resigned(t, key, PayloadType, strings.Replace(payload, PredicateType, "https://slsa.dev/provenance/v1", 1)), Expect{}, CheckStatement, CodePredicateType, "other-attestation"},
		"unknown member":     {resigned(t, key, PayloadType, strings.Replace(payload, `"_type"`, `"a":1,"_type"`, 1)), Expect{}, CheckStatement, CodeStatement, "malformed"},
		"no identity then":   {resigned(t, key, PayloadType, "{}"), Expect{}, CheckIdentity, CodeNotReached, "other-attestation"},
		"another identity":   {resigned(t, key, PayloadType, strings.ReplaceAll(payload, id, other)), Expect{}, CheckIdentity, CodeIdentityMismatch, "identity-mismatch"},
		"invalid":            {resigned(t, key, PayloadType, invalid), Expect{}, CheckDeclaration, CodeDeclaration, "invalid-declaration"},
		"another run":        {good, Expect{Identity: &otherRun}, CheckIdentity, CodeIdentityUnexpected, "identity-mismatch"},
		"detached":           {signed(t, newStatement(t, StatementOptions{Detached: &DeclarationRef{Name: "a"}}), key, SigstoreBundle), Expect{}, CheckIdentity, CodeDeclarationMissing, "identity-mismatch"},
		"artifact":           {good, Expect{Artifacts: []Subject{{Name: "a"}}}, CheckSubject, CodeSubjectMissing, "identity-mismatch"},
		"denied":             {good, Expect{Policy: saying(Failed(CheckPolicy, CodePolicyDenied, ""))}, CheckPolicy, CodePolicyDenied, "denied"},
		"policy without one": {good, Expect{Policy: saying(Check{Verdict: Fail})}, CheckPolicy, CodeUnspecified, "denied"},
		"silent policy":      {good, Expect{Policy: saying(Check{})}, CheckPolicy, CodeUnspecified, "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := trusting(t, key).Verify(ctx, test.bundle, test.want)
			var report Report
			var no *VerificationError
			switch {
			case err == nil:
				report = v.Report()
			case errors.As(err, &no):
				report = no.Report
			default:
				t.Fatal(err)
			}
			for _, c := range report.Checks {
				if c.Code == "" || (c.Code == CodeOK) != (c.Verdict == Pass) {
					t.Errorf("%s: verdict %s, code %q", c.Name, c.Verdict, c.Code)
				}
				if c.Name == test.check && c.Code != test.code {
					t.Errorf("%s: code %q, want %q", c.Name, c.Code, test.code)
				}
			}
			if got := class(report.Checks); got != test.class {
				t.Errorf("class %q, want %q", got, test.class)
			}
		})
	}
}

// class is what docs/output.md makes of the codes: the first that fits.
func class(checks []Check) string {
	for _, row := range []struct {
		class string
		codes []Code
	}{
		{"malformed", []Code{CodeSignatureCount, CodeStatement}},
		{"untrusted-signer", []Code{CodeSignerUnknown, CodeSignerKind, CodeCertificate, CodeCertificateIdentity, CodeCertificateIssuer, CodeCertificateLog}},
		{"tampered", []Code{CodeSignature, CodeSignatureScheme}},
		{"not-in-time", []Code{CodeTimeMissing, CodeTimeValidity, CodeTimeLate, CodeLogMissing, CodeEvidence}},
		{"other-attestation", []Code{CodePayloadType, CodePredicateType}},
		{"identity-mismatch", []Code{CodeIdentityMismatch, CodeIdentityUnexpected, CodeDeclarationMissing, CodeSubjectMissing}},
		{"invalid-declaration", []Code{CodeDeclaration}},
		{"denied", []Code{CodePolicyDenied, CodePolicyFailed, CodeUnspecified}},
	} {
		for _, code := range row.codes {
			for _, c := range checks {
				if c.Code == code {
					return row.class
				}
			}
		}
	}
	return "verified"
}

func (b *Bundle) mustID(t *testing.T) string {
	t.Helper()
	c, err := readStatement(b.payload)
	if err != nil {
		t.Fatal(err)
	}
	_, digest, _ := strings.Cut(c.id.String(), "sha256:")
	return digest
}

// TestReportModel: a report names the model as the declaration does, and its caller owns it.
func TestReportModel(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	v, err := trusting(t, key).Verify(ctx, signed(t, newStatement(t, StatementOptions{}), key, DSSE), Expect{})
	if err != nil {
		t.Fatal(err)
	}
	v.Report().Model.Name = "changed"
	if got, want := *v.Report().Model, (ModelName{Name: "llama", Version: "3.1"}); got != want {
		t.Errorf("model %+v, want %+v", got, want)
	}
}

// TestCodesAreDocumented holds the table in docs/output.md against the constants, those of links included.
func TestCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`Code = "([a-z-]+)"`)
	n := 0
	for _, file := range []string{"code.go", "../lineage/link_verify.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codes.FindAllSubmatch(source, -1) {
			n++
			if !regexp.MustCompile(`(?m)^\|[^|]*\| ` + "`" + string(m[1]) + "`" + ` \|`).Match(page) {
				t.Errorf("%s: %s is not in the table of docs/output.md", file, m[1])
			}
		}
	}
	if n < 20 {
		t.Errorf("%d codes found", n)
	}
}
