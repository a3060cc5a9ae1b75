package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// changedPrograms are the files of the tests' release in which, in each, one byte of the first program for linux/amd64 is changed.
func changedPrograms(t *testing.T) map[string][]byte {
	t.Helper()
	r := expect(t).release
	check := func(data []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	flip := func(files map[string][]byte, name string) {
		files[name] = slices.Clone(files[name])
		files[name][len(files[name])/2] ^= 1
	}
	_, wheel, npm, _ := contents(t)
	flip(wheel, "runattest-0.1.0.data/scripts/runattest")
	flip(npm, "bin/runattest")
	files := maps.Clone(made.files)
	files[built[0].wheel(r)] = zipped(t, wheel)
	files[built[0].npm(r)] = check(packTar(npmFolder, sorted(entriesOf(npm)), archiveTime))
	changed := contentsOf{}
	for _, c := range components {
		inside, err := unpack(built[0], c.folder(built[0], r), made.files[c.archive(built[0], r)])
		check(nil, err)
		flip(inside, c.programs[0])
		entries := sorted(entriesOf(inside))
		changed[c] = map[target][]entry{built[0]: entries}
		files[c.archive(built[0], r)] = check(pack(built[0], c.folder(built[0], r), entries, archiveTime))
		for _, f := range formats {
			files[f.file(c, built[0], r)] = check(f.pack(c, built[0], r, entries, archiveTime, t.TempDir()))
		}
		if c.image == nil {
			continue
		}
		index, err := c.imageOf(r, strings.Repeat("0", 40), changed, archiveTime)
		check(nil, err)
		files[c.imageFile(r)] = check(packImage(index, c.imageTag(r), archiveTime, t.TempDir()))
	}
	return files
}

// TestReproduce: each file with programs is compared, and one byte of a program in any of them makes the answer no.
func TestReproduce(t *testing.T) {
	want := expect(t)
	s, err := openSource(checkout(t), want.release.tag)
	if err != nil {
		t.Fatal(err)
	}
	reproduced := func(files map[string][]byte) (log string, err error) {
		say := func(format string, args ...any) { log += fmt.Sprintf(format+"\n", args...) }
		err = reproduction{source: s, dir: writeFolder(t, files), tools: tools(t), say: say}.run(t.Context(), built[:1])
		return log, err
	}
	good, err := reproduced(made.files)
	if err != nil {
		t.Fatal(err)
	}
	log, err := reproduced(changedPrograms(t))
	if err == nil {
		t.Fatal("changed programs are the same, it is said")
	}
	held := 0
	for _, c := range components {
		for _, h := range c.holders(built[0], want.release) {
			for i, program := range c.programs {
				held++
				same := h.file + ": " + program + " for linux/amd64: the same "
				if !strings.Contains(good, same) {
					t.Errorf("nothing is said of %s in %s:\n%s", program, h.file, good)
				}
				if differs := strings.Contains(err.Error(), program+" in "+h.file); differs != (i == 0) || strings.Contains(log, same) == differs {
					t.Errorf("%s in %s differs: %t, %v:\n%s", program, h.file, differs, err, log)
				}
			}
		}
	}
	// runattest: archive, wheel, npm package, deb, rpm, two images; four plugins: archive, deb, rpm, one image; one: no image
	if held != 7+4*4+3 {
		t.Errorf("%d programs were compared", held)
	}
	files := maps.Clone(made.files)
	delete(files, built[0].wheel(want.release))
	if _, err := reproduced(files); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a wheel too few: %v", err)
	}
}

// TestExitStatus: a no of the release program is exit status 1, and names the file.
func TestExitStatus(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(exe, "reproduce", "--source", checkout(t), "--version", "v0.1.0", "--targets", "linux/amd64", dir)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.HasPrefix(string(out), "release: ") ||
		!strings.Contains(string(out), "runattest_0.1.0_linux_amd64.tar.gz: no such file") {
		t.Errorf("got %v, %s", err, out)
	}
}
