package cli

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const page = "sign FILE...\nSign files\n\nSign each file.\n\nTwice.\n\nExamples:\n\n  x sign a\n\n  x sign b\n"

func TestParsePage(t *testing.T) {
	for text, want := range map[string]Page{
		page:                              {"sign FILE...", "Sign files", "Sign each file.\n\nTwice.", "  x sign a\n\n  x sign b"},
		"a\nB\n\nExamples:\n\n  x a\n":    {"a", "B", "", "  x a"},
		"a\nB\n\nC\n\nExamples:\n\n  x\n": {"a", "B", "C", "  x"},
	} {
		got, err := ParsePage(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestParsePageRefuses(t *testing.T) {
	for _, text := range []string{
		"",
		"\n" + page,
		strings.TrimSuffix(page, "\n"),
		page + "\n",
		strings.Replace(page, "Examples:", "Example:", 1),
		strings.Replace(page, "Examples:\n\n", "Examples:\n", 1),
		strings.Replace(page, "\n\nExamples:", "\nExamples:", 1),
		strings.Replace(page, "\n\nExamples:", "\n\n\nExamples:", 1),
		strings.Replace(page, "\nSign files", "", 1),
		strings.Replace(page, "\nSign files", "\nSign files\nof all kinds", 1),
		strings.Replace(page, "Sign files\n\n", "Sign files\n\n\n", 1),
		strings.Replace(page, "Twice.", "Twice. ", 1),
		strings.Replace(page, "  x sign a", "x sign a", 1),
		strings.ReplaceAll(page, "\n", "\r\n"),
	} {
		if p, err := ParsePage(text); err == nil {
			t.Errorf("%q is read as %+v", text, p)
		}
	}
}

func TestNewCommand(t *testing.T) {
	cmd := NewCommand(fstest.MapFS{"sign.txt": {Data: []byte(page)}}, "sign")
	if cmd.Name() != "sign" || cmd.Short != "Sign files" || cmd.Long == "" || cmd.Example == "" {
		t.Errorf("%+v", cmd)
	}
}
