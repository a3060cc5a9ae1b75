package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"
)

const (
	emptyConfig = `{}`
	// appManifest is an artifact without layers.
	appManifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.acme.model",` +
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}`
)

// startRegistries gives a script two registries that have app:v1: $REGISTRY with the referrers API,
// $PLAIN without; $DIGEST is the artifact's. The folder layout.d has it, too.
func startRegistries(env *testscript.Env) error {
	for name, api := range map[string]bool{"REGISTRY": true, "PLAIN": false} {
		server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(api)))
		env.Defer(server.Close)
		env.Setenv(name, strings.TrimPrefix(server.URL, "http://"))
		for _, put := range [][2]string{
			{"blobs/uploads/?digest=" + digestOf(emptyConfig), emptyConfig},
			{"manifests/v1", appManifest},
		} {
			method := http.MethodPut
			if put[1] == emptyConfig {
				method = http.MethodPost
			}
			req, err := http.NewRequest(method, server.URL+"/v2/app/"+put[0], strings.NewReader(put[1]))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusCreated {
				return fmt.Errorf("%s: %s", put[0], resp.Status)
			}
		}
	}
	env.Setenv("DIGEST", digestOf(appManifest))
	return writeLayout(filepath.Join(env.WorkDir, "layout.d"))
}

func writeLayout(dir string) error {
	index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,`+
		`"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}`, digestOf(appManifest), len(appManifest))
	for name, text := range map[string]string{
		"oci-layout": `{"imageLayoutVersion":"1.0.0"}`,
		"index.json": index,
		"blobs/sha256/" + strings.TrimPrefix(digestOf(appManifest), "sha256:"): appManifest,
		"blobs/sha256/" + strings.TrimPrefix(digestOf(emptyConfig), "sha256:"): emptyConfig,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func digestOf(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }
