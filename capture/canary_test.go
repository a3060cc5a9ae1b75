package capture

import (
	"bytes"
	"path/filepath"
	"testing"
)

// TestUnknownSecrets: in every format secrets of an unknown member are withheld, by the names that lead to them.
func TestUnknownSecrets(t *testing.T) {
	checked := 0
	for _, v := range loadVectors(t) {
		if filepath.Base(v.Name) != "minimal.vec" {
			continue
		}
		checked++
		f, src := sourceOf(t, v)
		src.Body = append([]byte(`{"newcomer":{"deep":[{"api_key":"CANARY","Secret":["CANARY"],"my_url":"https://u:CANARY@h.example/"}]},`), bytes.TrimSpace(v.Body)[1:]...)
		c, err := f.Capture(src)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if bytes.Contains(c.Declaration.Canonical(), []byte("CANARY")) || !c.Withholds() {
			t.Errorf("%s: %s", v.Name, c.Declaration.Canonical())
		}
	}
	if checked != len(tables()) {
		t.Errorf("%d formats, want all %d: each has its minimal.vec", checked, len(tables()))
	}
}
