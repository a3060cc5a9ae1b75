package e2e

import (
	"strings"
	"testing"
)

const linkType = "https://github.com/runattest/runattest/run-link/v1"

// TestCosignVerifiesLinks: to cosign a link is an attestation of the artifact.
func TestCosignVerifiesLinks(t *testing.T) {
	for _, a := range algorithms {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.declare("chat-llama-3.1-8b")
			d.write("model.bin", []byte("weights"))
			d.write("other.bin", []byte("other weights"))
			d.makeKey("runattest", a.name, "--no-password")
			d.makeKey("other", a.name, "--no-password")
			d.sign("runattest")
			d.runattest("link", "--key", "runattest.key", "--run", "runattest.sigstore.json", "--artifact", "model.bin", "--relation", "produced").ok()

			const link = "model.bin.link.sigstore.json"
			d.cosignVerifiesAs(linkType, "runattest.pub", link, "model.bin", a.digestFlags()...).ok()
			d.cosignVerifiesAs(linkType, "runattest.pub", link, "other.bin", a.digestFlags()...).refused(otherDigest)
			d.cosignVerifiesAs(linkType, "other.pub", link, "model.bin", a.digestFlags()...).refused(badSignature)
			d.cosignVerifiesAs(predicateType, "runattest.pub", link, "model.bin", a.digestFlags()...).refused(otherType)
			// a link says nothing of the canonical file, of which the run's own attestation is
			d.cosignVerifiesAs(linkType, "runattest.pub", link, "canonical.json", a.digestFlags()...).refused(otherDigest)
		})
	}
}

// TestRunattestVerifiesCosignsLinks: a link that cosign has signed is one.
func TestRunattestVerifiesCosignsLinks(t *testing.T) {
	d := newDesk(t)
	d.usePassword()
	d.declare("chat-llama-3.1-8b")
	d.write("model.bin", []byte("weights"))
	d.makeKey("runattest", "ecdsa-p256")
	d.sign("runattest")
	d.runattest("link", "--key", "runattest.key", "--run", "runattest.sigstore.json", "--artifact", "model.bin", "--relation", "produced").ok()
	d.statement("model.bin.link.sigstore.json", "statement.json")
	d.cosignAttests("runattest.key", "statement.json", "cosign.sigstore.json", d.withoutServices()).ok()
	verify := []string{"link", "verify", "--key", "runattest.pub", "--run", "runattest.sigstore.json", "--artifact", "model.bin", "--relation", "produced"}
	d.runattest(append(verify, "cosign.sigstore.json")...).ok()

	statement := string(d.read("statement.json"))
	changed := strings.Replace(statement, `"relation":"produced"`, `"relation":"produced","verified":true`, 1)
	if changed == statement {
		t.Fatal("nothing was changed in the statement")
	}
	d.write("changed.json", []byte(changed))
	d.cosignAttests("runattest.key", "changed.json", "changed.sigstore.json", d.withoutServices()).ok()
	d.cosignVerifiesAs(linkType, "runattest.pub", "changed.sigstore.json", "model.bin").ok()
	if o := d.runattest(append(verify, "changed.sigstore.json")...); o.code != 1 || !strings.Contains(string(o.stdout), `unknown member "verified"`) {
		t.Errorf("%s: exit status %d\n%s%s", o.command, o.code, o.stdout, o.stderr)
	}
}
