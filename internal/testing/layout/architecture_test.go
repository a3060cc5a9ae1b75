package layout

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	tableRow = regexp.MustCompile("^[|]([^|]*)[|] `([^`]+)` [|]")
	arrow    = regexp.MustCompile(`^ *(\S+?)(?:\[(\S+)\])? --> (\S+)$`)
)

// TestArchitecture: the table in docs/architecture.md has every public package, each imports those of its own group or of
// groups above alone, and the diagram of packages has the arrows that their imports make.
func TestArchitecture(t *testing.T) {
	page, err := os.ReadFile("../../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	group, groups := map[string]int{}, 0
	arrows := map[string][]string{}
	drawn := false
	for line := range strings.Lines(string(page)) {
		line = strings.TrimRight(line, "\n")
		if row := tableRow.FindStringSubmatch(line); row != nil {
			if strings.TrimSpace(row[1]) != "" {
				groups++
			}
			group[row[2]] = groups
		}
		drawn = (drawn || line == "flowchart TB") && line != "```"
		if a := arrow.FindStringSubmatch(line); drawn && a != nil {
			from := a[1]
			if a[2] != "" {
				from = a[2]
			}
			if from == "cmd" {
				from = "cmd/runattest"
			}
			arrows[from] = append(arrows[from], a[3])
		}
	}
	if len(group) < 15 || len(arrows) < 8 {
		t.Fatalf("%d packages in the table, arrows from %d in the diagram: this test reads the page wrongly", len(group), len(arrows))
	}
	direct := map[string][]string{}
	for _, line := range goList(t, "-f", `{{.ImportPath}}:{{.Name}}:{{join .Imports ","}}`, module+"...") {
		part := strings.SplitN(line, ":", 3)
		name := strings.TrimPrefix(part[0], module)
		if strings.Contains("/"+name, "/internal/") || strings.HasPrefix(name, "examples/") || part[1] == "main" && name != "cmd/runattest" {
			continue
		}
		for _, path := range strings.Split(part[2], ",") {
			if to, ours := strings.CutPrefix(path, module); ours && !strings.Contains("/"+to, "/internal/") {
				direct[name] = append(direct[name], to)
			}
		}
		if group[name] == 0 {
			t.Errorf("%s is not in the table", name)
			continue
		}
		for _, to := range direct[name] {
			if group[to] > group[name] {
				t.Errorf("%s imports %s, which is in a group below", name, to)
			}
		}
	}
	// reached are the packages to which arrows lead from one.
	var reached func(from string, seen map[string]bool) map[string]bool
	reached = func(from string, seen map[string]bool) map[string]bool {
		for _, to := range arrows[from] {
			if !seen[to] {
				seen[to] = true
				reached(to, seen)
			}
		}
		return seen
	}
	nodes := map[string]bool{}
	for from, all := range arrows {
		for _, to := range all {
			nodes[from], nodes[to] = true, true
			if !slices.Contains(direct[from], to) {
				t.Errorf("the diagram has an arrow from %s to %s, which it does not import", from, to)
			}
		}
	}
	for _, from := range slices.Sorted(maps.Keys(nodes)) {
		seen := reached(from, map[string]bool{})
		if seen[from] {
			t.Errorf("the arrows from %s lead back to it", from)
		}
		if group[from] == 0 {
			t.Errorf("%s is in the diagram, and not in the table", from)
		}
		for _, to := range direct[from] {
			if nodes[to] && !seen[to] {
				t.Errorf("%s imports %s, and no arrows lead there in the diagram", from, to)
			}
		}
	}
}
