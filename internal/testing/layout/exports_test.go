package layout

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mostExports is how many lines `go doc -short` may have for a package: what a reader meets first.
const mostExports = 40

// TestExports holds public packages small.
func TestExports(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.Name}}:{{.ImportPath}}:{{.Dir}}:{{join .GoFiles ","}}`, module+"...") {
		part := strings.SplitN(line, ":", 4)
		name, path, dir, files := part[0], part[1], part[2], strings.Split(part[3], ",")
		if name == "main" || part[3] == "" || strings.Contains(path+"/", "/internal/") {
			continue
		}
		fset := token.NewFileSet()
		var parsed []*ast.File
		for _, file := range files {
			f, err := parser.ParseFile(fset, filepath.Join(dir, file), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, f)
		}
		p, err := doc.NewFromFiles(fset, parsed, path)
		if err != nil {
			t.Fatal(err)
		}
		if n := exports(p); n > mostExports {
			t.Errorf("%s exports %d names, want at most %d: unexport what has no caller, or make it a package of its own", path, n, mostExports)
		}
	}
}

// exports counts as `go doc -short` prints: a group of constants or variables is one line.
func exports(p *doc.Package) int {
	n := len(p.Funcs) + len(p.Types) + values(p.Consts) + values(p.Vars)
	for _, t := range p.Types {
		n += len(t.Funcs) + values(t.Consts) + values(t.Vars)
	}
	return n
}

// values are the groups with an exported name.
func values(groups []*doc.Value) int {
	n := 0
	for _, g := range groups {
		if slices.ContainsFunc(g.Names, ast.IsExported) {
			n++
		}
	}
	return n
}
