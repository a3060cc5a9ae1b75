package gate

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	if checked, err := CheckFiles(t.Context(), nil, d, binds); err != nil || len(checked) != 40 || checked[39].Name != "d39" {
		t.Fatalf("got %v, %v", checked, err)
	}
	for _, i := range []int{7, 30} {
		write(t, filepath.Join(dir, fmt.Sprintf("d%02d", i), "a"), "changed")
	}
	_, err := CheckFiles(t.Context(), nil, d, binds)
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
	checked, err := CheckFiles(t.Context(), nil, d, []Bind{{"/prompt", text}})
	if err != nil || len(checked) != 1 || len(Unchecked(d, checked)) != 0 || len(Unchecked(d, nil)) != 1 {
		t.Errorf("got %v, %v, unchecked %v", checked, err, Unchecked(d, nil))
	}
	write(t, text, "another")
	if _, err := CheckFiles(t.Context(), nil, d, []Bind{{"/prompt", text}}); err == nil {
		t.Error("another prompt is the one declared")
	}
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	data := write(t, filepath.Join(dir, "data"), "data")
	other := write(t, filepath.Join(dir, "other"), "other")
	folder := filepath.Join(dir, "folder")
	write(t, filepath.Join(folder, "a"), "one")
	sized := func(digest string, size int) any {
		return map[string]any{"role": "dataset", "name": "d", "digest": map[string]any{"sha256": digest}, "size": size}
	}
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
		"of its size":           {plain, []any{sized(sha("data"), 4)}, []string{"d=" + data}, []string{"/context/0"}, ""},
		"of another size":       {plain, []any{sized(sha("data"), 5)}, []string{"d=" + data}, nil, "is not d as declared: it has 4 bytes, but 5 are declared"},
		"a folder of any size":  {plain, []any{sized(listing, 4096)}, []string{"d=" + folder}, []string{"/context/0"}, ""},
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
			checked, err := CheckFiles(t.Context(), nil, declare(t, c.model, c.context), binds)
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
	f := runFiles{"/d", "/b"}
	base := []string{"A=1", "B=2=3", "AIRUN_IDENTITY=forged", "RUNATTEST_PASSWORD=secret", "SIGSTORE_ID_TOKEN=secret", "OTEL_RESOURCE_ATTRIBUTES=x=1,airun.identity=forged, ,y=2"}
	own := []string{"AIRUN_IDENTITY=" + id.String(), "AIRUN_DECLARATION=/d", "AIRUN_BUNDLE=/b"}
	all := environment(base, nil, id, f)
	if want := append([]string{"A=1", "B=2=3"}, append(own, "OTEL_RESOURCE_ATTRIBUTES=x=1,y=2,airun.identity="+id.String())...); !slices.Equal(all, want) {
		t.Errorf("got  %q\nwant %q", all, want)
	}
	some := environment(base, []string{"B", "AIRUN_IDENTITY", "RUNATTEST_PASSWORD"}, id, f)
	if want := append([]string{"B=2=3"}, append(own, "OTEL_RESOURCE_ATTRIBUTES=airun.identity="+id.String())...); !slices.Equal(some, want) {
		t.Errorf("got  %q\nwant %q", some, want)
	}
}

func TestWriteFiles(t *testing.T) {
	d := declare(t, map[string]any{"name": "m"}, []any{})
	dir := t.TempDir()
	f, err := writeFiles(dir, d, []byte("bundle"))
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
	if err := f.remove(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	t.Chdir(dir)
	if f, err = writeFiles(".", d, nil); err != nil || !filepath.IsAbs(f.Declaration) || !filepath.IsAbs(f.Bundle) {
		t.Errorf("%+v, %v: the process may go elsewhere", f, err)
	}
	if _, err := writeFiles(filepath.Join(dir, "none"), d, nil); err == nil {
		t.Error("written where nothing is")
	}
}

func TestAppendLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for _, line := range []string{"one", "two"} {
		if err := appendLine(path, []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "one\ntwo\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := appendLine(t.TempDir(), []byte("x")); err == nil {
		t.Error("a folder is not a log")
	}
	// a line that a full disk has cut off does not swallow the next one
	write(t, path, "one\ntw")
	if err := appendLine(path, []byte("three")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "one\ntw\nthree\n" {
		t.Errorf("got %q, %v", got, err)
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if exec.Command("mkfifo", fifo).Run() == nil {
		if err := appendLine(fifo, []byte("x")); err == nil {
			t.Error("a pipe without a reader is not a log")
		}
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		if err := appendLine("/dev/full", []byte("x")); err == nil {
			t.Error("a full disk is not a log")
		}
	}
}
