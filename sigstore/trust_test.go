package sigstore

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
)

// trial is one bundle before one verifier. refused is "" if it verifies, or the check that fails
// and its reason, as `time: the bundle has none`.
type trial struct {
	bundle  parts
	trust   TrustOptions
	refused string
}

func (c trial) run(t *testing.T) {
	t.Helper()
	verifier, err := attest.NewVerifier(trusting(t, c.trust))
	if err != nil {
		t.Fatal(err)
	}
	b := c.bundle.bundle(t)
	agreesWithLibrary(t, b, c.bundle, c.trust, c.refused == "")
	v, err := verifier.Verify(context.Background(), b, attest.Expect{})
	if c.refused == "" {
		if err != nil {
			var no *attest.VerificationError
			errors.As(err, &no)
			t.Fatalf("refused: %v\n%+v", err, no)
		}
		if v.Signer().Name == "" {
			t.Error("verified without a signer")
		}
		return
	}
	var no *attest.VerificationError
	if !errors.As(err, &no) {
		t.Fatalf("got %v, %v, want %s", v, err, c.refused)
	}
	check, reason, _ := strings.Cut(c.refused, ": ")
	for _, f := range no.Report.Failed() {
		if string(f.Name) == check && strings.Contains(f.Reason, reason) {
			return
		}
	}
	t.Errorf("got %+v\nwant %s", no.Report.Failed(), c.refused)
}

func TestCertificates(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	r := rootOf(t, nil, w)
	o := TrustOptions{Root: r, Identities: trustsAlice}
	with := func(edit func(*TrustOptions)) TrustOptions {
		c := o
		edit(&c)
		return c
	}
	edited := func(p parts, edit func(parts)) parts {
		edit(p)
		return p
	}
	past, future := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	for name, c := range map[string]trial{
		"rekor v1":            {w.v1(), o, ""},
		"rekor v2":            {w.v2(), o, ""},
		"before":              {w.v2(), with(func(o *TrustOptions) { o.SignedBefore = &future }), ""},
		"not before":          {w.v2(), with(func(o *TrustOptions) { o.SignedBefore = &past }), "time: which does not prove that it was before"},
		"no time":             {w.v2().stamp(), o, "time: no trusted timestamp: the bundle has none"},
		"log's time suffices": {w.promised().stamp(), with(func(o *TrustOptions) { o.RequireLogEntries = NoLogEntries }), ""},
		"log's time is none":  {w.promised().stamp(), with(func(o *TrustOptions) { o.RequireTimestamps = 1 }), "time: no trusted timestamp: the bundle has none"},
		"other signature":     {w.v2().stamp(w.stampOf([]byte("other"))), o, "time: timestamp 0: by https://virtual.tsa.sigstore.dev, is over other bytes"},
		"untrusted authority": {edited(w.v2(), func(p parts) { p.stamp(other.stampOf(p.signature(t))) }), o, "time: no trusted timestamp: timestamp 0"},
		"not a timestamp":     {w.v2().stamp([]byte("garbage")), o, "time: no trusted timestamp: timestamp 0"},
		"wrong name": {w.v2(), with(func(o *TrustOptions) {
			o.Identities = []CertificateIdentity{{SubjectAlternativeName: Exactly("bob@example.com"), Issuer: Exactly(issuer)}}
		}), `signer: the certificate is for "alice@example.com"`},
		"wrong issuer": {w.v2(), with(func(o *TrustOptions) {
			o.Identities = []CertificateIdentity{{SubjectAlternativeName: Exactly(alice), Issuer: Exactly("https://x")}}
		}), `signer: checked with the issuer`},
		"no such pair": {w.v2(), with(func(o *TrustOptions) {
			o.Identities = []CertificateIdentity{{SubjectAlternativeName: Exactly(alice), Issuer: Exactly("https://x")}, {SubjectAlternativeName: Exactly("bob"), Issuer: Exactly(issuer)}}
		}), "signer: is not a trusted pair"},
		"one of several": {w.v2(), with(func(o *TrustOptions) {
			o.Identities = []CertificateIdentity{{SubjectAlternativeName: Exactly("bob"), Issuer: Exactly(issuer)}, {SubjectAlternativeName: Exactly(alice), Issuer: Exactly(issuer)}}
		}), ""},
		"regexp": {w.v2(), with(func(o *TrustOptions) {
			o.Identities = []CertificateIdentity{{SubjectAlternativeName: matching(t, `[a-z]+@example\.com`), Issuer: matching(t, `https://.*`)}}
		}), ""},
		"regexp is anchored": {w.v2(), with(func(o *TrustOptions) {
			o.Identities = []CertificateIdentity{{SubjectAlternativeName: matching(t, `example`), Issuer: matching(t, `https://.*`)}}
		}), "signer: the certificate is for"},
		"regexp's alternatives": {w.v2(), with(func(o *TrustOptions) {
			o.Identities = []CertificateIdentity{{SubjectAlternativeName: matching(t, `bob|alice`), Issuer: matching(t, `https://.*`)}}
		}), "signer: the certificate is for"},
		"no identity":          {w.v2(), with(func(o *TrustOptions) { o.Identities = []CertificateIdentity{{}} }), "signer: the certificate is for"},
		"other authority":      {other.v2(), with(func(o *TrustOptions) { o.Root = rootOf(t, func(p *rootParts) { p.cas = p.cas[:1] }, w, other) }), "signer: by no authority that the trusted root names"},
		"authority's own time": {w.v2(), with(func(o *TrustOptions) { o.Root = rootOf(t, expiredCA, w) }), "signer: : https://virtual.fulcio.sigstore.dev is trusted from "},
		"a stranger's certificate, and an authority that has ended": {other.v2(), with(func(o *TrustOptions) { o.Root = rootOf(t, expiredCA, w) }), "signer: : x509: certificate signed by unknown authority"},
		"stamper's own time": {w.v2(), with(func(o *TrustOptions) { o.Root = rootOf(t, expiredTSA, w) }), "time: by https://virtual.tsa.sigstore.dev: the authority is trusted from "},
		"a stamper that has ended, with the root of another": {w.v2(), with(func(o *TrustOptions) {
			o.Root = rootOf(t, func(p *rootParts) {
				expiredTSA(p)
				was := p.tsas[0].(*root.SigstoreTimestampingAuthority)
				was.Root, was.Intermediates = other.TimestampingAuthorities()[0].(*root.SigstoreTimestampingAuthority).Root, nil
			}, w)
		}), "time: signer certificate chain: x509: certificate signed by unknown authority"},
		"no SCT":               {w.v2(), with(func(o *TrustOptions) { o.Root = rootOf(t, func(p *rootParts) { p.ctlogs = p.tlogs }, w) }), "signer: no signed certificate timestamp"},
		"outside certificate":  {w.v1At(time.Now().Add(30 * time.Minute)), o, "time: log entry 0"},
		"no log entry":         {edited(w.v2(), func(p parts) { delete(p.material(), "tlogEntries") }), o, "time: no log entry: the bundle has none"},
		"none wanted":          {edited(w.v2(), func(p parts) { delete(p.material(), "tlogEntries") }), with(func(o *TrustOptions) { o.RequireLogEntries = NoLogEntries }), ""},
		"entry of another":     {edited(w.v2(), func(p parts) { p.material()["tlogEntries"] = w.v2().material()["tlogEntries"] }), o, "time: log entry 0"},
		"v1 entry of another":  {edited(w.v1(), func(p parts) { p.material()["tlogEntries"] = w.v1().material()["tlogEntries"] }), o, "time: log entry 0"},
		"another's, not asked": {edited(w.v2(), func(p parts) { p.material()["tlogEntries"] = w.v2().material()["tlogEntries"] }), with(func(o *TrustOptions) { o.RequireLogEntries = NoLogEntries }), "time: log entry 0"},
		"unknown log":          {edited(w.v2(), func(p parts) { p.material()["tlogEntries"] = other.v2().material()["tlogEntries"] }), o, "time: names no log"},
		"in one log of two": {w.v1(), with(func(o *TrustOptions) {
			o.Root, o.RequireLogEntries = rootOf(t, func(p *rootParts) {
				for id, l := range p.tlogs {
					named := *l
					named.BaseURL = "https://" + id[:8]
					p.tlogs[id] = &named
				}
			}, w, other), 2
		}), "time: in 1 transparency logs of the trusted root, want 2: the bundle is in the log https://"},
		"entry twice": {edited(w.v2(), func(p parts) {
			p.material()["tlogEntries"] = append(p.material()["tlogEntries"].([]any), p.entry())
		}), o, "time: log entry 1: stands twice"},
		"retired log": {w.v2(), with(func(o *TrustOptions) {
			o.Root = rootOf(t, func(p *rootParts) {
				for _, l := range p.tlogs {
					l.ValidityPeriodEnd = time.Now().Add(-time.Minute)
				}
			}, w)
		}), "time: is not believed at the time"},
		"retired log, without time": {func() parts { p := w.v2(); return p.stamp(other.stampOf(p.signature(t))) }(), with(func(o *TrustOptions) {
			o.Root = rootOf(t, func(p *rootParts) {
				for _, l := range p.tlogs {
					l.ValidityPeriodStart, l.ValidityPeriodEnd = time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC), time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
				}
			}, w)
		}), "time: is not believed after 2026-02-03T04:05:06Z, and no trusted time proves that the signature is older"},
		"retired log's successor": {w.v2(), with(func(o *TrustOptions) {
			o.Root = rootOf(t, func(p *rootParts) {
				for id := range w.RekorLogs() {
					p.tlogs[id].ValidityPeriodEnd = time.Now().Add(-time.Minute)
				}
			}, w, other) // one URL, two keys
		}), "time: is not believed at the time"},
		"empty proof":         {edited(w.v2(), func(p parts) { p.entry()["inclusionProof"] = parts{} }), o, "time: log entry 0"},
		"v1 empty proof":      {edited(w.v1(), func(p parts) { p.entry()["inclusionProof"] = parts{} }), o, "time: log entry 0"},
		"empty promise":       {edited(w.promised().stamp(), func(p parts) { p.entry()["inclusionPromise"] = parts{} }), o, "time: log entry 0"},
		"other time promised": {edited(w.promised(), func(p parts) { p.entry()["integratedTime"] = fmt.Sprint(time.Now().Unix() + 5) }), o, "time: log entry 0"},
		"wrong checkpoint":    {edited(w.v2(), func(p parts) { proof(p)["checkpoint"] = proof(other.v2())["checkpoint"] }), o, "time: log entry 0"},
		"wrong root":          {edited(w.v1(), func(p parts) { proof(p)["rootHash"] = strings.Repeat("A", 43) + "=" }), o, "time: log entry 0"},
		"entry without body":  {edited(w.v2(), func(p parts) { delete(p.entry(), "canonicalizedBody") }), o, "time: log entry 0"},
		"entry of garbage":    {edited(w.v2(), func(p parts) { p.entry()["x"] = 1 }), o, "time: log entry 0"},
		"an authority's":      {edited(w.v2(), func(p parts) { p.material()["certificate"] = parts{"rawBytes": caOf(w)} }), o, "signature: an authority's"},
		"another certificate": {edited(w.v2(), func(p parts) { p.material()["certificate"] = w.v2().material()["certificate"] }), o, "signature: does not verify"},
		"garbage certificate": {edited(w.v2(), func(p parts) { p.material()["certificate"] = parts{"rawBytes": []byte("x")} }), o, "signature: cannot be used"},
		"payload changed":     {edited(w.v2(), func(p parts) { p.envelope()["payload"] = []byte("{}") }), o, "signature: does not verify"},
		"only keys trusted":   {w.v2(), TrustOptions{Root: r, Keys: []attest.TrustedKey{{Name: "k", Key: someKey(t)}}}, "signer: a certificate is not among"},
	} {
		t.Run(name, c.run)
	}
}

func TestKeys(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	both := rootOf(t, nil, w, other)
	now := time.Now()
	bare, key := byKey(t)
	sig := bare.signature(t)
	bundle := func(stamps ...[]byte) parts {
		p := parts{}
		for k, v := range bare {
			p[k] = v
		}
		p["verificationMaterial"] = parts{"publicKey": bare.material()["publicKey"]}
		if len(stamps) > 0 {
			p.stamp(stamps...)
		}
		return p
	}
	trust := func(edit func(*TrustOptions)) TrustOptions {
		o := TrustOptions{Root: both, Keys: []attest.TrustedKey{{Name: "prod", Key: key}}}
		if edit != nil {
			edit(&o)
		}
		return o
	}
	window := func(from, until time.Time) TrustOptions {
		return trust(func(o *TrustOptions) { o.Keys[0].NotBefore, o.Keys[0].NotAfter = from, until })
	}
	before := func(at time.Time, n int) TrustOptions {
		return trust(func(o *TrustOptions) {
			o.RequireTimestamps = n
			if !at.IsZero() {
				o.SignedBefore = &at
			}
		})
	}
	a, b, strange := w.stampOf(sig), other.stampOf(sig), newWorld(t).stampOf(sig)
	for name, c := range map[string]trial{
		"no time":                 {bundle(), trust(nil), ""},
		"a time":                  {bundle(a), trust(nil), ""},
		"no root":                 {bundle(a), trust(func(o *TrustOptions) { o.Root = nil }), ""},
		"other signature":         {bundle(w.stampOf([]byte("x"))), trust(nil), "time: timestamp 0: by https://virtual.tsa.sigstore.dev, is over other bytes"},
		"another's stamp":         {bundle(newWorld(t).stampOf(sig)), trust(nil), "time: no timestamp in the bundle counts: timestamp 0: by no authority of the trusted root"},
		"required":                {bundle(a), before(time.Time{}, 1), ""},
		"required, none":          {bundle(), before(time.Time{}, 1), "time: no trusted timestamp: the bundle has none"},
		"two required":            {bundle(a, b), before(time.Time{}, 2), ""},
		"two required, one":       {bundle(a), before(time.Time{}, 2), "time: no trusted timestamp (1 of 2 required)"},
		"one stamp twice":         {bundle(a, a), trust(nil), "time: timestamp 1: stands twice"},
		"a stranger's twice":      {bundle(a, strange, strange), trust(nil), "time: timestamp 2: stands twice"},
		"two by one authority":    {bundle(a, w.stampOf(sig)), before(time.Time{}, 2), "time: (1 of 2 required): the bundle has 2, by 1 authorities"},
		"before":                  {bundle(a), before(now.Add(time.Hour), 0), ""},
		"not before":              {bundle(a), before(now.Add(-time.Hour), 0), "time: does not prove that it was before"},
		"before, no time":         {bundle(), before(now.Add(time.Hour), 0), "time: no trusted timestamp: the bundle has none"},
		"before, no root":         {bundle(a), trust(func(o *TrustOptions) { o.SignedBefore, o.Root = ptr(now.Add(time.Hour)), nil }), "time: no timestamp authority is configured"},
		"inside the window":       {bundle(a), window(now.Add(-time.Hour), now.Add(time.Hour)), ""},
		"after the window":        {bundle(a), window(now.Add(-2*time.Hour), now.Add(-time.Hour)), "time: outside the validity of key prod"},
		"before the window":       {bundle(a), window(now.Add(time.Hour), time.Time{}), "time: outside the validity of key prod"},
		"window without time":     {bundle(), window(now.Add(-time.Hour), now.Add(time.Hour)), "time: no trusted timestamp: the bundle has none"},
		"only identities trusted": {bundle(a), TrustOptions{Root: both, Identities: trustsAlice}, "signature: only certificate identities"},
		"another key":             {bundle(a), TrustOptions{Root: both, Keys: []attest.TrustedKey{{Name: "k", Key: someKey(t)}}}, "signer: not among the trusted keys"},
		"log required":            {bundle(a), trust(func(o *TrustOptions) { o.RequireLogEntries = 1 }), "time: no log entry"},
	} {
		t.Run(name, c.run)
	}
}

func TestNobodyToTrust(t *testing.T) {
	w := newWorld(t)
	r := rootOf(t, nil, w)
	key := attest.TrustedKey{Name: "k", Key: someKey(t)}
	if _, err := NewTrust(TrustOptions{Root: r}); !errors.Is(err, attest.ErrNoTrust) {
		t.Errorf("got %v", err)
	}
	now := time.Now()
	for name, o := range map[string]TrustOptions{
		"identities without a root": {Identities: trustsAlice},
		"root without authorities":  {Identities: trustsAlice, Root: rootOf(t, func(p *rootParts) { p.cas = nil }, w)},
		"more stamps than stampers": {Keys: []attest.TrustedKey{key}, Root: r, RequireTimestamps: 2},
		"stamps without a root":     {Keys: []attest.TrustedKey{key}, RequireTimestamps: 1},
		"more logs than there are":  {Keys: []attest.TrustedKey{key}, Root: r, RequireLogEntries: 2},
		"before nobody's time":      {Keys: []attest.TrustedKey{key}, Root: r, SignedBefore: new(time.Time)},
		"one key twice":             {Keys: []attest.TrustedKey{key, {Name: "again", Key: key.Key}}},
		"negative stamps":           {Keys: []attest.TrustedKey{key}, Root: r, RequireTimestamps: -1},
		"window upside down":        {Keys: []attest.TrustedKey{{Name: "k", Key: key.Key, NotBefore: now, NotAfter: now.Add(-time.Hour)}}},
		"no key":                    {Keys: []attest.TrustedKey{{Name: "k"}}},
	} {
		if _, err := NewTrust(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestEveryByteFlip changes each byte of a bundle's text: nothing but a no, or what
// sigstore-go too says yes to, comes of it.
func TestEveryByteFlip(t *testing.T) {
	w := newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice, RequireTimestamps: 1}
	trust := trusting(t, o)
	t.Parallel()
	for name, p := range map[string]parts{"v1": w.v1(), "promised": w.promised(), "v2": w.v2()} {
		text, err := p.bundle(t).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		step := 1
		if testing.Short() {
			step = 17
		}
		tried, accepted := 0, 0
		for i := 0; i < len(text); i += step {
			mangled := bytes.Clone(text)
			mangled[i] ^= 1
			b, err := attest.ParseBundle(mangled)
			if err != nil {
				continue
			}
			tried++
			if result := b.CheckTrust(context.Background(), trust); result.By != nil && result.Time.Verdict == evidence.Pass {
				accepted++
				if err := libraryVerify(mangled, o); err != nil {
					t.Errorf("%s: byte %d: accepted, but sigstore-go says %v", name, i, err)
				}
			}
		}
		if tried == 0 {
			t.Error("no mangled bundle was read")
		}
		t.Logf("%s: %d of %d readable, %d accepted", name, tried, len(text)/step, accepted)
	}
}

func ptr(t time.Time) *time.Time { return &t }

func matching(t *testing.T, expr string) Matcher {
	t.Helper()
	m, err := Matching(expr)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMatching(t *testing.T) {
	for _, expr := range []string{"", "(", "a)(b", "a)|(b", "*"} {
		if m, err := Matching(expr); err == nil {
			t.Errorf("%q is read as %s", expr, m)
		}
	}
	for expr, text := range map[string]string{"a|b": "ab", "(?m)^a$": "a\nb", "(?i)A": "ab"} {
		if matching(t, expr).Match(text) {
			t.Errorf("%s matches %q", expr, text)
		}
	}
}

func proof(p parts) map[string]any { return p.entry()["inclusionProof"].(map[string]any) }

func caOf(w world) []byte {
	return w.FulcioCertificateAuthorities()[0].(*root.FulcioCertificateAuthority).Root.Raw
}

func expiredCA(p *rootParts) {
	c := *p.cas[0].(*root.FulcioCertificateAuthority)
	c.ValidityPeriodEnd = time.Now().Add(-time.Hour)
	p.cas[0] = &c
}

func expiredTSA(p *rootParts) {
	p.tsas[0].(*root.SigstoreTimestampingAuthority).ValidityPeriodEnd = time.Now().Add(-time.Hour)
}

func someKey(t *testing.T) *signer.PublicKey {
	t.Helper()
	_, key := byKey(t)
	return key
}

// TestSecondEntry: every entry by a log of the trusted root is held against the signature, also
// where one would do.
func TestSecondEntry(t *testing.T) {
	w := newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}
	second := func(edit func(map[string]any)) parts {
		p := w.v2()
		e := w.v2().entry()
		edit(e)
		p.material()["tlogEntries"] = append(p.material()["tlogEntries"].([]any), e)
		return p
	}
	for name, p := range map[string]parts{
		"another's":           second(func(map[string]any) {}),
		"another's elsewhere": second(func(e map[string]any) { e["logIndex"] = "7" }),
		"another time":        second(func(e map[string]any) { e["integratedTime"], e["logIndex"] = "5", "7" }),
		"garbage":             second(func(e map[string]any) { e["canonicalizedBody"], e["logIndex"] = []byte("garbage"), "7" }),
		"garbage elsewhere": second(func(e map[string]any) {
			e["canonicalizedBody"] = []byte("garbage")
			e["logId"] = map[string]any{"keyId": []byte("unknown")}
		}),
	} {
		t.Run(name, trial{p, o, "time: log entry 1"}.run)
	}
}

// TestHostileBodies: what makes the libraries verify under keys that an entry brings along is not
// given to them.
func TestHostileBodies(t *testing.T) {
	for name, body := range map[string]string{
		"a proposal":              `{"apiVersion":"0.0.1","kind":"dsse","spec":{"proposedContent":{}}}`,
		"in other letters":        `{"apiVersion":"0.0.1","kind":"dsse","spec":{"ProposedContent":{},"signatures":[]}}`,
		"an envelope's payload":   `{"apiVersion":"0.0.2","kind":"intoto","spec":{"content":{"envelope":{"payload":"","payloadType":"x","signatures":[]}}}}`,
		"of a file":               `{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}`,
		"of a package":            `{"apiVersion":"0.0.1","kind":"rpm","spec":{}}`,
		"two kinds":               `{"apiVersion":"0.0.1","kind":"dsse","kind":"rpm","spec":{"signatures":[]}}`,
		"no object":               `[]`,
		"empty":                   ``,
		"larger than any log has": `{"apiVersion":"0.0.2","kind":"hashedrekord","spec":"` + strings.Repeat("a", 64<<10) + `"}`,
	} {
		entry := &protorekor.TransparencyLogEntry{CanonicalizedBody: []byte(body), KindVersion: &protorekor.KindVersion{}}
		var said struct{ Kind, APIVersion string } // so that it is not what is refused
		_ = json.Unmarshal([]byte(body), &said)
		entry.KindVersion.Kind, entry.KindVersion.Version = said.Kind, said.APIVersion
		if _, err := readBody(entry, evidence.Envelope{}); err == nil || strings.Contains(err.Error(), "kindVersion") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, response := range [][]byte{nil, []byte("x"), {0x30, 0}} {
		if err := guard(func() error { return checkStampKeys(response) }); err == nil {
			t.Errorf("%x: accepted as a timestamp", response)
		}
	}
}

// TestNesting: objects end inside those that they are in, and what does not is refused at once.
func TestNesting(t *testing.T) {
	object := func(parts ...[]byte) []byte { // shorter than 128 bytes
		content := bytes.Join(parts, nil)
		return append([]byte{0x30, byte(len(content))}, content...)
	}
	null, end := []byte{5, 0}, []byte{0, 0}
	bomb := null
	for range 26 {
		bomb = slices.Concat([]byte{0x30, 2, 0x30, byte(len(bomb))}, bomb) // the inner one is longer than the outer
	}
	for name, response := range map[string][]byte{
		"read again and again": object(null, object(bomb)),
		"an end without begin": object([]byte{0x30, 0x80}, end, null),
		"no end":               object([]byte{0x30, 0x80}, null),
		"too deep":             append(bytes.Repeat([]byte{0x30, 0x80}, 100), bytes.Repeat(end, 100)...),
		"long":                 {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff},
		"no length":            {0x04, 0x80, 0},
		"something behind":     append(object(null), 0),
	} {
		url, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(response) })
		if _, err := requestTimestamp(t.Context(), url, []byte("signature")); err == nil {
			t.Errorf("%s: accepted from an authority", name)
		}
		if err := checkNesting(response); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if err := guard(func() error { return checkStampKeys(response) }); err == nil {
			t.Errorf("%s: accepted as a timestamp", name)
		}
	}
	for name, response := range map[string][]byte{
		"definite":   object(null, object(null, null), []byte{0x04, 0x81, 1, 0x30}),
		"indefinite": object([]byte{0x30, 0x80}, object(), null, end),
	} {
		if err := checkNesting(response); err != nil {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// TestLongLogID: a report shortens what evidence by unknown services says.
func TestLongLogID(t *testing.T) {
	w := newWorld(t)
	p := w.v2()
	stranger := w.v2().entry()
	stranger["logId"] = parts{"keyId": bytes.Repeat([]byte("x"), 1<<20)}
	p.material()["tlogEntries"] = []any{p.entry(), stranger}
	o := p.bundle(t).CheckTrust(t.Context(), trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}))
	if o.Time.Verdict != evidence.Pass || !strings.Contains(o.Time.Reason, "names no log 7878") || len(o.Time.Reason) > 20_000 {
		t.Errorf("%s in %d bytes: %.200s", o.Time.Verdict, len(o.Time.Reason), o.Time.Reason)
	}
}

// TestStrangersEvidenceIsNotRead: whose certificate no trusted root knows costs no more than that.
func TestStrangersEvidenceIsNotRead(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	o := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}).CheckEnvelope(t.Context(), evidence.Envelope{})
	if o.By != nil || o.Signature.Verdict == evidence.Pass {
		t.Errorf("an empty envelope: %+v", o)
	}
	result := other.v2().bundle(t).CheckTrust(t.Context(), trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}))
	if result.By != nil || result.Signer.Verdict != evidence.Fail || result.Time.Verdict != evidence.NotChecked {
		t.Errorf("%+v", result)
	}
}

// TestStampsInAnyOrder: which of two stamps comes first in the bundle decides nothing.
func TestStampsInAnyOrder(t *testing.T) {
	p, key := byKey(t)
	one, other := pkitest.Root("Acme Root"), pkitest.Root("Other Root")
	stamp := func(root *pkitest.Holder, at time.Time) []byte {
		d := newDraft(root.Issue("Stamps", pkitest.Stamper))
		d.info.Imprint.Hash = sum(crypto.SHA256, p.signature(t))
		d.info.Time = generalizedTime(at.Format("20060102150405") + "Z")
		return d.response()
	}
	between := stampedAt.Add(time.Minute)
	early, late, others := stamp(one, stampedAt), stamp(one, between.Add(time.Minute)), stamp(other, between.Add(time.Minute))
	for name, c := range map[string]struct {
		stamps  [][]byte
		n       int
		until   time.Time
		refused string
	}{
		"early first":          {[][]byte{early, late}, 0, time.Time{}, ""},
		"late first":           {[][]byte{late, early}, 0, time.Time{}, ""},
		"one of two is early":  {[][]byte{others, early}, 2, time.Time{}, "time: 1 of the 2 timestamps required are not later"},
		"window, early first":  {[][]byte{early, late}, 0, between, "time: outside the validity"},
		"window, late first":   {[][]byte{late, early}, 0, between, "time: outside the validity"},
		"only the early stamp": {[][]byte{early}, 1, between, ""},
	} {
		t.Run(name, func(t *testing.T) {
			q := parts{"mediaType": p["mediaType"], "dsseEnvelope": p["dsseEnvelope"], "verificationMaterial": parts{"publicKey": p.material()["publicKey"]}}
			trial{q.stamp(c.stamps...), TrustOptions{
				Root:         rootWith(t, namedChain{url: "https://a", chain: []*pkitest.Holder{one}}, namedChain{url: "https://b", chain: []*pkitest.Holder{other}}),
				Keys:         []attest.TrustedKey{{Name: "k", Key: key, NotAfter: c.until}},
				SignedBefore: &between, RequireTimestamps: c.n,
			}, c.refused}.run(t)
		})
	}
}

func TestEveryIdentity(t *testing.T) {
	var got []string
	names, issuers := []Matcher{Exactly("a"), Exactly("b")}, []Matcher{Exactly("x"), Exactly("y")}
	all, err := EveryIdentity(names, issuers)
	for _, i := range all {
		got = append(got, i.SubjectAlternativeName.String()+i.Issuer.String())
	}
	if want := []string{"ax", "ay", "bx", "by"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, c := range []struct {
		names, issuers []Matcher
		want           error
	}{{names, nil, ErrNoIssuer}, {nil, issuers, ErrNoName}, {nil, nil, nil}} {
		if got, err := EveryIdentity(c.names, c.issuers); got != nil || !errors.Is(err, c.want) {
			t.Errorf("%v with %v: %v, %v, want %v", c.names, c.issuers, got, err, c.want)
		}
	}
}

// TestKeysAlone: keys without demands are trusted as attest trusts them, and an error that a trusted root might mend says so.
func TestKeysAlone(t *testing.T) {
	key := keytest.New(t, signer.Ed25519).PublicKey()
	keys := []attest.TrustedKey{{Name: "k", Key: key}}
	usual, err := attest.TrustKeys(keys...)
	if err != nil {
		t.Fatal(err)
	}
	before, unset := time.Now(), time.Time{}
	for name, c := range map[string]struct {
		o         TrustOptions
		alone, no bool // no says that ErrNoRoot is wanted
	}{
		"keys": {TrustOptions{Keys: keys}, true, false}, "no logs": {TrustOptions{Keys: keys, RequireLogEntries: NoLogEntries}, true, false},
		"before": {TrustOptions{Keys: keys, SignedBefore: &before}, false, false}, "any time": {TrustOptions{Keys: keys, UnsafeAnyTime: true}, false, false},
		"stamped": {TrustOptions{Keys: keys, RequireTimestamps: 1}, false, true},
		"logged":  {TrustOptions{Keys: keys, RequireLogEntries: 1}, false, true}, "certified": {TrustOptions{Identities: make([]CertificateIdentity, 1)}, false, true},
	} {
		got, err := NewTrust(c.o)
		if (err != nil) != c.no || errors.Is(err, ErrNoRoot) != c.no || err == nil && (reflect.TypeOf(got) == reflect.TypeOf(usual)) != c.alone {
			t.Errorf("%s: %T, %v", name, got, err)
		}
	}
	for name, o := range map[string]TrustOptions{ // which no root mends
		"one key twice": {Keys: append(keys, keys...)}, "unset": {Keys: keys, SignedBefore: &unset},
		"timestamps": {Keys: keys, RequireTimestamps: -1}, "logs": {Keys: keys, RequireLogEntries: NoLogEntries - 1},
	} {
		if _, err := NewTrust(o); err == nil || errors.Is(err, ErrNoRoot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
