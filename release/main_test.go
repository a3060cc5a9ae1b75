package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/signer"
)

// keyFiles writes a key of an algorithm.
func keyFiles(t *testing.T, algorithm signer.Algorithm) (private, public string) {
	t.Helper()
	pair, err := signer.Generate(algorithm, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	private, public = filepath.Join(dir, "release.key"), filepath.Join(dir, "release.pub")
	writeFile(t, private, string(pair.Private))
	writeFile(t, public, string(pair.Public))
	return private, public
}

// TestCommandLine: what must be said is not left out, and a release is not signed with a key that openssl does not check in
// one line.
func TestCommandLine(t *testing.T) {
	dir := checkout(t)
	key, public := keyFiles(t, signer.ECDSAP256)
	other, _ := keyFiles(t, signer.Ed25519)
	out := filepath.Join(t.TempDir(), "dist")
	for line, reason := range map[string]string{
		"":                                       "wrong usage",
		"publish":                                "wrong usage",
		"publish DIR":                            "wrong usage",
		"build --snapshot --key " + key + " DIR": "wrong usage",
		"build --snapshot --nokey":               "not defined: -nokey",
		"build --key " + key:                     "either --version V, of a tag, or --snapshot",
		"build --snapshot --version v0.1.0 --key " + key:               "either --version V, of a tag, or --snapshot",
		"build --version 0.1.0 --key " + key:                           "want vMAJOR.MINOR.PATCH",
		"build --version v0.0.9 --key " + key:                          "has no tag v0.0.9",
		"build --snapshot":                                             "--key is missing",
		"build --snapshot --key " + other:                              "--key is ed25519: a release is signed with ecdsa-p256",
		"build --snapshot --targets plan9/amd64 --key " + key:          "plan9/amd64",
		"build --snapshot --key env://RELEASE_TEST_UNSET":              "RELEASE_TEST_UNSET",
		"verify --key " + public + " DIR":                              "verify wants --version and --key",
		"verify --version v0.1.0 DIR":                                  "verify wants --version and --key",
		"verify --version v0.1.0 --key " + public:                      "wrong usage",
		"verify --version v0.1.0 --key a --key " + public + " DIR":     "it is given twice",
		"verify --version v0.0.9 --version v0.1.0 --key a DIR":         "it is given twice",
		"build --snapshot --snapshot=false --key " + key:               "it is given twice",
		"verify --version 0.1.0 --key " + public + " DIR":              "want vMAJOR.MINOR.PATCH",
		"verify --version v0.1.0 --key " + key + " DIR":                "release.key",
		"verify --version v0.1.0 --snapshot --key " + public + " DIR":  "NOT VERIFIED: version v0.1.0: a snapshot is verified with --snapshot",
		"verify --version v0.1.0 --key " + public + " /nowhere/at/all": "NOT VERIFIED: ",
		"reproduce DIR": "either --version V, of a tag, or --snapshot",
	} {
		args := strings.Fields(line)
		if len(args) > 0 && args[0] != "verify" {
			args = append([]string{args[0], "--source", dir, "--out", out}, args[1:]...)
		}
		err := run(t.Context(), args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("release %s: got %v, want %q", line, err, reason)
		}
		if errors.Is(err, errUsage) != (reason == "wrong usage" || reason == "it is given twice" || strings.HasPrefix(reason, "not defined")) {
			t.Errorf("release %s: %v: usage", line, err)
		}
	}
	if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v, want nothing there", out, err)
	}
}

// TestVerifyCommand verifies what the tests' release is, with its key in a file.
func TestVerifyCommand(t *testing.T) {
	want := expect(t)
	key := want.keyFile(t)
	dir := writeFolder(t, made.files)
	var log strings.Builder
	line := strings.Fields(strings.NewReplacer("go -C release run . ", "", "../docs/release.pub", key, "../dist", "--targets linux/amd64,windows/amd64 "+dir).
		Replace(pageLine(t, want.release, "go -C release run . verify")))
	if err := run(t.Context(), line, &log); err != nil || log.String() != "verified: v0.1.0\n" {
		t.Errorf("%q, %v", &log, err)
	}
	line[2] = "v0.0.9"
	if err := run(t.Context(), line, io.Discard); err == nil || !strings.Contains(err.Error(), `NOT VERIFIED: checksums.txt: it is of release "v0.1.0", want "v0.0.9"`) {
		t.Errorf("as another version: %v", err)
	}
}

// asProgram runs the release program in a process of its own and gives what it printed.
func asProgram(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	return out.String(), log.String(), err
}

// TestHelp: a request for help is not an error.
func TestHelp(t *testing.T) {
	for _, line := range []string{"help", "-h", "--help", "verify --help", "verify -h", "build --help"} {
		if out, log, err := asProgram(t, strings.Fields(line)...); err != nil || out != usage || log != "" {
			t.Errorf("release %s: %q, %q, %v", line, out, log, err)
		}
	}
	if out, log, err := asProgram(t, "publish"); err == nil || out != "" || !strings.HasSuffix(log, usage) {
		t.Errorf("release publish: %q, %q, %v", out, log, err)
	}
}

// TestVerifyPrints: a name in the folder does not print a line of its own, or over the one before.
func TestVerifyPrints(t *testing.T) {
	want := expect(t)
	key := want.keyFile(t)
	dir := writeFolder(t, made.files)
	writeFile(t, filepath.Join(dir, "\r\x1b[2Kverified: v0.1.0\n\x1b[8m"), "")
	out, log, err := asProgram(t, "verify", "--version", "v0.1.0", "--key", key, "--targets", "linux/amd64,windows/amd64", dir)
	if err == nil || out != "" || strings.Count(log, "\n") != 1 || strings.ContainsAny(log, "\r\x1b") ||
		!strings.HasPrefix(log, "release: NOT VERIFIED: ") || !strings.HasSuffix(log, "is not a file of this release\n") {
		t.Errorf("%q, %q, %v", out, log, err)
	}
}

// TestPrintable: a folder's texts stay in their line; the lines of a compiler's message are kept.
func TestPrintable(t *testing.T) {
	hostile := errors.New("x\r\x1b[2K\nverified: v0.1.0")
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("%w: %w", errFolder, hostile), `NOT VERIFIED: x\u{d}\u{1b}[2K\u{a}verified: v0.1.0`},
		{hostile, `x\u{d}\u{1b}[2K` + "\nverified: v0.1.0"},
	} {
		if got := printable(c.err); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestDiffers: what a release differs in comes first, and no more than a few names.
func TestDiffers(t *testing.T) {
	want := expectation{release: release{"v0.1.0"}, targets: built}
	names := want.names()
	of := func(tag string, targets []target) []string {
		return expectation{release: release{tag}, targets: targets}.names()
	}
	for _, c := range []struct {
		listed []string
		want   string
	}{
		{of("v0.0.9", built), `it is of release "v0.0.9", want "v0.1.0"`},
		{of("v0.0.9", targets), `it is of release "v0.0.9", want "v0.1.0"`},
		{of("v0.1.0", built[:1]), "it is of a release for [linux/amd64], want one for [linux/amd64 windows/amd64]"},
		{append(slices.Clone(names), "../x"), `lists "../x", which is not of this release`},
		{append(slices.Clone(names), names[0]), "lists the files in another order, or one twice"},
		{append(slices.Clone(names), "1", "2", "3", "4", "5", "6\n"), `lists "1", which is not of this release, lists "2", which is not of this release, ` +
			`lists "3", which is not of this release, lists "4", which is not of this release, lists "5", which is not of this release, and 1 more`},
	} {
		if got := want.differs(c.listed).Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestCheckNames: a folder of a release holds its files alone, and no links to files elsewhere.
func TestCheckNames(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string) error
		reason string
	}{
		"good":           {func(string) error { return nil }, ""},
		"a hidden file":  {func(dir string) error { return os.WriteFile(filepath.Join(dir, ".a"), nil, 0o600) }, `.a": is not a file of this release`},
		"a folder":       {func(dir string) error { return os.Mkdir(filepath.Join(dir, "c"), 0o700) }, `c": is not a file of this release`},
		"a folder named": {func(dir string) error { return os.Mkdir(filepath.Join(dir, "b"), 0o700) }, `b": is not a regular file`},
		"a link":         {func(dir string) error { return os.Symlink(filepath.Join(dir, "a"), filepath.Join(dir, "b")) }, `b": is not a regular file`},
		"a linked one": {func(dir string) error {
			return errors.Join(os.Rename(dir, dir+".real"), os.Symlink(dir+".real", dir))
		}, `is a symbolic link`},
		"a line break": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\nb"), nil, 0o600) }, `a\nb": is not a file of this release`},
	} {
		dir := writeFolder(t, map[string][]byte{"a": nil})
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		err := checkNames(dir+"/", []string{"a", "b"})
		if (c.reason == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}

// TestVerifyHints: a list whose line ends were converted, and a link to nothing, are named as what they are.
func TestVerifyHints(t *testing.T) {
	want := expect(t)
	for name, c := range map[string]struct {
		change func(dir string) error
		reason string
	}{
		"CRLF": {func(dir string) error {
			path := filepath.Join(dir, checksumsFile)
			sums, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, []byte(strings.ReplaceAll(string(sums), "\n", "\r\n")), 0o600))
		}, "checksums.txt: its lines end with CRLF"},
		"a link to nothing": {func(dir string) error {
			path := filepath.Join(dir, checksumsFile)
			return errors.Join(os.Remove(path), os.Symlink("nowhere", path))
		}, `checksums.txt": is not a regular file, but a link`},
		"missing": {func(dir string) error { return os.Remove(filepath.Join(dir, checksumsFile)) }, "checksums.txt: no such file"},
	} {
		dir := writeFolder(t, made.files)
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		if err := verify(t.Context(), want, dir); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", name, err, c.reason)
		}
	}
}

// TestRelativeOut: the Go command, which refuses a relative GOBIN, gets an absolute one where --out is relative.
func TestRelativeOut(t *testing.T) {
	tool(t, "sh")
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, filepath.Join(dir, "tools", "go"), "#!/bin/sh\nprintf %s \"$GOBIN\" >\""+dir+"/gobin\"\nexit 1\n")
	if err := os.Chmod(filepath.Join(dir, "tools", "go"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(dir, "tools"))
	if err := (&building{say: t.Logf}).build(t.Context(), "there"); err == nil {
		t.Error("built without Go")
	}
	if got := readFile(t, filepath.Join(dir, "gobin")); !filepath.IsAbs(got) {
		t.Errorf("GOBIN is %q", got)
	}
}

// keyFile has the key that a release is signed with, for a command line.
func (e expectation) keyFile(t *testing.T) string {
	t.Helper()
	public, err := e.key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "release.pub")
	writeFile(t, path, string(public))
	return path
}
