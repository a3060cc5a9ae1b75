package yamljson

import (
	"bytes"
	"path/filepath"
	"strings"
)

// Sniffed is how much of a file's start IsYAML looks at.
const Sniffed = 4096

// IsYAML tells how a file is written by its extension, or, where that says nothing, by the first character of its
// start: JSON begins with a brace or a bracket.
func IsYAML(path string, start []byte) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml":
		return true
	case ".json", ".jsonl", ".ndjson":
		return false
	}
	start = firstOf(start[:min(len(start), Sniffed)])
	return len(start) > 0 && start[0] != '{' && start[0] != '['
}

const byteOrderMark = "\xef\xbb\xbf"

// firstOf is a text from its first character on.
func firstOf(start []byte) []byte {
	return bytes.TrimPrefix(bytes.TrimLeft(start, " \t\r\n"), []byte(byteOrderMark))
}

// ShowsForm says whether the start of a text goes as far as its first character, which tells IsYAML how it is written.
func ShowsForm(start []byte) bool {
	first := string(firstOf(start))
	return first != "" && (len(first) >= len(byteOrderMark) || !strings.HasPrefix(byteOrderMark, first))
}
