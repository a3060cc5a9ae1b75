package attest

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/signer"
)

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
	class := classOf(t)
	otherRun := parse(t, strings.Replace(declarationText, "hello", "bye", 1)).ID()
	for name, test := range map[string]struct {
		bundle *Bundle
		want   Expect
		check  evidence.CheckName
		code   evidence.Code
		class  string
	}{
		"good":              {good, Expect{}, evidence.CheckSignature, evidence.CodeOK, "verified"},
		"not asked":         {good, Expect{}, evidence.CheckSubject, evidence.CodeNotAsked, "verified"},
		"changed payload":   {altered(func(b *Bundle) { b.payload = append([]byte(" "), b.payload...) }), Expect{}, evidence.CheckSignature, evidence.CodeSignature, "tampered"},
		"stranger":          {signed(t, newStatement(t, StatementOptions{}), stranger, SigstoreBundle), Expect{}, evidence.CheckSigner, evidence.CodeSignerUnknown, "untrusted-signer"},
		"certificate":       {altered(func(b *Bundle) { b.material = material{certificates: [][]byte{{1}}} }), Expect{}, evidence.CheckSigner, evidence.CodeSignerKind, "untrusted-signer"},
		"no signature":      {altered(func(b *Bundle) { b.signatures = nil }), Expect{}, evidence.CheckSignature, evidence.CodeSignatureCount, "malformed"},
		"payload type":      {resigned(t, key, "text/plain", payload), Expect{}, evidence.CheckStatement, evidence.CodePayloadType, "other-attestation"},
		"statement v0.1":    {resigned(t, key, PayloadType, strings.Replace(payload, "Statement/v1", "Statement/v0.1", 1)), Expect{}, evidence.CheckStatement, evidence.CodePayloadType, "other-attestation"},
		"another predicate": {resigned(t, key, PayloadType, strings.Replace(payload, PredicateType, "https://slsa.dev/provenance/v1", 1)), Expect{}, evidence.CheckStatement, evidence.CodePredicateType, "other-attestation"},
		"unknown member":    {resigned(t, key, PayloadType, strings.Replace(payload, `"_type"`, `"a":1,"_type"`, 1)), Expect{}, evidence.CheckStatement, evidence.CodeStatement, "malformed"},
		"no identity then":  {resigned(t, key, PayloadType, "{}"), Expect{}, evidence.CheckIdentity, evidence.CodeNotReached, "other-attestation"},
		"another identity":  {resigned(t, key, PayloadType, strings.ReplaceAll(payload, id, other)), Expect{}, evidence.CheckIdentity, evidence.CodeIdentityMismatch, "identity-mismatch"},
		"invalid":           {resigned(t, key, PayloadType, invalid), Expect{}, evidence.CheckDeclaration, evidence.CodeDeclaration, "invalid-declaration"},
		"another run":       {good, Expect{Identity: &otherRun}, evidence.CheckIdentity, evidence.CodeIdentityUnexpected, "identity-mismatch"},
		"detached":          {signed(t, newStatement(t, StatementOptions{Detached: &DeclarationRef{Name: "a"}}), key, SigstoreBundle), Expect{}, evidence.CheckIdentity, evidence.CodeDeclarationMissing, "identity-mismatch"},
		"artifact":          {good, Expect{Artifacts: []Subject{{Name: "a"}}}, evidence.CheckSubject, evidence.CodeSubjectMissing, "identity-mismatch"},
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
				if c.Code == "" || (c.Code == evidence.CodeOK) != (c.Verdict == evidence.Pass) {
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

// classRow is a row of the table of codes in docs/output.md. A class that is left out is that of the row above.
var classRow = regexp.MustCompile("(?m)^[|] *([a-z-]*) *[|] `([a-z-]+)` [|][^|]*[|][^|]*[|]$")

// classOf reads the table of codes in docs/output.md: the class of a report is that of the first row that has one of its codes.
func classOf(t *testing.T) func(checks []evidence.Check) string {
	t.Helper()
	page, err := os.ReadFile("../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| class | code |")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := classRow.FindAllStringSubmatch(table, -1)
	if !found || len(rows) < 20 {
		t.Fatalf("the table of codes has %d rows: this test reads it wrongly", len(rows))
	}
	return func(checks []evidence.Check) string {
		class := ""
		for _, row := range rows {
			if row[1] != "" {
				class = row[1]
			}
			if slices.ContainsFunc(checks, func(c evidence.Check) bool { return string(c.Code) == row[2] }) {
				return class
			}
		}
		return "verified"
	}
}

// TestChecksInTexts holds every list of the checks in texts against the order of a report.
func TestChecksInTexts(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	v, err := trusting(t, key).Verify(ctx, signed(t, newStatement(t, StatementOptions{}), key, SigstoreBundle), Expect{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range v.Report().Checks {
		names = append(names, string(c.Name))
	}
	want := strings.Join(names, ", ")
	for _, file := range []string{"doc.go", "../docs/output.md", "../cmd/runattest/help/verify.txt"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(strings.Fields(strings.ReplaceAll(string(data), "\n//", "\n")), " "); !strings.Contains(text, ": "+want+";") && !strings.Contains(text, ": "+want+".") {
			t.Errorf("%s: does not list the checks: %s", file, want)
		}
	}
	source, err := os.ReadFile("evidence/check.go")
	if err != nil {
		t.Fatal(err)
	}
	_, constants, _ := strings.Cut(string(source), "// The checks, in the order of a report.")
	constants, _, _ = strings.Cut(constants, "\n)")
	var declared []string
	for _, m := range regexp.MustCompile(`CheckName = "([a-z]+)"`).FindAllStringSubmatch(constants, -1) {
		if slices.Contains(names, m[1]) { // without those of run sets and sources
			declared = append(declared, m[1])
		}
	}
	if got := strings.Join(declared, ", "); got != want {
		t.Errorf("evidence declares the checks as %s, and a report has %s", got, want)
	}
}

func (b *Bundle) mustID(t *testing.T) string {
	t.Helper()
	c, err := readStatement(jsontree.Read, b.payload)
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

// TestCodesAreDocumented holds the tables in docs/output.md against the constants, those of links and of lint's warnings included.
func TestCodesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`Code\s+= "([a-z-]+)"`)
	n := 0
	for _, file := range []string{"evidence/code.go", "../lineage/link_verify.go", "../identity/lint.go", "../capture/openness_lint.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codes.FindAllSubmatch(source, -1) {
			n++
			if !regexp.MustCompile(`(?m)^(\|[^|]*)?\| ` + "`" + string(m[1]) + "`" + ` \|`).Match(page) {
				t.Errorf("%s: %s is not in the table of docs/output.md", file, m[1])
			}
		}
	}
	if n < 20 {
		t.Errorf("%d codes found", n)
	}
}
