package gate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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

func declare(t *testing.T, model, context any) *identity.Declaration {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"schema": identity.Schema, "kind": "inference", "model": model, "prompt": map[string]any{},
		"parameters": map[string]any{}, "context": context, "constraints": map[string]any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := identity.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func sha(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

func dataset(name, digest string, more ...string) map[string]any {
	r := map[string]any{"role": "dataset", "name": name, "digest": map[string]any{"sha256": digest}}
	for i := 0; i+1 < len(more); i += 2 {
		r[more[i]] = more[i+1]
	}
	return r
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
	listing := sha("one") + "  a\n" + sha("three") + "  b.txt\n" + sha("two") + "  b/x\n"
	texts := "onetwothree"
	if runtime.GOOS == "linux" { // elsewhere names are UTF-8
		texts += "four"
		write(t, filepath.Join(dir, "c\xff", "x\xff"), "four")
		listing += sha("four") + "  c\xff/x\xff\n"
	}
	var progress bytes.Buffer
	got, err := Hasher{Progress: &progress}.Digests(t.Context(), dir, identity.Digests{SHA512: [64]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA256 != sha256.Sum256([]byte(listing)) || got.SHA512 != sha512.Sum512([]byte(listing)) || got.SHA384 != [48]byte{} {
		t.Errorf("got %x", got)
	}
	if progress.Len() != len(texts) {
		t.Errorf("%d bytes of progress", progress.Len())
	}
	out, err := exec.Command("sh", "-c", `cd "$1" && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`, "sh", dir).Output()
	if err != nil {
		t.Skip("NOT COMPARED: no find and sha256sum as on Linux here:", err)
	}
	if want := fmt.Sprintf("%x", got.SHA256); !strings.HasPrefix(string(out), want) {
		t.Errorf("standard tools say %s, want %s", out, want)
	}
}

// TestFolderRefused: what is no file, or changes what a listing means, gives no digest.
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
		if d, err := (Hasher{}).Digests(t.Context(), dir, identity.Digests{}); err == nil {
			t.Errorf("%s: digest %x", name, d.SHA256)
		}
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if exec.Command("mkfifo", fifo).Run() == nil {
		if _, err := (Hasher{}).Digests(t.Context(), fifo, identity.Digests{}); err == nil {
			t.Error("a FIFO has a digest")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Hasher{}).Digests(ctx, write(t, filepath.Join(t.TempDir(), "f"), "x"), identity.Digests{}); err == nil {
		t.Error("hashed after the end of the context")
	}
}

// TestFolderOfLinks: what lies in a folder and is no file is called what it is.
func TestFolderOfLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "blob"), "x")
	snapshot := filepath.Join(dir, "snapshot")
	link := filepath.Join(snapshot, "config.json")
	if err := errors.Join(os.Mkdir(snapshot, 0o700), os.Symlink("../blob", link)); err != nil {
		t.Fatal(err)
	}
	_, err := Hasher{}.Digests(t.Context(), snapshot, identity.Digests{})
	var special *SpecialFileError
	if !errors.As(err, &special) || special.Folder != snapshot || special.Mode != fs.ModeSymlink || !strings.Contains(err.Error(), link+": is a symbolic link: ") {
		t.Errorf("got %v", err)
	}
	if _, err := (Hasher{}).Digests(t.Context(), link, identity.Digests{}); err != nil {
		t.Errorf("a link that is named itself: %v", err)
	}
	if _, err := (Hasher{}).Digests(t.Context(), os.DevNull, identity.Digests{}); err == nil || !strings.Contains(err.Error(), "is a device, want a file or a folder") {
		t.Errorf("got %v", err)
	}
}

// TestFilesTogether: what is bound is hashed at the same time, folders and files on the same lanes, and each that is
// wrong is named, in the order of the declaration's binds.
func TestFilesTogether(t *testing.T) {
	dir := t.TempDir()
	var resources []any
	var binds []Bind
	for i := range 40 {
		name := fmt.Sprintf("d%02d", i)
		at, digest := write(t, filepath.Join(dir, name, "a"), name), sha(name)
		if i%2 == 0 {
			at, digest = filepath.Join(dir, name), sha(digest+"  a\n")
		}
		resources, binds = append(resources, dataset(name, digest)), append(binds, Bind{name, at})
	}
	d := declare(t, map[string]any{"name": "m"}, resources)
	if checked, err := (Hasher{}).CheckFiles(t.Context(), d, binds); err != nil || len(checked) != 40 || checked[39].Name != "d39" {
		t.Fatalf("got %v, %v", checked, err)
	}
	for _, i := range []int{7, 30} {
		write(t, filepath.Join(dir, fmt.Sprintf("d%02d", i), "a"), "changed")
	}
	_, err := Hasher{}.CheckFiles(t.Context(), d, binds)
	if err == nil || strings.Count(err.Error(), "as declared") != 2 || strings.Index(err.Error(), "is not d07") > strings.Index(err.Error(), "is not d30") {
		t.Errorf("got %v", err)
	}
}

// TestPrompt: a prompt by digest is bound by its place, and named where it was not checked.
func TestPrompt(t *testing.T) {
	text := write(t, filepath.Join(t.TempDir(), "prompt"), "hello")
	d, err := identity.Parse(fmt.Appendf(nil, `{"schema":%q,"kind":"inference","model":{"name":"m"},"prompt":{"digest":{"sha256":%q}},"parameters":{},"context":[],"constraints":{}}`, identity.Schema, sha("hello")))
	if err != nil {
		t.Fatal(err)
	}
	checked, err := Hasher{}.CheckFiles(t.Context(), d, []Bind{{"/prompt", text}})
	if err != nil || len(checked) != 1 || len(Unchecked(d, checked)) != 0 || len(Unchecked(d, nil)) != 1 {
		t.Errorf("got %v, %v, unchecked %v", checked, err, Unchecked(d, nil))
	}
	write(t, text, "another")
	if _, err := (Hasher{}).CheckFiles(t.Context(), d, []Bind{{"/prompt", text}}); err == nil {
		t.Error("another prompt is the one declared")
	}
}

// TestSwap: a file that becomes a pipe or a device on the way makes nobody wait, and has no digest.
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
		if d, err := (Hasher{}).Digests(t.Context(), path, identity.Digests{}); err == nil && d.SHA256 != sha256.Sum256([]byte("data")) {
			t.Fatalf("digest %x", d.SHA256)
		}
	}
	close(stop)
	<-stopped
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	data := write(t, filepath.Join(dir, "data"), "data")
	other := write(t, filepath.Join(dir, "other"), "other")
	folder := filepath.Join(dir, "folder")
	write(t, filepath.Join(folder, "a"), "one")
	uri := "file://" + filepath.ToSlash(data)
	listing := sha(sha("one") + "  a\n")
	model := map[string]any{"name": "m", "digest": map[string]any{"sha256": sha("data")}}
	plain := map[string]any{"name": "m"}
	for name, c := range map[string]struct {
		model   any
		context []any
		binds   []string
		checked []string // pointers
		refused string
	}{
		"nothing local":         {plain, []any{dataset("d", sha("data"))}, nil, nil, ""},
		"bound":                 {plain, []any{dataset("d", sha("data"))}, []string{"d=" + data}, []string{"/context/0"}, ""},
		"bound by pointer":      {plain, []any{dataset("d", sha("x")), dataset("d", sha("data"))}, []string{"/context/1=" + data}, []string{"/context/1"}, ""},
		"model":                 {model, []any{}, []string{"m=" + data}, []string{"/model"}, ""},
		"folder":                {plain, []any{dataset("d", listing)}, []string{"d=" + folder}, []string{"/context/0"}, ""},
		"by its URI":            {plain, []any{dataset("d", sha("data"), "uri", uri)}, nil, []string{"/context/0"}, ""},
		"bind before URI":       {plain, []any{dataset("d", sha("other"), "uri", uri)}, []string{"d=" + other}, []string{"/context/0"}, ""},
		"another file":          {plain, []any{dataset("d", sha("data"))}, []string{"d=" + other}, nil, "is not d as declared: its SHA-256 is"},
		"another by its URI":    {plain, []any{dataset("d", sha("x"), "uri", uri)}, nil, nil, "is not d as declared"},
		"URI in capitals":       {plain, []any{dataset("d", sha("x"), "uri", "FILE://"+filepath.ToSlash(data))}, nil, nil, "is not d as declared"},
		"URI of another host":   {plain, []any{dataset("d", sha("data"), "uri", "file://host/data")}, nil, nil, "names no file of this machine"},
		"URI without digest":    {plain, []any{map[string]any{"role": "dataset", "name": "d", "uri": uri}}, nil, nil, "no digest of it"},
		"bound without digest":  {plain, []any{}, []string{"m=" + data}, nil, "no digest of it"},
		"no such name":          {plain, []any{dataset("d", sha("data"))}, []string{"e=" + data}, nil, "bind e: the declaration names no such resource"},
		"two of one name":       {plain, []any{dataset("d", sha("data")), dataset("d", sha("x"))}, []string{"d=" + data}, nil, "bind /context/0, or another, instead"},
		"bound twice":           {plain, []any{dataset("d", sha("data"))}, []string{"d=" + data, "/context/0=" + other}, nil, "bound twice"},
		"not there":             {plain, []any{dataset("d", sha("data"))}, []string{"d=" + filepath.Join(dir, "nothing")}, nil, "nothing"},
		"one good, one bad":     {model, []any{dataset("d", sha("x"))}, []string{"m=" + data, "d=" + data}, nil, "is not d as declared"},
		"also SHA-512 is wrong": {plain, []any{map[string]any{"role": "dataset", "name": "d", "digest": map[string]any{"sha256": sha("data"), "sha512": strings.Repeat("ab", 64)}}}, []string{"d=" + data}, nil, "its SHA-512 is"},
	} {
		t.Run(name, func(t *testing.T) {
			var binds []Bind
			for _, b := range c.binds {
				bind, err := ParseBind(b)
				if err != nil {
					t.Fatal(err)
				}
				binds = append(binds, bind)
			}
			checked, err := Hasher{}.CheckFiles(t.Context(), declare(t, c.model, c.context), binds)
			var pointers []string
			for _, k := range checked {
				pointers = append(pointers, k.Pointer)
			}
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) || !slices.Equal(pointers, c.checked) {
				t.Errorf("got %v, %v; want %v, %q", pointers, err, c.checked, c.refused)
			}
		})
	}
}

func TestParseBind(t *testing.T) {
	for text, want := range map[string]Bind{
		"d=/x":            {"d", "/x"},
		"a=b=/x=y":        {"a=b", "/x=y"},
		"d=x":             {"d", "x"},
		"d=./a=b":         {"d", "./a=b"},
		"/context/0=../x": {"/context/0", "../x"},
	} {
		if got, err := ParseBind(text); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "=x", "d="} {
		if got, err := ParseBind(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestEnviron(t *testing.T) {
	id := declare(t, map[string]any{"name": "m"}, []any{}).ID()
	f := Files{"/d", "/b"}
	base := []string{"A=1", "B=2=3", "AIRUN_IDENTITY=forged", "RUNATTEST_PASSWORD=secret", "SIGSTORE_ID_TOKEN=secret", "OTEL_RESOURCE_ATTRIBUTES=x=1,airun.identity=forged, ,y=2"}
	own := []string{"AIRUN_IDENTITY=" + id.String(), "AIRUN_DECLARATION=/d", "AIRUN_BUNDLE=/b"}
	all := Environ(base, nil, id, f)
	if want := append([]string{"A=1", "B=2=3"}, append(own, "OTEL_RESOURCE_ATTRIBUTES=x=1,y=2,airun.identity="+id.String())...); !slices.Equal(all, want) {
		t.Errorf("got  %q\nwant %q", all, want)
	}
	some := Environ(base, []string{"B", "AIRUN_IDENTITY", "RUNATTEST_PASSWORD"}, id, f)
	if want := append([]string{"B=2=3"}, append(own, "OTEL_RESOURCE_ATTRIBUTES=airun.identity="+id.String())...); !slices.Equal(some, want) {
		t.Errorf("got  %q\nwant %q", some, want)
	}
}

func TestWriteFiles(t *testing.T) {
	d := declare(t, map[string]any{"name": "m"}, []any{})
	dir := t.TempDir()
	f, err := WriteFiles(dir, d, []byte("bundle"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(f.Declaration)
	if err != nil || !bytes.Equal(got, d.Canonical()) {
		t.Errorf("got %s, %v", got, err)
	}
	for path, want := range map[string]os.FileMode{f.Declaration: 0o400, f.Bundle: 0o400, filepath.Dir(f.Bundle): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := f.Remove(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	t.Chdir(dir)
	if f, err = WriteFiles(".", d, nil); err != nil || !filepath.IsAbs(f.Declaration) || !filepath.IsAbs(f.Bundle) {
		t.Errorf("%+v, %v: the process may go elsewhere", f, err)
	}
	if _, err := WriteFiles(filepath.Join(dir, "none"), d, nil); err == nil {
		t.Error("written where nothing is")
	}
}

func TestAppendLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, line := range []string{"one", "two"} {
		if err := AppendLine(path, []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "one\ntwo\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := AppendLine(t.TempDir(), []byte("x")); err == nil {
		t.Error("a folder is no log")
	}
	// a line that a full disk has cut off does not swallow the next one
	write(t, path, "one\ntw")
	if err := AppendLine(path, []byte("three")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "one\ntw\nthree\n" {
		t.Errorf("got %q, %v", got, err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if exec.Command("mkfifo", fifo).Run() == nil {
		if err := AppendLine(fifo, []byte("x")); err == nil {
			t.Error("a pipe that nobody reads is no log")
		}
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		if err := AppendLine("/dev/full", []byte("x")); err == nil {
			t.Error("a full disk is no log")
		}
	}
}
