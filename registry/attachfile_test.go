package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// The run is in an OCI layout, where its bundle is attached to it. An artifact's reference is its tag or its digest:
// oci-layout://image.d:v3, ghcr.io/acme/trainer:v3.
func ExampleAttachFile() {
	ctx := context.Background()
	dir, reference, bundle := storedRun(ctx)
	defer os.RemoveAll(dir)

	attached, err := registry.AttachFile(ctx, reference, bundle, registry.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(attached.PredicateType, attached.Existed)
	// Output: https://github.com/runattest/runattest/run-identity/v1 false
}

// storedRun is a folder, a reference to a run in a layout there, and the file of a bundle of the run.
func storedRun(ctx context.Context) (dir, reference, bundle string) {
	dir, err := os.MkdirTemp("", "runs-*")
	if err != nil {
		log.Fatal(err)
	}
	layout := filepath.Join(dir, "runs")
	if err := registry.CreateLayout(layout); err != nil {
		log.Fatal(err)
	}
	declaration, data, _ := signedRun(ctx)
	repository, err := registry.ParseReference("oci-layout://" + layout)
	if err != nil {
		log.Fatal(err)
	}
	target, err := registry.Open(repository, registry.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, _, err := target.PushRun(ctx, declaration); err != nil {
		log.Fatal(err)
	}
	bundle = filepath.Join(dir, "run.json.sigstore.json")
	if err := os.WriteFile(bundle, data, 0o600); err != nil {
		log.Fatal(err)
	}
	return dir, "oci-layout://" + layout + "@" + declaration.ID().String(), bundle
}

func TestAttachFile(t *testing.T) {
	ctx := context.Background()
	dir, reference, bundle := storedRun(ctx)
	defer os.RemoveAll(dir)
	other := filepath.Join(dir, "other.json")
	if err := os.WriteFile(other, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if a, err := registry.AttachFile(ctx, reference, bundle, registry.Options{}); err != nil || !strings.HasPrefix(a.Referrer, "sha256:") {
			t.Fatalf("got %+v, %v", a, err)
		}
	}
	if a, err := registry.AttachFile(ctx, reference, bundle, registry.Options{}); err != nil || !a.Existed {
		t.Errorf("again: got %+v, %v", a, err)
	}
	if _, err := registry.AttachFile(ctx, reference, other, registry.Options{}); !errors.Is(err, attest.ErrMalformed) || !strings.HasPrefix(err.Error(), other+": ") {
		t.Errorf("no bundle: got %v", err)
	}
	if _, err := registry.AttachFile(ctx, reference, filepath.Join(dir, "absent"), registry.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if _, err := registry.AttachFile(ctx, "oci-layout://"+dir+"/runs:absent", bundle, registry.Options{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no artifact: got %v", err)
	}
	if _, err := registry.AttachFile(ctx, "::", bundle, registry.Options{}); !errors.Is(err, registry.ErrReference) {
		t.Errorf("no reference: got %v", err)
	}
}
