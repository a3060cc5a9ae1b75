//go:build unix

package input

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/fstest"
)

// TestFolderPipes: in a model's folder, a snapshot or another one, no pipe is opened, which would wait for its writer.
func TestFolderPipes(t *testing.T) {
	commit := "0e9e39f249a16976918f6564b8830bc894c89659"
	dir := tree(t, "plain/config.json", "plain/below/x", "models--o--n/snapshots/"+commit+"/config.json->../../blobs/config",
		"models--o--n/snapshots/"+commit+"/below/x", "models--o--n/snapshots/"+commit+"/linked->../../blobs/pipe", "models--o--n/blobs/config", "plain/linked->pipe")
	for _, pipe := range []string{"plain/pipe", "models--o--n/snapshots/" + commit + "/pipe", "models--o--n/blobs/pipe", "alone"} {
		if err := syscall.Mkfifo(filepath.Join(dir, pipe), 0o600); err != nil {
			t.Skip(err)
		}
	}
	for _, folder := range []string{"plain", "models--o--n/snapshots/" + commit} {
		fsys, closeFolder, err := Folder(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		defer closeFolder()
		for _, name := range []string{"pipe", "linked"} {
			if info, err := fs.Stat(fsys, name); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
				t.Errorf("%s/%s: %v, %v", folder, name, info, err)
			}
			if _, err := fsys.Open(name); !errors.Is(err, errSpecial) {
				t.Errorf("%s/%s: opened (%v)", folder, name, err)
			}
		}
		for _, name := range []string{"pipe", "linked"} { // what TestFS would open
			if err := os.Remove(filepath.Join(dir, folder, name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := fstest.TestFS(fsys, "config.json", "below/x"); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
	}
	if _, _, err := Folder(filepath.Join(dir, "alone")); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("a pipe for a folder: %v", err)
	}
}
