package canonical

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const vectorFolder = "../testdata/vectors/canonical"

// A vector is a text and what is expected of it. Its file has header lines `key: value`, an
// empty line, and the text, byte for byte up to the end.
type vector struct {
	name      string
	expect    Code // "ok" or an error's code
	canonical string
	offset    int
	pointer   string
	exact     bool
	text      []byte
}

func readVectors(t testing.TB) []vector {
	files, err := filepath.Glob(filepath.Join(vectorFolder, "*.vec"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s (%v)", vectorFolder, err)
	}
	var list []vector
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := parseVector(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		v.name = strings.TrimSuffix(filepath.Base(file), ".vec")
		list = append(list, v)
	}
	return list
}

func parseVector(data []byte) (v vector, err error) {
	header, text, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return v, errors.New("no empty line after the header")
	}
	v.text = text
	for line := range strings.SplitSeq(string(header), "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "expect":
			v.expect = Code(value)
		case "canonical":
			v.canonical = value
		case "offset":
			if v.offset, err = strconv.Atoi(value); err != nil {
				return v, err
			}
		case "pointer":
			v.pointer = value
		case "exact":
			v.exact = value == "true"
		case "comment":
		default:
			return v, fmt.Errorf("unknown key %q", key)
		}
	}
	if v.expect != "ok" && meanings[v.expect] == "" {
		return v, fmt.Errorf("expects %q, which is not a code", v.expect)
	}
	return v, nil
}

func TestVectors(t *testing.T) {
	seen := map[Code]bool{}
	for _, v := range readVectors(t) {
		seen[v.expect] = true
		t.Run(v.name, func(t *testing.T) {
			o := Options{ExactNumbers: v.exact}
			got, err := o.Append([]byte("before"), v.text)
			check(t, v, bytes.TrimPrefix(got, []byte("before")), err)
			h := sha256.New()
			err = o.Hash(h, v.text)
			if want := sha256.Sum256([]byte(v.canonical)); !bytes.Equal(h.Sum(nil), want[:]) {
				t.Error("Hash is not the hash of the form")
			}
			check(t, v, []byte(v.canonical), err)
			if v.expect == "ok" {
				got, err = o.Append(nil, []byte(v.canonical))
				check(t, v, got, err) // the form is its own form
			}
		})
	}
	for code := range meanings {
		if !seen[code] && code != codeCount { // it needs an option
			t.Errorf("no vector expects %s", code)
		}
	}
}

func check(t *testing.T, v vector, got []byte, err error) {
	t.Helper()
	var e *Error
	switch {
	case v.expect == "ok":
		if err != nil || string(got) != v.canonical {
			t.Errorf("got  %.300q %v\nwant %.300q", got, err, v.canonical)
		}
	case !errors.As(err, &e):
		t.Errorf("got %v, want %s", err, v.expect)
	case e.Code != v.expect || e.Offset != v.offset || e.Pointer != v.pointer:
		t.Errorf("got  %s %d %.300q\nwant %s %d %.300q", e.Code, e.Offset, e.Pointer, v.expect, v.offset, v.pointer)
	}
}
