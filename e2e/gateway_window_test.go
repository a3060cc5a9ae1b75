package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// windowsDesk is a desk with a key in a PKCS #11 module and a timestamp authority, each of which can fail while a gateway signs
// with it.
type windowsDesk struct {
	*kmsDesk
	tokens string // the folder in which the module has its keys
	hold   string // while this file is there, the module does not answer
	tsa    *services.Front
	turn   func(services.Fault)  // what is wrong with the authority from now on
	stamps *services.Timestamper // behind tsa
	up     *upstream
	trust  []string // the flags of a verifier who demands the timestamp
}

const windowsKey = "pkcs11://token=ci;object=gateway"

// right has no fault.
func right(good http.Handler) http.Handler { return good }

// hangsUp closes the connection without an answer.
func hangsUp(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

func newWindowsDesk(t *testing.T) *windowsDesk {
	t.Helper()
	hsm := newSoftHSM(t)
	hsm.makeKey("EC:prime256v1", "gateway", "01")
	d := newKMSDesk(t, append(hsm.env, "PKCS11_MODULE_PATH="+hsm.module, "PKCS11_PIN="+pin)...)
	config, _ := strings.CutPrefix(hsm.env[0], "SOFTHSM2_CONF=")
	w := &windowsDesk{tokens: filepath.Join(filepath.Dir(config), "tokens"), up: newUpstream(t)}
	w.kmsDesk = w.held(d)
	w.write("runattest.pub", w.runattest("public-key", "--key", windowsKey).ok())

	w.stamps = w.timestamper()
	w.writeJSON("trusted_root.json", services.TrustedTimes(w.stamps))
	w.trust = []string{"--key", "runattest.pub", "--trusted-root", "trusted_root.json", "--require-timestamp", "1"}
	w.tsa, w.turn = startTurning(t, w.stamps.URL)
	return w
}

// held puts a program before the plugin, on the PATH, that waits while w.hold is there.
func (w *windowsDesk) held(d *kmsDesk) *kmsDesk {
	d.t.Helper()
	folder := d.t.TempDir()
	w.hold = filepath.Join(folder, "hold")
	shell, err := exec.LookPath("sh")
	if err != nil {
		d.t.Fatal(err)
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		d.t.Fatal(err)
	}
	script := fmt.Sprintf("#!%s\n[ ! -e %s ] || exec %s 600\nexec %s \"$@\"\n", shell, w.hold, sleep, filepath.Join(d.plugins, "sigstore-kms-pkcs11"))
	if err := os.WriteFile(filepath.Join(folder, "sigstore-kms-pkcs11"), []byte(script), 0o700); err != nil {
		d.t.Fatal(err)
	}
	return d.with("PATH=" + folder)
}

func (w *windowsDesk) timestamper() *services.Timestamper {
	w.t.Helper()
	authority, err := services.Place{Bin: bin, Dir: w.t.TempDir()}.Timestamper(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(authority.Stop)
	return authority
}

// startTurning puts a proxy before a server, whose fault is what turn was told last.
func startTurning(t *testing.T, target string) (front *services.Front, turn func(services.Fault)) {
	t.Helper()
	var good http.Handler
	var now atomic.Pointer[http.Handler]
	front = startFront(t, target, func(h http.Handler) http.Handler {
		good = h
		now.Store(&h)
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*now.Load()).ServeHTTP(rw, r) })
	})
	return front, func(fault services.Fault) {
		bad := fault(good)
		now.Store(&bad)
	}
}

// gateway starts one whose windows the module signs and the authority witnesses.
func (w *windowsDesk) gateway(args ...string) *gatewayProcess {
	w.t.Helper()
	return w.gatewayBy("journal", append([]string{"--key", windowsKey, "--timestamp-server", w.tsa.URL, "--trusted-root", "trusted_root.json",
		"--upstream", w.up.URL, "--provider", "openai"}, args...)...)
}

// answered is what a client got.
type answered struct {
	status            int
	body              string
	identity, receipt string
	refusal, again    string
}

// together sends n different calls at once.
func (g *gatewayProcess) together(name string, n int) []answered {
	g.d.t.Helper()
	ctx, cancel := context.WithTimeout(g.d.t.Context(), time.Minute)
	defer cancel()
	all := make([]answered, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			r, said, err := g.call(ctx, fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"%s %d"}]}`, name, i))
			if err != nil {
				g.d.t.Errorf("%s %d: %v", name, i, err)
				return
			}
			h := r.Header
			all[i] = answered{r.StatusCode, said, h.Get("Airun-Identity"), h.Get("Airun-Journal"), h.Get("Airun-Refusal"), h.Get("Retry-After")}
		})
	}
	calls.Wait()
	return all
}

// pass demands that n calls are forwarded, and gives their receipts.
func (w *windowsDesk) pass(g *gatewayProcess, name string, n int) (receipts []string) {
	w.t.Helper()
	for _, a := range g.together(name, n) {
		if a.status != http.StatusOK || a.identity == "" || a.receipt == "" {
			w.t.Errorf("%s: %+v", name, a)
		}
		receipts = append(receipts, a.receipt)
	}
	return receipts
}

// refuse demands that calls get the answer of docs/gateway.md, and that the upstream has not seen them.
func (w *windowsDesk) refuse(g *gatewayProcess, name string) {
	w.t.Helper()
	for _, a := range g.together(name, 3) {
		if a.status != http.StatusServiceUnavailable || a.refusal != "signing_failed" || a.again == "" || a.receipt != "" || !strings.Contains(a.body, `"signing_failed"`) {
			w.t.Errorf("%s: %+v", name, a)
		}
	}
	w.up.mu.Lock()
	defer w.up.mu.Unlock()
	for _, r := range w.up.calls {
		if bytes.Contains(r.body, []byte(name)) {
			w.t.Errorf("%s: a refused call was forwarded: %s", name, r.body)
		}
	}
}

// witnessed is a line of a journal as `journal verify` gives it, and the journal's own answer.
type witnessedEntry struct {
	Journal, Receipt, Identity string
	Verified, Closed           bool
	Times                      []trustedTime
	Body                       struct{ SHA256 string }
	Lines, Open                int
}

// holds demands that the journal verifies, with a timestamp for each run that is not later than the moment the upstream saw the
// call, and that it has all that the upstream saw, and the receipts. It gives the number of lines.
func (d *desk) holds(seen []received, receipts []string, flags ...string) int {
	d.t.Helper()
	args := append([]string{"journal", "verify", "--format", "json"}, flags...)
	for _, r := range receipts {
		args = append(args, "--receipt", r)
	}
	lines := map[string]witnessedEntry{}
	verified := false
	for line := range bytes.Lines(d.runattest(append(args, "journal")...).ok()) {
		var e witnessedEntry
		if err := json.Unmarshal(line, &e); err != nil {
			d.t.Fatalf("%v: %s", err, line)
		}
		verified = verified || e.Journal != "" && e.Verified
		if e.Receipt == "" {
			continue
		}
		if !e.Verified || e.Identity == "" || len(e.Times) != 1 {
			d.t.Errorf("%s", line)
		}
		lines[e.Body.SHA256] = e
	}
	if !verified {
		d.t.Error("the journal is not verified")
	}
	for _, r := range seen {
		e, ok := lines[sum(r.body)]
		if !ok {
			d.t.Errorf("the upstream saw a call that is not in the journal: %s", r.body)
			continue
		}
		for _, at := range e.Times {
			if signed, err := time.Parse(time.RFC3339, at.Time); err != nil || signed.After(r.at) {
				d.t.Errorf("%s: signed at %s, and forwarded at %s: %v", r.body, at.Time, r.at, err)
			}
		}
	}
	return len(lines)
}

// Calls that come together share a signature of a PKCS #11 module and a timestamp. The journal verifies where the timestamp is
// demanded, and not with another key or authority.
func TestGatewayWindows(t *testing.T) {
	w := newWindowsDesk(t)
	g := w.gateway("--window", "500ms")
	receipts := w.pass(g, "together", 24)
	if n := w.tsa.Requests(); n == 0 || n > 12 {
		t.Errorf("24 calls at once took %d timestamps", n)
	}
	g.stop()
	seen := w.up.seen()
	if n := w.holds(seen, receipts, append(slices.Clone(w.trust), "--closed")...); n != 24 || len(seen) != 24 {
		t.Errorf("the journal has %d lines, the upstream saw %d calls, want 24", n, len(seen))
	}

	other := w.timestamper()
	w.writeJSON("other_root.json", services.TrustedTimes(other))
	w.writeJSON("both_root.json", services.TrustedTimes(w.stamps, other))
	w.makeKey("other", "ecdsa-p256", "--no-password")
	w.gatewayWithout()
	for name, args := range map[string][]string{
		"two authorities":   {"--key", "runattest.pub", "--trusted-root", "both_root.json", "--require-timestamp", "2", "journal"},
		"another authority": {"--key", "runattest.pub", "--trusted-root", "other_root.json", "--require-timestamp", "1", "journal"},
		"another key":       {"--key", "other.pub", "--trusted-root", "trusted_root.json", "--require-timestamp", "1", "journal"},
		"no timestamp":      {"--key", "runattest.pub", "--trusted-root", "trusted_root.json", "--require-timestamp", "1", "unstamped"},
	} {
		if o := w.runattest(append([]string{"journal", "verify"}, args...)...); o.code != 1 {
			t.Errorf("%s: exit status %d, want 1\n%s%s", name, o.code, o.stdout, o.stderr)
		}
	}
	w.runattest("journal", "verify", "--closed", "--key", "runattest.pub", "unstamped").ok()
}

// gatewayWithout writes the journal unstamped: signed by the module, without timestamps.
func (w *windowsDesk) gatewayWithout() {
	w.t.Helper()
	g := w.gatewayBy("unstamped", "--key", windowsKey, "--upstream", w.up.URL, "--provider", "openai")
	w.pass(g, "unstamped", 2)
	g.stop()
}

// While the module or the authority fails, calls are refused in time and none is forwarded; what was forwarded before and after is
// in the journal, and nothing else.
func TestGatewayWindowsFail(t *testing.T) {
	w := newWindowsDesk(t)
	g := w.gateway("--timeout", "10s")
	receipts := w.pass(g, "before", 3)
	w.turn(replay)
	receipts = append(receipts, w.pass(g, "first", 1)...)
	w.refuse(g, "replayed")
	for name, fault := range map[string]services.Fault{
		"slow": services.Slow(time.Hour), "hangs up": hangsUp, "page": services.HTML, "overloaded": services.Unavailable(1 << 30), "drips": drip, "cut": services.Cut,
	} {
		w.turn(fault)
		w.refuse(g, name)
	}
	w.turn(right)
	receipts = append(receipts, w.pass(g, "between", 3)...)

	if err := os.Rename(w.tokens, w.tokens+".away"); err != nil {
		t.Fatal(err)
	}
	w.refuse(g, "no module")
	if err := os.Rename(w.tokens+".away", w.tokens); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.hold, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.refuse(g, "slow module")
	if err := os.Remove(w.hold); err != nil {
		t.Fatal(err)
	}
	receipts = append(receipts, w.pass(g, "after", 3)...)
	g.stop()
	seen := w.up.seen()
	if n := w.holds(seen, receipts, append(slices.Clone(w.trust), "--closed")...); n != len(receipts) || len(seen) != n {
		t.Errorf("the journal has %d lines, the upstream saw %d calls, want %d", n, len(seen), len(receipts))
	}
}

// A gateway that stops while the authority is down cannot sign its last segment, and says so; it is killed with windows in flight.
// The next one signs what was left, and nothing is lost.
func TestGatewayWindowsLater(t *testing.T) {
	w := newWindowsDesk(t)
	g := w.gateway()
	receipts := w.pass(g, "early", 5)
	w.turn(hangsUp)
	g.ends = 3
	g.stop()
	if n := w.holds(nil, receipts, w.trust...); n != len(receipts) {
		t.Errorf("the journal has %d lines, want %d", n, len(receipts))
	}
	if o := w.runattest("journal", "verify", "--closed", "--key", "runattest.pub", "journal"); o.code != 1 {
		t.Errorf("a journal whose last segment is not signed: exit status %d\n%s", o.code, o.stdout)
	}

	w.turn(right)
	down, err := services.Down(w.tsa.URL)
	if err != nil {
		t.Fatal(err)
	}
	g = w.gatewayBy("journal", "--key", windowsKey, "--timestamp-server", w.tsa.URL, "--timestamp-server", down, "--timeout", "1s",
		"--upstream", w.up.URL, "--provider", "openai")
	g.ends = 3
	w.refuse(g, "one of two is down")
	g.stop()

	for range many(3, 20) {
		g = w.gateway()
		ctx, stop := context.WithCancel(t.Context())
		first := make(chan string, 8)
		var calls sync.WaitGroup
		for i := range cap(first) {
			calls.Go(func() {
				for k := 0; ctx.Err() == nil; k++ {
					r, _, err := g.call(ctx, fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"%s %d %d"}]}`, g.url, i, k))
					if err != nil || r.StatusCode != http.StatusOK {
						return // it was killed
					}
					if k == 0 {
						first <- r.Header.Get("Airun-Journal")
					}
				}
			})
		}
		for range cap(first) {
			select {
			case r := <-first:
				receipts = append(receipts, r)
			case <-time.After(time.Minute):
				t.Fatal("the gateway forwards nothing")
			}
		}
		g.kill()
		stop()
		calls.Wait()
	}
	w.gateway().stop()
	seen := w.up.seen()
	if n := w.holds(seen, receipts, append(slices.Clone(w.trust), "--closed")...); n < len(seen) || len(seen) < len(receipts) {
		t.Errorf("the journal has %d lines, the upstream saw %d calls, the clients got %d receipts", n, len(seen), len(receipts))
	}
}

// Windows without a key: a certificate of Fulcio, a timestamp, and an entry in Rekor for each. While one of them is down, calls are
// refused.
func TestGatewayKeyless(t *testing.T) {
	d := newDesk(t)
	s := d.useServices()
	d.mint("token", s.Issuer, services.Token{Email: ada})
	up := newUpstream(t)
	w := &windowsDesk{kmsDesk: &kmsDesk{desk: d}, up: up}
	rekor, turn := startTurning(t, s.Rekor.URL)
	args := []string{"--identity-token", "token", "--timestamp-server", s.Timestamper.URL, "--rekor", rekor.URL, "--trusted-root", "trusted_root.json",
		"--upstream", up.URL, "--provider", "openai", "--window", "500ms", "--timeout", "10s"}
	g := d.gatewayBy("journal", append([]string{"--fulcio", s.Fulcio.URL}, args...)...)
	receipts := w.pass(g, "together", 12)
	if n := rekor.Requests(); n == 0 || n > 6 {
		t.Errorf("12 calls at once took %d entries", n)
	}
	turn(services.Unavailable(1 << 30))
	w.refuse(g, "log is down")
	turn(right)
	receipts = append(receipts, w.pass(g, "after", 2)...)
	g.stop()
	seen := up.seen()
	trust := []string{"--closed", "--trusted-root", "trusted_root.json", "--certificate-oidc-issuer", s.Issuer.URL, "--require-log", "1", "--require-timestamp", "1"}
	if n := d.holds(seen, receipts, append(slices.Clone(trust), "--certificate-identity", ada)...); n != len(receipts) || len(seen) != n {
		t.Errorf("the journal has %d lines, the upstream saw %d calls, want %d", n, len(seen), len(receipts))
	}
	if o := d.runattest(append(append([]string{"journal", "verify"}, trust...), "--certificate-identity", "eve@example.com", "journal")...); o.code != 1 {
		t.Errorf("verified as another person's: exit status %d\n%s", o.code, o.stdout)
	}

	down, err := services.Down(s.Fulcio.URL)
	if err != nil {
		t.Fatal(err)
	}
	d.runattest(append([]string{"gateway", "--journal", "none", "--listen", "127.0.0.1:0", "--fulcio", down}, args...)...).failed("certificate authority")
	if _, err := os.Stat(d.path("none")); err == nil {
		t.Error("a gateway without a certificate made a journal")
	}
}

// A gateway outlives its certificates: it renews them while calls go on, and goes on with the one it has while Fulcio is down. It
// takes longer than Fulcio's certificates live, which is ten minutes, and so is a part of make e2e-long.
func TestGatewayCertificates(t *testing.T) {
	const life = 10 * time.Minute
	lasts := many(0, life+3*time.Minute)
	if lasts == 0 {
		t.Skip("takes longer than a certificate lives: E2E_LONG=1")
	}
	d := newDesk(t)
	s := d.useServices()
	d.mint("token", s.Issuer, services.Token{Email: ada, Lifetime: time.Hour})
	up := newUpstream(t)
	w := &windowsDesk{kmsDesk: &kmsDesk{desk: d}, up: up}
	fulcio, turn := startTurning(t, s.Fulcio.URL)
	g := d.gatewayBy("journal", "--fulcio", fulcio.URL, "--identity-token", "token", "--timestamp-server", s.Timestamper.URL,
		"--trusted-root", "trusted_root.json", "--upstream", up.URL, "--provider", "openai", "--window", "1s", "--timeout", "5s")
	begun := time.Now()
	turn(services.Unavailable(1 << 30))
	first, down := fulcio.Requests(), true
	var receipts []string
	for i := 0; time.Since(begun) < lasts; i++ {
		if down && time.Since(begun) > 7*time.Minute {
			if fulcio.Requests() == first {
				t.Error("seven minutes old, and nothing asked for another certificate")
			}
			turn(right)
			down = false
		}
		receipts = append(receipts, w.pass(g, fmt.Sprint("call ", i), 1)...)
		if t.Failed() {
			break
		}
		time.Sleep(time.Second) // between calls; what is waited for is the end of a certificate
	}
	g.stop()
	seen := up.seen()
	trust := []string{"--closed", "--trusted-root", "trusted_root.json", "--certificate-oidc-issuer", s.Issuer.URL, "--certificate-identity", ada,
		"--require-log", "none", "--require-timestamp", "1"}
	if n := d.holds(seen, nil, trust...); n != len(receipts) || len(seen) != n {
		t.Errorf("the journal has %d lines, the upstream saw %d calls, want %d", n, len(seen), len(receipts))
	}
}
