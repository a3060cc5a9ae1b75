package input

import (
	"bytes"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"
)

// TestCounted: what is read of all files, at the same time, is counted once, and looking at a file reads nothing.
func TestCounted(t *testing.T) {
	var count bytes.Buffer
	fsys := Counted(fstest.MapFS{"a": {Data: make([]byte, 1000)}, "b/c": {Data: make([]byte, 234)}}, &count)
	if _, err := fs.Stat(fsys, "a"); err != nil || count.Len() != 0 {
		t.Errorf("%d bytes are read for the size (%v)", count.Len(), err)
	}
	if entries, err := fs.ReadDir(fsys, "."); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	var all sync.WaitGroup
	for _, name := range []string{"a", "b/c"} {
		all.Go(func() {
			if _, err := fs.ReadFile(fsys, name); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if count.Len() != 1234 {
		t.Errorf("%d bytes are counted, want 1234", count.Len())
	}
	if _, err := fsys.Open("nosuch"); err == nil {
		t.Error("a file that is not there is opened")
	}
}
