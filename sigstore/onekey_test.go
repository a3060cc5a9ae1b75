package sigstore

import (
	"fmt"
	"strings"
	"testing"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"google.golang.org/protobuf/proto"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// TestOneKeyStandsOnce: what has one key is one log or one authority, whatever a trusted root calls it.
func TestOneKeyStandsOnce(t *testing.T) {
	files := pkitest.Files()
	top, second := pkitest.Root("Acme Root"), pkitest.Root("Second Root")
	by := top.Issue("Acme Stamps", pkitest.Stamper)
	log := func(l *prototrustroot.TransparencyLogInstance, url, id string) *prototrustroot.TransparencyLogInstance {
		again := proto.Clone(l).(*prototrustroot.TransparencyLogInstance)
		again.BaseUrl, again.LogId.KeyId = url, []byte(id)
		return again
	}
	for title, c := range map[string]struct {
		edit func(*prototrustroot.TrustedRoot)
		says string
	}{
		"another ID and URL": {func(s *prototrustroot.TrustedRoot) { s.Tlogs = append(s.Tlogs, log(s.Tlogs[0], "https://b", "x")) }, "tlogs[2]: https://b (78) has the key of https://rekor.acme.example"},
		"another ID": {func(s *prototrustroot.TrustedRoot) {
			s.Tlogs = append(s.Tlogs, log(s.Tlogs[1], s.Tlogs[1].BaseUrl, "x"))
		}, "tlogs[2]"},
		"another ID of a certificate transparency log": {func(s *prototrustroot.TrustedRoot) {
			s.Ctlogs = append(s.Ctlogs, log(s.Ctlogs[0], "https://b", "x"))
		}, "ctlogs[1]: https://b (78) has the key of https://ct.acme.example"},
		"a timestamp authority at another URL": {func(s *prototrustroot.TrustedRoot) {
			for _, url := range []string{"https://a", "https://b"} {
				s.TimestampAuthorities = append(s.TimestampAuthorities, newAuthority(url, certificatesOf(by, top), period{}))
			}
		}, "https://b has the key of https://a"},
		"with a renewed certificate": {func(s *prototrustroot.TrustedRoot) {
			s.TimestampAuthorities = append(s.TimestampAuthorities, newAuthority("https://a", certificatesOf(by, top), period{}))
			s.TimestampAuthorities = append(s.TimestampAuthorities, newAuthority("https://b", certificatesOf(by.Renew(second), second), period{}))
		}, "https://b has the key of https://a"},
	} {
		r, err := CreateTrustedRoot(acme(files))
		if err != nil {
			t.Fatal(err)
		}
		c.edit(r.spec)
		text, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseTrustedRoot(text); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %s", title, err, c.says)
		}
	}
	// two logs of one URL, as after a rotation, are one log
	spec := acme(files)
	spec.TransparencyLogs[0].Origin, spec.TransparencyLogs[1].URL = "", spec.TransparencyLogs[0].URL
	r, err := CreateTrustedRoot(spec)
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewTrust(TrustOptions{Root: r, Keys: []attest.TrustedKey{{Name: "k", Key: someKey(t)}}, RequireLogEntries: 2})
	if err == nil || !strings.Contains(err.Error(), "names 1 transparency logs") {
		t.Errorf("two required of one log: %v", err)
	}
}

// TestOneOperator: logs of one operator count as one, in whichever media type a trusted root names the operator.
func TestOneOperator(t *testing.T) {
	key := attest.TrustedKey{Name: "k", Key: someKey(t)}
	for _, mediaType := range rootMediaTypes {
		for title, c := range map[string]struct {
			operators [2]string
			want      int
		}{
			"one":       {[2]string{"logs.example", "logs.example"}, 1},
			"one known": {[2]string{"logs.example", ""}, 2},
			"two":       {[2]string{"logs.example", "others.example"}, 2},
			"none":      {want: 2},
		} {
			r, err := CreateTrustedRoot(acme(pkitest.Files()))
			if err != nil {
				t.Fatal(err)
			}
			r.spec.MediaType = mediaType
			for i, operator := range c.operators {
				r.spec.Tlogs[i].Operator, r.spec.Tlogs[i].BaseUrl = operator, fmt.Sprintf("https://%d.example", i)
			}
			text, err := r.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if r, err = ParseTrustedRoot(text); err != nil {
				t.Errorf("%s: %v", mediaType, err)
				continue
			}
			var names []string
			for _, l := range r.root.RekorLogs() {
				names = append(names, logName(l))
			}
			found := findings{oneLog: r.logs}
			for _, name := range names {
				found.logs = append(found.logs, evidence.LogEntry{Log: name})
			}
			if got := found.differentLogs(); got != c.want || len(names) != 2 {
				t.Errorf("%s, %s: in %d logs of %v, want %d", mediaType, title, got, names, c.want)
			}
			if _, err := NewTrust(TrustOptions{Root: r, Keys: []attest.TrustedKey{key}, RequireLogEntries: 2}); (err == nil) != (c.want == 2) {
				t.Errorf("%s, %s: two logs required: %v", mediaType, title, err)
			}
		}
	}
	if _, err := ParseTrustedRoot([]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.3+json"}`)); err == nil || !strings.Contains(err.Error(), "v0.2+json") {
		t.Errorf("a later version: %v", err)
	}
}

// TestOnePlace: a URL in another spelling is not another service.
func TestOnePlace(t *testing.T) {
	for _, same := range [][2]string{
		{"http://tsa.example", "http://tsa.example/"}, {"http://tsa.example", "HTTP://TSA.EXAMPLE"}, {"https://tsa.example", "https://tsa.example:443/"},
		{"http://tsa.example/api/v1", "https://tsa.example./api/v1//"}, {"tsa", " TSA/"}, {"https://[::1]:8080", "http://[::1]:8080/"},
		{"https://tsa.example", "https://tsa.example/."}, {"https://tsa.example/a", "https://tsa.example//b/../a"}, {"//tsa.example", "https:///tsa.example"},
		{"https://tsa.example", "https://%74sa%2Eexample"}, {"https://tsa.example/%41", "https://tsa.example/a"}, {"https://tsa.example:80", "https://tsa.example:0443"},
		{"https://b\u00fccher.example", "https://xn--bcher-kva.example"}, {"https://B\u00dcCHER.example", "https://b%C3%BCcher.example."},
		{"https://tsa\u3002example", "https://tsa.example"}, {"https://\uff54sa.example", "https://tsa.example"}, {"tsa.example/.", "https://tsa.example"},
		{"https://127.0.0.1/x", "https://127.1/x"}, {"https://127.0.0.1", "https://2130706433"}, {"https://127.0.0.1", "https://0x7f.0.0.1"}, {"https://123.0.0.1", "https://0x7b.1"}, {"https://127.0.0.1", "https://127.000.000.001."},
		{"https://tsa.example", "https:tsa.example"}, {"https://tsa.example", "https://tsa.example\\"}, {"https://tsa.example/a", `http:\tsa.example\a`},
		{"https://[::1]", "https://[0:0::1]"}, {"https://[::1]:8080", "https://[0:0:0:0:0:0:0:1]:8080"}, {"https://[::ffff:192.0.2.1]", "https://192.0.2.1"},
	} {
		if place(same[0]) != place(same[1]) {
			t.Errorf("%q and %q: %q, %q", same[0], same[1], place(same[0]), place(same[1]))
		}
	}
	for _, other := range [][2]string{
		{"http://a.example", "http://b.example"}, {"http://a.example/1", "http://a.example/2"}, {"http://a.example", "http://a.example:8080"}, {"", "x"},
		{"https://127.0.0.1", "https://127.0.1.1"}, {"https://127.1", "https://127.1.example"}, {"https://256.1", "https://1.0.0.1"}, {"https://1.2.3.4.5", "https://1.2.3.5"},
		{"https://[::1]", "https://[::2]"}, {"https://b\u00fccher.example", "https://bucher.example"}, {"CN=tsa #1,O=acme", "CN=tsa #2,O=acme"}, {"CN=a/b", "CN=a/c"},
	} {
		if place(other[0]) == place(other[1]) {
			t.Errorf("%q and %q: both %q", other[0], other[1], place(other[0]))
		}
	}
	r, err := CreateTrustedRoot(acme(pkitest.Files()))
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []string{"https://log.example", "https://LOG.example/"} {
		r.spec.Tlogs[i].BaseUrl = at
	}
	text, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if r, err = ParseTrustedRoot(text); err != nil {
		t.Fatal(err)
	}
	key := attest.TrustedKey{Name: "k", Key: someKey(t)}
	if _, err := NewTrust(TrustOptions{Root: r, Keys: []attest.TrustedKey{key}, RequireLogEntries: 2}); err == nil {
		t.Error("one log, spelled in two ways, is two")
	}
}
