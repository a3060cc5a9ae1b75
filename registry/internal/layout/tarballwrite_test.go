package layout

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/runattest/runattest/registry/internal/store"
)

// Whatever happens while a tarball is written leaves the old one, and nothing beside it.
func TestTarballWriteIsUndone(t *testing.T) {
	spoilt := errors.New("spoilt")
	for name, r := range map[string]struct {
		meanwhile func(path string, cancel func()) error
		want      error
	}{
		"interrupt":      {func(_ string, cancel func()) error { cancel(); return nil }, context.Canceled},
		"another writes": {func(path string, _ func()) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) }, errMoved},
		"bad index":      {func(string, func()) error { return spoilt }, spoilt},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.tar")
			if err := Create(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			err = (&tarball{path: path}).write(ctx, []store.Item{store.EmptyConfig()}, func() ([]byte, []store.Item, error) {
				return []byte(`{}`), nil, r.meanwhile(path, cancel)
			})
			if !errors.Is(err, r.want) {
				t.Errorf("%v; want %v", err, r.want)
			}
			after, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the tarball has changed: %v", err)
			}
			if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
				t.Errorf("%v, %v", all, err)
			}
		})
	}
}

// A writer who waits for the lock gets the file that has the name by then, and gives up when told to.
func TestTarballLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tar")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	first, err := lockTarball(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	tar := &tarball{path: path}
	if err := tar.write(ctx, nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	done := make(chan error)
	go func() {
		done <- tar.write(context.Background(), []store.Item{store.EmptyConfig()}, func() ([]byte, []store.Item, error) { return []byte(`{}`), nil, nil })
	}()
	time.Sleep(20 * time.Millisecond)
	if err := os.WriteFile(path+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := tar.look(); err != nil || tar.now.headers != 2 {
		t.Errorf("%v, %d entries; want the config and the index in what was empty", err, tar.now.headers)
	}
}
