package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var flagName = regexp.MustCompile(`(?:^|[^\w-])(--[a-z][\w-]*)`)

// foreignFlags are flags of other programs, and those in shell commands that signer.FormatError.Convert gives, by file.
var foreignFlags = map[string][]string{
	"capture/lm_eval_results.go":               {"--show_config", "--output_path", "--config"},                    // lm-eval
	"capture/lm_eval.go":                       {"--config"},                                                      // lm-eval
	"internal/cli/args.go":                     {"--help"},                                                        // of every command of cobra
	"internal/secrets/args.go":                 {"--env", "--header", "--proxy-header", "--proxy-user", "--user"}, // docker, curl
	"internal/secrets/beside.go":               {"--env"},                                                         // docker
	"internal/secrets/forms.go":                {"--user", "--password-stdin", "--with-token", "--stdin"},         // curl, docker, gh, passwd
	"registry/internal/layout/layout.go":       {"--to-oci-layout"},                                               // oras
	"registry/internal/layout/tarballwrite.go": {"--sparse"},                                                      // tar
	"signer/convert.go":                        {"--key"},

	"internal/secrets/programs.go": { // those of its table
		"--auth", "--cert", "--creds", "--dest-creds", "--key-pass", "--ks-pass", "--pass", "--passphrase", "--password", "--proxy-cert", "--proxy-pass", "--proxy-user",
		"--src-creds", "--user",
	},
}

// TestFlags: libraries do not know how the command calls things. They give hints and errors of types that the command
// phrases, in hints.go.
func TestFlags(t *testing.T) {
	const root = "../../.."
	programs := []string{"cmd", "e2e", "examples", "plugins", "release", "internal/testing", "canonical/bench"}
	files := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (slices.Contains(programs, name) || strings.HasPrefix(entry.Name(), ".") && name != "." || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		ast.Inspect(parsed, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(literal.Value)
			for _, found := range flagName.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(foreignFlags[name], found[1]) {
					t.Errorf("%s names the flag %s: return a typed hint or error, and phrase it in cmd/runattest", name, found[1])
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 150 {
		t.Fatalf("%d files were read, want all of the libraries", files)
	}
}
