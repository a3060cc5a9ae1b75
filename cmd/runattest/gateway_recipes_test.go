package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// recipes are the blocks of docs/gateway.md of a language.
func recipes(t *testing.T, language string) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	var l []string
	for _, block := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		l = append(l, block[1])
	}
	return l
}

// checkArguments finds flags that the command does not have, and values that they do not take.
func checkArguments(t *testing.T, args []string) {
	t.Helper()
	cmd, rest, err := newRoot(args...).Find(args)
	if err != nil || cmd.Name() != "gateway" {
		t.Errorf("%q: %v", args, err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil || len(cmd.Flags().Args()) > 0 {
		t.Errorf("%q: %v %q", args, err, cmd.Flags().Args())
	}
}

// TestGatewayRecipes: the recipes for Kubernetes and docker compose are YAML, and the arguments in all of them are those of the command.
func TestGatewayRecipes(t *testing.T) {
	read := 0
	for _, text := range recipes(t, "yaml") {
		doc, problems := yamljson.Read([]byte(text), "recipe", yamljson.Limits{Bytes: limits.GatewayConfig, Entries: 1000, Depth: 100, Problems: limits.Problems, Pointers: limits.ProblemPointers})
		if len(problems) > 0 {
			t.Errorf("%v\n%s", problems[0], text)
			continue
		}
		form, err := canonical.Transform(doc.JSON) // which refuses a member that is there twice
		if err != nil {
			t.Errorf("%v\n%s", err, text)
			continue
		}
		root, err := jsontree.Parse(form)
		if err != nil {
			t.Fatal(err)
		}
		args := root.Get("services").Get("gateway").Get("command")
		for _, container := range root.Get("spec").Get("initContainers").Elements() {
			args = container.Get("args")
		}
		var words []string
		for _, w := range args.Elements() {
			words = append(words, w.Text())
		}
		if len(words) > 0 {
			read++
			checkArguments(t, words)
		}
	}
	page, err := os.ReadFile("../../docs/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(string(page), "\\\n", " ")
	for _, line := range regexp.MustCompile(`(?m)^(?: *|ExecStart=/usr/bin/)runattest gateway .*$`).FindAllString(joined, -1) {
		read++
		_, line, _ = strings.Cut(strings.TrimSuffix(line, "&"), "runattest ")
		checkArguments(t, strings.Fields(line))
	}
	if read != 7 {
		t.Errorf("%d recipes with arguments, want those of Kubernetes, compose, systemd, Claude Code, vLLM, windows and the first part", read)
	}
}

// TestGatewayUnits: systemd reads the units of docs/gateway.md without a complaint.
func TestGatewayUnits(t *testing.T) {
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not there")
	}
	units := recipes(t, "ini")
	if len(units) != 2 {
		t.Fatalf("%d units, want 2", len(units))
	}
	dir := t.TempDir()
	args := []string{"verify"}
	for _, text := range units {
		head, _, _ := strings.Cut(text, "\n")
		path := filepath.Join(dir, filepath.Base(head))
		text = strings.ReplaceAll(text, "/usr/bin/runattest", "/bin/true") // which must be there
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if said, err := exec.Command(program, args...).CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("%v: %s", err, said)
	}
}
