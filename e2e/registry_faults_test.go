package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
)

// Fifty processes attach to one artifact at once; nothing is lost.
func TestFiftyProcessesAttach(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		const writers = 50
		image := r.Host + "/acme/trainer:v1"
		d.image(image)
		d.declare("chat-llama-3.1-8b")
		d.makeKey("runattest", "ecdsa-p256", "--no-password")
		for i := range writers {
			d.runattest("sign", "--key", "runattest.key", "--subject-ref", image, "--annotation", fmt.Sprint("n=", i),
				"--bundle", fmt.Sprint(i, ".sigstore.json"), "run.json").ok()
		}
		var wg sync.WaitGroup
		outcomes := make([]outcome, writers)
		for i := range writers {
			wg.Go(func() { outcomes[i] = d.runattest("attach", image, fmt.Sprint(i, ".sigstore.json")) })
		}
		wg.Wait()
		for _, o := range outcomes {
			o.ok()
		}
		if sum := d.verifiesReference(0, "oci://"+image, "--strict"); sum.Good != writers {
			d.t.Errorf("%d of %d: %+v", sum.Good, writers, sum)
		}
	})
}

// refer puts a manifest there as another client would and, if the registry does not list referrers, adds it to the
// index.
func (d *desk) refer(host, repo, subject, artifactType, layer string) {
	d.t.Helper()
	base := "http://" + host + "/v2/" + repo
	for _, content := range []string{layer, "{}"} {
		sum := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content)))
		d.postBlob(base, sum, content)
	}
	m := d.manifest(host, repo, subject)
	size := len(d.rawManifest(base, subject))
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType, "artifactType": artifactType,
		"config":  map[string]any{"mediaType": "application/vnd.oci.empty.v1+json", "digest": fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("{}"))), "size": 2},
		"layers":  []any{map[string]any{"mediaType": artifactType, "digest": fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(layer))), "size": len(layer)}},
		"subject": map[string]any{"mediaType": m["mediaType"], "digest": subject, "size": size},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	sum := fmt.Sprintf("sha256:%x", sha256.Sum256(manifest))
	if status, answer := d.ask(http.MethodPut, base+"/manifests/"+sum, manifestType, manifest); status != http.StatusCreated {
		d.t.Fatalf("%d %s", status, answer)
	}
	if status, _ := d.ask(http.MethodGet, base+"/referrers/"+subject, "", nil); status == http.StatusOK {
		return
	}
	const indexType = "application/vnd.oci.image.index.v1+json"
	tag := base + "/manifests/" + strings.ReplaceAll(subject, ":", "-")
	_, data := d.ask(http.MethodGet, tag, indexType, nil)
	var index map[string]any
	if err := json.Unmarshal(data, &index); err != nil {
		d.t.Fatal(err)
	}
	entries, _ := index["manifests"].([]any)
	index["manifests"] = append(entries, map[string]any{"mediaType": manifestType, "artifactType": artifactType, "digest": sum, "size": len(manifest)})
	if data, err = json.Marshal(index); err != nil {
		d.t.Fatal(err)
	}
	if status, answer := d.ask(http.MethodPut, tag, indexType, data); status != http.StatusCreated {
		d.t.Fatalf("%d %s", status, answer)
	}
}

func (d *desk) rawManifest(base, digest string) []byte {
	d.t.Helper()
	_, data := d.ask(http.MethodGet, base+"/manifests/"+digest, manifestType, nil)
	return data
}

func (d *desk) postBlob(base, sum, content string) {
	d.t.Helper()
	resp, err := http.Post(base+"/blobs/uploads/", "application/octet-stream", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	resp.Body.Close()
	location, err := resp.Location()
	if err != nil {
		d.t.Fatal(err)
	}
	q := location.Query()
	q.Set("digest", sum)
	location.RawQuery = q.Encode()
	if status, answer := d.ask(http.MethodPut, location.String(), "application/octet-stream", []byte(content)); status != http.StatusCreated {
		d.t.Fatalf("%d %s", status, answer)
	}
}

// A referrer that says it is an attestation and is none hides nothing, and one of another type
// is counted.
func TestStrangeReferrers(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		image := r.Host + "/acme/trainer:v1"
		digest := d.image(image)
		d.declare("chat-llama-3.1-8b")
		d.makeKey("runattest", "ecdsa-p256", "--no-password")
		d.sign("runattest", "--attach", image)
		d.refer(r.Host, "acme/trainer", digest, bundleType, `{"not": "a bundle"}`)
		d.refer(r.Host, "acme/trainer", digest, "application/spdx+json", `{"spdxVersion": "SPDX-2.3"}`)
		want := tally{Good: 1, Malformed: 1, Foreign: 1}
		for status, flags := range [][]string{nil, {"--strict"}} {
			sum := d.verifiesReference(status, "oci://"+image, flags...)
			if sum.Artifact, sum.Verified = "", false; sum != want {
				d.t.Errorf("%+v, want %+v", sum, want)
			}
		}
		d.runattest("fetch", "-o", "all.sigstore.jsonl", image).refused("is malformed")
		d.verified("runattest.pub", "all.sigstore.jsonl")
	})
}

// htpasswd is alice's password, secret, in bcrypt.
const htpasswd = "alice:$2a$04$y7s7yVVVU3/J2LHuc4jrAe7cuXgHCFQD6LCISOVRMrJ5cLAoj2.ye\n"

// A registry with TLS by an authority of its own, and a login.
func TestPrivateRegistry(t *testing.T) {
	d := newDesk(t)
	certificate, key, err := services.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	d.write("ca.pem", certificate)
	d.write("tls.key", key)
	d.write("htpasswd", []byte(htpasswd))
	place := services.Place{Bin: bin, Dir: t.TempDir()}
	r, err := place.Distribution(t.Context(), d.path("ca.pem"), d.path("tls.key"), d.path("htpasswd"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	image := r.Host + "/acme/trainer:v1"
	d.env = append(d.env, "DOCKER_CONFIG="+d.dir)
	login := func(user string) {
		auth := base64.StdEncoding.EncodeToString([]byte(user + ":secret"))
		d.write("config.json", fmt.Appendf(nil, `{"auths": {%q: {"auth": %q}}}`, r.Host, auth))
	}
	login("alice")
	d.image(image, "--insecure")
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest", "--registry-ca", "ca.pem", "--attach", image)
	d.verifiesReference(0, "oci://"+image, "--registry-ca", "ca.pem", "--strict")

	login("mallory")
	for _, f := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--registry-ca", "ca.pem"}, `tried the credentials of user "mallory" from ` + d.path("config.json")},
		{nil, "400"}, // in plain HTTP
	} {
		o := d.runattest(append([]string{"list", image}, f.flags...)...)
		if o.code != 3 || !strings.Contains(o.stderr, f.want) || !strings.Contains(o.stderr, "hint: ") {
			t.Errorf("%s: exit status %d, want 3 and %q\n%s", o.command, o.code, f.want, o.stderr)
		}
	}
}
