package gateway

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/runattest/runattest/policy"
)

// TestReload: a policy that cannot be read, or be used, leaves the one before in force.
func TestReload(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Policy = newPolicy(t, o.Signer, "true", "") })
	first, second := w.gateway.policy.Load(), newPolicy(t, w.key, "false", "closed")
	broken := errors.New("broken")
	answers := []struct {
		policy *policy.Policy
		err    error
		want   *policy.Policy // in force after that
	}{{nil, broken, first}, {nil, nil, first}, {second, nil, second}, {first, broken, second}}
	signals := make(chan os.Signal, len(answers)+1)
	for range answers {
		signals <- syscall.SIGTERM
	}
	close(signals)
	asked := 0
	read := func() (*policy.Policy, error) {
		if asked > 0 && w.gateway.policy.Load() != answers[asked-1].want {
			t.Errorf("after answer %d another policy is in force", asked)
		}
		a := answers[asked]
		asked++
		return a.policy, a.err
	}
	if err := w.gateway.Reload(signals, read); err != nil || asked != len(answers) {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	if w.gateway.policy.Load() != second {
		t.Error("a policy that came with an error is in force")
	}
	if log := w.log(); strings.Count(log, "the policy was not read again") != 2 || strings.Count(log, "the policy was read again") != 1 {
		t.Errorf("%s", log)
	}
}

// TestConfigWith: what is said on a command line counts before the file, and cannot make it less dangerous than that says.
func TestConfigWith(t *testing.T) {
	file := Config{Listen: "a:1", Key: "k", Journal: "j", Window: "1s", WindowMax: 5, InsecureAnyClient: true, Upstreams: []Upstream{{URL: "u"}}, Headers: HeadersClosed}
	got := file.With(Config{Listen: "b:2", Policy: "p", WindowMax: 7, LogDenied: true, Upstreams: []Upstream{{URL: "v"}}, Headers: HeadersOpen})
	if got.Listen != "b:2" || got.Key != "k" || got.Journal != "j" || got.Policy != "p" || got.Window != "1s" || got.WindowMax != 7 || !got.InsecureAnyClient || !got.LogDenied ||
		got.Upstreams[0].URL != "u" || got.Headers != HeadersClosed {
		t.Errorf("%+v", got)
	}
}
