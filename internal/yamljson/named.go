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
	start = bytes.TrimLeft(start[:min(len(start), Sniffed)], " \t\r\n")
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	return len(start) > 0 && start[0] != '{' && start[0] != '['
}
