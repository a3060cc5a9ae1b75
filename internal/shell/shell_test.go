package shell_test

import (
	"os/exec"
	"testing"

	"github.com/runattest/runattest/internal/shell"
	"github.com/runattest/runattest/internal/visible"
)

// TestWord has a shell read what Word and Path write.
func TestWord(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh here")
	}
	for _, name := range []string{
		"a", "a b", "it's", `"`, "$HOME", "`id`", `a\b`, "a*?[x]", "~", "#a", "!a", "a;b&c|d", "(a)", "", "é", "%s", "{a,b}", "a=b",
		"line\nbreak", "tab\there", "\x1b[31mred", "\xff\xfe", "right\u202eleft", "it's\n%d\\n", "end\n", "\n", "a b\n\n", "-\n", "\n\r\n", "$x`y`\"\n",
	} {
		for path, word := range map[string]string{name: shell.Word(name), "./-" + name: shell.Path("-" + name)} {
			if visible.Escape(word) != word {
				t.Errorf("%q: %q is not shown as it is", name, word)
			}
			out, err := exec.Command("sh", "-c", "printf %s:%s x "+word).Output()
			if err != nil || string(out) != "x:"+path {
				t.Errorf("%q: a shell reads %s as %q, %v", path, word, out, err)
			}
		}
	}
}
