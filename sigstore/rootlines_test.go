package sigstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

func lineOf(t testing.TB, r *TrustedRoot) []byte {
	t.Helper()
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if text, err = canonical.Transform(text); err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTrustedRootLines: trusted roots in JSON Lines and client trust configs are believed together, and each line says what the
// certificates of its authorities need.
func TestTrustedRootLines(t *testing.T) {
	logged, plain := newWorld(t), newWorld(t)
	first := lineOf(t, rootOf(t, nil, logged))
	second := lineOf(t, rootOf(t, func(p *rootParts) {
		p.tlogs = nil
		p.tsas[0].(*root.SigstoreTimestampingAuthority).URI = "https://plain.example"
	}, plain))
	config := func(line []byte) []byte {
		return fmt.Appendf(nil, `{"mediaType":%q,"trustedRoot":%s}`, clientTrustConfig, line)
	}
	without := func(p parts) parts { delete(p.material(), "tlogEntries"); return p }
	for name, text := range map[string][]byte{
		"lines":                  bytes.Join([][]byte{first, second}, []byte("\n")),
		"with blank ones":        bytes.Join([][]byte{first, second, nil, nil}, []byte("\n\n")),
		"configs":                bytes.Join([][]byte{config(first), config(second)}, []byte("\r\n")),
		"with a byte order mark": append([]byte("\ufeff"), bytes.Join([][]byte{first, second}, []byte("\n"))...),
		"with one in between":    append(append(bytes.Clone(first), "\n\ufeff"...), second...),
		"one twice":              bytes.Join([][]byte{second, first, config(second)}, []byte("\n")),
	} {
		r, err := ParseTrustedRoot(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(r.Trusted()); n != 5 {
			t.Errorf("%s: %d authorities and logs, want 5", name, n)
		}
		trust := trusting(t, TrustOptions{Root: r, Identities: trustsAlice})
		for what, c := range map[string]struct {
			bundle parts
			want   bool
		}{
			"logged":                       {logged.v2(), true},
			"logged, without its entry":    {without(logged.v2()), false},
			"plain":                        {without(plain.v2()), true},
			"stamped by the other's":       {without(plain.v2()).stamp(), false},
			"plain, stamped by the logged": {func() parts { p := without(plain.v2()); return p.stamp(logged.stampOf(p.signature(t))) }(), true},
		} {
			o := c.bundle.bundle(t).CheckTrust(context.Background(), trust)
			if got := o.By != nil && o.Time.Verdict == evidence.Pass; got != c.want {
				t.Errorf("%s: %s: verified %v: %+v", name, what, got, o)
			}
		}
	}
	if r, err := ParseTrustedRoot(config(first)); err != nil || !bytes.Equal(lineOf(t, r), first) {
		t.Errorf("a client trust config: %v", err)
	}
	for what, text := range map[string][]byte{
		"in Protobuf's names": []byte(strings.NewReplacer(`"mediaType":"`+clientTrustConfig, `"media_type":"`+clientTrustConfig, `"trustedRoot"`, `"trusted_root"`).Replace(string(config(first)))),
		"behind a blank line": append([]byte("\n"), first...),
	} {
		if r, err := ParseTrustedRoot(text); err != nil || !bytes.Equal(lineOf(t, r), first) {
			t.Errorf("a client trust config %s: %v", what, err)
		}
	}
	if _, err := ParseTrustedRoot(bytes.Join([][]byte{nil, []byte(" "), first, second}, []byte("\n"))); err != nil {
		t.Errorf("lines behind blank ones: %v", err)
	}
	renamed := bytes.Replace(first, []byte("virtual.tsa.sigstore.dev"), []byte("other.example"), 1)
	for says, text := range map[string][]byte{
		"is of type array, want object: write several trusted roots as JSON Lines": fmt.Appendf(nil, "[%s,\n%s]\n", first, second),
		"trusted root: is of type array":                                           []byte("[]"),
		"one object a line (jq -c .)":                                              append(indented(t, first), indented(t, second)...),
		"trusted root: holds several objects: write several trusted roots as":      append(slices.Clone(first), second...),
		"line 2: holds several objects: write":                                     bytes.Join([][]byte{first, []byte("\n"), first, second}, nil),
		"a second log with the ID":                                                 bytes.Join([][]byte{first, ended(t, logged)}, []byte("\n")),
		"is of type string, want object":                                           []byte(`"trusted"`),
		"line 2: ":                                                                 append(slices.Clone(first), "\n{}\n"...),
		"one authority has one name":                                               bytes.Join([][]byte{first, renamed}, []byte("\n")),
		"line 4: ":                                                                 bytes.Join([][]byte{nil, nil, first, []byte("{}")}, []byte("\n")),
		"holds no trustedRoot":                                                     fmt.Appendf(nil, `{"mediaType":%q}`, clientTrustConfig),
		"config whose mediaType is \"x\", want " + clientTrustConfig:               bytes.Replace(config(first), []byte(clientTrustConfig), []byte("x"), 1),
		`root: unknown field "signed"`:                                             []byte(`{"signed":{}}`), // TUF metadata
		"root: is TUF metadata, ":                                                  []byte(`{"signed":{},"signatures":[]}`),
		"more than 64 lines":                                                       bytes.Repeat(append(slices.Clone(second), '\n'), limits.TrustedRoots+1),
		"bytes, want at most":                                                      bytes.Repeat([]byte{' '}, limits.TrustedRoot+1),
	} {
		if _, err := ParseTrustedRoot(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

// TestWrittenRoots: sigstore-python reads no trusted root that leaves out an empty list or name.
func TestWrittenRoots(t *testing.T) {
	nameless := pkitest.Root("")
	by := nameless.Issue("Acme Stamps", pkitest.Stamper)
	r, err := CreateTrustedRoot(RootSpec{TimestampAuthorities: []AuthoritySpec{{URL: "https://a", Chain: pkitest.PEM(by, nameless)}}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		TimestampAuthorities                  []struct{ Subject map[string]any }
		CertificateAuthorities, Ctlogs, Tlogs *[]any
	}
	if err := json.Unmarshal(lineOf(t, r), &got); err != nil {
		t.Fatal(err)
	}
	if got.CertificateAuthorities == nil || got.Ctlogs == nil || got.Tlogs == nil || len(got.TimestampAuthorities) != 1 {
		t.Errorf("a list is left out: %s", lineOf(t, r))
	}
	if name, ok := got.TimestampAuthorities[0].Subject["commonName"]; !ok || name != "" {
		t.Errorf("subject %v, want an empty commonName", got.TimestampAuthorities[0].Subject)
	}
}

// TestLinesOfOtherTimes: an authority that two lines list for different times is trusted in both.
func TestLinesOfOtherTimes(t *testing.T) {
	w := newWorld(t)
	noLogs := func(p *rootParts) { p.tlogs = nil }
	now := lineOf(t, rootOf(t, noLogs, w))
	old := lineOf(t, rootOf(t, func(p *rootParts) { noLogs(p); expiredCA(p) }, w))
	for name, c := range map[string]struct {
		text []byte
		want bool
	}{
		"as it is": {now, true}, "ended": {old, false},
		"both": {bytes.Join([][]byte{now, old}, []byte("\n")), true}, "in the other order": {bytes.Join([][]byte{old, now}, []byte("\n")), true},
	} {
		r, err := ParseTrustedRoot(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if o := w.v2().bundle(t).CheckTrust(t.Context(), trusting(t, TrustOptions{Root: r, Identities: trustsAlice})); (o.By != nil) != c.want {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// ended is a line whose log is retired.
func ended(t *testing.T, w world) []byte {
	return lineOf(t, rootOf(t, func(p *rootParts) {
		for id, l := range p.tlogs {
			retired := *l
			retired.ValidityPeriodEnd = time.Now()
			p.tlogs[id] = &retired
		}
	}, w))
}

func indented(t *testing.T, line []byte) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := json.Indent(&text, line, "", "  "); err != nil {
		t.Fatal(err)
	}
	text.WriteByte('\n')
	return text.Bytes()
}
