package main

import (
	"context"
	"debug/buildinfo"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The writer of SBOMs: the tool of the CycloneDX project. Its dependencies are those of its own go.mod, and the checksum
// database holds their sums.
const (
	sbomModule = "github.com/CycloneDX/cyclonedx-gomod"
	sbomTool   = sbomModule + "/cmd/cyclonedx-gomod@v1.10.0"
	sbomSum    = "h1:9Vy3zcC+lJLgcR4xYQvwPGU6L2Rij/Ld47lyucYjVI0="
)

// requirements are what builds wheels, with the digests of its files.
//
//go:embed requirements.txt
var requirements []byte

// toolbox is a folder with the tools that pack a release, each of a fixed version.
type toolbox struct{ dir string }

// newToolbox installs the tools into the folder dir.
func newToolbox(ctx context.Context, dir string) (*toolbox, error) {
	t := &toolbox{dir}
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", sbomTool)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOOS=", "GOARCH=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install %s: %w\n%s", sbomTool, err, out)
	}
	info, err := buildinfo.ReadFile(t.sbomWriter())
	if err != nil {
		return nil, err
	}
	if info.Main.Sum != sbomSum {
		return nil, fmt.Errorf("%s has the sum %s, want %s", sbomTool, info.Main.Sum, sbomSum)
	}
	return t, t.installPython(ctx)
}

// python is the folder of the Python packages.
func (t *toolbox) python() string { return filepath.Join(t.dir, "python") }

func (t *toolbox) installPython(ctx context.Context) error {
	if err := t.pip(ctx, requirements, t.python()); err != nil {
		return fmt.Errorf("install what builds wheels: %w", err)
	}
	return nil
}

// pip installs packages with known digests into a folder, and runs nothing of them.
func (t *toolbox) pip(ctx context.Context, requirements []byte, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	list := filepath.Join(folder, "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
		"--no-compile", "--require-hashes", "--only-binary", ":all:", "--target", folder, "-r", list)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pip of Python 3.11 or later is needed: %w\n%s", err, out)
	}
	return nil
}

func (t *toolbox) sbomWriter() string {
	name := "cyclonedx-gomod"
	if hostTarget().os == "windows" {
		name += ".exe"
	}
	return filepath.Join(t.dir, name)
}

// sbom is the software bill of materials of a program, CycloneDX 1.6 in JSON, with neither a serial number nor a time.
func (t *toolbox) sbom(ctx context.Context, p *program) ([]byte, error) {
	cmd := exec.CommandContext(ctx, t.sbomWriter(), "bin", "-json", "-noserial", "-notimestamp", "-std", p.path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.dir, "GOENV=off", "GOFLAGS=", "GOTOOLCHAIN=local"}
	out, err := cmd.Output()
	if exit, ok := err.(*exec.ExitError); ok {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("SBOM of the program for %s: %w", p.target, err)
	}
	return out, nil
}
