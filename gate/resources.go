package gate

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/runattest/runattest/gate/filedigest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/visible"
)

// Bind says at which path on this machine something lies that a declaration names.
type Bind struct {
	// Name is that of the resource or model, or its place in the declaration as a JSON Pointer: a prompt's is /prompt.
	Name string
	Path string
}

// ParseBind reads NAME=PATH. The last equals sign before the path counts where NAME has some: a
// path that has one is written with ./ or / in front.
func ParseBind(text string) (Bind, error) {
	for _, sep := range []string{"=/", "=./", "=../"} {
		if i := strings.Index(text, sep); i > 0 {
			return Bind{text[:i], text[i+1:]}, nil
		}
	}
	name, path, ok := strings.Cut(text, "=")
	if !ok || name == "" || path == "" {
		return Bind{}, fmt.Errorf("%q: want NAME=PATH", text)
	}
	return Bind{name, path}, nil
}

// Checked is a file or folder that is what the declaration says.
type Checked struct {
	Pointer string `json:"pointer"` // its place in the declaration
	Name    string `json:"name"`
	Path    string `json:"path"`
}

// named is something in a declaration that may lie on this machine.
type named struct {
	pointer, name, uri string
	digests            identity.Digests
	size               *int64 // in bytes, if the declaration has it
}

// errNoDeclaration is for a nil *identity.Declaration, and for one that was not parsed.
var errNoDeclaration = errors.New("no declaration: it is nil or a zero value")

// CheckFiles holds everything that the declaration names as local (a file: URI), and everything that
// is bound, against the digests declared, and files against the size, if one is declared. What is local has to have a digest. All of it is looked
// at; the error joins one for each that is not what it should be, and then nothing may be executed.
// A nil hasher is one without progress.
func CheckFiles(ctx context.Context, hasher *filedigest.Hasher, d *identity.Declaration, binds []Bind) ([]Checked, error) {
	if hasher == nil {
		hasher = new(filedigest.Hasher)
	}
	if d.ID().IsZero() {
		return nil, errNoDeclaration
	}
	wanted, problems := plan(namedIn(d), binds)
	found := make([]error, len(wanted))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, w := range wanted {
		group.Go(func() error {
			found[i] = w.check(ctx, hasher)
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	if err := errors.Join(append(problems, found...)...); err != nil {
		return nil, err
	}
	var checked []Checked
	for _, w := range wanted {
		checked = append(checked, Checked{w.what.pointer, w.what.name, w.path})
	}
	return checked, nil
}

func namedIn(d *identity.Declaration) []named {
	m := d.Model()
	all := []named{{"/model", m.Name, m.URI, m.Digests, nil}}
	for i, r := range m.Components {
		all = append(all, named{"/model/components/" + strconv.Itoa(i), r.Name, r.URI, r.Digests, r.Size})
	}
	if digests := d.Prompt().Digests(); digests != (identity.Digests{}) {
		all = append(all, named{"/prompt", "/prompt", "", digests, d.Prompt().Size()})
	}
	for i, r := range d.Context() {
		all = append(all, named{"/context/" + strconv.Itoa(i), r.Name, r.URI, r.Digests, r.Size})
	}
	return all
}

type want struct {
	what named
	path string
}

// check returns an error unless what lies at the path is what is declared.
func (w want) check(ctx context.Context, hasher *filedigest.Hasher) error {
	if w.what.size != nil { // what has another size is another file, and need not be read for days
		if info, err := os.Stat(w.path); err == nil && info.Mode().IsRegular() && info.Size() != *w.what.size {
			return fmt.Errorf("%s: is not %s as declared: it has %d bytes, but %d are declared", w.path, w.what.name, info.Size(), *w.what.size)
		}
	}
	got, err := hasher.Digests(ctx, w.path, w.what.digests)
	if err != nil {
		return err
	}
	if err = filedigest.Match(w.what.digests, got); err != nil {
		return fmt.Errorf("%s: is not %s as declared: %w", w.path, w.what.name, err)
	}
	return nil
}

// plan says what has to be hashed. A bind goes before a URI.
func plan(all []named, binds []Bind) (wanted []want, problems []error) {
	bound := map[string]bool{}
	for _, b := range binds {
		var found []named
		for _, n := range all {
			if b.Name == n.pointer || b.Name == n.name && !strings.HasPrefix(b.Name, "/") {
				found = append(found, n)
			}
		}
		switch {
		case len(found) == 0:
			problems = append(problems, fmt.Errorf("bind %s: the declaration names no such resource, only %s", b.Name, visible.List(names(all))))
		case len(found) > 1:
			problems = append(problems, fmt.Errorf("bind %s: the declaration names %d such resources; bind %s, or another, instead", b.Name, len(found), found[0].pointer))
		case bound[found[0].pointer]:
			problems = append(problems, fmt.Errorf("bind %s: is bound twice", b.Name))
		default:
			bound[found[0].pointer] = true
			wanted = append(wanted, want{found[0], b.Path})
		}
	}
	for _, n := range all {
		if bound[n.pointer] {
			continue
		}
		path, local, err := localPath(n.uri)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", n.pointer, err))
		case local:
			wanted = append(wanted, want{n, path})
		}
	}
	return wanted, problems
}

// names are what can be bound.
func names(all []named) []string {
	var list []string
	for _, n := range all {
		list = append(list, n.name)
	}
	return list
}

// localPath is the path of a file: URI (RFC 8089).
func localPath(uri string) (path string, local bool, err error) {
	if len(uri) < len("file:") || !strings.EqualFold(uri[:len("file:")], "file:") {
		return "", false, nil
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return "", true, fmt.Errorf("uri %q: %w", uri, err)
	case u.Host != "" && u.Host != "localhost", u.Opaque != "", !strings.HasPrefix(u.Path, "/"), u.RawQuery != "", u.Fragment != "":
		return "", true, fmt.Errorf("uri %q: names no file of this machine: want file:///PATH, or bind it", uri)
	}
	return filepath.FromSlash(u.Path), true, nil
}

// Unchecked lists what the declaration names by digest and no file was compared with: nothing is known about
// the files that a process uses for it.
func Unchecked(d *identity.Declaration, checked []Checked) []string {
	done := map[string]bool{}
	for _, c := range checked {
		done[c.Pointer] = true
	}
	var left []string
	for _, n := range namedIn(d) {
		if n.digests != (identity.Digests{}) && !done[n.pointer] {
			left = append(left, n.name)
		}
	}
	return left
}
