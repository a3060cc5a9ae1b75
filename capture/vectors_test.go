package capture

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/vectors"
)

// loadVectors are the vectors of every format.
func loadVectors(t testing.TB) []vectors.Vector {
	t.Helper()
	var all []vectors.Vector
	for _, f := range tables() {
		l := vectors.Load(t, "../capture/"+f.api)
		if len(l) < 8 {
			t.Errorf("%s has %d vectors, want at least 8", f.name(), len(l))
		}
		all = append(all, l...)
	}
	return all
}

func sourceOf(t testing.TB, v vectors.Vector) (Format, Source) {
	t.Helper()
	f, err := Lookup(v.Header["format"])
	if err != nil {
		t.Fatal(err)
	}
	src := Source{Body: v.Body, Provider: v.Header["provider"], Target: v.Header["target"], Model: v.Header["model"], Revision: v.Header["revision"], Header: map[string][]string{}}
	for k, value := range v.Header {
		if name, ok := strings.CutPrefix(k, "header "); ok {
			src.Header[name] = []string{value}
		}
	}
	for p := range strings.FieldsSeq(v.Header["parents"]) {
		id, err := identity.ParseID(p)
		if err != nil {
			t.Fatal(err)
		}
		src.Parents = append(src.Parents, id)
	}
	return f, src
}

// captureVector captures a source with the folder beside it, if the vector has one.
func captureVector(t testing.TB, v vectors.Vector, f Format, src Source) (*Captured, error) {
	t.Helper()
	if v.Header["folder"] == "" {
		return f.Capture(src)
	}
	return f.CaptureFolder(t.Context(), mapFS(t, []byte(v.Header["folder"])), src)
}

// capturedVector is a valid vector with the capture of its source.
type capturedVector struct {
	vectors.Vector
	format Format
	src    Source
	c      *Captured
}

// capturedVectors are the valid vectors of every format.
func capturedVectors(t testing.TB) iter.Seq[capturedVector] {
	return func(yield func(capturedVector) bool) {
		for _, v := range loadVectors(t) {
			if !v.IsValid() {
				continue
			}
			f, src := sourceOf(t, v)
			c, err := captureVector(t, v, f, src)
			if err != nil {
				t.Fatal(err)
			}
			if !yield(capturedVector{v, f, src, c}) {
				return
			}
		}
	}
}

// TestVectors holds the package against declarations and identities that testdata/capture/oracle.py computed.
func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			f, src := sourceOf(t, v)
			c, err := captureVector(t, v, f, src)
			if !v.IsValid() {
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), v.Header["error"]) || v.Header["error"] == "" {
					t.Errorf("got %v, want an error about %q", err, v.Header["error"])
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(c.Declaration.Canonical()), v.Header["canonical"]; got != want {
				t.Errorf("declaration\n%s\nwant\n%s", got, want)
			}
			if got, want := c.Declaration.ID().String(), v.Header["id"]; got != want {
				t.Errorf("identity %s, want %s", got, want)
			}
			var open, unknown []string
			for _, o := range c.Open {
				open = append(open, o.Pointer+"="+strings.ReplaceAll(o.Hides, " ", ""))
			}
			for _, u := range c.Unknown {
				unknown = append(unknown, u.Pointer)
			}
			if got, want := strings.Join(open, " "), v.Header["open"]; got != want {
				t.Errorf("open %s, want %s", got, want)
			}
			if got, want := strings.Join(unknown, " "), v.Header["unknown"]; got != want {
				t.Errorf("unknown %s, want %s", got, want)
			}
		})
	}
}

// TestPairs: vectors whose names begin with same- have the identity of the vector minimal of their format; all others
// have identities of their own.
func TestPairs(t *testing.T) {
	seen := map[string]string{}
	for _, v := range loadVectors(t) {
		if !v.IsValid() {
			continue
		}
		id, base := v.Header["id"], filepath.Base(v.Name)
		if strings.HasPrefix(base, "same-") {
			minimal := strings.TrimSuffix(v.Name, base) + "minimal.vec"
			if seen[id] != "" && seen[id] != minimal && !strings.Contains(seen[id], "/same-") {
				t.Errorf("%s has the identity of %s", v.Name, seen[id])
			}
			head, err := os.ReadFile("../testdata/vectors/" + minimal)
			if err != nil || !strings.Contains(string(head), id) {
				t.Errorf("%s has another identity than %s (%v)", v.Name, minimal, err)
			}
			continue
		}
		if seen[id] != "" {
			t.Errorf("%s has the identity of %s", v.Name, seen[id])
		}
		seen[id] = v.Name
	}
}
