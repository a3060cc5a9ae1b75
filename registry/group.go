package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
)

// Grouped is a run with the bundles that claim to be about it.
type Grouped struct {
	ID identity.ID
	// Declaration is the one that was given, or that a bundle holds, with this ID recomputed; nil if there is none.
	Declaration *identity.Declaration
	// Bundles are indexes of the bundles that were given.
	Bundles []int
}

// GroupByRun groups bundles by the run that is the first subject of their statements, in the order of the identities. A
// declaration that is given makes a group, too. Nothing is verified but that a bundle has one signature, and that a
// declaration in it is the one that it is about. Errors are a *BundleError.
func GroupByRun(bundles [][]byte, declarations ...*identity.Declaration) ([]Grouped, error) {
	groups := map[identity.ID]*Grouped{}
	of := func(id identity.ID) *Grouped {
		if groups[id] == nil {
			groups[id] = &Grouped{ID: id}
		}
		return groups[id]
	}
	for _, d := range declarations {
		if d.ID().IsZero() {
			return nil, errors.New("no declaration: it is nil or a zero value")
		}
		of(d.ID()).Declaration = d
	}
	for i, data := range bundles {
		id, declaration, err := claimed(data)
		if err != nil {
			return nil, &BundleError{i, err}
		}
		g := of(id)
		g.Bundles = append(g.Bundles, i)
		if declaration != nil {
			g.Declaration = declaration
		}
	}
	var all []Grouped
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b Grouped) int { return strings.Compare(a.ID.Hex(), b.ID.Hex()) })
	return all, nil
}

// claimed is the run that a bundle claims to be about, and its declaration where the bundle holds it.
func claimed(data []byte) (id identity.ID, declaration *identity.Declaration, err error) {
	b, err := attest.ParseBundle(data)
	if err != nil {
		return id, nil, err
	}
	if err := b.CheckSignatureCount(); err != nil {
		return id, nil, err
	}
	subjects, err := b.UnverifiedSubjects()
	if err != nil {
		return id, nil, err
	}
	if id, err = identity.ParseID(subjects[0].Name); err != nil {
		return id, nil, errors.New("the statement's first subject is not a run: attach it to the artifact that it is about")
	}
	s, err := b.UnverifiedStatement()
	if err != nil || s.Declaration == nil { // another type of statement, or a detached one
		return id, nil, nil
	}
	if declaration, err = identity.Parse(s.Declaration); err != nil {
		return id, nil, err
	}
	if declaration.ID() != id {
		return id, nil, fmt.Errorf("the declaration's identity is %s, but the statement is about %s", declaration.ID(), id)
	}
	return id, declaration, nil
}
