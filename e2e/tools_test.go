package e2e

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const (
	cosignModule  = "github.com/sigstore/cosign/v3"
	cosignVersion = "v3.1.3"

	buildTimeout = 35 * time.Minute
)

// The programs under test, as absolute paths.
var runattestPath, cosignPath string

func TestMain(m *testing.M) {
	if err := prepareTools(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func prepareTools() error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	bin, err := filepath.Abs("bin")
	if err != nil {
		return err
	}
	if runattestPath, err = prepareRunattest(ctx, bin); err != nil {
		return err
	}
	cosignPath, err = prepareCosign(ctx, bin)
	return err
}

// prepareRunattest takes the binary that RUNATTEST names, or builds one.
func prepareRunattest(ctx context.Context, bin string) (string, error) {
	if given := os.Getenv("RUNATTEST"); given != "" {
		path, err := filepath.Abs(given)
		if err != nil {
			return "", err
		}
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("RUNATTEST: %w", err)
		}
		return path, nil
	}
	path := filepath.Join(bin, "runattest")
	return path, goCommand(ctx, "..", nil, "build", "-o", path, "./cmd/runattest")
}

// prepareCosign installs the one version that these tests are about, unless it is there.
func prepareCosign(ctx context.Context, bin string) (string, error) {
	path := filepath.Join(bin, "cosign")
	if isCosign(path) {
		return path, nil
	}
	fmt.Fprintf(os.Stderr, "e2e: installing cosign %s, which takes minutes\n", cosignVersion)
	err := goCommand(ctx, ".", []string{"GOBIN=" + bin}, "install", cosignModule+"/cmd/cosign@"+cosignVersion)
	if err == nil && !isCosign(path) {
		err = fmt.Errorf("%s is not cosign %s", path, cosignVersion)
	}
	return path, err
}

// isCosign asks what was linked into the program, not what it says of itself.
func isCosign(path string) bool {
	info, err := buildinfo.ReadFile(path)
	return err == nil && info.Main.Path == cosignModule && info.Main.Version == cosignVersion
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
