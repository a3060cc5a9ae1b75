// Command services runs the servers of keyless signing until it is interrupted, for work by hand:
//
//	go run ./cmd/services -dir /tmp/keyless
//
// in the folder e2e. It installs what is missing, which takes minutes, then writes to the folder
//
//	trusted_root.json    for --trusted-root
//	signing_config.json  for --signing-config
//	token                for --identity-token: ada@example.com, valid for a day
//	env.json             the URLs, the identities, and the process to interrupt
//
// and prints "ready". The issuer mints more tokens: curl "$issuer/token?email=bob@example.com&lifetime=5m".
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

const email = "ada@example.com"

func main() {
	dir := flag.String("dir", "", "the `folder` for files and logs, made where it is missing")
	bin := flag.String("bin", "bin", "the `folder` for programs: e2e/bin")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *dir, *bin); err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, bin string) error {
	if dir == "" {
		return fmt.Errorf("say where with -dir")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s, err := services.Place{Bin: bin, Dir: dir}.Start(ctx)
	if err != nil {
		return err
	}
	defer s.Stop()
	if err := write(s, dir); err != nil {
		return err
	}
	fmt.Printf("more tokens: curl '%s/token?email=%s&aud=%s&lifetime=10m'\n", s.Issuer.URL, email, services.Audience)
	fmt.Println("ready")
	<-ctx.Done()
	return nil
}

func write(s *services.Services, dir string) error {
	token, err := s.Issuer.Mint(services.Token{Email: email, Lifetime: 24 * time.Hour})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(token), 0o600); err != nil {
		return err
	}
	if err := s.WriteFiles(dir); err != nil {
		return err
	}
	return services.WriteJSON(filepath.Join(dir, "env.json"), map[string]any{
		"pid":         os.Getpid(),
		"issuer":      s.Issuer.URL,
		"email":       email,
		"tokenURL":    s.Issuer.URL + "/token?email=" + email,
		"ciIssuer":    s.CI.URL,
		"ciIdentity":  services.JobIdentity,
		"ciTokenURL":  s.CI.URL + "/token",
		"actionsURL":  s.CI.URL + "/actions?",
		"runnerToken": services.RunnerToken,
		"ctLog":       s.CTLog.URL,
		"fulcio":      s.Fulcio.URL,
		"rekor":       s.Rekor.URL,
		"timestamper": s.Timestamper.URL,
	})
}
