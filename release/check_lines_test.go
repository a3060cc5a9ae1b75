package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

// checkLines are the lines of docs/install.md that check a release without its program.
func checkLines(t *testing.T) string {
	t.Helper()
	_, section, _ := strings.Cut(readFile(t, "../docs/install.md"), "\n## Check a release\n")
	section, _, _ = strings.Cut(section, "\n### ")
	script, _ := console(section)
	if !strings.Contains(script, "openssl dgst") || !strings.Contains(script, "sha256sum") {
		t.Fatalf("the page's lines are %q", script)
	}
	return script
}

// handmade is a release as far as those lines look: a list, its signature, and the files in it.
func handmade(t *testing.T, key signer.Signer, r release) map[string][]byte {
	t.Helper()
	files := map[string][]byte{
		provenanceFile(r): []byte(r.tag), built[0].wheel(r): []byte("wheel of " + r.tag), rpmFile(r): []byte("rpm of " + r.tag),
	}
	sums := checksums(files)
	files[checksumsFile], files[signatureFile] = sums, signedBy(t, key, sums)
	return files
}

func rpmFile(r release) string { return formats[1].file(command, built[0], r) }

// checkShells are those of this machine that run the lines.
func checkShells(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{"bash": {tool(t, "bash"), "-euo", "pipefail"}}
	for name, line := range map[string][]string{"dash": {"dash"}, "busybox": {"busybox", "sh"}, "zsh": {"zsh"}} {
		if path, err := exec.LookPath(line[0]); err == nil {
			all[name] = append([]string{path}, line[1:]...)
		}
	}
	return all
}

// TestCheckLines: the last line that a person sees says whether the folder is the release, and no line before it seems to.
func TestCheckLines(t *testing.T) {
	for _, name := range []string{"openssl", "sha256sum", "find"} {
		tool(t, name)
	}
	key, r := newKey(t), release{"v0.1.0"}
	public, err := key.PublicKey().PEM()
	if err != nil {
		t.Fatal(err)
	}
	script, good := checkLines(t), handmade(t, key, r)
	old, wheel := handmade(t, key, release{"v0.0.9"}), built[0].wheel(r)
	write := func(name, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	}
	link := func(name, to string) func(string) error {
		return func(dir string) error { return os.Symlink(to, filepath.Join(dir, name)) }
	}
	const no = "BAD: use nothing of dist\n"
	all := wheel + ": OK\n" + rpmFile(r) + ": OK\n" + provenanceFile(r) + ": OK\nGOOD: dist is release 0.1.0\n"
	executable := func(name string) func(string) error {
		return func(dir string) error { return os.Chmod(filepath.Join(dir, name), 0o700) }
	}
	for name, c := range map[string]struct {
		files  map[string][]byte // that differ from those of the release
		change func(dir string) error
		lines  func(script string) string
		want   string // what is printed, without the messages of tools
	}{
		"as released":       {want: all},
		"one wheel more":    {change: write("runattest-0.1.0-1-py3-none-any.whl", ""), want: "  runattest-0.1.0-1-py3-none-any.whl\n" + no},
		"a blank before":    {change: write(" "+wheel, ""), want: "   " + wheel + "\n" + no},
		"a name that nods":  {change: write("GOOD: dist is release 0.1.0", ""), want: "  GOOD: dist is release 0.1.0\n" + no},
		"a hidden file":     {change: write(".pip", ""), want: "  .pip\n" + no},
		"two names in one":  {change: write(wheel+"\n"+checksumsFile, ""), want: "  ./" + wheel + "\n  " + checksumsFile + "\n" + no},
		"a file that nods":  {change: write("GOOD: dist is release 0.1.0\x1b[8m", ""), want: "  ./GOOD: dist is release 0.1.0^[[8m\n" + no},
		"a link that nods":  {change: link("a\nGOOD: dist is release 0.1.0\n\x1b[8m", wheel), want: "  ./a\n  GOOD: dist is release 0.1.0\n  ^[[8m\n" + no},
		"a link to nothing": {change: link("b", "nothing"), want: "  ./b\n" + no},
		"a folder":          {change: func(dir string) error { return os.Mkdir(filepath.Join(dir, "c"), 0o700) }, want: "  ./c\n" + no},
		"a link to a folder": {change: func(dir string) error {
			return os.Symlink(dir, filepath.Join(dir, "c"))
		}, want: "  ./c\n" + no},
		"another file":   {files: map[string][]byte{wheel: []byte("other")}, want: wheel + ": FAILED\n" + rpmFile(r) + ": OK\n" + provenanceFile(r) + ": OK\n" + no},
		"a missing file": {change: func(dir string) error { return os.Remove(filepath.Join(dir, wheel)) }, want: wheel + ": FAILED\n" + rpmFile(r) + ": OK\n" + provenanceFile(r) + ": OK\n" + no},
		"a missing file, ignored": {
			change: func(dir string) error { return os.Remove(filepath.Join(dir, wheel)) },
			lines:  func(s string) string { return strings.Replace(s, "sha256sum -c", "sha256sum -c --ignore-missing", 1) },
			want:   rpmFile(r) + ": OK\n" + provenanceFile(r) + ": OK\nGOOD: dist is release 0.1.0\n",
		},
		"no list":            {change: func(dir string) error { return os.Remove(filepath.Join(dir, checksumsFile)) }, want: no},
		"no signature":       {change: func(dir string) error { return os.Remove(filepath.Join(dir, signatureFile)) }, want: no},
		"CRLF in the list":   {files: map[string][]byte{checksumsFile: bytes.ReplaceAll(good[checksumsFile], []byte("\n"), []byte("\r\n"))}, want: no},
		"CRLF in both":       {files: map[string][]byte{checksumsFile: bytes.ReplaceAll(good[checksumsFile], []byte("\n"), []byte("\r\n")), signatureFile: append(bytes.TrimSpace(good[signatureFile]), "\r\n"...)}, want: no},
		"one line more":      {files: map[string][]byte{checksumsFile: append(slices.Clone(good[checksumsFile]), good[checksumsFile]...)}, want: no},
		"another's":          {files: handmade(t, newKey(t), r), want: no},
		"HTML":               {files: map[string][]byte{signatureFile: []byte("<html></html>")}, want: no},
		"other signed text":  {files: map[string][]byte{checksumsFile: []byte("DSSEv1"), signatureFile: signedBy(t, key, []byte("DSSEv1"))}, want: no},
		"an older release":   {change: replaced(t, old), want: no},
		"a newer candidate":  {change: replaced(t, handmade(t, key, release{"v0.1.0-rc.1"})), want: no},
		"an older list":      {files: map[string][]byte{checksumsFile: old[checksumsFile], signatureFile: old[signatureFile]}, want: no},
		"the list is a link": {change: otherList, want: "  ./checksums.txt\n  ./dist\n" + no},
		// A folder of mode 0311, as tar keeps it, cannot be listed.
		"not found":  {lines: func(s string) string { return "find() { return 1; }\n" + s }, want: "  find failed\n" + no},
		"not listed": {lines: func(s string) string { return strings.Replace(s, "command ls", "false", 1) }, want: no},
		// Some find print a name as it is when they may not look into the folder.
		"a nod by find": {
			lines: func(s string) string { return "find() { printf 'GOOD\\033[8m\\n' >&2; return 1; }\n" + s },
			want:  "  GOOD^[[8m\n  find failed\n" + no,
		},
		// What a person has put in the place of a tool fails.
		"another grep": {
			change: write("more.whl", ""),
			lines:  func(s string) string { return "grep() { [ \"$1\" != -vxF ] || return 2; command grep \"$@\"; }\n" + s },
			want:   "  grep failed\n" + no,
		},
		"another cat": {change: link("b", wheel), lines: func(s string) string { return "cat() { return 1; }\n" + s }, want: no},
		"ls -F":       {lines: func(s string) string { return "ls() { command ls -F \"$@\"; }\n" + s }, change: executable(wheel), want: all},
		"a linked dist": {change: func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".real"), os.Symlink(dir+".real", dir))
		}, want: no},
		// As the page says: nothing is in that file but the signature.
		"more than a signature": {
			files: map[string][]byte{signatureFile: append(slices.Clone(good[signatureFile]), "--"...)},
			want:  all,
		},
	} {
		for shell, line := range checkShells(t) {
			t.Run(name+"/"+shell, func(t *testing.T) {
				files := maps.Clone(good)
				maps.Copy(files, c.files)
				where := filepath.Join(t.TempDir(), "a folder")
				for name, data := range files {
					writeFile(t, filepath.Join(where, "dist", name), string(data))
				}
				writeFile(t, filepath.Join(where, "docs", "release.pub"), string(public))
				if c.change != nil {
					if err := c.change(filepath.Join(where, "dist")); err != nil {
						t.Fatal(err)
					}
				}
				script := script
				if c.lines != nil {
					script = c.lines(script)
				}
				cmd := exec.Command(line[0], append(line[1:], "-c", script)...)
				cmd.Dir, cmd.Env = where, append(os.Environ(), "LC_ALL=C.UTF-8")
				if shell == "busybox" && strings.Contains(script, "--ignore-missing") {
					return // which its sha256sum does not have
				}
				var messages bytes.Buffer
				cmd.Stderr = &messages
				printed, err := cmd.Output()
				out := strings.ReplaceAll(string(printed), ": FAILED open or read\n", ": FAILED\n") // as coreutils says it
				if sortedLines(out) != sortedLines(c.want) || strings.HasSuffix(c.want, no) != strings.HasSuffix(out, no) {
					t.Errorf("printed\n%swant\n%s%s", out, c.want, &messages)
				}
				if (err != nil) != strings.HasSuffix(c.want, no) {
					t.Errorf("%v, %s", err, out)
				}
			})
		}
	}
}

// replaced puts these files in the place of those of a folder.
func replaced(t *testing.T, files map[string][]byte) func(dir string) error {
	return func(dir string) error {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		for name, data := range files {
			writeFile(t, filepath.Join(dir, name), string(data))
		}
		return nil
	}
}

// otherList makes the name of the list a link whose target depends on the folder of the program that reads it.
func otherList(dir string) error {
	if err := os.Rename(filepath.Join(dir, checksumsFile), filepath.Join(dir, "..", "c.txt")); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "dist"), 0o700); err != nil {
		return err
	}
	return os.Symlink("/proc/self/cwd/c.txt", filepath.Join(dir, checksumsFile))
}

func sortedLines(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
