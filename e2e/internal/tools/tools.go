// Package tools puts the programs of others that the end-to-end tests run into one folder,
// each in the one version that the tests are about.
package tools

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// Tool is a released program.
type Tool struct {
	Module  string // module path
	Version string
	Package string // of the main package, below the module; empty where it is the module's root
	Name    string // of the file that go install makes
}

var (
	Cosign = Tool{"github.com/sigstore/cosign/v3", "v3.1.3", "cmd/cosign", "cosign"}
	Fulcio = Tool{"github.com/sigstore/fulcio", "v1.8.8", "", "fulcio"}
	Rekor  = Tool{"github.com/sigstore/rekor-tiles/v2", "v2.3.0", "cmd/rekor-server/posix", "posix"}

	Distribution = Tool{"github.com/distribution/distribution/v3", "v3.1.2", "cmd/registry", "registry"}
	Crane        = Tool{"github.com/google/go-containerregistry", "v0.21.9", "cmd/crane", "crane"}
	Oras         = Tool{"oras.land/oras", "v1.3.6", "cmd/oras", "oras"}
	Regctl       = Tool{"github.com/regclient/regclient", "v0.11.7", "cmd/regctl", "regctl"}

	Actionlint = Tool{"github.com/rhysd/actionlint", "v1.7.12", "cmd/actionlint", "actionlint"}
)

// Install returns the program's path in the folder bin, and builds it there first, which takes
// minutes and a module proxy, unless it is there in the right version.
func Install(ctx context.Context, bin string, tool Tool) (string, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return "", err
	}
	file := filepath.Join(bin, tool.Name)
	if tool.is(file) {
		return file, nil
	}
	fmt.Fprintf(os.Stderr, "e2e: installing %s %s, which takes minutes\n", tool.Module, tool.Version)
	target := path.Join(tool.Module, tool.Package) + "@" + tool.Version
	if err := goCommand(ctx, ".", []string{"GOBIN=" + bin}, "install", target); err != nil {
		return "", err
	}
	if !tool.is(file) {
		return "", fmt.Errorf("%s is not %s %s", file, tool.Module, tool.Version)
	}
	return file, nil
}

// Build returns the path of a program in the folder bin, built from the source in the folder dir.
func Build(ctx context.Context, bin, name, dir, target string) (string, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return "", err
	}
	file := filepath.Join(bin, name)
	return file, goCommand(ctx, dir, nil, "build", "-o", file, target)
}

// is asks what was linked into the program, not what it says of itself.
func (tool Tool) is(file string) bool {
	info, err := buildinfo.ReadFile(file)
	return err == nil && info.Main.Path == tool.Module && info.Main.Version == tool.Version
}

func goCommand(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOTOOLCHAIN=local", "GOWORK=off")
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return nil
}
