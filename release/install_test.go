package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// dist is the release that RUNATTEST_DIST names, which these tests install; they are skipped without one. `make
// release-check` builds it, installs the tools and runs them.
func dist(t *testing.T) (dir string, r release) {
	t.Helper()
	dir = os.Getenv("RUNATTEST_DIST")
	if dir == "" {
		t.Skip("RUNATTEST_DIST names no release: make release-check does")
	}
	if hostTarget() != built[0] {
		t.Skipf("these commands are for %s", built[0])
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.provenance.sigstore.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: want one provenance, found %q", dir, found)
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), "runattest_"), ".provenance.sigstore.json")
	if r, err = parseVersion("v" + bare); err != nil {
		t.Fatal(err)
	}
	return dir, r
}

// distTargets are those that a release was built for.
func distTargets(t *testing.T, dir string, r release) (all []target) {
	t.Helper()
	for _, to := range targets {
		if _, err := os.Stat(filepath.Join(dir, command.archive(to, r))); err == nil {
			all = append(all, to)
		}
	}
	return all
}

// wants skips a test that needs tools which are not here. Where they were all installed for the tests, RUNATTEST_TOOLS=all
// makes it fail instead.
func wants(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			continue
		} else if os.Getenv("RUNATTEST_TOOLS") == "all" {
			t.Fatalf("%s was not installed: %v", name, err)
		} else {
			t.Skipf("wants %s: %v", name, err)
		}
	}
}

// distKey is the file of the release's public key.
func distKey(t *testing.T) string {
	t.Helper()
	path := os.Getenv("RUNATTEST_DIST_KEY")
	if path == "" {
		t.Fatal("RUNATTEST_DIST_KEY names no public key")
	}
	return path
}

// room is a folder to install in, with an environment of its own.
type room struct {
	dir string
	env []string
}

func newRoom(t *testing.T, dist string, env ...string) *room {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a folder") // most tools are told other folders by the environment
	home := filepath.Join(dir, "home")
	if err := os.MkdirAll(filepath.Join(home, "npm", "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	linkFiles(t, dist, filepath.Join(dir, "dist"))
	// Shims of version managers look for their files in HOME.
	python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(home, "npm", "bin") + ":" + filepath.Dir(strings.TrimSpace(string(python)))
	for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(folder, "go")); err != nil { // users need no Go
			path += ":" + folder
		}
	}
	base := []string{
		"HOME=" + home, "PATH=" + path, "LANG=C.UTF-8", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_BREAK_SYSTEM_PACKAGES=1",
		"UV_PYTHON_DOWNLOADS=never", "UV_OFFLINE=1",
		"npm_config_prefix=" + filepath.Join(home, "npm"), "npm_config_registry=http://127.0.0.1:9/", "npm_config_update_notifier=false",
		"npm_config_audit=false", "npm_config_fund=false",
	}
	return &room{dir, append(base, env...)}
}

// linkFiles makes a folder with the files of another: the page's lines refuse a symbolic link.
func linkFiles(t *testing.T, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		from, to := filepath.Join(from, f.Name()), filepath.Join(to, f.Name())
		if err := os.Link(from, to); err != nil { // on another file system, say
			writeFile(t, to, readFile(t, from))
		}
	}
}

// run runs a script of bash and gives what it printed.
func (r *room) run(script string) (string, error) {
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = r.dir, r.env
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// want runs a script and demands that it prints each of these.
func (r *room) want(t *testing.T, script string, printed ...string) {
	t.Helper()
	out, err := r.run(script)
	if err != nil {
		t.Errorf("%s\n%v\n%s", script, err, out)
		return
	}
	for _, text := range printed {
		if !strings.Contains(out, text) {
			t.Errorf("%s\nprinted\n%s\nwant %q", script, out, text)
		}
	}
}

var (
	sectionForm = regexp.MustCompile(`(?m)^## `)
	consoleForm = regexp.MustCompile("(?s)```console\n(.*?)```")
)

// console gives the commands in a section of the page, and what they print.
func console(section string) (script string, printed []string) {
	for _, block := range consoleForm.FindAllStringSubmatch(section, -1) {
		goesOn := false
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok || goesOn {
				script += command
				goesOn = strings.HasSuffix(command, "&&\n") || strings.HasSuffix(command, "||\n")
			} else {
				printed = append(printed, strings.TrimSpace(line))
			}
		}
	}
	return script, printed
}

// TestInstallPage runs every command of docs/install.md, each section in a folder of its own, on a machine whose configuration names
// another place for wheels.
func TestInstallPage(t *testing.T) {
	dir, r := dist(t)
	page, err := os.ReadFile("../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("runattest-0.1.0-py3", "runattest-"+r.python()+"-py3", "runattest==0.1.0", "runattest=="+r.python(), "runattest@0.1.0", "runattest@"+r.python(), "0.1.0", r.bare()).Replace(string(page))
	commands, configuration := 0, mirror(t, r)
	for _, section := range sectionForm.Split(text, -1)[1:] {
		name, _, _ := strings.Cut(section, "\n")
		script, printed := console(section)
		if script == "" {
			continue
		}
		commands += strings.Count(section, "\n$ ")
		t.Run(name, func(t *testing.T) {
			room := newRoom(t, dir, "XDG_CONFIG_DIRS="+configuration)
			key, err := os.ReadFile(distKey(t))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(room.dir, "docs"), 0o755); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(room.dir, "docs", "release.pub"), string(key))
			room.want(t, script, printed...)
		})
	}
	if commands < 25 {
		t.Errorf("%d commands on the page", commands)
	}
}

// mirror is a folder of a machine's configuration of pip and uv, which names one with a wheel that they prefer to that of a release: a
// build of its version with a number. There is no program in it.
func mirror(t *testing.T, r release) string {
	t.Helper()
	dir, info := t.TempDir(), "runattest-"+r.python()+".dist-info/"
	var text bytes.Buffer
	wheel := zip.NewWriter(&text)
	for _, f := range [][2]string{
		{"METADATA", "Metadata-Version: 2.1\nName: runattest\nVersion: " + r.python() + "\n"},
		{"WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nBuild: 9\nTag: py3-none-manylinux_2_17_x86_64\n"},
		{"RECORD", info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"},
	} {
		w, err := wheel.Create(info + f[0])
		if err == nil {
			_, err = io.WriteString(w, f[1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := wheel.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "wheels", "runattest-"+r.python()+"-9-py3-none-manylinux_2_17_x86_64.whl"), text.String())
	writeFile(t, filepath.Join(dir, "pip", "pip.conf"), fmt.Sprintf("[global]\nfind-links = %s\n", filepath.Join(dir, "wheels")))
	writeFile(t, filepath.Join(dir, "uv", "uv.toml"), fmt.Sprintf("find-links = [%q]\n", filepath.Join(dir, "wheels")))
	return dir
}

const declaration = `{"schema": "https://github.com/runattest/runattest/declaration/v1", "kind": "inference", "model": {"name": "m"},
  "prompt": {"text": "hello"}, "parameters": {}, "context": [], "constraints": {}}`

// TestPip installs in the ways that differ in where the program goes.
func TestPip(t *testing.T) {
	dir, r := dist(t)
	const pip = "python3 -m pip install --quiet --no-index --find-links dist "
	for name, c := range map[string]struct{ install, python, command string }{
		"user":   {pip + "--user runattest", "python3", `"$HOME/.local/bin/runattest"`},
		"prefix": {pip + "--prefix there runattest", "PYTHONPATH=$(echo there/lib/python*/site-packages) python3", "there/bin/runattest"},
		"target beside a decoy": {"mkdir bin && printf '#!/bin/sh\\necho decoy\\n' > bin/runattest && chmod +x bin/runattest && mkdir -p x && " +
			pip + "--target x/there runattest", "PYTHONPATH=x/there python3", "x/there/bin/runattest"},
		"venv":      {"python3 -m venv env && env/bin/" + pip + "runattest", "env/bin/python", "env/bin/runattest"},
		"uv venv":   {"uv venv --quiet env && uv pip install --python env --quiet --no-index --find-links dist runattest", "env/bin/python", "env/bin/runattest"},
		"uv target": {"uv pip install --quiet --no-index --find-links dist --target there runattest", "PYTHONPATH=there python3", "there/bin/runattest"},
		"uv links":  {"uv venv --quiet env && uv pip install --python env --link-mode symlink --no-index --find-links dist runattest", "env/bin/python", "env/bin/runattest"},
		"upgraded":  {"python3 -m venv env && for i in 1 2; do env/bin/" + pip + "--upgrade --force-reinstall runattest; done", "env/bin/python", "env/bin/runattest"},
	} {
		t.Run(name, func(t *testing.T) {
			room := newRoom(t, dir)
			room.want(t, c.install)
			room.want(t, c.command+" version", "runattest "+r.tag)
			room.want(t, c.python+" -m runattest version", "runattest "+r.tag)
			room.want(t, "cmp \"$("+c.python+" -c 'import runattest; print(runattest.program())')\" "+c.command)
		})
	}
}

// TestInstalled signs and verifies with what pip installed, where no Go is.
func TestInstalled(t *testing.T) {
	dir, _ := dist(t)
	room := newRoom(t, dir)
	writeFile(t, filepath.Join(room.dir, "run.json"), declaration)
	room.want(t, `! command -v go && python3 -m venv env && . env/bin/activate && pip install --quiet --no-index --find-links dist runattest
runattest keygen --no-password && runattest sign --key runattest.key run.json && runattest verify --key runattest.pub run.json.sigstore.json`,
		"airun:1:sha256:", "run.json.sigstore.json: verified")
}

// platforms are what pip is asked for, and the target whose wheel it must choose.
var platforms = []struct {
	pip, uv string
	target  target
}{
	{"manylinux_2_17_x86_64", "x86_64-manylinux_2_17", target{"linux", "amd64"}},
	{"manylinux2014_x86_64", "x86_64-manylinux2014", target{"linux", "amd64"}},
	{"musllinux_1_1_x86_64", "x86_64-unknown-linux-musl", target{"linux", "amd64"}},
	{"manylinux_2_17_aarch64", "aarch64-manylinux_2_17", target{"linux", "arm64"}},
	{"manylinux2014_aarch64", "aarch64-manylinux_2_28", target{"linux", "arm64"}},
	{"musllinux_1_1_aarch64", "aarch64-unknown-linux-musl", target{"linux", "arm64"}},
	{"macosx_12_0_x86_64", "x86_64-apple-darwin", target{"darwin", "amd64"}},
	{"macosx_14_0_x86_64", "", target{"darwin", "amd64"}},
	{"macosx_12_0_arm64", "aarch64-apple-darwin", target{"darwin", "arm64"}},
	{"macosx_14_0_arm64", "", target{"darwin", "arm64"}},
	{"win_amd64", "x86_64-pc-windows-msvc", target{"windows", "amd64"}},
	{"win_arm64", "aarch64-pc-windows-msvc", target{"windows", "arm64"}},
	{"manylinux2014_s390x", "", target{}},
	{"macosx_11_0_arm64", "", target{}},
	{"win32", "", target{}},
}

// TestPlatforms: pip and uv choose the right one of the six wheels, or say that there is none. The wheels have the names and
// tags of a release's, and nothing else.
func TestPlatforms(t *testing.T) {
	real, _ := dist(t)
	links, r := t.TempDir(), release{"v0.1.0"}
	for _, to := range targets {
		var tags strings.Builder
		for platform := range strings.SplitSeq(to.wheelPlatform(), ".") {
			fmt.Fprintf(&tags, "Tag: py3-none-%s\n", platform)
		}
		files := map[string][]byte{
			"runattest-0.1.0.dist-info/METADATA": []byte("Metadata-Version: 2.4\nName: runattest\nVersion: 0.1.0\n"),
			"runattest-0.1.0.dist-info/WHEEL":    []byte("Wheel-Version: 1.0\nRoot-Is-Purelib: false\n" + tags.String()),
		}
		record(files)
		writeFile(t, filepath.Join(links, to.wheel(r)), string(zipped(t, files)))
	}
	room := newRoom(t, real)
	for _, p := range platforms {
		out, err := room.run("python3 -m pip download --no-cache-dir --no-deps --no-index --find-links " + links + " --only-binary=:all: --platform " + p.pip + " -d got-" + p.pip + " runattest")
		found, _ := filepath.Glob(filepath.Join(room.dir, "got-"+p.pip, "*.whl"))
		switch {
		case p.target == target{}:
			if err == nil || !strings.Contains(strings.ToLower(out), "no matching distribution") {
				t.Errorf("pip, %s: %v\n%s", p.pip, err, out)
			}
		case err != nil || len(found) != 1 || filepath.Base(found[0]) != p.target.wheel(r):
			t.Errorf("pip, %s: %v, chose %q\n%s", p.pip, err, found, out)
		}
		if p.uv == "" {
			continue
		}
		room.want(t, "uv pip install --quiet --no-index --find-links "+links+" --python-platform "+p.uv+" --target uv-"+p.uv+" runattest && "+
			"cat uv-"+p.uv+"/*.dist-info/WHEEL", "Tag: py3-none-"+strings.Split(p.target.wheelPlatform(), ".")[0])
	}
}
