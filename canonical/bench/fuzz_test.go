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
		if len(text) < 1000 { // mutating longer ones is a waste of time
			f.Add(text)
		}
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

// The two also agree on how deep a text may nest.
func TestDepthAgreesWithJSONText(t *testing.T) {
	for _, n := range []int{9999, 10000, 10001} {
		for _, pair := range []string{"[]", "{}"} {
			text := bytes.Repeat([]byte(pair[:1]), n)
			if pair == "{}" {
				text = bytes.Repeat([]byte(`{"a":`), n-1)
				text = append(text, '{')
			}
			text = append(text, bytes.Repeat([]byte(pair[1:]), n)...)
			value := jsontext.Value(bytes.Clone(text))
			wantErr := value.Canonicalize()
			_, err := canonical.Transform(text)
			if (err == nil) != (wantErr == nil) || (err == nil) != (n <= 10000) {
				t.Errorf("%d %s: canonical %.80v, jsontext %.80v", n, pair, err, wantErr)
			}
		}
	}
}
