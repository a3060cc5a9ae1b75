package identity

import (
	"encoding/hex"
	"iter"
	"slices"
	"strconv"

	"github.com/runattest/runattest/internal/jsontree"
)

// Digests are the digests of one content, each zero where the declaration has none. They are comparable.
type Digests struct {
	SHA256 [32]byte
	SHA384 [48]byte
	SHA512 [64]byte

	zeros uint8 // bit i is set where digestNames[i] is declared, and zero: All lists it, too
}

// All lists the digests that there are, in the order sha256, sha384, sha512, each by that name.
func (d Digests) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for i, name := range digestNames {
			sum := d.sum(i)
			if (d.zeros&(1<<i) != 0 || !isZero(sum)) && !yield(name, sum) {
				return
			}
		}
	}
}

var digestNames = [...]string{"sha256", "sha384", "sha512"}

// sum is the digest of that name, which can be written to.
func (d *Digests) sum(i int) []byte { return [...][]byte{d.SHA256[:], d.SHA384[:], d.SHA512[:]}[i] }

func isZero(sum []byte) bool { return !slices.ContainsFunc(sum, func(b byte) bool { return b != 0 }) }

// Model is the model part of a declaration; a member is zero where the declaration has none.
type Model struct {
	Name, Provider, Version, URI string
	Digests                      Digests
	Components                   []Resource // adapters, tokenizers and other parts; nil where the declaration has none
}

// Resource is something that a run is given: a tool, a dataset, a document, an image...
type Resource struct {
	Role, Name, Version, MediaType, URI string
	Digests                             Digests
	Size                                *int64 // in bytes; nil where the declaration has none
	Content                             []byte // JSON of the inline content, canonical where a declaration returns it; nil where there is none
}

func modelOf(v jsontree.Value) Model {
	return Model{
		Name:       v.Get("name").Text(),
		Provider:   v.Get("provider").Text(),
		Version:    v.Get("version").Text(),
		URI:        v.Get("uri").Text(),
		Digests:    digestsOf(v.Get("digest")),
		Components: resourcesOf(v.Get("components")),
	}
}

func resourcesOf(list jsontree.Value) []Resource {
	if list.Kind() == jsontree.Absent {
		return nil
	}
	all := []Resource{}
	for _, v := range list.Elements() {
		r := Resource{
			Role:      v.Get("role").Text(),
			Name:      v.Get("name").Text(),
			Version:   v.Get("version").Text(),
			MediaType: v.Get("mediaType").Text(),
			URI:       v.Get("uri").Text(),
			Digests:   digestsOf(v.Get("digest")),
			Size:      sizeOf(v.Get("size")),
		}
		r.Content = append(r.Content, v.Get("content").Raw()...)
		all = append(all, r)
	}
	return all
}

func digestsOf(v jsontree.Value) (d Digests) {
	for i, name := range digestNames {
		m := v.Get(name)
		if m.Kind() == jsontree.Absent {
			continue
		}
		if sum, err := hex.DecodeString(m.Text()); err == nil { // validate has seen the digits
			copy(d.sum(i), sum)
		}
		if isZero(d.sum(i)) {
			d.zeros |= 1 << i
		}
	}
	return d
}

// sizeOf is a size in bytes, nil where it is absent.
func sizeOf(v jsontree.Value) *int64 {
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	if v.Kind() != jsontree.Number || err != nil {
		return nil
	}
	return &n
}
