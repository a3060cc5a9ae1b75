package upload_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/upload"
	"github.com/runattest/runattest/signer"
)

func declare(t *testing.T, name string) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"other","model":{"name":%q},"prompt":{},"parameters":{},"context":[],"constraints":{}}`, identity.Schema, name))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// bundles are one line for each run; those whose name ends in - are detached.
func bundles(t *testing.T, names ...string) string {
	t.Helper()
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	by, err := signer.Parse(pair.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		var o attest.StatementOptions
		if strings.HasSuffix(name, "-") {
			o.Detached = &attest.DeclarationRef{}
		}
		s, err := attest.New(declare(t, name), o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := attest.Sign(t.Context(), s, by, attest.SignOptions{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(text, '\n'))
	}
	return all.String()
}

// TestPush stores runs, and makes no layout for a run that cannot be stored in it.
func TestPush(t *testing.T) {
	layout := filepath.Join(t.TempDir(), "runs")
	ref, err := registry.ParseReference("oci-layout://" + layout)
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string][]string{}
	p := &upload.Pusher{Repository: ref, Pushed: func(d upload.Pushed) error {
		for _, b := range d.Blobs {
			stored[d.Reference.Run().String()] = append(stored[d.Reference.Run().String()], b.Name)
		}
		if len(d.Blobs) != len(d.Attached) {
			t.Errorf("%d bundles, %d attached", len(d.Blobs), len(d.Attached))
		}
		return nil
	}}
	push := func(text string) (err error) {
		for blobs, failed := range upload.Parts(strings.NewReader(text), "-") {
			if err = failed; err == nil {
				err = p.Push(t.Context(), blobs)
			}
		}
		return err
	}
	lines := bundles(t, "a", "b-", "a")
	if err := push(lines); !errors.As(err, new(*registry.NoDeclarationError)) {
		t.Errorf("%v, want that b has no declaration", err)
	}
	if _, err := os.Lstat(layout); err == nil || len(stored) > 0 {
		t.Errorf("a layout was made: %v, %v", err, stored)
	}
	p.Declarations = []*identity.Declaration{declare(t, "b-"), declare(t, "c")}
	if err := push(lines); err != nil {
		t.Fatal(err)
	}
	a, b := declare(t, "a").ID().String(), declare(t, "b-").ID().String()
	if !slices.Equal(stored[a], []string{"standard input:1", "standard input:3"}) || !slices.Equal(stored[b], []string{"standard input:2"}) {
		t.Errorf("stored %v", stored)
	}
	if err := push(bundles(t, "a") + "{}\n"); err == nil || !strings.HasPrefix(err.Error(), "standard input:2: ") || !errors.As(err, new(*upload.FileError)) {
		t.Errorf("%v, want what is wrong with line 2", err)
	}
}

// TestPushArtifact refuses a reference to an artifact before anything is read or made: what it names would be passed over.
func TestPushArtifact(t *testing.T) {
	layout := filepath.Join(t.TempDir(), "runs")
	ref, err := registry.ParseReference("oci-layout://" + layout + ":v1")
	if err != nil {
		t.Fatal(err)
	}
	p := &upload.Pusher{Repository: ref}
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "want a repository") {
		t.Error(err)
	}
	if err := p.Push(t.Context(), []files.Blob{{Name: "a", Data: []byte(bundles(t, "a"))}}); err == nil {
		t.Error("was pushed")
	}
	if _, err := os.Lstat(layout); err == nil {
		t.Error("a layout was made")
	}
}

// TestAttach names the bundle that is about something else.
func TestAttach(t *testing.T) {
	layout := filepath.Join(t.TempDir(), "runs")
	ref, err := registry.ParseReference("oci-layout://" + layout)
	if err == nil {
		err = registry.CreateLayout(layout)
	}
	if err != nil {
		t.Fatal(err)
	}
	target, err := registry.Open(ref, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	artifact, _, err := target.PushRun(t.Context(), declare(t, "a"))
	if err != nil {
		t.Fatal(err)
	}
	blobs := []files.Blob{{Name: "good", Data: []byte(bundles(t, "a"))}, {Name: "other", Data: []byte(bundles(t, "b"))}}
	if err := upload.Attach(t.Context(), target, artifact, blobs, nil); !errors.Is(err, registry.ErrNotSubject) || !strings.HasPrefix(err.Error(), "other: ") {
		t.Errorf("%v, want that other is about something else", err)
	}
	var names []string
	attached := func(b files.Blob, _ registry.Attached) error { names = append(names, b.Name); return nil }
	if err := upload.Attach(t.Context(), target, artifact, blobs[:1], attached); err != nil || !slices.Equal(names, []string{"good"}) {
		t.Errorf("%v, attached %q", err, names)
	}
}

// TestStoreLeft: after an error all is named that is not known to be stored, and of a part what was not told to be.
func TestStoreLeft(t *testing.T) {
	wrong := errors.New("wrong")
	parts := func(yield func([]files.Blob, error) bool) {
		_ = yield([]files.Blob{{Name: "a"}, {Name: "b"}}, nil) && yield([]files.Blob{{Name: "c"}, {Name: "d"}, {Name: "d"}, {Name: "e"}}, nil) &&
			yield([]files.Blob{{Name: "f"}}, nil) && yield(nil, &upload.FileError{Path: "h", Err: wrong, Left: []string{"g", "i"}})
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for at, want := range map[string][]string{
		"b": {"b", "c", "d", "e", "f", "h", "g", "i"},
		"d": {"d", "e", "f", "h", "g", "i"},
		"f": {"f", "h", "g", "i"},
		"":  {"g", "i"},
	} {
		left, err := upload.Store(ctx, parts, func(some []files.Blob, done func(files.Blob)) error {
			for _, b := range some {
				if b.Name == at {
					return wrong
				}
				done(b)
			}
			return nil
		})
		if !errors.Is(err, wrong) || !slices.Equal(left, want) {
			t.Errorf("%q: %q left, want %q; %v", at, left, want, err)
		}
	}
	left, err := upload.Store(ctx, parts, func([]files.Blob, func(files.Blob)) error { stop(); return wrong })
	if err != wrong || !slices.Equal(left, []string{"a", "b"}) {
		t.Errorf("interrupted: %q left; %v", left, err)
	}
}
