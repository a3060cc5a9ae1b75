package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/template"
)

// published is an environment in which a tool finds a release by its name: pip, uv and pipx in the folder, npm in a registry.
func published(t *testing.T, dir string, r release) *room {
	t.Helper()
	return newRoom(t, dir, "PIP_NO_INDEX=1", "PIP_FIND_LINKS="+dir, "PIP_YES=1", "UV_NO_INDEX=1", "UV_FIND_LINKS="+dir,
		"npm_config_registry="+registry(t, dir, r), "npm_config_yes=true")
}

// publishedModule is an environment in which the Go command finds the module of a release, and the program that it installs.
// It has cgo, and flags of its own.
func publishedModule(t *testing.T, r release, flags string) (where *room, program string) {
	t.Helper()
	tag := r.tag
	if r.isSnapshot() {
		tag = ""
	}
	s, err := openSource("..", tag)
	if err != nil || s.release != r {
		t.Fatalf("the checkout must be that of the release, %s: %+v, %v", r.tag, s, err)
	}
	temp := t.TempDir()
	proxy, err := s.serve(filepath.Join(temp, "proxy"))
	if err != nil {
		t.Fatal(err)
	}
	latest, err := json.Marshal(map[string]any{"Version": r.tag, "Time": s.at})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(temp, "proxy", filepath.FromSlash(modulePath), "@latest"), string(latest))
	shop, err := newWorkshop(filepath.Join(temp, "shop"), proxy, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shop.remove(); err != nil {
			t.Error(err)
		}
	})
	env := append(shop.environ(hostTarget()), "CGO_ENABLED=1", "GOFLAGS="+flags)
	return &room{temp, env}, filepath.Join(shop.dir, "go", "bin", built[0].program())
}

// TestReadmeLines runs the lines by which README installs, each in a folder of its own, then signs and verifies.
func TestReadmeLines(t *testing.T) {
	dir, r := dist(t)
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Install\n")
	section, _, _ = strings.Cut(section, "\n## ")
	ran := map[string]int{}
	for line := range strings.Lines(section) {
		command, indented := strings.CutPrefix(line, "    ")
		if !indented {
			continue
		}
		command = strings.TrimSpace(command)
		tool, _, _ := strings.Cut(command, " ")
		ran[tool]++
		switch tool {
		case "pip", "npm":
			t.Run(tool, func(t *testing.T) {
				room := newRoom(t, dir)
				signs(t, room, "python3 -m venv env && . env/bin/activate\n"+command, "runattest", r)
			})
		case "CGO_ENABLED=0":
			t.Run("go", func(t *testing.T) {
				room, program := publishedModule(t, r, "-trimpath") // what the release compiled is in the cache
				signs(t, room, command, program, r)
			})
		case "git", "make": // make demo is a step of .ci/run, in a checkout
		default:
			t.Errorf("%s: no test runs this line of README.md", command)
		}
	}
	if ran["pip"] != 1 || ran["npm"] != 1 || ran["CGO_ENABLED=0"] != 1 {
		t.Errorf("the lines are %v, want one of each: pip, npm, Go", ran)
	}
}

// signs installs, and has the program sign and verify.
func signs(t *testing.T, room *room, install, program string, r release) {
	t.Helper()
	writeFile(t, filepath.Join(room.dir, "run.json"), declaration)
	room.want(t, install+"\nprogram="+program+`
$program version && $program keygen --no-password
$program sign --key runattest.key run.json && $program verify --key runattest.pub run.json.sigstore.json`,
		"runattest "+r.tag, "airun:1:sha256:", "run.json.sigstore.json: verified")
}

var commandForm = regexp.MustCompile("`([^`]+)`")

// TestInstallTable runs the table of docs/install.md, whose lines name a package, where tools find the release by its name.
func TestInstallTable(t *testing.T) {
	dir, r := dist(t)
	page, err := os.ReadFile("../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := func(cell string) string {
		var all []string
		for _, found := range commandForm.FindAllStringSubmatch(cell, -1) {
			all = append(all, found[1])
		}
		return strings.Join(all, "\n") + "\n"
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.Contains(cells[2], " runattest`") {
			continue
		}
		rows++
		t.Run(strings.TrimSpace(cells[1]), func(t *testing.T) {
			published(t, dir, r).want(t, `python3 -m venv env && . env/bin/activate && PATH=$HOME/.local/bin:$PATH
`+commands(cells[2])+`installed=$(command -v runattest) && "$installed" version
`+commands(cells[4])+`"$installed" version
`+commands(cells[5])+`[ ! -e "$installed" ] && echo removed`, "runattest "+r.tag, "removed")
		})
	}
	if rows != 4 {
		t.Errorf("%d rows, want those of pip, uv, pipx and npm", rows)
	}
}

var goLineForm = regexp.MustCompile(`(?m)^    (.*\bgo install .*)$`)

// TestGoLine: the line of docs/install.md gives the bytes that are in the archive, wheel, npm package, deb, rpm and images.
func TestGoLine(t *testing.T) {
	dir, r := dist(t)
	page, err := os.ReadFile("../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := goLineForm.FindAllStringSubmatch(strings.ReplaceAll(string(page), "v0.1.0", r.tag), -1)
	if len(lines) != 1 {
		t.Fatalf("the lines are %q, want one", lines)
	}
	room, program := publishedModule(t, r, "-tags=other") // which the line must not take over
	room.want(t, lines[0][1])
	want, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range command.holders(built[0], r) {
		data, err := os.ReadFile(filepath.Join(dir, h.file))
		if err != nil {
			t.Fatal(err)
		}
		files, err := h.read(data)
		if err != nil {
			t.Fatalf("%s: %v", h.file, err)
		}
		if got := files[h.folder+built[0].program()]; !bytes.Equal(got, want) {
			t.Errorf("%s: its %d bytes are not the %d of %s", h.file, len(got), len(want), lines[0][1])
		}
	}
}

// TestDeadCode: the linker leaves out methods that are never called, which it cannot where a template may name one.
func TestDeadCode(t *testing.T) {
	const executes = "text/template.(*state).evalField"
	if names := executing(t); !strings.Contains(names, executes+"\n") {
		t.Fatalf("templates are executed otherwise, by\n%s", names)
	}
	dir, r := dist(t)
	for _, to := range distTargets(t, dir, r) {
		files, err := unpack(to, command.folder(to, r), []byte(readFile(t, filepath.Join(dir, command.archive(to, r)))))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(files[to.program()], []byte(executes)) {
			t.Errorf("%s: the program executes templates: go build -ldflags=-dumpdep says by what", to)
		}
	}
}

// executing is what a template that names a method is executed by: the functions, a line each.
func executing(t *testing.T) string {
	t.Helper()
	var names strings.Builder
	if err := template.Must(template.New("").Parse("{{.Callers}}")).Execute(io.Discard, callers{&names}); err != nil {
		t.Fatal(err)
	}
	return names.String()
}

type callers struct{ to *strings.Builder }

func (c callers) Callers() string {
	all := make([]uintptr, 64)
	frames := runtime.CallersFrames(all[:runtime.Callers(0, all)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		c.to.WriteString(f.Function + "\n")
	}
	return ""
}

var (
	fileForm = regexp.MustCompile(`runattest[a-z]*[-_][^\s` + "`" + `"'|():$/]*0\.1\.0[^\s` + "`" + `"'|():$/]*`)
	lineForm = regexp.MustCompile(`(?m)^    ((?:sudo|cosign|docker|jq|go|\[) (?:.*(?:\\|\||&&)\n)*.*)$`)
)

// pageLine is the line of docs/install.md that begins with these words, with the version of the release in it.
func pageLine(t *testing.T, r release, words string) string {
	t.Helper()
	var all []string
	for _, found := range lineForm.FindAllStringSubmatch(readFile(t, "../docs/install.md"), -1) {
		if strings.HasPrefix(found[1], words) {
			all = append(all, strings.ReplaceAll(strings.ReplaceAll(found[1], "0.1.0-1", r.debian()), "0.1.0", r.bare()))
		}
	}
	if len(all) != 1 {
		t.Fatalf("the lines with %s are %q, want one", words, all)
	}
	return all[0]
}

var blockForm = regexp.MustCompile(`(?m)(?:^    .*\n)+`)

// pageBlock is the indented block of docs/install.md that begins with these words, as a script.
func pageBlock(t *testing.T, words string) string {
	t.Helper()
	var all []string
	for _, found := range blockForm.FindAllString(readFile(t, "../docs/install.md"), -1) {
		if block := regexp.MustCompile(`(?m)^    `).ReplaceAllString(found, ""); strings.HasPrefix(block, words) {
			all = append(all, block)
		}
	}
	if len(all) != 1 {
		t.Fatalf("the blocks with %s are %q, want one", words, all)
	}
	return all[0]
}

// TestPageFiles: each file of a release that docs/install.md names is one that this program makes.
func TestPageFiles(t *testing.T) {
	r := release{"v0.1.0"}
	known := append(packages(r, targets), provenanceFile(r))
	for _, c := range components {
		for _, to := range targets {
			known = append(known, c.folder(to, r))
		}
	}
	found := fileForm.FindAllString(readFile(t, "../docs/install.md"), -1)
	if len(found) < 10 {
		t.Errorf("the page names %q", found)
	}
	for _, name := range found {
		if !slices.Contains(known, name) {
			t.Errorf("the page names %s, which no release has", name)
		}
	}
}
