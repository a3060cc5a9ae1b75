package capture

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/testing/vectors"
)

// TestFolderVectors holds folders, each given as a JSON object of texts by their paths, against what
// testdata/capture/oracle.py computed.
func TestFolderVectors(t *testing.T) {
	for _, d := range folders {
		for _, v := range vectors.Load(t, "../capture/"+d.api) {
			t.Run(v.Name, func(t *testing.T) {
				f, src := sourceOf(t, v)
				files := mapFS(t, v.Body)
				src.Body = nil
				c, err := f.CaptureFolder(t.Context(), files, src)
				if !v.IsValid() {
					if err == nil || v.Header["error"] == "" || !strings.Contains(err.Error(), v.Header["error"]) {
						t.Errorf("got %v, want an error about %q", err, v.Header["error"])
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				var open []string
				for _, o := range c.Open {
					open = append(open, o.Pointer+"="+o.Hides)
				}
				if got := strings.Join(open, " "); got != v.Header["open"] {
					t.Errorf("open %s, want %s", got, v.Header["open"])
				}
				if got := string(c.Declaration.Canonical()); got != v.Header["canonical"] || c.Declaration.ID().String() != v.Header["id"] {
					t.Errorf("declaration\n%s\nwant\n%s", got, v.Header["canonical"])
				}
			})
		}
	}
}

// mapFS is a folder of texts by their paths.
func mapFS(t testing.TB, object []byte) fstest.MapFS {
	t.Helper()
	var texts map[string]string
	if err := json.Unmarshal(object, &texts); err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for name, text := range texts {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// TestFolderLinks: a link to a file counts as the file where the root holds both, as in Hugging Face's cache, and is an
// error where it leads out.
func TestFolderLinks(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("cache/blobs/b1", "{}")
	write("plain/config.json", "{}")
	write("cache/snapshots/c/model.safetensors", "w")
	write("plain/model.safetensors", "w")
	if err := os.Symlink("../../blobs/b1", filepath.Join(dir, "cache/snapshots/c/config.json")); err != nil {
		t.Skip("symbolic links cannot be made")
	}
	f, err := Lookup("hf-model")
	if err != nil {
		t.Fatal(err)
	}
	capture := func(root, below string) (*Captured, error) {
		t.Helper()
		r, err := os.OpenRoot(filepath.Join(dir, root))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		sub, err := fs.Sub(r.FS(), below)
		if err != nil {
			t.Fatal(err)
		}
		return f.CaptureFolder(t.Context(), sub, Source{Model: "m"})
	}
	cached, err := capture("cache", "snapshots/c")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := capture("plain", ".")
	if err != nil {
		t.Fatal(err)
	}
	if cached.Declaration.ID() != plain.Declaration.ID() {
		t.Error("the cached model is another one than its copy")
	}
	if _, err := capture("cache/snapshots/c", "."); err == nil {
		t.Error("a link out of the root is followed")
	}
}

// TestFolderMembers: without a file that is skipped a folder is the same model, and without one that is kept, under another name or
// with another byte, it is another one.
func TestFolderMembers(t *testing.T) {
	checked := 0
	for _, d := range folders {
		for _, v := range vectors.Load(t, "../capture/"+d.api) {
			if !v.IsValid() {
				continue
			}
			f, src := sourceOf(t, v)
			src.Body = nil
			files := mapFS(t, v.Body)
			identityOf := func(files fstest.MapFS) string {
				c, err := f.CaptureFolder(t.Context(), files, src)
				if err != nil {
					return err.Error()
				}
				return c.Declaration.ID().String()
			}
			id := identityOf(files)
			for name, file := range files {
				top, _, _ := strings.Cut(name, "/")
				_, skipped := find(d.skipped, name)
				skipped = skipped || top != name && slices.Contains(d.folders, top)
				for what, edit := range map[string]func(fstest.MapFS){
					"without":  func(m fstest.MapFS) { delete(m, name) },
					"renamed":  func(m fstest.MapFS) { delete(m, name); m[name+"~"] = file },
					"appended": func(m fstest.MapFS) { m[name] = &fstest.MapFile{Data: append(slices.Clip(file.Data), ' ')} },
				} {
					if skipped && what == "renamed" && top == name {
						continue // it is another file
					}
					checked++
					other := maps.Clone(files)
					edit(other)
					if (identityOf(other) == id) != skipped {
						t.Errorf("%s: %s %s: skipped is %v", v.Name, name, what, skipped)
					}
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d edits were checked", checked)
	}
}

// TestFolderErrors: of several errors the first file's is returned, and what a folder does not have is refused.
func TestFolderErrors(t *testing.T) {
	f, err := Lookup("hf-model")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"config.json": {Data: []byte("{}")}, "big.safetensors": {Data: make([]byte, 8<<20)}}
	for i := range 200 {
		files[fmt.Sprintf("f%03d", i)] = &fstest.MapFile{Data: []byte(lfsVersion)}
	}
	for range 20 {
		if _, err := f.CaptureFolder(t.Context(), files, Source{Model: "m"}); err == nil || !strings.Contains(err.Error(), `"f000"`) {
			t.Fatalf("got %v, want an error about f000", err)
		}
	}
	for _, src := range []Source{{Model: "m", Target: "/x"}, {Model: "m", Header: map[string][]string{"a": {"b"}}}, {Model: "m", Body: []byte("{}")}} {
		if _, err := f.CaptureFolder(t.Context(), fstest.MapFS{"config.json": {Data: []byte("{}")}}, src); err == nil || !strings.Contains(err.Error(), "a folder has none") {
			t.Errorf("%v: got %v", src, err)
		}
	}
}

// TestFolderPages: each folder format has its page.
func TestFolderPages(t *testing.T) {
	for _, d := range folders {
		checkPage(t, d.api, folderPage(d))
	}
}

func namesOf(l []pattern) []string {
	var names []string
	for _, n := range l {
		names = append(names, n.name)
	}
	return names
}

func folderPage(d *folder) string {
	p := &pager{}
	p.line("# Capture format %s", d.name())
	p.line("\nThis page is printed from package capture. The rules that all formats share are in [README.md](README.md).")
	names := func(l []pattern) string { return code(namesOf(l)) }
	for _, a := range append(d.about,
		"Each file is an element of `model.components`, sorted by the bytes of its path: `role`, `name` (the path from the folder, with slashes), `digest` (`sha256`) and `size`. A Git LFS pointer in the place of weights ("+names(d.weights)+") counts as the file that it names, with a warning: fewer than 1024 bytes, which are the lines `version https://git-lfs.github.com/spec/v1`, `oid sha256:HEX` and `size N`. A file that begins as one and has other lines, or is not one of weights, is an error.",
		"`kind` is `"+d.kind+"`. `model.name` and `model.version` are those that the caller gives; a name must be given. `prompt`, `context` and `constraints` are empty.",
		"What files name that is elsewhere is open, may hide the model, and stands in `parameters`, in an object for each file that names something, by its path. Read are files "+names(d.configs)+". Of `adapter_config.json` its object has `base_model_name_or_path`, which is `\"\"` if it is not a string there, and `revision` if that is a string. In all of them, at every depth, each string at or below a member `auto_map` or `custom_pipelines` with `--` in it, which is code in another repository, is an element of `code`, in the order of the file. A file that is not strict JSON, such as one with `Infinity`, has `unread: true` alone.",
		"One of these must be at the top: "+names(d.signs)+". In the names here `*` stands for any characters. Skipped at the top, and kept below it, are folders with the names "+code(d.folders)+" and files with the names "+names(d.skipped)+". An index ("+names(d.indexes)+") whose `weight_map` names one of them is an error.",
		"A link to a file counts as the file, if it leads to one in the folder or, from a snapshot in Hugging Face's cache, in the same repository's cache; any other is an error, and so are other special files.") {
		p.line("\n%s", wrap(a))
	}
	p.line("\n| role | names of files, of which the first that fits counts |\n|---|---|")
	for i := 0; i < len(d.roles); {
		j := i
		for j < len(d.roles) && d.roles[j].role == d.roles[i].role {
			j++
		}
		p.line("| `%s` | %s |", d.roles[i].role, names(d.roles[i:j]))
		i = j
	}
	p.line("| `other` | all others |")
	return p.b.String()
}

// TestFolderTooManyFiles: a folder of more files than a model has is refused before any is read.
func TestFolderTooManyFiles(t *testing.T) {
	f, err := Lookup("hf-model")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"config.json": {Data: []byte("{}")}}
	for i := range limits.CaptureFiles {
		files[fmt.Sprintf("data/%d", i)] = &fstest.MapFile{}
	}
	_, err = f.CaptureFolder(t.Context(), files, Source{Model: "m"})
	if err == nil || !strings.Contains(err.Error(), "more than 10000 files") {
		t.Errorf("got %v", err)
	}
}

// noStat is a folder that does not implement fs.StatFS, as that of fs.Sub, in which a pipe is opened by mistake.
type noStat struct {
	fs.FS
	t *testing.T
}

func (n noStat) Open(name string) (fs.File, error) {
	if name == "pipe" {
		n.t.Errorf("%s: is opened", name)
	}
	return n.FS.Open(name)
}

// TestFolderPipe: a pipe is refused before it is opened, which may take for ever.
func TestFolderPipe(t *testing.T) {
	f, err := Lookup("hf-model")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"config.json": {Data: []byte("{}")}, "pipe": {Mode: fs.ModeNamedPipe}}
	_, err = f.CaptureFolder(t.Context(), noStat{files, t}, Source{Model: "m"})
	if err == nil || !strings.Contains(err.Error(), `"pipe" is neither a file nor a link to one`) {
		t.Errorf("got %v", err)
	}
}
