package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/runattest/runattest/internal/cli"
)

var update = flag.Bool("update", false, "write docs/cli and docs/man again")

// TestDocs holds docs/cli and docs/man to the commands' help.
func TestDocs(t *testing.T) {
	root := newRoot()
	root.DisableAutoGenTag = true
	pages := t.TempDir()
	if err := doc.GenMarkdownTree(root, pages); err != nil {
		t.Fatal(err)
	}
	holdPages(t, pages, "../../docs/cli")
	manual := t.TempDir()
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "runattest", Manual: "User Commands"}, manual); err != nil {
		t.Fatal(err)
	}
	removeDates(t, manual)
	holdPages(t, manual, "../../docs/man")
}

// manualDate is the date in the title line of a manual page, which is that of its generation.
var manualDate = regexp.MustCompile(`(?m)^(\.TH "[^"]*" "1" )"[^"]*"`)

func removeDates(t *testing.T, folder string) {
	t.Helper()
	for name, text := range readAll(t, folder) {
		if !manualDate.MatchString(text) {
			t.Fatalf("%s has no title line", name)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(manualDate.ReplaceAllString(text, `$1""`)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// holdPages compares a folder of generated pages with the one in the repository, or writes that again with -update.
func holdPages(t *testing.T, generated, folder string) {
	t.Helper()
	if *update {
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(folder, os.DirFS(generated)); err != nil {
			t.Fatal(err)
		}
	}
	want, got := readAll(t, generated), readAll(t, folder)
	if len(want) == 0 {
		t.Fatal("no pages")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is not what the commands say; make docs writes it again:\n%s", folder, diff)
	}
}

func readAll(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

// consoleBlock is a fenced block of commands, each behind "$ ", and what they print.
var consoleBlock = regexp.MustCompile("(?s)```console\n(.*?)```")

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(# run.yaml\n.*?)```")

// TestTutorials runs the commands of each page, in order and in one folder, and compares what they print with what
// the page shows. Commands that fetch or build are left to `make demo` and CI.
func TestTutorials(t *testing.T) {
	for _, page := range []string{"README.md", "docs/getting-started.md"} {
		t.Run(page, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("../..", page))
			if err != nil {
				t.Fatal(err)
			}
			runPage(t, data)
		})
	}
}

func runPage(t *testing.T, data []byte) {
	var script bytes.Buffer
	commands := 0
	for _, block := range consoleBlock.FindAllSubmatch(data, -1) {
		for _, step := range strings.Split("\n"+string(block[1]), "\n$ ")[1:] {
			line, output, _ := strings.Cut(step, "\n")
			if strings.HasPrefix(line, "git ") || strings.HasPrefix(line, "make ") || strings.HasPrefix(line, "go ") {
				continue
			}
			commands++
			script.WriteString("exec sh -c '" + strings.ReplaceAll(line, "'", "''") + " 2>&1 || true'\n")
			if want := inOrder(output); want != "" {
				script.WriteString("stdout '" + strings.ReplaceAll(want, "'", "''") + "'\n")
			}
		}
	}
	if commands < 4 {
		t.Fatalf("only %d commands on the page", commands)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "page.txtar"), script.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p := params(dir)
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		declaration := yamlBlock.FindSubmatch(data)
		if declaration == nil {
			return errors.New("the page shows no run.yaml")
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, "run.yaml"), declaration[1], 0o600); err != nil {
			return err
		}
		return setup(env)
	}
	testscript.Run(t, p)
}

// inOrder is a pattern for the lines of an output, one below the other. A line "..." stands for any lines.
func inOrder(output string) string {
	var pattern strings.Builder
	separator := ""
	for line := range strings.Lines(output) {
		switch line = strings.TrimSpace(line); line {
		case "":
		case "...":
			separator = `(?:.*\n)*?`
		default:
			pattern.WriteString(separator + `^[ \t]*` + regexp.QuoteMeta(line) + `[ \t]*\n`)
			separator = ""
		}
	}
	return pattern.String()
}

// TestReadmeLibrary compiles the README's way through the library.
func TestReadmeLibrary(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(data)
	if block == nil {
		t.Fatal("the README shows no Go")
	}
	source := filepath.Join(t.TempDir(), "readme.go")
	code := `package readme

import (
	"context"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/signer"
)

func _(ctx context.Context, data []byte, key signer.Signer) (any, error) {
` + string(block[1]) + `
	return verified, err
}
`
	if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs("../../internal/readme")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(folder, "readme.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	replace := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(replace, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay", replace, "./internal/readme")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// markdownLink is the target of a link in Markdown.
var markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// TestLinks follows the links of every page to the files that they name.
func TestLinks(t *testing.T) {
	const root = "../.."
	links := 0
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != root || entry.Name() == "node_modules" || entry.Name() == "bin") {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range markdownLink.FindAllSubmatch(data, -1) {
			target, _, _ := strings.Cut(string(match[1]), "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which is not there", path, match[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if links < 100 {
		t.Fatalf("only %d links followed", links)
	}
}

// TestValueNames: help shows what the value of a flag is, as in --key KEY, and no type of Go.
func TestValueNames(t *testing.T) {
	types := []string{"string", "strings", "stringArray", "int", "duration"}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if name, _ := pflag.UnquoteUsage(f); slices.Contains(types, name) {
				t.Errorf("%s --%s %s: its usage names no value between backquotes", cmd.CommandPath(), f.Name, name)
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
}

// Help lists every subcommand but version in a group.
func TestGroups(t *testing.T) {
	for _, cmd := range newRoot().Commands() {
		if cmd.GroupID == "" && cmd.Name() != "version" {
			t.Errorf("%s is in no group", cmd.Name())
		}
	}
}

// A command line has its subcommand made and no other; one that names none has all.
func TestOneSubcommand(t *testing.T) {
	for _, sub := range subcommands {
		if made := newRoot(sub.name, "--help").Commands(); len(made) != 1 || made[0].Name() != sub.name {
			t.Errorf("%s: made %d commands", sub.name, len(made))
		}
	}
	for _, args := range [][]string{nil, {"--help"}, {"help", "verify"}, {"verfy"}, {"__complete", "ve"}} {
		if made := newRoot(args...).Commands(); len(made) != len(subcommands) {
			t.Errorf("%q: made %d commands, want all %d", args, len(made), len(subcommands))
		}
	}
}

// Each command has its page of help, and each page its command.
func TestPages(t *testing.T) {
	files, err := fs.Glob(pages, "help/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, file := range files {
		want = append(want, strings.TrimSuffix(path.Base(file), ".txt"))
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		name := strings.ReplaceAll(strings.TrimPrefix(cmd.CommandPath(), "runattest "), " ", "_")
		got = append(got, name)
		text, err := fs.ReadFile(pages, "help/"+name+".txt")
		if err != nil {
			t.Error(err)
		}
		page, err := cli.ParsePage(string(text))
		if err != nil {
			t.Errorf("help/%s.txt: %v", name, err)
		}
		shown := cli.Page{Usage: cmd.Use, Summary: cmd.Short, Description: cmd.Long, Examples: cmd.Example}
		if diff := cmp.Diff(page, shown); diff != "" {
			t.Errorf("%s shows another page than help/%s.txt (-want +got):\n%s", cmd.CommandPath(), name, diff)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages and commands differ (-pages +commands):\n%s", diff)
	}
}
