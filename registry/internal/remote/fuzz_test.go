package remote

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/runattest/runattest/internal/limits"
)

// FuzzLinks: what is written as RFC 8288 has it is read as it was written, also behind another link.
func FuzzLinks(f *testing.F) {
	for _, s := range []string{`<a>; rel="next"`, `<a>; rel=next, <b>; rel="last"`, `<a>;title="x, \"y";rel="a next"`, `<`, `;`, `<>;=;"`, `<a>; rel="next`} {
		f.Add(s, "target", "next")
	}
	f.Fuzz(func(t *testing.T, header, target, rel string) {
		before, err := parseLinks(header)
		if strings.ContainsAny(target, "<> \t") || strings.Join(strings.Fields(rel), " ") != rel || rel != strings.ToLower(rel) ||
			strings.Trim(rel, "'") != rel { // some registries quote as HTML does
			return
		}
		written := `<` + target + `>; rel="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(rel) + `"`
		links, alone := parseLinks(written)
		if alone != nil || len(links) != 1 || links[0].target != target || !slices.Equal(links[0].rels, strings.Fields(rel)) {
			t.Fatalf("%s: %+v, %v", written, links, alone)
		}
		if err != nil {
			return
		}
		if links, err = parseLinks(header + ", " + written); err != nil || len(links) != len(before)+1 || links[len(before)].target != target {
			t.Fatalf("%s, %s: %+v, %v", header, written, links, err)
		}
	})
}

// FuzzSentence: what a registry says is one visible line, and not a long one.
func FuzzSentence(f *testing.F) {
	for _, s := range []string{`{"errors":[{"code":"DENIED","message":"no","detail":{}}]}`, `{"message":"x"}`, "plain\ntext", "<title>x</title>", `[]`, "\xff\x1b[2J", `{"errors":[null,{"code":1}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		said, _ := sentence(body)
		if len(said) > 16*limits.RegistrySentence || strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q", said)
		}
	})
}

// FuzzMediaType: a manifest is of a type that says something, and of its own where it says one.
func FuzzMediaType(f *testing.F) {
	for _, s := range []string{`{}`, `{"config":{},"layers":[]}`, `{"manifests":[]}`, `{"mediaType":"application/json"}`, `{"mediaType":"application/vnd.oci.image.index.v1+json","layers":[]}`, `<`} {
		f.Add("application/json; charset=utf-8", []byte(s))
		f.Add("application/vnd.oci.image.manifest.v1+json", []byte(s))
	}
	f.Fuzz(func(t *testing.T, header string, manifest []byte) {
		got, err := mediaTypeOf(header, manifest)
		var m struct {
			MediaType string `json:"mediaType"`
		}
		if err == nil && isGeneric(got) || err == nil && json.Unmarshal(manifest, &m) == nil && m.MediaType != "" && m.MediaType != got {
			t.Fatalf("%q", got)
		}
	})
}
