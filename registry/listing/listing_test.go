package listing

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/registry"
)

func TestRows(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	signer := func(*registry.Found) string { return strings.Repeat("s", 5000) }
	late, err := NewRow(nil, &registry.Found{Referrer: "sha256:b", Created: at, PredicateType: ownTypes + "run-link/v1", Data: []byte("{}")}, nil, signer)
	if err != nil || late.Size != 2 || !late.Unverified || len(late.Signer) >= 5000 {
		t.Fatalf("%+v, %v", late, err)
	}
	early := late
	before := at.Add(-time.Hour)
	early.Created, early.Referrer = &before, "sha256:c"
	bad, err := NewRow(nil, nil, &registry.MalformedError{Referrer: "sha256:a", Err: errors.New("bad\x1b")}, signer)
	if err != nil || bad.Malformed == "" {
		t.Fatalf("%+v, %v", bad, err)
	}
	if _, err := NewRow(nil, nil, errors.New("broken off"), signer); err == nil {
		t.Error("an error about all is a row")
	}
	rows := []Row{bad, late, early}
	Sort(rows)
	if got := []string{rows[0].Referrer, rows[1].Referrer}; !slices.Equal(got, []string{"sha256:c", "sha256:b"}) {
		t.Errorf("sorted: %q", got)
	}
	var table bytes.Buffer
	if err := WriteTable(&table, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(table.String(), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[1], "run-link/v1 ") || !strings.Contains(lines[3], `bad\u{1b}`) {
		t.Errorf("%s", &table)
	}
}

func TestTypes(t *testing.T) {
	long := LongTypes([]string{"run-link/v1", "https://other.example/x"})
	if want := []string{ownTypes + "run-link/v1", "https://other.example/x"}; !slices.Equal(long, want) {
		t.Errorf("%q, want %q", long, want)
	}
	if ShortType(long[0]) != "run-link/v1" || ShortType(long[1]) != long[1] {
		t.Error("types are not shortened")
	}
}

// What is said of an artifact counts what was left out, and says that there was nothing.
func TestReferenceLines(t *testing.T) {
	all := NewReference("", nil, registry.Summary{Verified: 2, NotVerified: 1, Unreadable: 3, Foreign: 4, OtherPredicateTypes: 5}, false)
	all.Artifact = "oci://HOST/REPO"
	want := []string{
		"4 referrers of other artifact types were skipped", "5 attestations of other predicate types were skipped",
		"oci://HOST/REPO: 2 verified, 1 not verified, 0 malformed, 3 unreadable",
	}
	if got := all.Lines(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := (Reference{Artifact: "A"}).Lines(); !slices.Equal(got, []string{"A: 0 verified, 0 not verified, 0 malformed", "no attestation of a run is attached to it"}) {
		t.Errorf("of nothing: %q", got)
	}
}

func TestAttachedAndFetched(t *testing.T) {
	a := NewAttached("b.sigstore.json", nil, registry.Attached{Referrer: "sha256:ab"})
	if a.String() != "sha256:ab  b.sigstore.json" {
		t.Error(a)
	}
	a.Existed = true
	if a.String() != "sha256:ab  b.sigstore.json  (was there already)" {
		t.Error(a)
	}
	if f := NewFetched(nil, &registry.Found{Referrer: "sha256:ab", PredicateType: "p"}, "f"); f.File != "f" || f.Referrer != "sha256:ab" || f.PredicateType != "p" {
		t.Errorf("%+v", f)
	}
}
