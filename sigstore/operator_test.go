package sigstore

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// specLine is a trusted root after an edit, as a file of one line.
func specLine(t testing.TB, r *TrustedRoot, edit func(*prototrustroot.TrustedRoot)) []byte {
	t.Helper()
	spec, err := readRootSpec(lineOf(t, r))
	if err != nil {
		t.Fatal(err)
	}
	edit(spec)
	return lineOf(t, &TrustedRoot{spec: spec})
}

func acmeRoot(t testing.TB) *TrustedRoot {
	t.Helper()
	r, err := CreateTrustedRoot(acme(pkitest.Files()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOperatorSpelling: an operator is read in one spelling, because another one would count as a second operator.
func TestOperatorSpelling(t *testing.T) {
	lists := map[string]func(*prototrustroot.TrustedRoot, string){
		"certificateAuthorities[0]": func(s *prototrustroot.TrustedRoot, o string) { s.CertificateAuthorities[0].Operator = o },
		"timestampAuthorities[0]":   func(s *prototrustroot.TrustedRoot, o string) { s.TimestampAuthorities[0].Operator = o },
		"tlogs[1]":                  func(s *prototrustroot.TrustedRoot, o string) { s.Tlogs[1].Operator = o },
		"ctlogs[0]":                 func(s *prototrustroot.TrustedRoot, o string) { s.Ctlogs[0].Operator = o },
	}
	acme := acmeRoot(t)
	for operator, wrong := range map[string]string{
		"": "", "acme": "", "acme.example": "", "xn--bcher-kva.example": "", "acme.example/stamps/v1.2": "",
		" acme.example":         "has white space",
		"acme.example\n":        "has white space",
		"acme.example\u00a0":    "has white space",
		"https://acme.example":  "has a scheme or a port",
		"https://acme.example/": "has a scheme or a port",
		"acme.example:443":      "has a scheme or a port",
		"Acme.example":          "has an upper-case letter",
		"acme.example/":         "ends with a slash",
		"//acme.example":        "is malformed",
		"acme.example.":         "is malformed",
		"acme..example":         "is malformed",
		"acme.example/./a":      "is malformed",
		"acme.example//a":       "is malformed",
		"acme%2eexample":        "is malformed",
		"acme.example\u200b":    "is malformed",
		"\u0430cme.example":     "is malformed",
	} {
		for place, set := range lists {
			r, err := ParseTrustedRoot(specLine(t, acme, func(s *prototrustroot.TrustedRoot) { set(s, operator) }))
			if wrong == "" {
				if err != nil || operator != "" && !slices.ContainsFunc(r.Trusted(), func(a authority.Authority) bool { return a.Operator == operator }) {
					t.Errorf("%s: operator %q: %v", place, operator, err)
				}
				continue
			}
			want := fmt.Sprintf("trusted root: %s: operator %q %s: want a URI without a scheme, in lower case, such as acme.example", place, operator, wrong)
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		}
	}
}

// TestLinesOfOperators: a line that names the operator of an entry, and one that does not, are about one entry.
func TestLinesOfOperators(t *testing.T) {
	r := acmeRoot(t)
	run := func(operator string) []byte {
		return specLine(t, r, func(s *prototrustroot.TrustedRoot) {
			for _, a := range slices.Concat(s.CertificateAuthorities, s.TimestampAuthorities) {
				a.Operator = operator
			}
			for _, l := range slices.Concat(s.Tlogs, s.Ctlogs) {
				l.Operator = operator
				if operator != "" { // as version 0.2 has it
					l.CheckpointKeyId = l.LogId
				}
			}
		})
	}
	for name, lines := range map[string][][]byte{
		"first": {run("acme.example"), run("")}, "second": {run(""), run("acme.example")}, "both": {run("acme.example"), run("acme.example")},
		"the first and the third": {run("acme.example"), run(""), run("acme.example")},
	} {
		merged, err := ParseTrustedRoot(bytes.Join(lines, []byte("\n")))
		if err != nil {
			t.Errorf("named in %s: %v", name, err)
			continue
		}
		all := merged.Trusted()
		if len(all) != len(r.Trusted()) {
			t.Errorf("named in %s: %d authorities and logs, want %d", name, len(all), len(r.Trusted()))
		}
		for _, a := range all {
			if a.Operator != "acme.example" {
				t.Errorf("named in %s: %s %s has the operator %q", name, a.Kind, a.URL, a.Operator)
			}
		}
	}
	only := func(edit func(*prototrustroot.TrustedRoot)) []byte {
		return bytes.Join([][]byte{run("acme.example"), run(""), specLine(t, r, edit)}, []byte("\n"))
	}
	for says, text := range map[string][]byte{
		`https://fulcio.acme.example has two operators, "acme.example" and "b.example"`: only(func(s *prototrustroot.TrustedRoot) { s.CertificateAuthorities[1].Operator = "b.example" }),
		`https://tsa.acme.example has two operators, "acme.example" and "b.example"`:    only(func(s *prototrustroot.TrustedRoot) { s.TimestampAuthorities[0].Operator = "b.example" }),
		`https://rekor.acme.example has two operators, "acme.example" and "b.example"`:  only(func(s *prototrustroot.TrustedRoot) { s.Tlogs[1].Operator = "b.example" }),
		`https://ct.acme.example has two operators, "acme.example" and "b.example"`:     only(func(s *prototrustroot.TrustedRoot) { s.Ctlogs[0].Operator = "b.example" }),
	} {
		if _, err := ParseTrustedRoot(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
}

// TestLogWithoutID: a log that has no ID, as version 0.2 could list it, is refused in words.
func TestLogWithoutID(t *testing.T) {
	acme := acmeRoot(t)
	for place, edit := range map[string]func(*prototrustroot.TrustedRoot){
		"tlogs[0]":  func(s *prototrustroot.TrustedRoot) { s.Tlogs[0].LogId, s.Tlogs[1].LogId = nil, nil },
		"tlogs[1]":  func(s *prototrustroot.TrustedRoot) { s.Tlogs[1].LogId.KeyId = nil },
		"ctlogs[0]": func(s *prototrustroot.TrustedRoot) { s.Ctlogs[0].LogId = nil },
	} {
		_, err := ParseTrustedRoot(specLine(t, acme, func(s *prototrustroot.TrustedRoot) { s.MediaType = rootMediaTypes[2]; edit(s) }))
		if err == nil || !strings.Contains(err.Error(), place+": has no logId") {
			t.Errorf("%s: got %v", place, err)
		}
	}
}

// TestSessionOfOneOperator: a session verifies what each of its services has given, also if one operator runs them all. A verifier
// counts them as one.
func TestSessionOfOneOperator(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	by := newKeeper(t)
	signature := func() []byte { return by.sig }
	var services Services
	for _, w := range []world{a, b} {
		stamper, _ := serve(t, w.stamper(signature))
		log, _ := serve(t, w.rekorV1())
		services.TimestampAuthorities = append(services.TimestampAuthorities, stamper)
		services.Logs = append(services.Logs, Log{log, 1})
	}
	apart := rootOf(t, func(p *rootParts) {
		for id, l := range p.tlogs {
			renamed := *l
			renamed.BaseURL = "https://" + id[:8] + ".example"
			p.tlogs[id] = &renamed
		}
	}, a, b)
	parsed := func(edit func(*prototrustroot.TrustedRoot)) *TrustedRoot {
		r, err := ParseTrustedRoot(specLine(t, apart, edit))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	together := parsed(func(s *prototrustroot.TrustedRoot) {
		for _, tsa := range s.TimestampAuthorities {
			tsa.Operator = "acme.example"
		}
		for _, l := range s.Tlogs {
			l.Operator = "acme.example"
		}
	})
	session, err := NewSession(SessionOptions{Signer: by, Endpoints: Endpoints{Services: services}, Root: together})
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := session.Sign(t.Context(), newStatement(t))
	if err != nil {
		t.Fatal(err)
	}
	key := attest.TrustedKey{Name: "k", Key: by.PublicKey()}
	for _, o := range []TrustOptions{{RequireTimestamps: 2}, {RequireLogEntries: 2}} {
		o.Root, o.Keys = together, []attest.TrustedKey{key}
		if _, err := NewTrust(o); err == nil {
			t.Errorf("%+v: two required of one operator", o)
		}
		o.Root = apart
		if got := bundle.CheckTrust(t.Context(), trusting(t, o)); got.Time.Verdict != evidence.Pass {
			t.Errorf("the bundle lacks evidence of two services: %+v", got.Time)
		}
	}
	// what only one of the two can vouch for is refused before a service is asked
	for says, r := range map[string]*TrustedRoot{
		"2 timestamps required":  parsed(func(s *prototrustroot.TrustedRoot) { s.TimestampAuthorities = s.TimestampAuthorities[:1] }),
		"2 log entries required": parsed(func(s *prototrustroot.TrustedRoot) { s.Tlogs = s.Tlogs[:1] }),
	} {
		if _, err := NewSession(SessionOptions{Signer: by, Endpoints: Endpoints{Services: services}, Root: r}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
	// two timestamps by one of the two are not what both have given
	services.TimestampAuthorities[1], _ = serve(t, a.stamper(signature))
	if session, err = NewSession(SessionOptions{Signer: by, Endpoints: Endpoints{Services: services}, Root: together}); err != nil {
		t.Fatal(err)
	}
	if _, err = session.Sign(t.Context(), newStatement(t)); err == nil || !strings.Contains(err.Error(), "(1 of 2 required)") {
		t.Errorf("two timestamps of one authority: %v", err)
	}
}
