package identity

import (
	"encoding/hex"
	"strconv"

	"github.com/runattest/runattest/internal/jsontree"
)

// Digests are the digests of one content, each zero where the declaration has none.
type Digests struct {
	SHA256 [32]byte
	SHA384 [48]byte
	SHA512 [64]byte
}

// Model is the model part of a declaration; "" where a member is absent.
type Model struct {
	Name, Provider, Version, URI string
	Digests                      Digests
	Components                   []Resource
}

// Resource is something that a run is given: a tool, a dataset, a document, an image...
type Resource struct {
	Role, Name, Version, MediaType, URI string
	Digests                             Digests
	Size                                int64  // in bytes; -1 where the declaration has none
	Content                             []byte // canonical JSON of the inline content; nil where there is none
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
	var all []Resource
	for _, v := range list.Elements() {
		r := Resource{
			Role:      v.Get("role").Text(),
			Name:      v.Get("name").Text(),
			Version:   v.Get("version").Text(),
			MediaType: v.Get("mediaType").Text(),
			URI:       v.Get("uri").Text(),
			Digests:   digestsOf(v.Get("digest")),
			Size:      -1,
		}
		if size := v.Get("size"); size.Kind() == jsontree.Number {
			if n, err := strconv.ParseInt(string(size.Raw()), 10, 64); err == nil {
				r.Size = n
			}
		}
		r.Content = append(r.Content, v.Get("content").Raw()...)
		all = append(all, r)
	}
	return all
}

func digestsOf(v jsontree.Value) (d Digests) {
	for name, m := range v.Members() {
		var dst []byte
		switch string(name) {
		case "sha256":
			dst = d.SHA256[:]
		case "sha384":
			dst = d.SHA384[:]
		case "sha512":
			dst = d.SHA512[:]
		}
		if sum, err := hex.DecodeString(m.Text()); err == nil { // validate has seen the digits
			copy(dst, sum)
		}
	}
	return d
}
