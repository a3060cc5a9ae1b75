package gate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runattest/runattest/identity"
)

// The variables that the process is given.
const (
	VariableIdentity    = "AIRUN_IDENTITY"    // the run's ID
	VariableDeclaration = "AIRUN_DECLARATION" // a file with the canonical declaration
	VariableBundle      = "AIRUN_BUNDLE"      // a file with the bundle that was verified
	variableOTEL        = "OTEL_RESOURCE_ATTRIBUTES"
	attributeOTEL       = "airun.identity"
)

// secrets are variables that were for this program and not for the process.
var secrets = []string{"RUNATTEST_PASSWORD", "SIGSTORE_ID_TOKEN"}

// runFiles are what the process can read of its run. They outlive this process, which the other
// replaces; they lie in a folder of their own that only this user can enter.
type runFiles struct{ Declaration, Bundle string }

// writeFiles writes the files of a run below dir, or below the system's folder for temporary files.
func writeFiles(dir string, d *identity.Declaration, bundle []byte) (runFiles, error) {
	if d.ID().IsZero() {
		return runFiles{}, errNoDeclaration
	}
	folder, err := os.MkdirTemp(dir, "airun-")
	if err == nil {
		folder, err = filepath.Abs(folder) // the process may go elsewhere
	}
	if err != nil {
		return runFiles{}, err
	}
	f := runFiles{filepath.Join(folder, "declaration.json"), filepath.Join(folder, "bundle.sigstore.json")}
	err = os.WriteFile(f.Declaration, d.Canonical(), 0o400)
	if err == nil {
		err = os.WriteFile(f.Bundle, bundle, 0o400)
	}
	if err != nil {
		return runFiles{}, errors.Join(err, os.RemoveAll(folder))
	}
	return f, nil
}

// remove removes the files, if they were written, for when there will be no process.
func (f runFiles) remove() error {
	if f.Declaration == "" {
		return nil
	}
	return os.RemoveAll(filepath.Dir(f.Declaration))
}

// environment is the environment of the process: that of environ, or where allow is not nil those of its
// variables that allow names, without what was there of this package's variables and of secrets that
// were for this program, and with those of the run.
func environment(environ, allow []string, id identity.ID, f runFiles) []string {
	own := append([]string{VariableIdentity, VariableDeclaration, VariableBundle}, secrets...)
	attributes := ""
	var out []string
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if slices.Contains(own, name) || allow != nil && !slices.Contains(allow, name) {
			continue
		}
		if name == variableOTEL {
			attributes = value
			continue
		}
		out = append(out, pair)
	}
	return append(out,
		VariableIdentity+"="+id.String(),
		VariableDeclaration+"="+f.Declaration,
		VariableBundle+"="+f.Bundle,
		variableOTEL+"="+withIdentity(attributes, id),
	)
}

// withIdentity puts the identity among OpenTelemetry's resource attributes, a list of name=value
// with commas between, in place of one that is there.
func withIdentity(attributes string, id identity.ID) string {
	var kept []string
	for _, a := range strings.Split(attributes, ",") {
		if name, _, _ := strings.Cut(a, "="); strings.TrimSpace(a) != "" && strings.TrimSpace(name) != attributeOTEL {
			kept = append(kept, a)
		}
	}
	return strings.Join(append(kept, fmt.Sprintf("%s=%s", attributeOTEL, id)), ",")
}
