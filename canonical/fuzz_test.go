package canonical

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

// FuzzTransform holds what is true of every text: an error has a place in it; a form is
// JSON, its own form, the same from every function, and no longer ambiguous.
func FuzzTransform(f *testing.F) {
	for _, v := range readVectors(f) {
		if len(v.text) < 1000 { // mutating longer ones is a waste of time
			f.Add(v.text)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		before := bytes.Clone(src)
		form, err := Transform(src)
		if !bytes.Equal(src, before) {
			t.Fatal("src was changed")
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || meanings[e.Code] == "" || e.Offset < 0 || e.Offset > len(src) {
				t.Fatalf("%#v", err)
			}
			if e.Pointer != "" && e.Pointer[0] != '/' {
				t.Fatalf("pointer %q", e.Pointer)
			}
			Locate(src, e.Pointer)
			return
		}
		if !json.Valid(form) {
			t.Fatalf("not JSON: %q", form)
		}
		if again, err := Transform(form); err != nil || !bytes.Equal(again, form) {
			t.Fatalf("form of the form: %q %v", again, err)
		}
		if again, err := Append(bytes.Clone(src)[:0], src); err != nil || !bytes.Equal(again, form) {
			t.Fatalf("Append: %q %v", again, err)
		}
		h := sha256.New()
		if err := (Options{}).Hash(h, src); err != nil || [32]byte(h.Sum(nil)) != sha256.Sum256(form) {
			t.Fatalf("Hash: %v", err)
		}
	})
}

// FuzzExactNumbers has math/big decide whether a number and its form have one value, and
// whether the form denotes the nearest double.
func FuzzExactNumbers(f *testing.F) {
	n := 0
	for _, v := range readVectors(f) {
		for token := range strings.FieldsFuncSeq(string(v.text), func(r rune) bool { return !strings.ContainsRune("+-.eE0123456789", r) }) {
			if literalValue(token) != nil {
				f.Add(token, "1"+token)
				n++
			}
		}
	}
	if n == 0 {
		f.Fatal("no numbers among the vectors")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := literalValue(a), literalValue(b)
		if x == nil || y == nil {
			return
		}
		formA, exactA := checkNumber(t, a, x)
		formB, exactB := checkNumber(t, b, y)
		if exactA && exactB && (x.Cmp(y) == 0) != (formA == formB) {
			t.Fatalf("%s and %s have the forms %s and %s", a, b, formA, formB)
		}
	})
}

// literalValue is the value of a JSON number, nil for anything else and for exponents that
// would take math/big too long.
func literalValue(s string) *big.Rat {
	if s == "" || s[0] != '-' && !isDigit(s[0]) || !json.Valid([]byte(s)) {
		return nil
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 1000 || e < -1000 {
			return nil
		}
	}
	if !isDigit(s[len(s)-1]) { // json.Valid allows white space behind it
		return nil
	}
	x, _ := new(big.Rat).SetString(s)
	return x
}

func checkNumber(t *testing.T, literal string, value *big.Rat) (form string, exact bool) {
	text, err := Transform([]byte(literal))
	nearest, _ := value.Float64()
	if math.IsInf(nearest, 0) != (err != nil) {
		t.Fatalf("%s: %v, nearest double %v", literal, err, nearest)
	}
	if err != nil {
		return "", false
	}
	formValue, ok := new(big.Rat).SetString(string(text))
	if back, _ := formValue.Float64(); !ok || back != nearest {
		t.Fatalf("%s: form %s is %v, want %v", literal, text, back, nearest)
	}
	if want, err := json.Marshal(nearest + 0); err != nil || string(want) != string(text) && nearest != 0 {
		t.Fatalf("%s: form %s, want %s", literal, text, want)
	}
	_, err = Options{ExactNumbers: true}.Append(nil, []byte(literal))
	if exact = err == nil; exact != (formValue.Cmp(value) == 0) {
		t.Fatalf("%s: form %s, exact mode says %v", literal, text, err)
	}
	return string(text), exact
}
