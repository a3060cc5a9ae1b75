package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

// runner is what a GitHub runner gives the action's step, and what came of it.
type runner struct {
	dir, out string
	err      error
}

// install runs the action's step as bash does on a runner, against a server.
func install(t *testing.T, server string, env map[string]string) runner {
	t.Helper()
	r := runner{dir: t.TempDir()}
	key, err := made.key.PublicKey().PEM()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(r.dir, "release.pub"), string(key))
	all := map[string]string{
		"VERSION": "v0.1.0", "SHA256": "", "RELEASES": server, "KEY": filepath.Join(r.dir, "release.pub"),
		"RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "RUNNER_TEMP": r.dir,
		"GITHUB_PATH": filepath.Join(r.dir, "path"), "GITHUB_OUTPUT": filepath.Join(r.dir, "output"),
		"PATH": os.Getenv("PATH"), "HOME": r.dir, "no_proxy": "*",
	}
	maps.Copy(all, env)
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join("..", ".github", "action", "install.sh"))
	for name, value := range all {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	r.out, r.err = string(out), err
	return r
}

// serve serves the files of releases below /TAG/.
func serve(t *testing.T, files map[string]map[string][]byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tag, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		data, ok := files[tag][name]
		switch {
		case !ok:
			http.NotFound(w, r)
		case string(data) == "STOP":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("half"))
		case string(data) == "HUGE":
			w.Header().Set("Content-Length", "134217729")
			_, _ = w.Write([]byte("x"))
		case string(data) == "ELSEWHERE":
			http.Redirect(w, r, "https://127.0.0.1:1/", http.StatusFound)
		default:
			_, _ = w.Write(data)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestAction runs the step with the variables of each runner. The tests' release is for two systems; the archives of the others
// have a program of one line.
func TestAction(t *testing.T) {
	r := expect(t).release
	files, programs := maps.Clone(made.files), map[target]string{}
	for _, to := range targets {
		if slices.Contains(built, to) {
			inside, err := unpack(to, command.folder(to, r), files[command.archive(to, r)])
			if err != nil {
				t.Fatal(err)
			}
			programs[to] = string(inside[to.program()])
			continue
		}
		programs[to] = "the program for " + to.String()
		data, err := pack(to, command.folder(to, r), []entry{{"LICENSE", []byte("text"), false}, {to.program(), []byte(programs[to]), true}}, archiveTime)
		if err != nil {
			t.Fatal(err)
		}
		files[command.archive(to, r)] = data
	}
	resign(t, files)
	server := serve(t, map[string]map[string][]byte{"v0.1.0": files})
	for _, c := range []struct {
		os, arch string
		to       target
	}{
		{"Linux", "X64", target{"linux", "amd64"}}, {"Linux", "ARM64", target{"linux", "arm64"}},
		{"macOS", "X64", target{"darwin", "amd64"}}, {"macOS", "ARM64", target{"darwin", "arm64"}},
		{"Windows", "X64", target{"windows", "amd64"}}, {"Windows", "ARM64", target{"windows", "arm64"}},
	} {
		t.Run(c.to.String(), func(t *testing.T) {
			digest := fmt.Sprintf("%x", sha256.Sum256(files[command.archive(c.to, r)]))
			for _, asked := range []string{"", digest} {
				got := install(t, server, map[string]string{"RUNNER_OS": c.os, "RUNNER_ARCH": c.arch, "SHA256": asked})
				if got.err != nil {
					t.Fatalf("%v\n%s", got.err, got.out)
				}
				place := strings.TrimSpace(readFile(t, filepath.Join(got.dir, "path")))
				program := filepath.Join(place, c.to.program())
				if readFile(t, program) != programs[c.to] {
					t.Error("another program was installed")
				}
				if info, err := os.Stat(program); err != nil || info.Mode() != 0o755 {
					t.Errorf("%v, %v, want a program that everyone can run", info.Mode(), err)
				}
				if entries, err := os.ReadDir(place); err != nil || len(entries) != 1 {
					t.Errorf("installed are %v, %v, want the program alone", entries, err)
				}
				if output := readFile(t, filepath.Join(got.dir, "output")); output != "path="+place+"\n" {
					t.Errorf("output %q", output)
				}
				left, err := filepath.Glob(filepath.Join(got.dir, "runattest.*"))
				if err != nil || len(left) > 0 {
					t.Errorf("%q is left", left)
				}
			}
		})
	}
}

// TestActionWindowsPath: on Windows, where the step runs in Git's bash, the steps that follow get a path of Windows.
func TestActionWindowsPath(t *testing.T) {
	expect(t)
	bin := t.TempDir()
	writeFile(t, filepath.Join(bin, "cygpath"), "#!/bin/sh\n[ \"$1\" = -w ] && printf 'C:%s\\n' \"$2\" | tr / '\\\\'\n")
	if err := os.Chmod(filepath.Join(bin, "cygpath"), 0o755); err != nil {
		t.Fatal(err)
	}
	server := serve(t, map[string]map[string][]byte{"v0.1.0": made.files})
	for system, windows := range map[string]bool{"Windows": true, "Linux": false} {
		got := install(t, server, map[string]string{"RUNNER_OS": system, "PATH": bin + ":" + os.Getenv("PATH")})
		if got.err != nil {
			t.Fatalf("%s: %v\n%s", system, got.err, got.out)
		}
		want := filepath.Join(got.dir, "runattest-v0.1.0-"+strings.ToLower(system)+"-amd64")
		if _, err := os.Stat(want); err != nil {
			t.Error(err)
		}
		if windows {
			want = "C:" + strings.ReplaceAll(want, "/", `\`)
		}
		if path, output := readFile(t, filepath.Join(got.dir, "path")), readFile(t, filepath.Join(got.dir, "output")); path != want+"\n" || output != "path="+path {
			t.Errorf("%s: path %q, output %q, want %q", system, path, output, want)
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestActionOverNewer: a version that is installed after a newer one, in the same job, is the one that the next step runs, and
// leaves the other as it is. Installed again, it replaces what has become of its folder.
func TestActionOverNewer(t *testing.T) {
	expect(t)
	server := serve(t, map[string]map[string][]byte{"v0.1.0": made.files, "v0.0.9": made.old})
	first := install(t, server, nil)
	second := install(t, server, map[string]string{"VERSION": "v0.0.9", "RUNNER_TEMP": first.dir, "GITHUB_PATH": filepath.Join(first.dir, "path")})
	if first.err != nil || second.err != nil {
		t.Fatalf("%v, %v\n%s%s", first.err, second.err, first.out, second.out)
	}
	places := strings.Fields(readFile(t, filepath.Join(first.dir, "path"))) // the runner puts each in front of those before
	if len(places) != 2 {
		t.Fatalf("the folders are %q, want two", places)
	}
	for i, c := range []struct {
		r     release
		files map[string][]byte
	}{{release{"v0.1.0"}, made.files}, {release{"v0.0.9"}, made.old}} {
		inside, err := unpack(built[0], command.folder(built[0], c.r), c.files[command.archive(built[0], c.r)])
		if err != nil {
			t.Fatal(err)
		}
		if readFile(t, filepath.Join(places[i], "runattest")) != string(inside["runattest"]) {
			t.Errorf("%s does not have the program of %s", places[i], c.r.tag)
		}
	}
	want := readFile(t, filepath.Join(places[0], "runattest"))
	writeFile(t, filepath.Join(places[0], "runattest"), "changed since")
	if again := install(t, server, map[string]string{"RUNNER_TEMP": first.dir}); again.err != nil {
		t.Fatalf("%v\n%s", again.err, again.out)
	}
	if entries, err := os.ReadDir(places[0]); err != nil || len(entries) != 1 || readFile(t, filepath.Join(places[0], "runattest")) != want {
		t.Errorf("installed again, %s has %v, %v, want the program alone", places[0], entries, err)
	}
}

func TestActionRefuses(t *testing.T) {
	r := expect(t).release
	archive := command.archive(built[0], r)
	other := newKey(t)
	hostile := func(h tar.Header, body string) func(map[string][]byte) {
		return func(f map[string][]byte) {
			h.Size, h.Mode = int64(len(body)), 0o755
			var out bytes.Buffer
			w := tar.NewWriter(&out)
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(body)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			zipped, err := compress(out.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			f[archive] = zipped
			resign(t, f)
		}
	}
	zipArchive := command.archive(built[1], r)
	hostileZip := func(name string, mode fs.FileMode, body string) func(map[string][]byte) {
		return func(f map[string][]byte) {
			var out bytes.Buffer
			w := zip.NewWriter(&out)
			h := &zip.FileHeader{Name: name}
			h.SetMode(mode)
			to, err := w.CreateHeader(h)
			if err == nil {
				_, err = to.Write([]byte(body))
			}
			if err := errors.Join(err, w.Close()); err != nil {
				t.Fatal(err)
			}
			f[zipArchive] = out.Bytes()
			resign(t, f)
		}
	}
	windows := map[string]string{"RUNNER_OS": "Windows"}
	folder, zipFolder := command.folder(built[0], r), command.folder(built[1], r)
	for name, c := range map[string]struct {
		env    map[string]string
		change func(map[string][]byte)
		reason string
	}{
		"no such version":     {env: map[string]string{"VERSION": "v9.9.9"}, reason: "is that version released?"},
		"latest":              {env: map[string]string{"VERSION": "latest"}, reason: "version: want one such as"},
		"a version of code":   {env: map[string]string{"VERSION": "v0.1.0; touch pwned"}, reason: "version: want one such as"},
		"another code":        {env: map[string]string{"VERSION": "$(touch pwned)"}, reason: "version: want one such as"},
		"a way out":           {env: map[string]string{"VERSION": "v0.1.0/../v0.0.9"}, reason: "version: want one such as"},
		"lines":               {env: map[string]string{"VERSION": "v0.1.0\n::set-env"}, reason: "version: want one such as"},
		"another digest":      {env: map[string]string{"SHA256": strings.Repeat("0", 64)}, reason: "not the one that sha256 asks for"},
		"a digest of code":    {env: map[string]string{"SHA256": "`id`"}, reason: "want 64 lower-case"},
		"no key":              {env: map[string]string{"KEY": "/nonexistent"}, reason: "there is no release yet"},
		"a runner of another": {env: map[string]string{"RUNNER_OS": "Plan9"}, reason: "RUNNER_OS=Plan9"},
		"another processor":   {env: map[string]string{"RUNNER_ARCH": "X86"}, reason: "RUNNER_ARCH=X86"},
		"a target not built":  {env: map[string]string{"RUNNER_OS": "macOS"}, reason: "does not list runattest_0.1.0_darwin_amd64.tar.gz once"},
		"another's signature": {change: func(f map[string][]byte) { f[signatureFile] = signedBy(t, other, f[checksumsFile]) }, reason: "is not by the release's key"},
		"a malformed one":     {change: func(f map[string][]byte) { f[signatureFile] = []byte("<html>") }, reason: "checksums.txt.sig of v0.1.0 is malformed"},
		"one with more":       {change: func(f map[string][]byte) { f[signatureFile] = append(slices.Clone(f[signatureFile]), "--"...) }, reason: "checksums.txt.sig of v0.1.0 is malformed"},
		"an older list": {change: func(f map[string][]byte) {
			f[checksumsFile], f[signatureFile] = made.old[checksumsFile], made.old[signatureFile]
		}, reason: "does not list"},
		"an archive twice, signed": {change: func(f map[string][]byte) {
			line := regexp.MustCompile(`(?m)^.*` + regexp.QuoteMeta(archive) + `\n`).Find(f[checksumsFile])
			f[checksumsFile] = slices.Concat(f[checksumsFile], line)
			f[signatureFile] = signedBy(t, made.key, f[checksumsFile])
		}, reason: "does not list " + archive + " once"},
		"a malformed digest, signed": {change: func(f map[string][]byte) {
			f[checksumsFile] = []byte("? " + archive + "\n")
			f[signatureFile] = signedBy(t, made.key, f[checksumsFile])
		}, reason: "checksums.txt is malformed"},
		"a list that stops":       {change: func(f map[string][]byte) { f[checksumsFile] = []byte("STOP") }, reason: "checksums.txt of v0.1.0 could not be downloaded"},
		"a list of HTML":          {change: func(f map[string][]byte) { f[checksumsFile] = []byte("<html></html>") }, reason: "is not by the release's key"},
		"an archive of HTML":      {change: func(f map[string][]byte) { f[archive] = []byte("<html></html>") }, reason: "is not the one that the release's key signed"},
		"an archive of others":    {change: func(f map[string][]byte) { f[archive] = f[command.archive(built[1], r)] }, reason: "is not the one that the release's key signed"},
		"more than a release has": {change: func(f map[string][]byte) { f[archive] = []byte("HUGE") }, reason: "Maximum file size exceeded"},
		"another protocol":        {change: func(f map[string][]byte) { f[archive] = []byte("ELSEWHERE") }, reason: "disabled"},
		"a server that stops":     {change: func(f map[string][]byte) { f[archive] = []byte("STOP") }, reason: "could not be downloaded"},
		"a link, signed":          {change: hostile(tar.Header{Name: folder + "/runattest", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, ""), reason: "no program that is a file"},
		"dots, signed":            {change: hostile(tar.Header{Name: folder + "/../runattest", Typeflag: tar.TypeReg}, "x"), reason: "has no " + folder},
		"a link in a zip":         {env: windows, change: hostileZip(zipFolder+"/runattest.exe", fs.ModeSymlink|0o777, "/etc/passwd"), reason: "no program that is a file"},
		"dots in a zip":           {env: windows, change: hostileZip(zipFolder+"/../runattest.exe", 0o755, "x"), reason: "has no " + zipFolder},
		"another, signed":         {change: hostile(tar.Header{Name: folder + "/README.md", Typeflag: tar.TypeReg}, "x"), reason: "has no " + folder},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := maps.Clone(made.files)
			if c.change != nil {
				c.change(files)
			}
			got := install(t, serve(t, map[string]map[string][]byte{"v0.1.0": files, "v0.0.9": made.old}), c.env)
			if got.err == nil || !strings.Contains(got.out, c.reason) {
				t.Errorf("got %v, %q, want %q", got.err, got.out, c.reason)
			}
			for _, left := range []string{"path", "pwned"} {
				if _, err := os.Lstat(filepath.Join(got.dir, left)); err == nil {
					t.Errorf("there is a file %s", left)
				}
			}
			if _, err := os.Lstat("pwned"); err == nil {
				t.Error("the version was run")
			}
		})
	}
}

func signedBy(t *testing.T, key signer.Signer, data []byte) []byte {
	t.Helper()
	signature, err := key.Sign(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(signature) + "\n")
}
