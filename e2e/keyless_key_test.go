package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// useKey is a desk with a key as well, and the flags that trust it.
func useKey(t *testing.T) (d *desk, s *services.Services, trust []string) {
	t.Helper()
	d, s = useOurs(t)
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	return d, s, []string{"--key", "runattest.pub", "--trusted-root", "trusted_root.json"}
}

// A key signs, an authority says when: declared before executed.
func TestKeyWithTimestamp(t *testing.T) {
	d, s, trust := useKey(t)
	d.signs(ours, "--key", "runattest.key", "--timestamp-server", s.Timestamper.URL, "--trusted-root", "trusted_root.json").ok()
	with := func(flags ...string) outcome { return d.believes(ours, append(trust, flags...)...) }
	said := with("--require-timestamp", "1").yes()
	if said.Signer.Kind != "key" || len(said.Times) != 1 || len(said.Logs) != 0 {
		t.Fatalf("%+v, want it by a key, with a time and no log", said)
	}
	stamped := said.Times[0].latest(t)
	at := func(d time.Duration) string { return stamped.Add(d).Format(time.RFC3339) }
	with("--signed-before", at(time.Second)).yes()
	with("--signed-before", at(0)).yes()
	with("--signed-before", at(-time.Second)).no("time", "which does not prove that it was before "+at(-time.Second))
	with("--key-validity", "runattest.pub="+at(-time.Hour)+"/"+at(time.Hour)).yes()
	with("--key-validity", "runattest.pub=/"+at(-time.Second)).no("time", "is outside the validity of key runattest.pub")
	with("--key-validity", "runattest.pub="+at(time.Second)+"/").no("time", "is outside the validity of key runattest.pub")
	with("--require-log", "1").no("time", "no log entry: the bundle has none")
	d.cosignVerifies("runattest.pub", ours, "canonical.json", "--trusted-root", "trusted_root.json", "--use-signed-timestamps").ok()

	d.believes(ours, "--key", "runattest.pub").yes()
	d.believes(ours, "--key", "runattest.pub", "--signed-before", at(time.Hour)).no("time", "no timestamp authority is configured to prove when it was signed")
	d.signs("bare.sigstore.json", "--key", "runattest.key").ok()
	d.believes("bare.sigstore.json", append(trust, "--signed-before", at(time.Hour))...).no("time", "no trusted timestamp: the bundle has none")
	d.believes("bare.sigstore.json", append(trust, "--require-timestamp", "1")...).no("time", "sign with --timestamp-server")
}

// Rekor v2 publishes, and signs no time.
func TestKeyWithRekor(t *testing.T) {
	d, s, trust := useKey(t)
	d.signs(ours, "--key", "runattest.key", "--rekor", s.Rekor.URL, "--trusted-root", "trusted_root.json").ok()
	said := d.believes(ours, append(trust, "--require-log", "1")...).yes()
	if len(said.Logs) != 1 || len(said.Times) != 0 {
		t.Errorf("%+v, want a log and no time", said)
	}
	d.believes(ours, append(trust, "--signed-before", "2100-01-01T00:00:00Z")...).no("time", "no trusted timestamp: the bundle has none")

	d.makeKey("rsa", "rsa-2048", "--no-password") // which signs one thing in one way
	d.signs("rsa.sigstore.json", "--key", "rsa.key", "--rekor", s.Rekor.URL).ok()
	d.signs("again.sigstore.json", "--key", "rsa.key", "--rekor", s.Rekor.URL).failed("an equivalent entry already exists in the transparency log")

	d.makeKey("other", "ed25519", "--no-password")
	d.signs("none.sigstore.json", "--key", "other.key", "--rekor", s.Rekor.URL).malformed("Rekor v2 takes no Ed25519 signatures")
}

// Two authorities have to agree, and one of them that answers twice is one.
func TestTwoTimestamps(t *testing.T) {
	d, s, _ := useKey(t)
	second, err := services.Place{Bin: bin, Dir: t.TempDir()}.Timestamper(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Stop()
	root := s.TrustedRoot()
	root.TimestampAuthorities = append(root.TimestampAuthorities, second.Authority)
	d.writeJSON("both.json", root)
	sign := func(bundle string, urls ...string) {
		flags := []string{"--key", "runattest.key"}
		for _, url := range urls {
			flags = append(flags, "--timestamp-server", url)
		}
		d.signs(bundle, flags...).ok()
	}
	sign("two.sigstore.json", s.Timestamper.URL, second.URL)
	sign("one.sigstore.json", second.URL)
	sign("twice.sigstore.json", second.URL, strings.Replace(second.URL, "127.0.0.1", "localhost", 1)) // by another name of its host
	d.signs("same.sigstore.json", "--key", "runattest.key", "--timestamp-server", second.URL, "--timestamp-server", second.URL).malformed("twice")
	with := func(bundle, n string) outcome {
		return d.believes(bundle, "--key", "runattest.pub", "--trusted-root", "both.json", "--require-timestamp", n)
	}
	if said := with("two.sigstore.json", "2").yes(); len(said.Times) != 2 || said.Times[0].Authority == said.Times[1].Authority {
		t.Errorf("times %v, want one by each authority", said.Times)
	}
	with("one.sigstore.json", "1").yes()
	with("one.sigstore.json", "2").no("time", "no trusted timestamp (1 of 2 required)")
	with("twice.sigstore.json", "2").no("time", "(1 of 2 required): the bundle has 2, by 1 authorities")
	with("two.sigstore.json", "3").malformed("3 timestamps required, but the trusted root names 2 timestamp authorities")
	// who trusts one of them only
	d.believes("two.sigstore.json", "--key", "runattest.pub", "--trusted-root", "trusted_root.json", "--require-timestamp", "1").yes()
	d.signs("none.sigstore.json", "--key", "runattest.key", "--timestamp-server", second.URL, "--trusted-root", "trusted_root.json").
		refused("not verified: time: no trusted timestamp")
	if _, ok := d.snapshot()["none.sigstore.json"]; ok {
		t.Error("what is not to be believed was written")
	}
}
