package tools

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Python returns the command that runs a script of the folder source with the packages of the requirements.txt there, which
// are installed in a folder of their own below bin. It needs python3 with venv, and PyPI the first time.
func Python(ctx context.Context, bin, source, script string) ([]string, error) {
	place, err := filepath.Abs(filepath.Join(bin, placeOf(source)))
	if err != nil {
		return nil, err
	}
	python := filepath.Join(place, "bin", "python")
	source, err = filepath.Abs(source)
	if err != nil {
		return nil, err
	}
	requirements := filepath.Join(source, "requirements.txt")
	err = installOnce(place, requirements, func() error {
		if err := command(ctx, place, "python3", "-m", "venv", place); err != nil {
			return err
		}
		return command(ctx, place, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", requirements)
	})
	return []string{python, filepath.Join(source, script)}, err
}

// Node is the same for a script and the package-lock.json of source. The Node.js is one of its packages: the clients declare
// a newer one than many systems have. It needs npm, and its registry the first time.
func Node(ctx context.Context, bin, source, name string) ([]string, error) {
	place, err := filepath.Abs(filepath.Join(bin, placeOf(source)))
	if err != nil {
		return nil, err
	}
	err = installOnce(place, filepath.Join(source, "package-lock.json"), func() error {
		for _, name := range []string{"package.json", "package-lock.json"} {
			if err := copyFile(filepath.Join(place, name), filepath.Join(source, name)); err != nil {
				return err
			}
		}
		return command(ctx, place, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	})
	if err != nil {
		return nil, err
	}
	script := filepath.Join(place, name) // beside node_modules, where it finds them
	return []string{filepath.Join(place, "node_modules", ".bin", "node"), script}, copyFile(script, filepath.Join(source, name))
}

// placeOf is "clients-python" for the folder clients/python.
func placeOf(source string) string {
	return filepath.Base(filepath.Dir(source)) + "-" + filepath.Base(source)
}

// installOnce empties the folder place and installs there, unless what was installed last was pinned by the same bytes.
func installOnce(place, pins string, install func() error) error {
	want, err := os.ReadFile(pins)
	if err != nil {
		return err
	}
	stamp := filepath.Join(place, "installed")
	if got, err := os.ReadFile(stamp); err == nil && string(got) == string(want) {
		return nil
	}
	fmt.Fprintf(os.Stderr, "e2e: installing what %s pins\n", pins)
	if err := os.RemoveAll(place); err != nil {
		return err
	}
	if err := os.MkdirAll(place, 0o777); err != nil {
		return err
	}
	if err := install(); err != nil {
		return err
	}
	return os.WriteFile(stamp, want, 0o666)
}

func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return nil
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o666)
}
