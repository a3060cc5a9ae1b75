package registry_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry"
)

func TestRuns(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		repo := s.host + "/app"
		d := declare(t, 1)
		target := open(t, repo)
		if _, _, err := target.FetchRun(context.Background(), d.ID()); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("before: %v", err)
		}
		a, attached, err := target.PushRun(context.Background(), d, sign(t, 1, attest.StatementOptions{}), sign(t, 1, attest.StatementOptions{Detached: &attest.DeclarationRef{}}))
		if err != nil || len(attached) != 2 || a.Run() != d.ID() {
			t.Fatalf("%v, %v", attached, err)
		}
		again, attached, err := open(t, repo).PushRun(context.Background(), d, sign(t, 1, attest.StatementOptions{}))
		if err != nil || again.Digest() != a.Digest() || !attached[0].Existed {
			t.Errorf("again: %s, %v, %v; want %s", again.Digest(), attached, err, a.Digest())
		}
		got, _, err := open(t, repo).FetchRun(context.Background(), d.ID())
		if err != nil || got.ID() != d.ID() || !bytes.Equal(got.Canonical(), d.Canonical()) {
			t.Fatalf("%v", err)
		}
		found, _, errs := fetchAll(t, repo+"@"+d.ID().String())
		if len(found) != 2 || len(errs) > 0 {
			t.Errorf("%d attestations, %v", len(found), errs)
		}
		if _, _, err := target.PushRun(context.Background(), d, sign(t, 2, attest.StatementOptions{})); !errors.Is(err, registry.ErrNotSubject) {
			t.Errorf("another run's attestation: %v", err)
		}
		if wrong, ok := errors.AsType[*registry.NotSubjectError](target.CheckAttach(a)); !ok || !wrong.IsRun || wrong.Artifact != a.Reference {
			t.Errorf("an attestation that names the run's declaration as a subject: %v", wrong)
		}
		s.artifact()
		if target, artifact := resolve(t, repo+":v1"); target.CheckAttach(artifact) != nil {
			t.Error("an artifact takes no attestation that names it")
		}
	})
}

// A registry that serves another run under a run's tag is found out.
func TestFetchRunRecomputes(t *testing.T) {
	s := newServer(t, true)
	d, other := declare(t, 1), declare(t, 2)
	tag := strings.ReplaceAll(d.ID().String(), ":", "-")
	run := func(data []byte) ocispec.Manifest {
		layer := blob(string(data))
		layer.MediaType = identity.MediaType
		s.put("blob", "", "", data)
		return ocispec.Manifest{ArtifactType: identity.MediaType, Layers: []ocispec.Descriptor{layer}}
	}
	for name, m := range map[string]ocispec.Manifest{
		"another run":    run(other.Canonical()),
		"no declaration": {ArtifactType: "application/vnd.acme.model", Layers: []ocispec.Descriptor{}},
	} {
		s.manifest(tag, m)
		if _, _, err := open(t, s.host+"/app").FetchRun(context.Background(), d.ID()); !errors.Is(err, registry.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := open(t, s.host+"/app@"+d.ID().String()).Resolve(context.Background()); !errors.Is(err, registry.ErrMismatch) {
			t.Errorf("%s: resolved: %v", name, err)
		}
	}
	// The layer's digest is an identity, but not its own: the text is not canonical.
	spaced := append([]byte(" "), d.Canonical()...)
	s.manifest("v9", runManifest(s, spaced))
	target, a := resolve(t, s.host+"/app:v9")
	if _, err := target.Declaration(context.Background(), a); !errors.Is(err, registry.ErrMismatch) {
		t.Errorf("not canonical: %v", err)
	}
}

// runManifest is the one manifest that a run's declaration has.
func runManifest(s *server, data []byte) ocispec.Manifest {
	s.put("blob", "", "", data)
	layer := blob(string(data))
	layer.MediaType = identity.MediaType
	layer.Annotations = map[string]string{ocispec.AnnotationTitle: "airun-1-sha256-" + layer.Digest.Encoded() + ".json"}
	return ocispec.Manifest{ArtifactType: identity.MediaType, Layers: []ocispec.Descriptor{layer}}
}

// A manifest that holds a run's declaration and says something else besides is an artifact like any other: the
// run's attestation is about its declaration, and not about that.
func TestRunWithSomethingElse(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		d := declare(t, 1)
		bundle := sign(t, 1, attest.StatementOptions{})
		s.put("blob", "", "", []byte("evil"))
		for name, change := range map[string]func(m *ocispec.Manifest){
			"config":     func(m *ocispec.Manifest) { m.Config = blob("evil") },
			"annotation": func(m *ocispec.Manifest) { m.Annotations = map[string]string{"org.example.entrypoint": "evil"} },
			"name":       func(m *ocispec.Manifest) { m.Layers[0].Annotations[ocispec.AnnotationTitle] = "../evil" },
			"nothing":    func(*ocispec.Manifest) {},
		} {
			m := runManifest(s, d.Canonical())
			change(&m)
			sum := s.manifest("v1", m)
			target, a := resolve(t, s.host+"/app@"+sum.Digest.String())
			_, err := target.Attach(context.Background(), a, bundle)
			want, expectErr := a.Expect(attest.Expect{})
			if name == "nothing" {
				if err != nil || expectErr != nil || a.Run() != d.ID() || len(want.Artifacts) != 0 {
					t.Errorf("the run itself: %v, %v", err, expectErr)
				}
				continue
			}
			if !errors.Is(err, registry.ErrNotSubject) || expectErr != nil || !a.Run().IsZero() || len(want.Artifacts) != 1 {
				t.Errorf("%s: taken for the run: %v, %v", name, err, expectErr)
			}
		}
	})
}

// TestPushByIdentity: bundles are added to a run that is there, whose declaration need not be given again.
func TestPushByIdentity(t *testing.T) {
	dir := t.TempDir() + "/runs"
	if err := registry.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	ref, err := registry.ParseReference("oci-layout://" + dir)
	if err != nil {
		t.Fatal(err)
	}
	target, err := registry.Open(ref, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, bundle := declare(t, 1), sign(t, 1, attest.StatementOptions{})
	run := registry.Run{ID: d.ID(), Bundles: [][]byte{bundle}}
	_, err = target.PushRuns(t.Context(), run)
	if missing, ok := errors.AsType[*registry.NoDeclarationError](err); !ok || missing.Run != d.ID() || !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a run that is not there: %v", err)
	}
	if _, err := target.PushRuns(t.Context(), registry.Run{ID: declare(t, 2).ID(), Declaration: d}); err == nil {
		t.Error("a declaration passed for that of another run")
	}
	if _, _, err := target.PushRun(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	runs := []registry.Run{run}
	pushed, err := target.PushRuns(t.Context(), runs...)
	if err != nil || len(pushed) != 1 || pushed[0].Artifact.Run() != d.ID() || len(pushed[0].Attached) != 1 || pushed[0].Attached[0].Existed {
		t.Errorf("a run that is there: %v, %v", pushed, err)
	}
	if runs[0].Declaration != nil {
		t.Error("the caller's run has changed")
	}
}
