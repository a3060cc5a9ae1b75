// Package layout tests the boundaries between packages: what each may import, and for which
// platforms each builds.
package layout

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const module = "github.com/runattest/runattest/"

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// imports are what packages import besides the standard library.
var imports = map[string][]string{
	"canonical": nil,
	"identity": {
		module + "canonical", module + "internal/boundedfile", module + "internal/jsonmend", module + "internal/jsontree", module + "internal/lazyregexp", module + "internal/limits",
		module + "internal/mediatype", module + "internal/secrets", module + "internal/unseen", module + "internal/yamljson", module + "internal/zero",
	},
	"capture": {
		module + "canonical", module + "identity", module + "internal/casefold", module + "internal/jsonmend", module + "internal/jsontree", module + "internal/lazyregexp", module + "internal/limits",
		module + "internal/mediatype", module + "internal/secrets", module + "internal/yamljson", module + "internal/zero", "golang.org/x/sync/errgroup",
	},
	"signer": {
		"filippo.io/edwards25519",
		"github.com/secure-systems-lab/go-securesystemslib/dsse", "github.com/secure-systems-lab/go-securesystemslib/encrypted",
		module + "internal/atomicfile", module + "internal/boundedfile", module + "internal/ecpoint", module + "internal/lazyregexp", module + "internal/limits", module + "internal/shell", module + "internal/zero",
		"golang.org/x/crypto/scrypt",
	},
	"signer/kms": {
		"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common",
		module + "internal/limits", module + "signer",
	},
	"lineage": {
		module + "attest", module + "attest/evidence", module + "identity", module + "internal/jsontree", module + "internal/limits", module + "internal/visible",
		module + "internal/zero",
	},
	"policy/internal/rules": {
		"github.com/google/cel-go/cel", "github.com/google/cel-go/common/ast", "github.com/google/cel-go/common/env",
		"github.com/google/cel-go/common/operators", "github.com/google/cel-go/common/overloads",
		"github.com/google/cel-go/common/types", "github.com/google/cel-go/common/types/ref", "github.com/google/cel-go/common/types/traits",
		"github.com/google/cel-go/interpreter",
		module + "canonical", module + "internal/jsontree", module + "internal/lazyregexp", module + "internal/limits", module + "internal/regexplang", module + "internal/unseen", module + "internal/visible",
	},
	"registry": {
		"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec/specs-go", "github.com/opencontainers/image-spec/specs-go/v1",
		module + "attest", module + "attest/evidence", module + "identity", module + "internal/atomicfile", module + "internal/boundedfile", module + "internal/lazyregexp", module + "internal/limits", module + "internal/pathname", module + "internal/secrets",
		module + "internal/zero", module + "registry/internal/layout", module + "registry/internal/remote", module + "registry/internal/store",
	},
	"registry/internal/layout": {
		"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec/specs-go", "github.com/opencontainers/image-spec/specs-go/v1",
		"github.com/rogpeppe/go-internal/lockedfile",
		module + "internal/atomicfile", module + "internal/limits", module + "internal/pathname", module + "internal/visible", module + "registry/internal/store",
		"oras.land/oras-go/v2/content",
	},
	"registry/internal/remote": {
		"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec/specs-go", "github.com/opencontainers/image-spec/specs-go/v1",
		module + "attest/evidence", module + "internal/certfile", module + "internal/boundedfile", module + "internal/lazyregexp", module + "internal/limits", module + "internal/secrets", module + "internal/shell",
		module + "internal/visible", module + "registry/internal/store", module + "signer", "oras.land/oras-go/v2/registry", "oras.land/oras-go/v2/registry/remote/auth",
		"oras.land/oras-go/v2/registry/remote/errcode", "oras.land/oras-go/v2/registry/remote/retry",
	},
	"registry/internal/store": {
		"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec/specs-go/v1",
		module + "attest", module + "attest/evidence", module + "internal/casefold", module + "internal/limits",
		"golang.org/x/sync/errgroup",
	},
	"attest": {
		module + "attest/evidence", module + "canonical", module + "identity", module + "internal/atomicfile", module + "internal/boundedfile",
		module + "internal/inorder", module + "internal/jsontree", module + "internal/limits", module + "internal/settree",
		module + "internal/zero", module + "signer",
	},
	"attest/runset": {
		module + "attest", module + "attest/evidence", module + "canonical", module + "identity", module + "internal/jsontree", module + "internal/limits",
		module + "internal/settree", module + "internal/zero",
	},
	"internal/settree": {
		"github.com/transparency-dev/merkle/compact", "github.com/transparency-dev/merkle/proof", "github.com/transparency-dev/merkle/rfc6962",
		module + "internal/limits",
	},
	"attest/authority": {
		module + "attest", module + "attest/evidence", module + "internal/limits", module + "internal/regexplang",
	},
	"attest/evidence": {
		module + "internal/settree", module + "internal/visible", module + "signer",
	},
}

// TestImports compares the imports of the packages that most others build on, and of those that are internal to one package,
// with what the design allows.
func TestImports(t *testing.T) {
	for name, want := range imports {
		var got []string
		for _, path := range goList(t, "-f", `{{join .Imports "\n"}}`, module+name) {
			if strings.Contains(strings.Split(path, "/")[0], ".") {
				got = append(got, path)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s imports other packages than it may (-want +got):\n%s", name, diff)
		}
	}
}

// TestNoNetwork keeps sockets out of the core: who verifies a file opens none.
func TestNoNetwork(t *testing.T) {
	for _, name := range []string{"canonical", "identity", "capture", "attest", "attest/evidence", "attest/authority", "attest/runset", "lineage", "policy", "signer/kms"} {
		for _, path := range goList(t, "-deps", module+name) {
			if path == "net/http" || strings.HasPrefix(path, "google.golang.org/grpc") {
				t.Errorf("%s depends on %s", name, path)
			}
		}
	}
}

// TestWasm builds the core for a browser: a page can compute identities and verify bundles.
func TestWasm(t *testing.T) {
	for _, name := range []string{"canonical", "identity", "capture", "attest", "attest/evidence", "attest/authority", "attest/runset", "lineage", "policy", "signer", "signer/kms"} {
		cmd := exec.Command("go", "build", "-o", os.DevNull, module+name)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// mostPolicyPackages is how many packages a program links that decides with policies of keys alone, the standard library's
// among them. More than half are those of CEL and what CEL needs.
const mostPolicyPackages = 320

// TestPolicy: package policy imports what it needs to know of signers, declarations, lineage and kinds of files, and only the command,
// gate and gateway import policy. What verifies certificates, timestamps and logs it is given.
func TestPolicy(t *testing.T) {
	allowed := map[string]bool{}
	for _, name := range []string{"attest", "attest/authority", "attest/evidence", "attest/files", "capture", "identity", "signer", "canonical", "lineage", "policy/internal/rules"} {
		allowed[module+name] = true
	}
	for _, path := range goList(t, "-f", `{{join .Imports "\n"}}`, module+"policy") {
		if strings.HasPrefix(path, module) && !allowed[path] && !strings.HasPrefix(path, module+"internal/") {
			t.Errorf("policy imports %s", path)
		}
	}
	linked := goList(t, "-deps", module+"policy")
	if n := len(linked); n > mostPolicyPackages {
		t.Errorf("policy depends on %d packages, want at most %d", n, mostPolicyPackages)
	}
	for _, path := range linked {
		if strings.HasPrefix(path, "github.com/sigstore/") || path == module+"sigstore" {
			t.Errorf("policy depends on %s", path)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(strings.Join(goList(t, "-f", `{{.ImportPath}}:{{join .Imports ","}}`, "github.com/runattest/runattest/..."), "\n")), "\n") {
		name, imports, _ := strings.Cut(line, ":")
		if slices.Contains(strings.Split(imports, ","), module+"policy") && !strings.HasPrefix(name, module+"cmd/runattest") && name != module+"gate" && name != module+"gateway" {
			t.Errorf("%s imports policy", name)
		}
	}
}

// TestCEL keeps CEL in one package: a policy knows its rules by their problems and their answers.
func TestCEL(t *testing.T) {
	found := 0
	for _, line := range goList(t, "-f", `{{.ImportPath}}:{{join .Imports ","}}`, module+"...") {
		name, imports, _ := strings.Cut(line, ":")
		if !strings.Contains(","+imports, ",github.com/google/cel-go/") {
			continue
		}
		if found++; name != module+"policy/internal/rules" {
			t.Errorf("%s imports CEL; only policy/internal/rules may", name)
		}
	}
	if found == 0 {
		t.Error("nothing imports CEL: this test looks for the wrong thing")
	}
}

// isTestGear tells packages that tests alone import.
func isTestGear(name string) bool {
	return strings.HasPrefix(name, "internal/testing/") || strings.Contains(name, "/internal/") && strings.HasSuffix(name, "test")
}

// TestInternal: what is internal to the module serves public packages, and knows none of them but canonical. What is internal
// to one package may build on others, which TestImports lists. Test gear may know them all.
func TestInternal(t *testing.T) {
	found, nested := 0, 0
	for _, line := range goList(t, "-f", `{{.ImportPath}}:{{join .Imports ","}}`, module+"...") {
		path, all, _ := strings.Cut(line, ":")
		name := strings.TrimPrefix(path, module)
		of, _, isInternal := strings.Cut("/"+name+"/", "/internal/")
		if !isInternal || isTestGear(name) || strings.HasPrefix(name, "cmd/") {
			continue
		}
		for _, path := range strings.Split(all, ",") {
			if isTestGear(strings.TrimPrefix(path, module)) {
				t.Errorf("%s imports test gear: %s", name, path)
			}
			if of == "" && strings.HasPrefix(path, module) && !strings.HasPrefix(path, module+"internal/") && path != module+"canonical" {
				t.Errorf("%s imports %s: what is internal imports no public package but canonical", name, path)
			}
		}
		if found++; of == "" {
			continue
		}
		if nested++; imports[name] == nil {
			t.Errorf("%s: TestImports does not say what it may import", name)
		}
	}
	if found < 14 || nested < 4 {
		t.Errorf("%d internal packages found, %d of them internal to one package: this test looks for the wrong thing", found, nested)
	}
}
