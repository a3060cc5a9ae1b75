package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/runattest/runattest/canonical"
)

// FuzzAgainstJSONText has jsontext, which refuses what RFC 7493 refuses, decide which
// texts have a canonical form, and which.
func FuzzAgainstJSONText(f *testing.F) {
	files, err := filepath.Glob("../../testdata/vectors/canonical/*.vec")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, text, _ := bytes.Cut(data, []byte("\n\n"))
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		want := jsontext.Value(bytes.Clone(src))
		wantErr := want.Canonicalize()
		got, err := canonical.Transform(src)
		var e *canonical.Error
		if errors.As(err, &e) && e.Code == "range" {
			return // jsontext writes the greatest double instead, against RFC 8785
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("canonical: %v\njsontext:  %v", err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("canonical: %q\njsontext:  %q", got, want)
		}
	})
}
