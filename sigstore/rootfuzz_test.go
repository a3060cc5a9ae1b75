package sigstore

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/runattest/runattest/attest/authority"
)

// FuzzTrustedRoot: whatever a file of trusted roots holds, in one line or in several, it is refused or is a root that is the
// same when it is written and read again, and when it stands twice.
func FuzzTrustedRoot(f *testing.F) {
	logged, plain := newWorld(f), newWorld(f)
	first, second := lineOf(f, rootOf(f, nil, logged)), lineOf(f, rootOf(f, func(p *rootParts) { p.tlogs, p.tsas = nil, nil }, plain))
	indented, err := rootOf(f, nil, plain).JSON()
	if err != nil {
		f.Fatal(err)
	}
	config := fmt.Appendf(nil, `{"mediaType":%q,"trustedRoot":%s}`, clientTrustConfig, second)
	for _, seed := range [][]byte{
		first, indented, config, bytes.Join([][]byte{first, second}, []byte("\n")), bytes.Join([][]byte{config, nil, first, nil}, []byte("\r\n")),
		append(slices.Clone(first), "\n{}\n"...), append([]byte("\n"), second...), {},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseTrustedRoot(data)
		if err != nil {
			return
		}
		text := lineOf(t, r)
		again, err := ParseTrustedRoot(text)
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, text)
		}
		if got := lineOf(t, again); !bytes.Equal(got, text) || !slices.Equal(again.Trusted(), r.Trusted()) {
			t.Fatalf("written again it is\n%s\nwant\n%s", got, text)
		}
		twice, err := ParseTrustedRoot(bytes.Join([][]byte{text, text}, []byte("\n")))
		if err != nil || !slices.Equal(twice.Trusted(), r.Trusted()) && !repeats(r.Trusted()) {
			t.Fatalf("twice: %v\n%s", err, text)
		}
	})
}

// repeats says whether one stands twice in the list, which lines that are put together do not have.
func repeats(all []authority.Authority) bool {
	for i, t := range all {
		if slices.Contains(all[:i], t) {
			return true
		}
	}
	return false
}
