package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestSignatureFile: a malformed file is named as that, and not as one by another key.
func TestSignatureFile(t *testing.T) {
	key, sums := newKey(t), []byte("a list\n")
	good := signedBy(t, key, sums)
	const malformed, another = "checksums.txt.sig: is not one line of base64: get the file again", "checksums.txt.sig: does not verify checksums.txt with this key: get both"
	for name, c := range map[string]struct {
		signature []byte
		reason    string
	}{
		"as released":        {good, ""},
		"without a line end": {bytes.TrimSpace(good), ""},
		"CRLF":               {bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), malformed},
		"a line end more":    {append(bytes.Clone(good), '\n'), malformed},
		"two lines":          {bytes.Join([][]byte{good[:64], good[64:]}, []byte("\n")), malformed},
		"more behind":        {append(bytes.Clone(good), "--"...), malformed},
		"torn":               {good[:21], malformed},
		"HTML":               {[]byte("<html></html>"), malformed},
		"empty":              {nil, malformed},
		"a line end":         {[]byte("\n"), malformed},
		"cut":                {good[:20], another},
		"another's":          {signedBy(t, newKey(t), sums), another},
		"of another list":    {signedBy(t, key, []byte("another list\n")), another},
	} {
		err := checkSignature(key.PublicKey(), sums, c.signature)
		if (err == nil) != (c.reason == "") || err != nil && !strings.HasPrefix(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}
