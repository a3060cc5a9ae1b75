package registry_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// tarEntry is an entry of a tarball.
type tarEntry struct {
	Header  tar.Header
	Content string
}

func file(name, content string) tarEntry {
	return tarEntry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o640, Uid: 7, Gid: 8, Uname: "ann", ModTime: time.Unix(1_000_000_000, 0)}, content}
}

// readTar gives the entries of a tarball.
func readTar(t *testing.T, path string) []tarEntry {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []tarEntry
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tarEntry{*h, string(content)})
	}
}

func encodeTar(t *testing.T, entries []tarEntry) []byte {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	for _, e := range entries {
		e.Header.Size = int64(len(e.Content))
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.Content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// newTarball is a tarball of newLayout's with other entries around its own.
func newTarball(t *testing.T, before, after []tarEntry) string {
	t.Helper()
	path := pack(t, newLayout(t))
	writeFile(t, path, encodeTar(t, append(append(before, readTar(t, path)...), after...)))
	return path
}

func named(entries []tarEntry, name string) (found []tarEntry) {
	for _, e := range entries {
		if e.Header.Name == name {
			found = append(found, e)
		}
	}
	return found
}

// noLitter fails if there is another file beside the tarball.
func noLitter(t *testing.T, path string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(all) != 1 {
		t.Errorf("%v, %v; want the tarball alone", all, err)
	}
}

// What is there stays as it is; the index comes last, once.
func TestTarballKeepsEntries(t *testing.T) {
	strange := []tarEntry{
		{tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "made by hand"}}, ""},
		{tar.Header{Typeflag: tar.TypeDir, Name: "blobs/", Mode: 0o700}, ""},
		{tar.Header{Typeflag: tar.TypeSymlink, Name: "latest", Linkname: "/etc/passwd"}, ""},
		{tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"}, ""},
		{tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("long/", 60) + "é", ModTime: time.Unix(1, 5), Format: tar.FormatPAX, PAXRecords: map[string]string{"SCHILY.xattr.user.x": "y"}}, "1"},
		file("../../evil", "2"), file("/index.json", "{}"), file("manifest.json", "[]"),
	}
	last := []tarEntry{
		{tar.Header{Typeflag: tar.TypeLink, Name: "again", Linkname: "manifest.json"}, ""},
		{tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("g", 200), Format: tar.FormatGNU}, strings.Repeat("3", 513)},
	}
	path := newTarball(t, strange, last)
	old := readTar(t, path)
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	ref := "oci-layout://" + path + ":v1"
	attach(t, ref, 1)
	attach(t, ref, 2, 3)
	now := readTar(t, path)
	isIndex := func(e tarEntry) bool { return e.Header.Name == "index.json" }
	var kept []tarEntry
	for _, e := range old {
		if !isIndex(e) {
			kept = append(kept, e)
		}
	}
	if diff := cmp.Diff(kept, now[:len(kept)], cmp.AllowUnexported(tar.Header{})); diff != "" {
		t.Error(diff)
	}
	// Three bundles, their manifests, the list of referrers of each attach, the index; the empty config was there.
	if n := len(named(now, "index.json")); n != 1 || !isIndex(now[len(now)-1]) || len(now) != len(kept)+9 {
		t.Errorf("%d entries, %d of them indexes; want %d and one at the end", len(now), n, len(kept)+9)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if found, _, errs := fetchAll(t, ref); len(found) != 3 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
	noLitter(t, path)
}

// Of several entries with one name the last counts, and ./NAME is NAME.
func TestTarballNames(t *testing.T) {
	dir := newLayout(t)
	entries := readTar(t, pack(t, dir))
	for i, e := range entries {
		entries[i].Header.Name = "./" + e.Header.Name
		entries[i].Header.Uname = "ann"
	}
	path := filepath.Join(t.TempDir(), "x.tar")
	shadowed := []tarEntry{file("index.json", "{"), file("blobs/sha256/"+digest.FromString("weights").Encoded(), "shadowed")}
	writeFile(t, path, encodeTar(t, append(shadowed, entries...)))
	attach(t, "oci-layout://"+path+":v1", 1)
	now := readTar(t, path)
	indexes := named(now, "./index.json")
	if len(indexes) != 1 || len(named(now, "index.json")) != 0 || indexes[0].Header.Uname != "ann" || !strings.HasPrefix(now[len(now)-2].Header.Name, "./blobs/") {
		t.Errorf("%d indexes: %v", len(indexes), indexes)
	}
	if found, _, errs := fetchAll(t, "oci-layout://"+path); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
}

// A hard link to a blob is that blob, as tar packs what has two names.
func TestTarballHardLinks(t *testing.T) {
	path := pack(t, newLayout(t))
	entries := readTar(t, path)
	for i, e := range entries {
		if e.Content == "{}" {
			entries[i].Header.Name = "blobs/sha256/elsewhere"
			entries = append(entries, tarEntry{tar.Header{Typeflag: tar.TypeLink, Name: e.Header.Name, Linkname: "blobs/sha256/elsewhere"}, ""})
		}
	}
	writeFile(t, path, encodeTar(t, entries))
	attach(t, "oci-layout://"+path, 1)
	if now := readTar(t, path); len(now) != len(entries)+3 {
		t.Errorf("%d entries; want %d: the config was there", len(now), len(entries)+3)
	}
}

func TestTarballWriters(t *testing.T) {
	path := pack(t, newLayout(t))
	link := filepath.Join(t.TempDir(), "link.tar")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	shared, a := resolve(t, "oci-layout://"+path+":v1")
	var wg sync.WaitGroup
	for i := range 40 {
		bundle := sign(t, i, attest.StatementOptions{}, a)
		target := shared // as goroutines have it, processes, and those who come by another name
		if i%2 == 0 {
			target = open(t, "oci-layout://"+[]string{path, link}[i/2%2]+":v1")
		}
		wg.Go(func() {
			if _, err := target.Attach(context.Background(), a, bundle); err != nil {
				t.Error(err)
			}
			l, err := target.List(context.Background(), a)
			if err != nil || l.Len() == 0 {
				t.Errorf("nothing to read after writing: %v", err)
				return
			}
			for f, err := range l.Bundles(context.Background()) {
				if err != nil {
					t.Errorf("%v: %v", f, err)
				}
			}
		})
	}
	wg.Wait()
	if found, _, errs := fetchAll(t, "oci-layout://"+path); len(found) != 40 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
	noLitter(t, path)
	noLitter(t, link)
}

// One attach writes the tarball once, however many bundles there are; so does one push.
func TestTarballIsWrittenOnce(t *testing.T) {
	const size = 16 << 20
	path := newTarball(t, []tarEntry{file("model", strings.Repeat("x", size))}, nil)
	ref := "oci-layout://" + path
	target, a := resolve(t, ref)
	var bundles [][]byte
	var runs []registry.Run
	for i := range 100 {
		bundles = append(bundles, sign(t, i, attest.StatementOptions{}, a))
		runs = append(runs, registry.Run{Declaration: declare(t, i), Bundles: [][]byte{sign(t, i, attest.StatementOptions{})}})
	}
	for name, write := range map[string]func() error{
		"attach": func() error { _, err := target.Attach(context.Background(), a, bundles...); return err },
		"push":   func() error { _, err := target.PushRuns(context.Background(), runs...); return err },
		"again":  func() error { _, err := target.PushRuns(context.Background(), runs...); return err },
	} {
		before := written(t)
		if err := write(); err != nil {
			t.Error(err)
		}
		if n := written(t) - before; n > 3*size/2 {
			t.Errorf("%s wrote %d bytes", name, n)
		}
	}
	if found, _, errs := fetchAll(t, ref+":v1"); len(found) != 100 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
	if _, _, err := target.FetchRun(context.Background(), declare(t, 99).ID()); err != nil {
		t.Error(err)
	}
}

// written is how many bytes this process has written in all.
func written(t *testing.T) (n int) {
	data, err := os.ReadFile("/proc/self/io")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		t.Skip("no /proc/self/io")
	}
	_, rest, _ := strings.Cut(string(data), "wchar: ")
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCreateTarball(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.tar")
	for range 2 {
		if err := registry.CreateLayout(path); err != nil {
			t.Fatal(err)
		}
		if _, _, err := open(t, "oci-layout://"+path).PushRun(context.Background(), declare(t, 5), sign(t, 5, attest.StatementOptions{})); err != nil {
			t.Fatal(err)
		}
	}
	if found, _, errs := fetchAll(t, "oci-layout://"+path+"@"+declare(t, 5).ID().String()); len(found) != 1 || len(errs) > 0 {
		t.Errorf("%d found, %v", len(found), errs)
	}
	noLitter(t, path)
	for _, name := range []string{"x.tar.gz", "x.tgz"} {
		if err := registry.CreateLayout(filepath.Join(t.TempDir(), name)); !errors.Is(err, registry.ErrLayout) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A blob that is not a file is one malformed referrer, in a folder and in a tarball.
func TestLayoutWithOddBlobs(t *testing.T) {
	dir := newLayout(t)
	attached := attach(t, "oci-layout://"+dir, 1, 2)
	blob := "blobs/sha256/" + strings.TrimPrefix(attached[0].Bundle, "sha256:")
	packed := pack(t, dir)
	replaceEntry(blob, tarEntry{tar.Header{Typeflag: tar.TypeSymlink, Name: blob, Linkname: "/etc/passwd"}, ""})(t, packed)
	if err := os.Remove(filepath.Join(dir, blob)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, blob), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, packed} {
		found, _, errs := fetchAll(t, "oci-layout://"+path+":v1")
		var malformed *registry.MalformedError
		if len(errs) != 1 || !errors.As(errs[0], &malformed) || malformed.Referrer != attached[0].Referrer {
			t.Errorf("%v; want that %s is malformed", errs, attached[0].Referrer)
		}
		if len(found) != 1 || found[0].Referrer != attached[1].Referrer {
			t.Errorf("the good one is hidden: %v", found)
		}
	}
}

// What cannot be written leaves the old tarball and nothing else.
func TestTarballThatCannotBeWritten(t *testing.T) {
	path := pack(t, newLayout(t))
	target, a := resolve(t, "oci-layout://"+path)
	before := readTar(t, path)
	bundle := sign(t, 1, attest.StatementOptions{}, a)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := target.Attach(ctx, a, bundle); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if os.Getuid() != 0 { // who may read everything
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
		if _, err := target.Attach(context.Background(), a, bundle); !errors.Is(err, fs.ErrPermission) || errors.Is(err, registry.ErrLayout) {
			t.Errorf("read only: %v", err)
		}
	}
	if diff := cmp.Diff(before, readTar(t, path), cmp.AllowUnexported(tar.Header{})); diff != "" {
		t.Error(diff)
	}
	noLitter(t, path)
}

// A pipe is refused and not waited at.
func TestLayoutWithPipe(t *testing.T) {
	if _, err := registry.Open(parse(t, "oci-layout:///dev/zero"), registry.Options{}); !errors.Is(err, registry.ErrLayout) {
		t.Errorf("%v", err)
	}
}
