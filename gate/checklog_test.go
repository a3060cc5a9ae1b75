package gate

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/loader"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

// TestCheckLogLayout: a decision log in an OCI layout is refused however the layout is named.
func TestCheckLogLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs")
	if err := registry.CreateLayout(dir); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log.jsonl")
	for _, input := range []string{dir, "oci-layout://" + dir, "oci-layout://" + dir + ":tag"} {
		if err := LogFile(log).Check(input); err == nil {
			t.Errorf("%s is in %s", log, input)
		}
	}
	unsigned := filepath.Join(t.TempDir(), "policy.yaml.sigstore.json") // is read, and not there yet
	if err := LogFile(unsigned).Check(unsigned); err == nil {
		t.Errorf("%s would be the policy's signature", unsigned)
	}
	if err := LogFile(log).Check("oci://registry.example/runs"); err != nil {
		t.Error(err)
	}
}

// TestLogIsInput: a decision is appended to nothing that it is made of, and to no file of something else.
func TestLogIsInput(t *testing.T) {
	s := newSite(t, "")
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := string(must(s.ci.PublicKey().PEM()))
	bad := s.declare("m").Canonical()
	empty := file("empty", "")
	path := file("policy.yaml", "schema: "+policy.Schema+"\nsigners: {keys: [{name: ci, key: keys/ci.pub}]}\n")
	file("keys/ci.pub", key)
	p := must(policy.Load(path, policy.Options{}))
	if got := p.Paths(); len(got) != 2 || got[0] != path || got[1] != filepath.Join(dir, "keys", "ci.pub") {
		t.Errorf("%q", got)
	}
	run := s.run(s.ci, s.declare("m"))
	for name, c := range map[string]struct {
		log     string
		request Request
		program string
		late    bool // nothing but the start tells
		allowed bool
	}{
		"new":                   {filepath.Join(dir, "new"), Request{}, "", false, true},
		"empty":                 {empty, Request{}, "", false, true},
		"of something else":     {file("held", string(bad)), Request{}, "", false, false},
		"read":                  {empty, Request{Reads: []string{empty}}, "", false, false},
		"in a folder":           {filepath.Join(dir, "new"), Request{Reads: []string{dir}}, "", false, false},
		"bound":                 {empty, Request{Bindings: []Bind{{"m", empty}}}, "", false, false},
		"a file of a lineage":   {empty, Request{ReadsLineage: []string{empty}}, "", false, false},
		"in a lineage's folder": {empty, Request{ReadsLineage: []string{dir}}, "", false, true},
		"the policy":            {path, Request{}, "", false, false},
		"a key of the policy":   {filepath.Join(dir, "keys", "ci.pub"), Request{}, "", false, false},
		"the program":           {empty, Request{}, empty, true, false},
	} {
		before, _ := os.ReadFile(c.log)
		r := c.request
		r.Bundle, r.Policy, r.Clock, r.Log = run, p, func() time.Time { return s.now }, LogFile(c.log)
		if err := r.CheckLog(); (err == nil) != (c.allowed || c.late) {
			t.Errorf("%s: %v", name, err)
		}
		a := must(Admit(t.Context(), r))
		if a.Allowed() != (c.allowed || c.late) {
			t.Errorf("%s: allowed %v, %v", name, a.Allowed(), a.Err())
		}
		start := Start{Program: c.program, Args: []string{"x"}, DryRun: true}
		if start.Program == "" {
			start.Program = "/nonexistent"
		}
		if err := a.Exec(t.Context(), start); (err == nil) != c.allowed {
			t.Errorf("%s: %v", name, err)
		}
		if !c.allowed { // a refusal before the gate could be asked is not recorded there, either
			if err := r.Refuse(errors.New("so")).Exec(t.Context(), start); err == nil {
				t.Errorf("%s: started", name)
			}
		}
		if after, _ := os.ReadFile(c.log); (string(after) == string(before)) == c.allowed {
			t.Errorf("%s: %q became %q", name, before, after)
		}
		if c.allowed {
			_ = os.WriteFile(c.log, before, 0o600)
		}
	}
}

// TestLogIsFile: a file that the run names is not appended to, which shows once it was hashed.
func TestLogIsFile(t *testing.T) {
	usual := loader.Check
	loader.Check = func() error { return nil }
	t.Cleanup(func() { loader.Check = usual })
	a := &Admission{request: Request{Log: LogFile(filepath.Join(t.TempDir(), "log"))}}
	if err := a.checkLog(); err != nil {
		t.Error(err)
	}
	a.files = []Checked{{Path: string(a.request.Log.(LogFile))}}
	if err := os.WriteFile(a.files[0].Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.checkLog(); err == nil {
		t.Error("the log is a file of the run")
	}
}

// TestPhrase: records have hints in the words of the caller, and the admission has those of the library.
func TestPhrase(t *testing.T) {
	s := newSite(t, "")
	a := s.admit(t.Context(), Request{Bundle: s.run(s.alice, s.declare("m")), Phrase: func(h evidence.Hint) evidence.Hint { return "say: " + h }})
	record := a.Record(Start{}, nil)
	if a.Allowed() || record.Report == nil || len(record.Report.Checks) != len(a.Report().Checks) {
		t.Fatalf("%+v", record)
	}
	hints := 0
	for i, c := range a.Report().Checks {
		want := c.Hint
		if want != "" {
			want = "say: " + want
			hints++
		}
		if got := record.Report.Checks[i].Hint; got != want || strings.HasPrefix(string(c.Hint), "say") {
			t.Errorf("%s: %q, and %q", c.Name, got, c.Hint)
		}
	}
	if hints == 0 {
		t.Error("no hint is phrased")
	}
}
