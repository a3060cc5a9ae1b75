package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/registry"
)

// signSet signs runs of these seeds as a set, and gives its file and the proof of each.
func signSet(t *testing.T, o attest.StatementOptions, seeds ...int) (file []byte, proofs [][]byte) {
	t.Helper()
	by, err := key()
	if err != nil {
		t.Fatal(err)
	}
	runs := func() iter.Seq2[*attest.Statement, error] {
		return func(yield func(*attest.Statement, error) bool) {
			for _, seed := range seeds {
				if !yield(attest.New(declare(t, seed), o)) {
					return
				}
			}
		}
	}
	var set bytes.Buffer
	_, err = runset.Write(t.Context(), &set, runs, runset.WriteOptions{Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, by, attest.SignOptions{})
	}})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := runset.Open(bytes.NewReader(set.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for proof, err := range opened.Proofs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		text, err := proof.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		proofs = append(proofs, text)
	}
	return set.Bytes(), proofs
}

// A proof lies under its run's identity, as a bundle does, under its own media type.
func TestPushProof(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		_, proofs := signSet(t, attest.StatementOptions{}, 1, 2, 3)
		target := open(t, s.host+"/app")
		groups, err := registry.GroupByRun(proofs)
		if err != nil || len(groups) != 3 {
			t.Fatal(len(groups), err)
		}
		d := declare(t, 2)
		_, attached, err := target.PushRun(t.Context(), d, proofs[1], sign(t, 2, attest.StatementOptions{}))
		if err != nil || attached[0].PredicateType != attest.PredicateType {
			t.Fatal(attached, err)
		}
		if _, again, err := target.PushRun(t.Context(), d, append(proofs[1], '\n')); err != nil || !again[0].Existed || again[0].Referrer != attached[0].Referrer {
			t.Error(again, err)
		}
		if _, _, err := target.PushRun(t.Context(), d, proofs[0]); !errors.Is(err, registry.ErrNotSubject) {
			t.Errorf("the proof of another run: %v", err)
		}
		ref := s.host + "/app@" + d.ID().String()
		found, l, errs := fetchAll(t, ref, attest.PredicateType)
		if len(found) != 2 || len(errs) > 0 || l.Foreign() != 0 {
			t.Fatal(len(found), errs, l.Foreign())
		}
		types := map[string]string{found[0].Referrer: found[0].MediaType, found[1].Referrer: found[1].MediaType}
		if types[attached[0].Referrer] != attest.RunProofMediaType || types[attached[1].Referrer] != attest.BundleMediaType {
			t.Error(types)
		}
		if sum, _ := summaryOf(t, ref, trusted(t)); sum.Verified != 2 || !sum.Passed(true) {
			t.Errorf("%+v", sum)
		}
		manifest := manifestOf(t, s, attached[0].Referrer)
		if manifest.ArtifactType != attest.RunProofMediaType || manifest.Layers[0].MediaType != attest.RunProofMediaType || manifest.Annotations["dev.sigstore.bundle.content"] != "" {
			t.Errorf("%+v", manifest)
		}
	})
}

func manifestOf(t *testing.T, s *server, sum string) (m ocispec.Manifest) {
	t.Helper()
	resp, err := http.Get("http://" + s.host + "/v2/app/manifests/" + sum)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// A proof whose run names an artifact is attached to it, and both are carried through an air gap.
func TestAttachProof(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	ref := s.host + "/app:v1"
	target, a := resolve(t, ref)
	subject, err := a.Subject()
	if err != nil {
		t.Fatal(err)
	}
	_, proofs := signSet(t, attest.StatementOptions{Subjects: []attest.Subject{subject}}, 1, 2)
	if _, err := target.Attach(t.Context(), a, proofs...); err != nil {
		t.Fatal(err)
	}
	if sum, _ := summaryOf(t, ref, trusted(t)); sum.Verified != 2 || !sum.Passed(true) {
		t.Errorf("%+v", sum)
	}
	_, others := signSet(t, attest.StatementOptions{}, 3)
	if _, err := target.Attach(t.Context(), a, others...); !errors.Is(err, registry.ErrNotSubject) {
		t.Errorf("a proof of a run about something else: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "usb")
	if err := registry.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	found, _, errs := fetchAll(t, ref)
	if len(found) != 2 || len(errs) > 0 {
		t.Fatal(len(found), errs)
	}
	if _, err := target.Mirror(t.Context(), a, found, open(t, "oci-layout://"+dir)); err != nil {
		t.Fatal(err)
	}
	if sum, _ := summaryOf(t, "oci-layout://"+dir+":v1", trusted(t)); sum.Verified != 2 {
		t.Errorf("mirrored: %+v", sum)
	}
}

// What lies in the place of a run's proof, and is none, or that of another run, is not verified, is named, and hides nothing.
func TestFalseProofs(t *testing.T) {
	set, proofs := signSet(t, attest.StatementOptions{}, 1, 2)
	bundle := sign(t, 1, attest.StatementOptions{})
	for name, c := range map[string]struct {
		content      []byte
		layer        string
		not, refused int // not verified, malformed
		foreign      int
	}{
		"the proof of another run":         {proofs[1], attest.RunProofMediaType, 1, 0, 0},
		"the set":                          {set, attest.RunProofMediaType, 0, 1, 0},
		"the set as a bundle":              {set, attest.BundleMediaType, 0, 1, 0},
		"the set as itself":                {set, attest.RunSetMediaType, 0, 0, 1},
		"a bundle as a proof":              {bundle, attest.RunProofMediaType, 0, 1, 0},
		"the run's proof as a bundle":      {proofs[0], attest.BundleMediaType, 0, 1, 0},
		"a proof that is changed":          {bytes.Replace(proofs[0], []byte(`"index":0`), []byte(`"index":1`), 1), attest.RunProofMediaType, 1, 0, 0},
		"a proof without its set's bundle": {bytes.Replace(proofs[0], []byte(`"bundle":`), []byte(`"bundel":`), 1), attest.RunProofMediaType, 0, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			d := declare(t, 1)
			a, _, err := open(t, s.host+"/app").PushRun(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			s.put("blob", "", "", c.content)
			layer := blob(string(c.content))
			layer.MediaType = c.layer
			run := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(a.Manifest()), Size: int64(len(a.Manifest()))}
			s.refer(run, ocispec.Manifest{ArtifactType: c.layer, Layers: []ocispec.Descriptor{layer}})
			if sum, _ := summaryOf(t, s.host+"/app@"+d.ID().String(), trusted(t)); sum.Verified != 0 || sum.NotVerified != c.not || sum.Malformed != c.refused || sum.Foreign != c.foreign {
				t.Errorf("%+v", sum)
			}
			if _, _, err := open(t, s.host+"/app").PushRun(t.Context(), d, proofs[0], bundle); err != nil {
				t.Fatal(err)
			}
			if sum, _ := summaryOf(t, s.host+"/app@"+d.ID().String(), trusted(t)); sum.Verified != 2 || sum.Passed(true) != (c.foreign == 1) {
				t.Errorf("with the run's own: %+v", sum)
			}
		})
	}
}
