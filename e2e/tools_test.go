package e2e

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/tools"
)

const (
	bin = "bin" // what the tests install

	buildTimeout = 35 * time.Minute
)

// The programs under test, as absolute paths.
var runattestPath, cosignPath string

func TestMain(m *testing.M) {
	if signal.Ignored(os.Interrupt) { // as a shell starts what it starts in the background; what the tests start would ignore it, too
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	asked, err := asBrowser()
	if err == nil && !asked {
		err = prepareTools()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	if asked {
		return
	}
	code := m.Run()
	stopServices()
	os.Exit(code)
}

func prepareTools() error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	var err error
	if runattestPath, err = prepareRunattest(ctx); err != nil {
		return err
	}
	cosignPath, err = tools.Install(ctx, bin, tools.Cosign)
	return err
}

// prepareRunattest takes the binary that RUNATTEST names, or builds one.
func prepareRunattest(ctx context.Context) (string, error) {
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
	return tools.Build(ctx, bin, "runattest", "..", "./cmd/runattest")
}
