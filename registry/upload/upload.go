// Package upload stores bundles that are in files, many of them in little memory: Parts reads some at a time, which Attach
// attaches to an artifact, or a Pusher stores with their runs in a repository.
package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry"
)

// A FileError says which file could not be read.
type FileError struct {
	Path string   // as it was given
	Err  error    // names the file, with the line where it holds several
	Left []string // the bundles that were read and not given, and the files after it
}

func (e *FileError) Error() string {
	if e == nil || e.Err == nil {
		return "a file could not be read"
	}
	return e.Err.Error()
}

func (e *FileError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// Parts reads the bundles in files, and of a run set the proof of each run, as many at a time as limits.Pushed allows. An error
// is a *FileError, and ends the sequence: what was read with it is not given, and is named in the error.
func Parts(stdin io.Reader, paths ...string) iter.Seq2[[]files.Blob, error] {
	return func(yield func([]files.Blob, error) bool) {
		var some []files.Blob
		size := 0
		for i, path := range paths {
			for blob, err := range files.Bundles(path, stdin) {
				if err == nil {
					blob.Data = bytes.Clone(blob.Data)
					_, err = files.ParseBundle(blob.Data)
				}
				if err != nil {
					yield(nil, &FileError{path, named(blob.Name, err), append(names(some), paths[i+1:]...)})
					return
				}
				if size += held(blob); size > limits.Pushed && len(some) > 0 {
					if !yield(some, nil) {
						return
					}
					some, size = nil, held(blob)
				}
				some = append(some, blob)
			}
		}
		yield(some, nil)
	}
}

// held is how much of limits.Pushed a bundle takes: its bytes, and what is made of a bundle of any size while it is stored.
func held(b files.Blob) int { return len(b.Data) + limits.PushedEach }

// Store has parts stored one after the other, up to the first error. Left are then the names of the bundles and files of which it is
// not known that they are stored: those of the part at hand that store has not told done of, and all that follow, which are
// read for their names unless ctx has ended.
func Store(ctx context.Context, parts iter.Seq2[[]files.Blob, error], store func(some []files.Blob, done func(files.Blob)) error) (left []string, err error) {
	if parts == nil || store == nil {
		return nil, errors.New("nothing to store, or nothing that stores it: it is nil")
	}
	for blobs, failed := range parts {
		if file, ok := errors.AsType[*FileError](failed); ok {
			if err != nil {
				left = append(left, file.Path)
			}
			left = append(left, file.Left...)
		}
		if err != nil {
			left = append(left, names(blobs)...)
			continue
		}
		if err = failed; err == nil {
			stored := map[string]int{}
			err = store(blobs, func(b files.Blob) { stored[b.Name]++ })
			if err == nil {
				continue
			}
			left = slices.DeleteFunc(names(blobs), func(name string) bool {
				stored[name]--
				return stored[name] >= 0
			})
		}
		if ctx.Err() != nil {
			break
		}
	}
	return slices.Compact(left), err
}

func names(blobs []files.Blob) []string {
	var all []string
	for _, b := range blobs {
		all = append(all, b.Name)
	}
	return all
}

// Attach attaches bundles to an artifact, and tells attached of each in their order.
func Attach(ctx context.Context, target *registry.Target, artifact *registry.Artifact, blobs []files.Blob, attached func(files.Blob, registry.Attached) error) error {
	done, err := target.Attach(ctx, artifact, contents(blobs)...)
	if err != nil {
		return ofBundle(blobs, err)
	}
	for i, a := range done {
		if attached == nil {
			break
		}
		if err := attached(blobs[i], a); err != nil {
			return err
		}
	}
	return nil
}

// A Pusher stores runs with their bundles in one repository.
type Pusher struct {
	Repository registry.Reference
	// Open opens the repository; nil opens it with default options.
	Open func(registry.Reference) (*registry.Target, error)
	// Declarations are those of detached attestations. What is among them is stored without an attestation, too.
	Declarations []*identity.Declaration
	// Pushed is told of each run that is stored; nil for nothing.
	Pushed func(Pushed) error

	target *registry.Target // nil until the first are pushed
}

// Pushed is a run that is stored.
type Pushed struct {
	Reference registry.Reference // that names the run
	Artifact  *registry.Artifact
	Blobs     []files.Blob
	Attached  []registry.Attached // of each blob
}

// Check says why nothing can be pushed, where that is known before a bundle is read: a reference to an artifact names no repository.
func (p *Pusher) Check() error {
	if p == nil {
		return errors.New("nothing pushes: the Pusher is nil")
	}
	if !p.Repository.IsRepository() {
		return fmt.Errorf("%s names an artifact: want a repository, the run's tag is made from its identity", p.Repository)
	}
	return nil
}

// Push stores bundles with their runs. An OCI layout that is not there is made, if all of them can be stored in it.
func (p *Pusher) Push(ctx context.Context, blobs []files.Blob) error {
	if err := p.Check(); err != nil {
		return err
	}
	groups, err := registry.GroupByRun(contents(blobs), p.Declarations...)
	if one, ok := errors.AsType[*registry.BundleError](err); ok {
		return fmt.Errorf("%s: %w", blobs[one.Index].Name, files.ExplainBundle(err, blobs[one.Index].Data))
	}
	if err != nil {
		return err
	}
	if p.target != nil { // the declarations without a bundle are stored
		groups = slices.DeleteFunc(groups, func(g registry.Grouped) bool { return len(g.Bundles) == 0 })
	} else if p.target, err = p.open(groups); err != nil {
		return err
	}
	step := 1
	if p.Repository.IsLayout() {
		step = max(1, len(groups)) // a tarball is written once
	}
	for some := range slices.Chunk(groups, step) {
		if err := p.push(ctx, blobs, some); err != nil {
			return err
		}
	}
	return nil
}

// open opens the repository, and makes a layout that is not there.
func (p *Pusher) open(groups []registry.Grouped) (*registry.Target, error) {
	if p.Repository.IsLayout() {
		if err := p.mayCreate(groups); err != nil {
			return nil, err
		}
		if err := registry.CreateLayout(p.Repository.Path()); err != nil {
			return nil, err
		}
	}
	if p.Open == nil {
		return registry.Open(p.Repository, registry.Options{})
	}
	return p.Open(p.Repository)
}

// mayCreate keeps a layout that is not there from being made for runs that cannot be stored in it.
func (p *Pusher) mayCreate(groups []registry.Grouped) error {
	if _, err := os.Lstat(p.Repository.Path()); err == nil {
		return nil
	}
	for _, g := range groups {
		if g.Declaration == nil {
			return &registry.NoDeclarationError{Run: g.ID, Repository: p.Repository}
		}
	}
	return nil
}

func (p *Pusher) push(ctx context.Context, all []files.Blob, some []registry.Grouped) error {
	var runs []registry.Run
	var blobs []files.Blob
	for _, g := range some {
		run := registry.Run{ID: g.ID, Declaration: g.Declaration}
		for _, i := range g.Bundles {
			blobs, run.Bundles = append(blobs, all[i]), append(run.Bundles, all[i].Data)
		}
		runs = append(runs, run)
	}
	done, err := p.target.PushRuns(ctx, runs...)
	if err != nil {
		return ofBundle(blobs, err)
	}
	for i, d := range done {
		n := len(some[i].Bundles)
		one := Pushed{p.target.Reference().WithRun(some[i].ID), d.Artifact, blobs[:n], d.Attached}
		if blobs = blobs[n:]; p.Pushed == nil {
			continue
		}
		if err := p.Pushed(one); err != nil {
			return err
		}
	}
	return nil
}

// ofBundle names the bundle that an error is about.
func ofBundle(blobs []files.Blob, err error) error {
	if one, ok := errors.AsType[*registry.BundleError](err); ok && one.Index < len(blobs) {
		return named(blobs[one.Index].Name, err)
	}
	return err
}

// named says in an error what it is about, unless it begins with that.
func named(name string, err error) error {
	if strings.HasPrefix(err.Error(), name) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

func contents(blobs []files.Blob) [][]byte {
	var all [][]byte
	for _, b := range blobs {
		all = append(all, b.Data)
	}
	return all
}
