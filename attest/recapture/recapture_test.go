package recapture_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/recapture"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/bundletest"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

const body = `{"model":"gpt-4o-2024-08-06","messages":[{"role":"user","content":"hello"}],"max_tokens":5}`

func TestCheck(t *testing.T) {
	format, err := capture.Lookup("openai-chat/1")
	if err != nil {
		t.Fatal(err)
	}
	captured, err := format.Capture(capture.Source{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	by := keytest.New(t, signer.ECDSAP256)
	signed := func(annotations map[string]string) *attest.Bundle {
		return bundletest.Run(t, by, captured.Declaration, attest.StatementOptions{Annotations: annotations})
	}
	says := signed(captured.Annotations())
	claim, err := attest.NewClaim("https://example.com/claim/v1", []attest.Subject{{Name: "a", SHA256: [32]byte{1}}}, map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	other := bundletest.Sign(t, by, claim)
	for name, test := range map[string]struct {
		bundle  *attest.Bundle
		source  recapture.Source
		verdict evidence.Verdict
		reason  string // or the error
	}{
		"the source":      {says, recapture.Source{Source: capture.Source{Body: []byte(body)}}, evidence.Pass, "it declares the run by openai-chat/1, the table that the signer claims"},
		"by its format":   {signed(nil), recapture.Source{Format: format, Source: capture.Source{Body: []byte(body)}}, evidence.Pass, "it declares the run by openai-chat/1"},
		"another source":  {says, recapture.Source{Source: capture.Source{Body: []byte(strings.Replace(body, "hello", "bye", 1))}}, evidence.Fail, "/prompt/messages/0/content differs"},
		"no annotation":   {signed(nil), recapture.Source{Source: capture.Source{Body: []byte(body)}}, "", "does not say how it was captured"},
		"another table":   {signed(map[string]string{"capture": "x/1"}), recapture.Source{Source: capture.Source{Body: []byte(body)}}, "", `names "x/1"`},
		"a folder":        {says, recapture.Source{Path: "."}, "", "is a folder, and openai-chat/1 reads a file"},
		"not JSON":        {says, recapture.Source{Source: capture.Source{Body: []byte("{")}}, "", "openai-chat/1"},
		"does not fit":    {says, recapture.Source{Source: capture.Source{Body: []byte(body)}, Fits: func(capture.Format) error { return errors.New("no fit") }}, "", "no fit"},
		"not a statement": {other, recapture.Source{Source: capture.Source{Body: []byte(body)}}, evidence.NotChecked, "without a statement"},
	} {
		declared, c, err := test.source.Check(t.Context(), test.bundle)
		switch {
		case test.verdict == "":
			if err == nil || !strings.Contains(err.Error(), test.reason) || declared != nil {
				t.Errorf("%s: %v, want %s", name, err, test.reason)
			}
		case err != nil || c.Verdict != test.verdict || !strings.Contains(c.Reason, test.reason) || (declared != nil) != (test.bundle != other):
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	const config = `{"mcpServers":{"a":{"command":"x","env":{"A":"v","B":"w"}}}}`
	mcp, err := capture.Lookup("mcp/1")
	if err != nil {
		t.Fatal(err)
	}
	servers := recapture.Source{Source: capture.Source{Body: []byte(config), Model: "m"}}
	if captured, err = mcp.Capture(servers.Source); err != nil {
		t.Fatal(err)
	}
	_, c, err := servers.Check(t.Context(), signed(captured.Annotations()))
	if want := []string{"secret, and not compared: /mcpServers/a/env/A, /mcpServers/a/env/B"}; err != nil || c.Verdict != evidence.Pass || !slices.Equal(c.Details, want) {
		t.Errorf("a source with secrets: %+v, %v, want the details %q", c, err, want)
	}
	if e := (*recapture.NoFormatError)(nil); e.Error() == "" {
		t.Error("an error without words")
	}
}

// TestVerify: the bundle is about the run of the source, and about the declaration that is expected besides, or it is not verified.
func TestVerify(t *testing.T) {
	format, err := capture.Lookup("openai-chat/1")
	if err != nil {
		t.Fatal(err)
	}
	hello, bye := capture.Source{Body: []byte(body)}, capture.Source{Body: []byte(strings.Replace(body, "hello", "bye", 1))}
	declared := func(source capture.Source) *identity.Declaration {
		captured, err := format.Capture(source)
		if err != nil {
			t.Fatal(err)
		}
		return captured.Declaration
	}
	by := keytest.New(t, signer.ECDSAP256)
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: by.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
		verified, err := verifier.Verify(ctx, b, want)
		if no, ok := errors.AsType[*attest.VerificationError](err); ok {
			return no.Report, nil
		}
		return verified.Report(), err
	}
	b := bundletest.Run(t, by, declared(hello), attest.StatementOptions{})
	for name, c := range map[string]struct {
		source   capture.Source
		expected *identity.Declaration
		verified bool
	}{
		"the source":                      {hello, nil, true},
		"the source and the declaration":  {hello, declared(hello), true},
		"another declaration":             {hello, declared(bye), false},
		"another source":                  {bye, nil, false},
		"another source, the declaration": {bye, declared(hello), false},
		"another source and declaration":  {bye, declared(bye), false},
	} {
		report, err := recapture.Source{Format: format, Source: c.source}.Verify(t.Context(), b, attest.Expect{Declaration: c.expected}, verify)
		if err != nil || report.Verified != c.verified || report.Checks[len(report.Checks)-1].Name != evidence.CheckSource {
			t.Errorf("%s: verified %v, want %v: %v", name, report.Verified, c.verified, err)
		}
	}
}

// TestRead: a file is the source's body, unless it is empty, and a folder has none.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	path, empty := filepath.Join(dir, "request.json"), filepath.Join(dir, "empty.json")
	if err := errors.Join(os.WriteFile(path, []byte(body), 0o600), os.WriteFile(empty, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, want string
		isFolder   bool
	}{{path, body, false}, {"-", "piped", false}, {dir, "", true}} {
		s := recapture.Source{Path: c.path}
		isFolder, err := s.Read(strings.NewReader("piped"))
		if err != nil || isFolder != c.isFolder || string(s.Source.Body) != c.want || (s.Source.Body == nil) != c.isFolder {
			t.Errorf("%s: %q, folder %v, %v", c.path, s.Source.Body, isFolder, err)
		}
	}
	for _, name := range []string{empty, filepath.Join(dir, "none")} {
		s := recapture.Source{Path: name}
		if isFolder, err := s.Read(nil); err == nil || isFolder || !strings.Contains(err.Error(), name) { // without a body it would be captured as a folder
			t.Errorf("%s: folder %v, %v", name, isFolder, err)
		}
	}
}
