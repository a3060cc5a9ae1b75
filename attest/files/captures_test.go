package files_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/capture"
)

// TestCaptures: a capture goes on after a text that is wrong, and says where that is.
func TestCaptures(t *testing.T) {
	format, err := capture.Lookup("openai-chat/1")
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	texts := func(yield func(files.Text, error) bool) {
		_ = yield(files.Text{Name: "a", Data: []byte(good)}, nil) &&
			yield(files.Text{Name: "b"}, errors.New("unreadable")) &&
			yield(files.Text{Name: "c", Data: []byte("{\n \"model\": nul}")}, nil) &&
			yield(files.Text{Name: "d", Lines: true, Data: []byte(good)}, nil)
	}
	var got []string
	for c, err := range (files.Captures{Format: format}).In(t.Context(), texts) {
		why := ""
		if err != nil {
			why, _, _ = strings.Cut(err.Error(), ",")
		}
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %t %t %d %s", c.Name, c.Captured != nil, c.Several, c.Size, why)))
	}
	if want := []string{"a true false 57", "b false false 0 unreadable", "c false false 16 line 2", "d true true 57"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if c, err := (files.Captures{Format: format}).Line("in:3", 3, []byte(good)); err != nil || c.Captured == nil || c.Name != "in:3" || c.Several || c.Size != 57 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := (files.Captures{Format: format}).Line("in:4", 4, []byte(`{"model": nul}`)); err == nil || !strings.HasPrefix(err.Error(), "line 4, column ") {
		t.Error(err)
	}
	if _, _, err := files.DetectCapture("-", strings.NewReader("[]"), capture.Source{}); !errors.As(err, new(*files.UndetectedError)) {
		t.Error(err)
	}
	if found, text, err := files.DetectCapture("-", strings.NewReader(good), capture.Source{Provider: "openai"}); err != nil || found.Name() != "openai-chat/1" || string(text.Data) != good {
		t.Error(found.Name(), err)
	}
}

// TestFolderOf: what would be written into a folder that is captured is told from what would not.
func TestFolderOf(t *testing.T) {
	dir := t.TempDir()
	model, tasks := filepath.Join(dir, "models--acme--m", "snapshots", "0123456789012345678901234567890123456789"), filepath.Join(dir, "tasks")
	if err := errors.Join(os.MkdirAll(filepath.Join(model, "sub"), 0o700), os.Mkdir(tasks, 0o700)); err != nil {
		t.Fatal(err)
	}
	folders, err := capture.Lookup("hf-model")
	if err != nil {
		t.Fatal(err)
	}
	requests, err := capture.Lookup("lm-eval")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(model)
	for _, c := range []struct {
		of           files.Captures
		target, want string
	}{
		{files.Captures{Format: folders}, "b.json", model},
		{files.Captures{Format: folders}, "-", ""},                                          // standard output
		{files.Captures{Format: folders}, filepath.Join(model, "missing", "b.json"), model}, // a folder yet to be made
		{files.Captures{Format: folders}, filepath.Join(model, "sub", "b.json"), model},
		{files.Captures{Format: folders}, filepath.Join(dir, "b.json"), ""},
		{files.Captures{Format: requests, Folder: tasks}, filepath.Join(tasks, "b.json"), tasks},
		{files.Captures{Format: requests, Folder: tasks}, filepath.Join(model, "b.json"), ""}, // paths are files
	} {
		if got := c.of.FolderOf(c.target, model); got != c.want {
			t.Errorf("%s, %s: in %q, want %q", c.of.Format.Name(), c.target, got, c.want)
		}
	}
	if name, commit, err := files.Snapshot(model); err != nil || name != "acme/m" || commit != filepath.Base(model) {
		t.Errorf("%s, %s, %v", name, commit, err)
	}
	if name, _, err := files.Snapshot(tasks); err == nil {
		t.Errorf("the model of %s is %s", tasks, name)
	}
}

// TestOptions: what a capture says is added to a copy, and replaces nothing.
func TestOptions(t *testing.T) {
	f, err := capture.Lookup("openai-chat")
	if err != nil {
		t.Fatal(err)
	}
	one, err := f.Capture(capture.Source{Body: []byte(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	c := files.Captured{Captured: one}
	base := attest.StatementOptions{Annotations: map[string]string{"ticket": "1"}, Subjects: make([]attest.Subject, 0, 4)}
	o, err := c.Options(base, true)
	if err != nil || o.Annotations["ticket"] != "1" || o.Annotations[capture.Annotation] != f.Name() || len(o.Subjects) != 1 || o.Subjects[0].SHA256 != one.Digest {
		t.Errorf("%+v, %v", o, err)
	}
	if len(base.Annotations) != 1 || base.Subjects[:1][0].Name != "" {
		t.Errorf("the base is changed: %+v", base)
	}
	base.Annotations = map[string]string{capture.Annotation: "mine"}
	if _, err := c.Options(base, false); !errors.As(err, new(*files.AnnotationError)) {
		t.Error(err)
	}
}

// TestNamesFormat: a format goes before a file of its name, and what is neither is a format that is unknown.
func TestNamesFormat(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"request.json", "openai-chat"} {
		if err := os.WriteFile(name, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]bool{"openai-chat": true, "openai-chat/1": true, "opena-chat": true, "request.json": false, ".": false, "-": false, "/dev/stdin": false} {
		if got := files.NamesFormat(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
