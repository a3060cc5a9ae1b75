package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

const (
	ada = "ada@example.com"
	bob = "bob@example.com"
)

// declareStatement puts canonical.json on the desk, and our statement about it as statement.json.
func (d *desk) declareStatement() {
	d.t.Helper()
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest")
	d.statement("runattest.sigstore.json", "statement.json")
}

// These hold the servers to a client that knows the real ones.

func TestCosignKeyless(t *testing.T) {
	d := newDesk(t)
	s := d.useServices()
	d.declareStatement()
	for _, who := range []struct {
		name, identity string
		issuer         *services.Issuer
		token          services.Token
	}{
		{"email", ada, s.Issuer, services.Token{Email: ada}},
		{"job", services.JobIdentity, s.CI, services.Token{Subject: services.JobSubject, Claims: services.Job()}},
	} {
		t.Run(who.name, func(t *testing.T) {
			d := d.in(t)
			d.mint("token", who.issuer, who.token)
			d.cosignAttestsKeyless("cosign.sigstore.json", "--identity-token=token").ok()
			check := func(identity, issuer string) outcome {
				return d.cosignVerifiesKeyless("trusted_root.json", identity, issuer, "cosign.sigstore.json")
			}
			check(who.identity, who.issuer.URL).ok()
			check(bob, who.issuer.URL).refused("expected SAN value")
			check(who.identity, "https://issuer.local.test").refused("expected issuer value")
		})
	}
}

func TestCosignGetsTokens(t *testing.T) {
	d := newDesk(t)
	s := d.useServices()
	d.declareStatement()
	d.useBrowser()
	for _, c := range []struct {
		name, identity, issuer string
		env, flags             []string
	}{
		{"variable", bob, s.Issuer.URL, []string{"SIGSTORE_ID_TOKEN=" + d.minted(s.Issuer, services.Token{Email: bob})}, nil},
		{"job", services.JobIdentity, s.CI.URL, []string{
			"ACTIONS_ID_TOKEN_REQUEST_URL=" + s.CI.URL + "/actions?", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + services.RunnerToken,
		}, nil},
		{"browser", services.Person, s.Issuer.URL, nil, []string{"--fulcio-auth-flow=normal"}},
		{"device", services.Person, s.Issuer.URL, nil, []string{"--fulcio-auth-flow=device"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			d.env = append(slices.Clone(d.env), c.env...)
			d.cosignAttestsKeyless("cosign.sigstore.json", c.flags...).ok()
			d.cosignVerifiesKeyless("trusted_root.json", c.identity, c.issuer, "cosign.sigstore.json").ok()
		})
	}
}

// The authority refuses a token that is not valid now, or not for it.
func TestFulcioReadsTokens(t *testing.T) {
	d := newDesk(t)
	s := d.useServices()
	d.declareStatement()
	for name, token := range map[string]services.Token{
		"expired":  {Email: ada, Age: time.Hour},
		"future":   {Email: ada, Age: -time.Hour},
		"audience": {Email: ada, Audience: "another service"},
		"issuer":   {Email: ada, Claims: map[string]any{"iss": s.CI.URL}},
	} {
		t.Run(name, func(t *testing.T) {
			d := d.in(t)
			d.mint("token", s.Issuer, token)
			d.cosignAttestsKeyless("cosign.sigstore.json", "--identity-token=token").refused("Fulcio returned 400")
		})
	}
}

// A front without a fault is not noticed, and counts.
func TestCosignThroughFronts(t *testing.T) {
	d := newDesk(t)
	s := d.useServices()
	d.declareStatement()
	d.mint("token", s.Issuer, services.Token{Email: ada})
	config := s.SigningConfig()
	var fronts []*services.Front
	for _, url := range []*string{&config.CAURLs[0].URL, &config.RekorTlogURLs[0].URL, &config.TSAURLs[0].URL} {
		front, err := services.Faulty(*url, services.Unavailable(0))
		if err != nil {
			t.Fatal(err)
		}
		defer front.Stop()
		*url = front.URL
		fronts = append(fronts, front)
	}
	d.writeJSON("signing_config.json", config)
	d.cosignAttestsKeyless("cosign.sigstore.json", "--identity-token=token").ok()
	d.cosignVerifiesKeyless("trusted_root.json", ada, s.Issuer.URL, "cosign.sigstore.json").ok()
	for _, front := range fronts {
		if front.Requests() != 1 {
			t.Errorf("%s: %d requests, want 1", front.URL, front.Requests())
		}
	}
}

// Each server's part in a bundle is checked: without its key, or with a stranger's, cosign says no.
func TestCosignNeedsEveryServer(t *testing.T) {
	const (
		noChain     = "leaf certificate verification failed"
		noSCT       = "only able to verify 0 SCT entries"
		noEntry     = "not enough verified log entries"
		noSignature = "note has no verifiable signatures"
		noTime      = "threshold not met for verified signed timestamps"
	)
	d := newDesk(t)
	s := d.useServices()
	d.declareStatement()
	d.mint("token", s.Issuer, services.Token{Email: ada})
	d.cosignAttestsKeyless("cosign.sigstore.json", "--identity-token=token").ok()
	strangers, err := services.Place{Bin: bin, Dir: t.TempDir()}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer strangers.Stop()
	other := strangers.TrustedRoot()
	for _, c := range []struct {
		name   string
		alter  func(*services.TrustedRoot)
		reason string
	}{
		{"no authority", func(r *services.TrustedRoot) { r.CertificateAuthorities = nil }, noChain},
		{"other authority", func(r *services.TrustedRoot) { r.CertificateAuthorities = other.CertificateAuthorities }, noChain},
		{"no ct log", func(r *services.TrustedRoot) { r.CTLogs = nil }, noSCT},
		{"other ct log", func(r *services.TrustedRoot) { r.CTLogs[0].PublicKey = other.CTLogs[0].PublicKey }, noSCT},
		{"no log", func(r *services.TrustedRoot) { r.Tlogs = nil }, noEntry},
		{"other log", func(r *services.TrustedRoot) { r.Tlogs[0].PublicKey = other.Tlogs[0].PublicKey }, noSignature},
		{"log's name", func(r *services.TrustedRoot) { r.Tlogs[0].BaseURL = "https://log.local.test" }, noSignature},
		{"no timestamper", func(r *services.TrustedRoot) { r.TimestampAuthorities = nil }, noTime},
		{"other timestamper", func(r *services.TrustedRoot) { r.TimestampAuthorities = other.TimestampAuthorities }, noTime},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			root := s.TrustedRoot()
			c.alter(root)
			d.writeJSON("altered.json", root)
			d.cosignVerifiesKeyless("altered.json", ada, s.Issuer.URL, "cosign.sigstore.json").refused(c.reason)
		})
	}
}
