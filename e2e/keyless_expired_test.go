package e2e

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// update makes the fixed bundles anew: see testdata/keyless/README.md.
var update = flag.Bool("update", false, "make testdata/keyless anew, with the services; its tests pass from ten minutes later on")

var updated sync.Once

const fixedDir = "testdata/keyless"

// fixed is who signed the fixed bundles: testdata/keyless/signer.json.
type fixed struct {
	Identity string    `json:"identity"`
	Issuer   string    `json:"issuer"`
	Expires  time.Time `json:"expires"` // the certificate
}

// useFixed is a desk with the fixed files, and no services.
func useFixed(t *testing.T) (*desk, fixed) {
	t.Helper()
	if *update {
		updated.Do(func() { updateFixed(t) })
		t.Skip("made anew; run the tests again in ten minutes, without -update")
	}
	d := newDesk(t)
	if err := os.CopyFS(d.dir, os.DirFS(fixedDir)); err != nil {
		t.Fatal(err)
	}
	var by fixed
	if err := json.Unmarshal(d.read("signer.json"), &by); err != nil {
		t.Fatal(err)
	}
	declared, _ := d.declaration(d.readBundle("keyless.sigstore.json"))
	d.write("canonical.json", declared)
	return d, by
}

func updateFixed(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless("keyless.sigstore.json").ok()
	d.makeKey("key", "ecdsa-p256", "--no-password")
	d.signs("key.sigstore.json", "--key", "key.key", "--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json").ok()
	d.writeJSON("signer.json", fixed{ada, s.Issuer.URL, d.certificate("keyless.sigstore.json").NotAfter})
	for _, name := range []string{"keyless.sigstore.json", "key.sigstore.json", "key.pub", "trusted_root.json", "signer.json"} {
		if err := os.WriteFile(filepath.Join(fixedDir, name), d.read(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// certificate returns the signing certificate in a bundle.
func (d *desk) certificate(bundle string) *x509.Certificate {
	d.t.Helper()
	var cert *x509.Certificate
	d.look(bundle, func(b object) {
		der, err := base64.StdEncoding.DecodeString(at(b, "verificationMaterial", "certificate")["rawBytes"].(string))
		if err == nil {
			cert, err = x509.ParseCertificate(der)
		}
		if err != nil {
			d.t.Fatalf("%s: %v", bundle, err)
		}
	})
	return cert
}

// A signature under a certificate of ten minutes verifies long after the certificate has expired, from the files
// alone: none of the servers that took part exists any more.
func TestExpiredCertificate(t *testing.T) {
	d, by := useFixed(t)
	cert := d.certificate("keyless.sigstore.json")
	if !cert.NotAfter.Equal(by.Expires) || cert.NotAfter.Sub(cert.NotBefore) > time.Hour {
		t.Fatalf("the certificate is valid from %s to %s, want some minutes until %s", cert.NotBefore, cert.NotAfter, by.Expires)
	}
	if now := time.Now(); !now.After(cert.NotAfter) {
		t.Fatalf("the certificate is valid until %s, and it is %s: wait, or set the clock", cert.NotAfter, now.UTC())
	}
	said := d.believesAs("trusted_root.json", by.Identity, by.Issuer, "keyless.sigstore.json",
		"--require-timestamp", "1", "--require-log", "1", "--signed-before", by.Expires.Format(time.RFC3339)).yes()
	if len(said.Times) != 1 || said.Times[0].Time > by.Expires.Format(time.RFC3339) {
		t.Errorf("signed at %v, want a time in the certificate's", said.Times)
	}
	d.cosignVerifiesKeyless("trusted_root.json", by.Identity, by.Issuer, "keyless.sigstore.json").ok()

	d.alter("keyless.sigstore.json", "bare.sigstore.json", func(b object) { delete(material(b), "timestampVerificationData") })
	d.believesAs("trusted_root.json", by.Identity, by.Issuer, "bare.sigstore.json").no("time", "no trusted timestamp: the bundle has none")
}

// An authority, a timestamper or a key that is no longer believed was believed when the bundle was made.
func TestRotatedTrust(t *testing.T) {
	d, by := useFixed(t)
	made := d.certificate("keyless.sigstore.json").NotBefore
	until := func(list string, end time.Time) func(object) {
		return func(root object) {
			at(root, list, 0)["validFor"] = services.TimeRange{Start: made.Add(-24 * time.Hour), End: end}
		}
	}
	later, earlier := made.Add(time.Hour), made.Add(-time.Hour)
	for _, c := range []struct {
		name          string
		change        func(object)
		check, reason string
	}{
		{"authority", until("certificateAuthorities", later), "", ""},
		{"authority, too early", until("certificateAuthorities", earlier), "signer", "by no authority that the trusted root names"},
		{"timestamper", until("timestampAuthorities", later), "", ""},
		{"timestamper, too early", until("timestampAuthorities", earlier), "time", "the authority is trusted from "},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			d.alter("trusted_root.json", "rotated.json", c.change)
			o := d.believesAs("rotated.json", by.Identity, by.Issuer, "keyless.sigstore.json")
			if c.check == "" {
				o.yes()
			} else {
				o.no(c.check, c.reason)
			}
		})
	}
	window := func(from, until time.Time) outcome {
		return d.believes("key.sigstore.json", "--trusted-root", "trusted_root.json", "--key", "key.pub",
			"--key-validity", "key.pub="+from.Format(time.RFC3339)+"/"+until.Format(time.RFC3339))
	}
	window(earlier, later).yes()
	window(earlier.Add(-time.Hour), earlier).no("time", "is outside the validity of key key.pub")
	window(later, later.Add(time.Hour)).no("time", "is outside the validity of key key.pub")
}
