package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/zero"
)

// Declarations are declarations by their identities, such as those of detached runs; nil has none.
type Declarations struct {
	byID map[identity.ID]*identity.Declaration
	size int64
}

// ReadDeclarations reads the declarations in files, one or several each, in stdin for "-", and in folders: their files of JSON,
// JSON Lines and YAML, without the bundles beside them, and without the folders in them. More than
// limits.DeclarationsSize bytes of declarations are an error.
func ReadDeclarations(paths []string, stdin io.Reader) (*Declarations, error) {
	all := &Declarations{byID: map[identity.ID]*identity.Declaration{}}
	for _, path := range paths {
		for t, err := range declarationsAt(path, stdin) {
			var one *identity.Declaration
			if err == nil {
				one, err = ParseDeclaration(t)
			}
			if err == nil {
				err = all.add(one)
			}
			if err != nil {
				return nil, named(t.Name, err)
			}
		}
	}
	return all, nil
}

// NewDeclarations has these declarations. One that is nil, and more than limits.DeclarationsSize bytes, are an error.
func NewDeclarations(all ...*identity.Declaration) (*Declarations, error) {
	d := &Declarations{byID: map[identity.ID]*identity.Declaration{}}
	for i, one := range all {
		if err := d.add(one); err != nil {
			return nil, fmt.Errorf("declaration %d: %w", i, err)
		}
	}
	return d, nil
}

func (d *Declarations) add(one *identity.Declaration) error {
	switch {
	case one == nil:
		return errors.New("is nil")
	case d.byID[one.ID()] != nil:
		return nil
	}
	if d.size += one.Size(); d.size > limits.DeclarationsSize {
		return fmt.Errorf("with it there are more than %d bytes of declarations", limits.DeclarationsSize)
	}
	d.byID[one.ID()] = one
	return nil
}

// Find is the declaration of a run, nil if it is not there.
func (d *Declarations) Find(id identity.ID) *identity.Declaration { return zero.IfNil(d).byID[id] }

// Len is how many there are.
func (d *Declarations) Len() int { return len(zero.IfNil(d).byID) }

// All gives all of them, in no order.
func (d *Declarations) All() iter.Seq[*identity.Declaration] {
	return func(yield func(*identity.Declaration) bool) {
		for _, one := range zero.IfNil(d).byID {
			if !yield(one) {
				return
			}
		}
	}
}

// Only is the declaration if there is exactly one, and nil otherwise.
func (d *Declarations) Only() *identity.Declaration {
	if d.Len() != 1 {
		return nil
	}
	for one := range d.All() {
		return one
	}
	return nil
}

// declarationsAt gives the declarations in a file or a folder.
func declarationsAt(path string, stdin io.Reader) iter.Seq2[Text, error] {
	if info, err := os.Stat(path); path == input.Stdin || err != nil || !info.IsDir() {
		return input.Declarations(path, stdin)
	}
	return func(yield func(Text, error) bool) {
		entries, err := os.ReadDir(path)
		if err != nil {
			yield(Text{Name: path}, err)
			return
		}
		found := false
		for _, e := range entries {
			if !mayDeclare(path, e) {
				continue
			}
			for t, err := range input.Declarations(pathname.In(path, e.Name()), nil) {
				if err == nil && t.Signed() != nil {
					continue
				}
				if found = true; !yield(t, err) {
					return
				}
			}
		}
		if !found {
			yield(Text{Name: path}, errNoDeclarations)
		}
	}
}

var errNoDeclarations = errors.New("no declaration in this folder, want files *.json, *.jsonl, *.ndjson, *.yaml or *.yml")

// mayDeclare says that a file in a folder is one of declarations by its name: a regular file, or a link to one.
func mayDeclare(folder string, e fs.DirEntry) bool {
	name := strings.ToLower(e.Name())
	if !slices.Contains([]string{".json", ".jsonl", ".ndjson", ".yaml", ".yml"}, filepath.Ext(name)) || input.IsBundleName(name) {
		return false
	}
	info, err := os.Stat(pathname.In(folder, e.Name()))
	return err != nil || info.Mode().IsRegular() // why it cannot be read, reading it says
}
