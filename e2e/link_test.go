package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
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

// TestArtifactLeadsBack: an image's name, the repository of runs and two public keys suffice to find and verify the run
// that made the image, as the worker claims. A link by another signer leads nowhere.
func TestArtifactLeadsBack(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		for _, name := range []string{"runattest", "worker", "eve"} {
			d.makeKey(name, "ecdsa-p256", "--no-password")
		}
		ref, repo := r.Host+"/acme/model:v1", r.Host+"/acme/runs"
		d.image(ref, "--insecure")
		run, other := d.descend("run", "training"), d.descend("other", "training", "airun:1:sha256:"+strings.Repeat("ab", 32))
		d.runattest("push", repo, "run.sigstore.json", "other.sigstore.json").ok()
		for by, bundle := range map[string]string{"worker": "run.sigstore.json", "eve": "other.sigstore.json"} {
			d.runattest("link", "--key", by+".key", "--run", bundle, "--artifact", "oci://"+ref, "--relation", "produced", "--bundle", by+".link.json").ok()
			d.runattest("attach", ref, by+".link.json").ok()
		}

		found := newDesk(d.t)
		for _, key := range []string{"runattest.pub", "worker.pub"} {
			found.write(key, d.read(key))
		}
		found.runattest("fetch", "--predicate-type", "run-link/v1", "-o", "links.sigstore.jsonl", ref).ok()
		verify := []string{"link", "verify", "--key", "worker.pub", "--relation", "produced", "--artifact", "oci://" + ref}
		var runs []string
		for line := range strings.Lines(string(found.runattest(append(verify, "--format", "json", "links.sigstore.jsonl")...).stdout)) {
			var link struct {
				Verified bool
				Claim    *struct{ Run string }
			}
			if err := json.Unmarshal([]byte(line), &link); err != nil {
				t.Fatal(err)
			}
			if link.Verified {
				runs = append(runs, link.Claim.Run)
			} else if link.Claim != nil {
				t.Errorf("what is not verified claims something: %s", line)
			}
		}
		if len(runs) != 1 || runs[0] != run || run == other {
			t.Fatalf("led to %v, want %s", runs, run)
		}
		found.runattest("fetch", "-o", "found.sigstore.jsonl", repo+"@"+run).ok()
		found.runattest("verify", "--key", "runattest.pub", "--identity", run, "found.sigstore.jsonl").ok()
		if o := found.runattest(append(verify, "--run", run, "links.sigstore.jsonl")...); !strings.Contains(string(o.stdout), "verified, as a claim by its signer\n") {
			t.Errorf("no report calls it a claim:\n%s", o.stdout)
		}
	})
}
