package rules

import (
	"testing"

	"github.com/google/cel-go/cel"
)

// FuzzComments: CEL and this package agree what a comment is. Without its comments an expression is the same.
func FuzzComments(f *testing.F) {
	for _, seed := range []string{
		"a // b\n&& c", "// a\nb", "a / b", "'//' == r'\\' // \"\n && a", `br"\" + b'\'//' // x`, "'''it's //''' + \"\"\"//\"\"\" // x", `"" == '' // x`,
		"a.`x//y` // z", "for'x'", `R"\\" // "`, "[1,//\n2]", `"\"//" // x`, "'\\\\' // '", "a in'//'",
	} {
		f.Add(seed)
	}
	e, err := environment()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		ast, issues := e.Parse(expr)
		if issues.Err() != nil {
			return
		}
		want, err := cel.AstToString(ast)
		if err != nil {
			return
		}
		bare, issues := e.Parse(withoutComments(expr))
		if issues.Err() != nil {
			t.Fatalf("%q: without comments %q: %v", expr, withoutComments(expr), issues.Err())
		}
		if got, err := cel.AstToString(bare); err != nil || got != want {
			t.Fatalf("%q: without comments %q, want %q, %v", expr, got, want, err)
		}
		if len(comments(withoutComments(expr))) > 0 {
			t.Fatalf("%q: without comments %q", expr, withoutComments(expr))
		}
	})
}
