//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// measureInstalled starts the program of a release as each package installs it, in turn with the bare program of the archive.
func measureInstalled(dist string) error {
	dist, err := filepath.Abs(dist)
	if err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(dist, "runattest_*_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz"))
	if err != nil {
		return err
	}
	if len(archives) != 1 {
		fmt.Printf("%s: has no release for %s/%s (make release KEY=release.key builds one): the commands that packages install are not measured\n", dist, runtime.GOOS, runtime.GOARCH)
		return nil
	}
	dir, err := os.MkdirTemp("", "procbench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	install := exec.Command("sh", "-euc", `tar -xzf "$1" --strip-components 1
python3 -m venv env && env/bin/pip install --quiet --disable-pip-version-check --no-index --find-links "$2" runattest
npm install --silent --offline --no-audit --no-fund "$2"/runattest-"$(node -p 'process.platform + "-" + process.arch')"-*.tgz "$2"/runattest-[0-9]*.tgz`, "sh", archives[0], dist)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("install %s with pip and npm: %w", dist, err), errors.New(string(out)))
	}
	commands := [][]string{
		{filepath.Join(dir, "runattest")},
		{filepath.Join(dir, "env", "bin", "runattest")},
		{filepath.Join(dir, "env", "bin", "python"), "-m", "runattest"},
		{filepath.Join(dir, "node_modules", ".bin", "runattest")},
	}
	for i := range commands {
		commands[i] = append(commands[i], "version")
	}
	took, err := inTurn(dir, commands...)
	if err != nil {
		return err
	}
	fmt.Printf("runattest version, as packages install it: medians of %d runs of each, in turn\n", alternating)
	for i, name := range []string{"archive", "wheel", "python -m", "npm"} {
		fmt.Printf("%-10s %-26s %6.1f ms (min %.1f), %.2f times the archive's\n", name, "version", ms(took[i].median), ms(took[i].least),
			took[i].median.Seconds()/took[0].median.Seconds())
	}
	return nil
}
