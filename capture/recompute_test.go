package capture

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/identity"
)

// TestRecompute: with what its declaration says, the body alone of each vector is its source, and another body is not.
func TestRecompute(t *testing.T) {
	counted, took := 0, 0
	for v := range capturedVectors(t) {
		f, src, c := v.format, v.src, v.c
		recompute := f.Recompute
		if folder := v.Header["folder"]; folder != "" {
			recompute = func(src Source, d *identity.Declaration) (*Recomputed, error) {
				return f.RecomputeFolder(t.Context(), mapFS(t, []byte(folder)), src, d)
			}
		}
		r, err := recompute(Source{Body: src.Body}, c.Declaration)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if r.Difference != "" || r.Declaration.ID() != c.Declaration.ID() {
			t.Errorf("%s: %s differs", v.Name, r.Difference)
		}
		full, err := recompute(src, c.Declaration)
		if err != nil || full.Difference != "" {
			t.Errorf("%s: given all: %v, %s differs", v.Name, err, full.Difference)
		}
		counted++
		took += len(r.Taken)
	}
	if counted < 100 || took < 20 {
		t.Errorf("%d vectors, of which %d members were taken from the declaration: want at least 100 and 20", counted, took)
	}
}

// TestDifference: what the source says counts, and the first member that differs is named.
func TestDifference(t *testing.T) {
	const body = `{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1,"tools":[{"name":"f","input_schema":{}}]}`
	f, err := Lookup("anthropic-messages/1")
	if err != nil {
		t.Fatal(err)
	}
	src := Source{Body: []byte(body), Header: map[string][]string{"Anthropic-Version": {"2023-06-01"}, "anthropic-beta": {"b,a"}}, Parents: []identity.ID{identityOf(t)}}
	c, err := f.Capture(src)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		src   Source
		want  string
		taken []string
	}{
		"all":             {src, "", nil},
		"body alone":      {Source{Body: src.Body}, "", []string{"parents", "header:anthropic-version 2023-06-01", "header:anthropic-beta a,b"}},
		"another header":  {Source{Body: src.Body, Header: map[string][]string{"anthropic-beta": {"c"}}, Parents: src.Parents}, "/parameters/header:anthropic-beta/0", []string{"header:anthropic-version 2023-06-01"}},
		"an empty header": {Source{Body: src.Body, Header: map[string][]string{"anthropic-beta": {""}}, Parents: src.Parents}, "/parameters/header:anthropic-beta", []string{"header:anthropic-version 2023-06-01"}},
		"message":         {changed(src, `"x"`, `"y"`), "/prompt/messages/0/content", nil},
		"one more":        {changed(src, `"x"}`, `"x"},{"role":"user","content":"y"}`), "/prompt/messages/1", nil},
		"tool":            {changed(src, `"input_schema":{}`, `"input_schema":{"a":1}`), "/context/0/content", nil},
		"no tool":         {changed(src, `,"tools":[{"name":"f","input_schema":{}}]`, ``), "/context/0", nil},
		"parameter":       {changed(src, `"max_tokens":1`, `"max_tokens":1,"top_k":2`), "/parameters/top_k", nil},
		"model":           {changed(src, `"m"`, `"n"`), "/model/name", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := f.Recompute(test.src, c.Declaration)
			if err != nil {
				t.Fatal(err)
			}
			if r.Difference != test.want || (r.Declaration.ID() == c.Declaration.ID()) != (test.want == "") {
				t.Errorf("difference %q, want %q", r.Difference, test.want)
			}
			if diff := cmp.Diff(test.taken, r.Taken); diff != "" {
				t.Error(diff)
			}
		})
	}
	other, err := identity.Parse([]byte(`{"schema":"` + identity.Schema + `","kind":"inference","model":{"name":"m","provider":"evil"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Recompute(src, other)
	if err != nil || r.Difference != "/context/0" || len(r.Taken) > 0 {
		t.Errorf("of a declaration by hand: %v, %+v", err, r)
	}
	r, err = f.Recompute(src, nil)
	if err != nil || r.Difference != "/" || r.Declaration.ID() != c.Declaration.ID() {
		t.Errorf("without a declaration: %v, %+v", err, r)
	}
}

func changed(src Source, old, new string) Source {
	src.Body = []byte(strings.Replace(string(src.Body), old, new, 1))
	return src
}

func identityOf(t *testing.T) identity.ID {
	t.Helper()
	id, err := identity.ParseID("airun:1:sha256:" + strings.Repeat("1", 64))
	if err != nil {
		t.Fatal(err)
	}
	return id
}
