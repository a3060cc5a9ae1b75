package canonical_test

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/runattest/runattest/canonical"
)

// The worked example of the package documentation.
const declaration = `{
  "model": {"name": "r\u00e9sum\u00e9-7b", "digest": {"sha256": "2b18"}},
  "kind": "inference",
  "parameters": {"temperature": 7.0e-1, "seed": 42, "stop": ["\u000a"]}
}`

func Example() {
	form, err := canonical.Transform([]byte(declaration))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n%x\n", form, sha256.Sum256(form))
	// Output:
	// {"kind":"inference","model":{"digest":{"sha256":"2b18"},"name":"résumé-7b"},"parameters":{"seed":42,"stop":["\n"],"temperature":0.7}}
	// e58e677806e872e55cf2ccd4780c0f1755c88b2107927e6f5b92496b0037dc6a
}

func ExampleTransform() {
	form, err := canonical.Transform([]byte(`{"b": 1.50, "a": "\u20ac"}`))
	fmt.Println(string(form), err)
	// Output: {"a":"€","b":1.5} <nil>
}

func ExampleAppend() {
	buf := make([]byte, 0, 1024)
	for _, text := range []string{`[1.0]`, `{ }`} {
		form, err := canonical.Append(buf[:0], []byte(text))
		fmt.Println(string(form), err)
	}
	// Output:
	// [1] <nil>
	// {} <nil>
}

func ExampleOptions_Append() {
	exact := canonical.Options{ExactNumbers: true, MaxDepth: 64}
	_, err := exact.Append(nil, []byte(`{"parameters": {"seed": 9007199254740993}}`))
	fmt.Println(err)
	// Output: number that its canonical form would change at offset 24 ("/parameters/seed")
}

func ExampleOptions_Hash() {
	h := sha256.New()
	err := canonical.Options{}.Hash(h, []byte(declaration))
	fmt.Printf("%x %v\n", h.Sum(nil), err)
	// Output: e58e677806e872e55cf2ccd4780c0f1755c88b2107927e6f5b92496b0037dc6a <nil>
}

func ExampleError() {
	_, err := canonical.Transform([]byte(`{"a": 1, "b": {"x": 1, "x": 2}}`))
	var e *canonical.Error
	if errors.As(err, &e) && e.Code == "duplicate" {
		fmt.Println(e.Offset, e.Pointer)
	}
	// Output: 23 /b/x
}

func ExampleCompare() {
	// In UTF-8 the emoji would be last; in UTF-16 it begins with D83D.
	fmt.Println(canonical.Compare("a", "b"), canonical.Compare("😀", "\ufb33"))
	// Output: -1 -1
}

func ExampleLocate() {
	fmt.Println(canonical.Locate([]byte(`{"a": [1, {"b/c": true}]}`), "/a/1/b~1c"))
	// Output: 18 true
}
