package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGovernanceDay does what docs/governance.md prints of a day, as it is printed: yaml blocks are files, sh blocks
// are typed, and text blocks are what the last of these said.
func TestGovernanceDay(t *testing.T) {
	for _, program := range []string{"curl", "jq", "python3", "sha256sum"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s, with which the day is told", program)
		}
	}
	page, err := os.ReadFile("../docs/governance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, day, _ := strings.Cut(string(page), "\n## A day\n")
	day, _, found := strings.Cut(day, "\n## ")
	if !found {
		t.Fatal("no day")
	}
	d := newDesk(t)
	d.env = append(d.env, "PATH="+filepath.Dir(runattestPath)+":"+os.Getenv("PATH"), "TMPDIR="+t.TempDir(), "TSA="+shareTimestamper(t), "RUNATTEST_PASSWORD="+password)
	var said string
	ran, compared := 0, 0
	for _, block := range regexp.MustCompile("(?s)```(yaml|sh|text)\n(.*?)```").FindAllStringSubmatch(day, -1) {
		switch kind, text := block[1], block[2]; kind {
		case "yaml":
			name, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
			d.write(name, []byte(text))
		case "sh":
			o := d.run("sh", []string{"-euc", text})
			said = string(o.ok()) + o.stderr
			ran++
		case "text":
			for line := range strings.Lines(text) {
				if want := regexp.MustCompile("(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSuffix(line, "\n")), `\.\.\.`, ".*") + "$"); !want.MatchString(said) {
					t.Errorf("%s was said, want %s", said, line)
				}
				compared++
			}
		}
		if strings.Contains(block[2], "-- python3 train.py\n") && !strings.Contains(said, "training airun:1:sha256:") {
			t.Errorf("nothing was trained:\n%s", said)
		}
	}
	if ran < 7 || compared < 7 {
		t.Errorf("%d blocks of commands, and %d lines of what they say", ran, compared)
	}
}
