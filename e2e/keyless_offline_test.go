package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
)

// useStopped is a desk with bundles of services that have ended.
func useStopped(t *testing.T) (d *desk, issuer string) {
	t.Helper()
	s, err := services.Place{Bin: bin, Dir: t.TempDir()}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	d = newDesk(t)
	if err := s.WriteFiles(d.dir); err != nil {
		t.Fatal(err)
	}
	d.declare("chat-llama-3.1-8b")
	d.mint("token", s.Issuer, services.Token{Email: ada})
	d.signsKeyless(ours).ok()
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.signs("key.sigstore.json", "--key", "runattest.key", "--signing-config", "signing_config.json").ok()
	s.Stop()
	d.signsKeyless("none.sigstore.json", "--timeout", "300ms").failed("connection refused") // they have ended
	return d, s.Issuer.URL
}

// verifications are all kinds, each with all the evidence that there is.
func verifications(issuer string) map[string][]string {
	all := []string{"--trusted-root", "trusted_root.json", "--require-timestamp", "1", "--require-log", "1", "--signed-before", "2100-01-01T00:00:00Z"}
	return map[string][]string{
		"keyless": append([]string{"verify", ours, "--certificate-identity", ada, "--certificate-oidc-issuer", issuer}, all...),
		"regexp":  append([]string{"verify", ours, "--certificate-identity-regexp", ".*", "--certificate-oidc-issuer-regexp", ".*"}, all...),
		"key":     append([]string{"verify", "key.sigstore.json", "--key", "runattest.pub", "--key-validity", "runattest.pub=2000-01-01T00:00:00Z/"}, all...),
	}
}

// In a network namespace of its own there is not even a loopback interface.
func TestVerifiesWithoutNetwork(t *testing.T) {
	unshare := withoutNetwork(t)
	d, issuer := useStopped(t)
	live := shareTimestamper(t)
	d.signs("probe.sigstore.json", "--key", "runattest.key", "--timestamp-server", live).ok()
	d.run(unshare[0], append(unshare[1:], runattestPath, "sign", "--key", "runattest.key", "--timestamp-server", live, "--timeout", "300ms",
		"--bundle", "none.sigstore.json", "run.json")).failed("network is unreachable") // the namespace holds
	for name, args := range verifications(issuer) {
		t.Run(name, func(t *testing.T) {
			d := d.in(t)
			d.run(unshare[0], append(append(unshare[1:], runattestPath), args...)).ok()
		})
	}
	o := d.run(unshare[0], append(unshare[1:], runattestPath, "verify", "--format", "json", ours, "--trusted-root", "trusted_root.json",
		"--certificate-identity", bob, "--certificate-oidc-issuer", issuer))
	o.no("signer", "not for "+bob) // a refusal is as offline as a pass
}

// shareTimestamper is one that runs, whatever else has ended.
func shareTimestamper(t *testing.T) (url string) {
	t.Helper()
	return newDesk(t).useServices().Timestamper.URL
}

// withoutNetwork is the command before a command that takes its network away.
func withoutNetwork(t *testing.T) []string {
	t.Helper()
	var why strings.Builder
	for _, command := range [][]string{{"unshare", "--net"}, {"unshare", "--map-root-user", "--net"}} {
		path, err := exec.LookPath(command[0])
		if err == nil {
			command[0] = path
			var out []byte
			if out, err = exec.Command(path, append(command[1:], "true")...).CombinedOutput(); err == nil {
				return command
			}
			why.Write(out)
		}
		why.WriteString(err.Error() + "\n")
	}
	t.Skipf("NOT PROVED here: no network namespace is permitted\n%s", &why)
	return nil
}

// madeCall is a line about a system call. There are lines about none: of a thread that was about to make
// one, whichever it was, when the process ended, the tracer says "???( <detached ...>".
var madeCall = regexp.MustCompile(`(?m)^[0-9]+ +[a-z]`)

// A tracer sees each system call: verifying makes none that has to do with a network.
func TestVerifiesWithoutSocket(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(strace, "-f", "-o", os.DevNull, "true").Run()
	}
	if err != nil {
		t.Skipf("NOT PROVED here: strace: %v; Debian's package has it", err)
	}
	d, issuer := useStopped(t)
	trace := func(d *desk, args ...string) (outcome, string) {
		o := d.run(strace, append([]string{"-f", "-qq", "-e", "trace=network", "-e", "signal=none", "-o", "trace", runattestPath}, args...))
		return o, string(d.read("trace"))
	}
	_, calls := trace(d, "sign", "--key", "runattest.key", "--timestamp-server", shareTimestamper(t), "--bundle", "probe.sigstore.json", "run.json")
	if !madeCall.MatchString(calls) || !strings.Contains(calls, "socket(") || !strings.Contains(calls, "connect(") {
		t.Fatalf("the tracer sees no socket where there is one:\n%s", calls)
	}
	for name, args := range verifications(issuer) {
		t.Run(name, func(t *testing.T) {
			o, calls := trace(d.in(t), args...)
			o.ok()
			if madeCall.MatchString(calls) {
				t.Errorf("%s: %s", o.command, calls)
			}
		})
	}
}
