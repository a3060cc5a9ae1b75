package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
	"github.com/runattest/runattest/e2e/internal/tools"
)

const toolTimeout = 15 * time.Minute // the first time it is built

// registryTools are crane, oras and regctl, installed with the first test that asks for them.
var registryTools = sync.OnceValues(func() (paths [3]string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	defer cancel()
	for i, tool := range []tools.Tool{tools.Crane, tools.Oras, tools.Regctl} {
		if paths[i], err = tools.Install(ctx, bin, tool); err != nil {
			return paths, err
		}
	}
	return paths, nil
})

func (d *desk) registryTool(i int, args []string) outcome {
	d.t.Helper()
	paths, err := registryTools()
	if err != nil {
		d.t.Fatal(err)
	}
	return d.run(paths[i], args)
}

func (d *desk) crane(args ...string) outcome { d.t.Helper(); return d.registryTool(0, args) }
func (d *desk) oras(args ...string) outcome  { d.t.Helper(); return d.registryTool(1, args) }

// regctl works without a configuration of its own.
func (d *desk) regctl(args ...string) outcome { d.t.Helper(); return d.registryTool(2, args) }

// registryKinds are the registries that the tests are about: the CNCF's has no referrers API.
var registryKinds = []string{"distribution", "cue", "ggcr"}

// startRegistry starts a registry for this test alone.
func startRegistry(t *testing.T, kind string) *services.Registry {
	t.Helper()
	place := services.Place{Bin: bin, Dir: t.TempDir()}
	ctx, cancel := context.WithTimeout(t.Context(), toolTimeout)
	defer cancel()
	var r *services.Registry
	var err error
	if kind == "distribution" {
		r, err = place.Distribution(ctx, "", "", "")
	} else {
		r, err = place.InMemory(ctx, kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r
}

// onEachRegistry runs a test with a registry of each kind.
func onEachRegistry(t *testing.T, test func(d *desk, r *services.Registry)) {
	for _, kind := range registryKinds {
		t.Run(kind, func(t *testing.T) { test(newDesk(t), startRegistry(t, kind)) })
	}
}

// image pushes an image with one file in it and returns its digest.
func (d *desk) image(ref string, flags ...string) string {
	d.t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	text := []byte("weights of " + ref)
	if err := w.WriteHeader(&tar.Header{Name: "model.bin", Mode: 0o644, Size: int64(len(text))}); err != nil {
		d.t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		d.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		d.t.Fatal(err)
	}
	d.write("layer.tar", layer.Bytes())
	d.crane(append([]string{"append", "--oci-empty-base", "-f", "layer.tar", "-t", ref}, flags...)...).ok()
	return strings.TrimSpace(string(d.crane(append([]string{"digest", ref}, flags...)...).ok()))
}

// tally is the last line of verify --format json about a reference: docs/output.md.
type tally struct {
	Artifact    string `json:"artifact"`
	Verified    bool   `json:"verified"`
	Good        int    `json:"verifiedBundles"`
	NotVerified int    `json:"notVerifiedBundles"`
	Malformed   int    `json:"malformed"`
	Foreign     int    `json:"foreign"`
	Others      int    `json:"otherPredicateTypes"`
}

// verifiesReference has runattest verify all that is attached, and demands its exit status.
func (d *desk) verifiesReference(status int, ref string, flags ...string) tally {
	d.t.Helper()
	o := d.runattest(append([]string{"verify", "--format", "json", "--key", "runattest.pub", ref}, flags...)...)
	lines := bytes.Split(bytes.TrimSpace(o.stdout), []byte("\n"))
	var sum tally
	if err := json.Unmarshal(lines[len(lines)-1], &sum); err != nil || o.code != status || sum.Verified != (status == 0) {
		d.t.Fatalf("%s: exit status %d, want %d; %v\n%s%s", o.command, o.code, status, err, o.stdout, o.stderr)
	}
	return sum
}

// ask is a plain request to a registry.
func (d *desk) ask(method, url, mediaType string, body []byte) (status int, answer []byte) {
	d.t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", mediaType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	bundleType   = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// manifest is a manifest as JSON has it.
func (d *desk) manifest(host, repo, digest string) map[string]any {
	d.t.Helper()
	status, data := d.ask(http.MethodGet, "http://"+host+"/v2/"+repo+"/manifests/"+digest, manifestType, nil)
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil || status != http.StatusOK {
		d.t.Fatalf("%s: %d, %v", digest, status, err)
	}
	return m
}

// listed are the rows of runattest list.
func (d *desk) listed(ref string) (rows []struct {
	Referrer      string `json:"referrer"`
	PredicateType string `json:"predicateType"`
	Signer        string `json:"claimedSigner"`
	Malformed     string `json:"malformed"`
}) {
	d.t.Helper()
	out := json.NewDecoder(bytes.NewReader(d.runattest("list", "--format", "json", ref).ok()))
	for out.More() {
		rows = append(rows, struct {
			Referrer      string `json:"referrer"`
			PredicateType string `json:"predicateType"`
			Signer        string `json:"claimedSigner"`
			Malformed     string `json:"malformed"`
		}{})
		if err := out.Decode(&rows[len(rows)-1]); err != nil {
			d.t.Fatal(err)
		}
	}
	return rows
}
