package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/lazyregexp"
)

var (
	pageHeading = lazyregexp.New(`\*\*([a-z][a-z -]*[a-z-])\*\*`)
	pageAsFor   = lazyregexp.New(`[Aa]s (?:for )?(verify|lint|policy explain)\b`)
	pageMember  = lazyregexp.New("`[.]?([a-zA-Z][a-zA-Z0-9.\\[\\]]*)`")
)

// outputSections are the parts of docs/output.md by the commands that they are about. One heading can name several.
func outputSections(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("../../docs/output.md")
	if err != nil {
		t.Fatal(err)
	}
	_, objects, _ := strings.Cut(string(data), "\n## Objects\n")
	sections := map[string]string{}
	var current []string
	for _, paragraph := range strings.Split(objects, "\n\n") {
		if names := pageHeading.FindAllStringSubmatch(paragraph, -1); names != nil {
			current = nil
			for _, n := range names {
				current = append(current, strings.Fields(n[1] + " -")[0])
				if full := strings.TrimSpace(strings.SplitN(n[1], " -", 2)[0]); full != current[len(current)-1] {
					current[len(current)-1] = full
				}
			}
		}
		for _, name := range current {
			sections[name] += strings.Join(strings.Fields(paragraph), " ") + " "
		}
	}
	return sections
}

// TestOutputPage: docs/output.md has a part for each command that prints JSON, and in it each member of the objects that the
// command prints here.
func TestOutputPage(t *testing.T) {
	sections := outputSections(t)
	if len(sections) < 20 {
		t.Fatalf("%d parts of the page: %q", len(sections), slices.Sorted(maps.Keys(sections)))
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		name := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "runattest"), " ")
		if f := cmd.Flags().Lookup("format"); f != nil && strings.HasPrefix(f.Value.Type(), "text") && sections[name] == "" {
			t.Errorf("docs/output.md has no part about %s", name)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	for _, sub := range newRoot().Commands() {
		walk(sub)
	}
	for _, line := range outputLines(t) {
		args := strings.Fields(line)
		_, stdout, stderr := called(slices.Insert(slices.Clone(args), slices.IndexFunc(append(args, "-"), isOption), "--format", "json")...)
		name := args[0]
		if len(args) > 1 && sections[name+" "+args[1]] != "" {
			name += " " + args[1]
		}
		documented := documentedMembers(sections, name, map[string]bool{})
		if stdout == "" {
			t.Errorf("%s prints nothing: %s", line, stderr)
		}
		for object := range strings.Lines(stdout) {
			var v any
			if err := json.Unmarshal([]byte(object), &v); err != nil {
				t.Fatalf("%s: %v: %s", line, err, object)
			}
			for _, member := range membersOf(v, "") {
				if !documented[member] {
					t.Errorf("%s: the part of docs/output.md about it does not have the member %s", line, member)
				}
			}
		}
	}
}

// isOption tells the first argument behind the names of commands.
func isOption(arg string) bool { return !regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(arg) }

// documentedMembers are the names in backquotes of a part, and of those that it refers to.
func documentedMembers(sections map[string]string, name string, seen map[string]bool) map[string]bool {
	all := map[string]bool{}
	if seen[name] {
		return all
	}
	seen[name] = true
	for _, m := range pageMember.FindAllStringSubmatch(sections[name], -1) {
		for _, part := range strings.Split(m[1], ".") {
			all[strings.TrimSuffix(part, "[]")] = true
		}
	}
	others := []string{}
	for _, m := range pageAsFor.FindAllStringSubmatch(sections[name], -1) {
		others = append(others, m[1])
	}
	if strings.Contains(sections[name], "as above") || strings.Contains(sections[name], "as below") {
		others = append(others, "id", "attach", "policy explain")
	}
	for _, other := range others {
		maps.Copy(all, documentedMembers(sections, other, seen))
	}
	return all
}

// membersOf are the names of all members in a JSON value, without those of objects whose names are the user's.
func membersOf(v any, of string) []string {
	var names []string
	switch v := v.(type) {
	case map[string]any:
		if slices.Contains([]string{"annotations", "bundle", "declaration", "digest", "statement"}, of) {
			return nil
		}
		for name, value := range v {
			names = append(append(names, name), membersOf(value, name)...)
		}
	case []any:
		for _, value := range v {
			names = append(names, membersOf(value, of)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// outputLines makes a folder with what the commands of its lines need, and enters it.
func outputLines(t *testing.T) []string {
	t.Helper()
	cases, err := filepath.Abs("../../examples/policies")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	run := `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m:latest","provider":"p","version":"1"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`
	policy := "schema: https://github.com/runattest/runattest/policy/v1\nname: p\nsigners: {keys: [{name: a, key: a.pub}]}\napprovals: {required: 1, approvers: [{name: r, role: qa, keys: [{key: b.pub}]}]}\n"
	for name, text := range map[string]string{"run.json": run, "policy.yaml": policy, "artifact.txt": "text", "bad.json": `{"kind":"x"}`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"keygen --no-password -o a", "keygen --no-password -o b", "sign --key a.key --artifact artifact.txt --annotation team=blue run.json",
		"sign --key a.key --set s.runset.jsonl --set-annotation x=y run.json", "link --key a.key --run run.json.sigstore.json --artifact artifact.txt --relation produced",
		"approve --key b.key --decision approved --reason fine --bundle ok.sigstore.json run.json.sigstore.json",
	} {
		if status, _, stderr := called(strings.Fields(line)...); status != exitYes {
			t.Fatalf("%s: %s", line, stderr)
		}
	}
	const b = "run.json.sigstore.json"
	return []string{
		"version", "keygen --no-password -o c", "public-key --key a.key", "id run.json", "lint run.json", "lint bad.json", "sign --key a.key --bundle x.sigstore.json run.json",
		"verify --key a.pub " + b, "verify --key b.pub " + b, "verify --key a.pub run.json", "verify --key a.pub --each s.runset.jsonl", "set list s.runset.jsonl",
		"sign --key a.key --set t.runset.jsonl run.json", "inspect " + b, "graph --key a.pub " + b,
		"link --key a.key --run " + b + " --artifact artifact.txt --relation consumed --bundle l.json", "link verify --key a.pub artifact.txt.link.sigstore.json",
		"approve --key b.key --decision approved --reason fine --bundle again.json " + b, "policy check policy.yaml", "policy explain --policy policy.yaml --approvals ok.sigstore.json " + b,
		"policy sign --key a.key policy.yaml", "exec --dry-run --bundle " + b + " --policy policy.yaml -- true", fmt.Sprintf("policy test %s", cases),
		"push --declaration run.json oci-layout://runs " + b, "list oci-layout://runs@" + runID(t, "run.json"), "fetch oci-layout://runs@" + runID(t, "run.json") + " -o fetched",
		"verify --key a.pub oci-layout://runs@" + runID(t, "run.json"),
	}
}

func runID(t *testing.T, file string) string {
	t.Helper()
	_, stdout, _ := called("id", file)
	return strings.TrimSpace(stdout)
}
