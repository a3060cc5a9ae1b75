package filedigest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/runattest/runattest/identity"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFolderDigest holds the digest of a folder to the listing that its documentation defines, and
// to what standard tools compute.
func TestFolderDigest(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b", "x"), "two")
	write(t, filepath.Join(dir, "a"), "one")
	write(t, filepath.Join(dir, "b.txt"), "three") // "b.txt" sorts before "b/x"
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "-n"), "five") // no option
	listing := sha("five") + "  -n\n" + sha("one") + "  a\n" + sha("three") + "  b.txt\n" + sha("two") + "  b/x\n"
	texts := "onetwothreefive"
	if runtime.GOOS == "linux" { // elsewhere names are UTF-8
		texts += "four"
		write(t, filepath.Join(dir, "c\xff", "x\xff"), "four")
		listing += sha("four") + "  c\xff/x\xff\n"
	}
	var progress bytes.Buffer
	got, err := (&Hasher{Progress: &progress}).Digests(t.Context(), dir, identity.Digests{SHA512: [64]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA256 != sha256.Sum256([]byte(listing)) || got.SHA512 != sha512.Sum512([]byte(listing)) || got.SHA384 != [48]byte{} {
		t.Errorf("got %x", got)
	}
	if progress.Len() != len(texts) {
		t.Errorf("%d bytes of progress", progress.Len())
	}
	out, err := exec.Command("sh", "-c", `cd "$1" && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum -- | sha256sum`, "sh", dir).Output()
	if err != nil {
		t.Skip("NOT COMPARED: no find and sha256sum as on Linux here:", err)
	}
	if want := fmt.Sprintf("%x", got.SHA256); !strings.HasPrefix(string(out), want) {
		t.Errorf("standard tools say %s, want %s", out, want)
	}
}

// TestFolderRefused: what is not a file, or changes what a listing means, has no digest.
func TestFolderRefused(t *testing.T) {
	for name, make := range map[string]func(dir string) error{
		"link to a file":   func(dir string) error { return os.Symlink("/etc/hostname", filepath.Join(dir, "l")) },
		"link to a folder": func(dir string) error { return os.Symlink("/etc", filepath.Join(dir, "l")) },
		"dangling link":    func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "l")) },
		"fifo":             func(dir string) error { return exec.Command("mkfifo", filepath.Join(dir, "f")).Run() },
		"line break":       func(dir string) error { return os.WriteFile(filepath.Join(dir, "a\nb"), nil, 0o600) },
	} {
		dir := t.TempDir()
		if err := make(dir); err != nil {
			t.Logf("%s: cannot be made here: %v", name, err)
			continue
		}
		if d, err := new(Hasher).Digests(t.Context(), dir, identity.Digests{}); err == nil {
			t.Errorf("%s: digest %x", name, d.SHA256)
		}
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if exec.Command("mkfifo", fifo).Run() == nil {
		if _, err := new(Hasher).Digests(t.Context(), fifo, identity.Digests{}); err == nil {
			t.Error("a FIFO has a digest")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := new(Hasher).Digests(ctx, write(t, filepath.Join(t.TempDir(), "f"), "x"), identity.Digests{}); err == nil {
		t.Error("hashed after the end of the context")
	}
}

// TestFolderOfLinks: an entry that is not a file is named by its kind.
func TestFolderOfLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blob"), "x")
	snapshot := filepath.Join(dir, "snapshot")
	link := filepath.Join(snapshot, "config.json")
	if err := errors.Join(os.Mkdir(snapshot, 0o700), os.Symlink("../blob", link)); err != nil {
		t.Fatal(err)
	}
	_, err := new(Hasher).Digests(t.Context(), snapshot, identity.Digests{})
	var special *SpecialFileError
	if !errors.As(err, &special) || special.Folder != snapshot || special.Mode != fs.ModeSymlink || !strings.Contains(err.Error(), link+": is a symbolic link: ") {
		t.Errorf("got %v", err)
	}
	if _, err := new(Hasher).Digests(t.Context(), link, identity.Digests{}); err != nil {
		t.Errorf("a link that is named itself: %v", err)
	}
	if _, err := new(Hasher).Digests(t.Context(), os.DevNull, identity.Digests{}); err == nil || !strings.Contains(err.Error(), "is a device, want a file or a folder") {
		t.Errorf("got %v", err)
	}
}

// TestSwap: a file that becomes a pipe or a device meanwhile does not block, and has no digest.
func TestSwap(t *testing.T) {
	dir := t.TempDir()
	path, next, fifo := filepath.Join(dir, "file"), filepath.Join(dir, "next"), filepath.Join(dir, "fifo")
	good := write(t, filepath.Join(dir, "good"), "data")
	if err := exec.Command("mkfifo", fifo).Run(); err != nil {
		t.Skip("no FIFO here:", err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Symlink([]string{good, fifo, "/dev/zero"}[i%3], next)
			_ = os.Rename(next, path)
		}
	}()
	for range 3000 {
		if d, err := new(Hasher).Digests(t.Context(), path, identity.Digests{}); err == nil && d.SHA256 != sha256.Sum256([]byte("data")) {
			t.Fatalf("digest %x", d.SHA256)
		}
	}
	close(stop)
	<-stopped
}

func sha(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// TestMatchZero: a digest of zeros is declared like any other, and no file has it.
func TestMatchZero(t *testing.T) {
	data := []byte("data")
	sum := sha256.Sum256(data)
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"other","model":{"name":"m","digest":{"sha256":"%x","sha512":"%0128d"}},`+
		`"prompt":{},"parameters":{},"context":[],"constraints":{}}`, identity.Schema, sum, 0))
	if err != nil {
		t.Fatal(err)
	}
	declared := d.Model().Digests
	got, err := new(Hasher).Digests(t.Context(), write(t, filepath.Join(t.TempDir(), "f"), string(data)), declared)
	if err != nil {
		t.Fatal(err)
	}
	if err := Match(declared, got); err == nil || !strings.Contains(err.Error(), "SHA-512") {
		t.Errorf("got %v", err)
	}
}
