package gateway

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

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
	}{{nil, broken, first}, {nil, nil, first}, {second, nil, second}, {first, broken, second}, {newPolicy(t, newKey(t), "true", ""), nil, second}}
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
	if log := w.log(); strings.Count(log, "the policy was not read again") != 3 || strings.Count(log, "the policy was read again") != 1 {
		t.Errorf("%s", log)
	}
}

// TestReloadLate: a read that hangs, as of a pipe to which nothing is written, does not hold up the next one, and its late answer does
// not count.
func TestReloadLate(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Policy = newPolicy(t, o.Signer, "true", "") })
	w.gateway.patience = time.Millisecond
	first, second, third := w.gateway.policy.Load(), newPolicy(t, w.key, "false", "closed"), newPolicy(t, w.key, "false", "closed again")
	begun, hang, answered, again := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
	signals, ended := make(chan os.Signal), make(chan error)
	var asked atomic.Int32
	go func() {
		ended <- w.gateway.Reload(signals, func() (*policy.Policy, error) {
			switch asked.Add(1) {
			case 1:
				close(begun)
				<-hang
				close(answered)
				return first, nil
			case 2:
				close(again)
				return second, nil
			}
			return third, nil
		})
	}()
	signals <- syscall.SIGTERM
	<-begun // else the second may be the first that reads
	select {
	case signals <- syscall.SIGTERM:
	case <-time.After(time.Minute):
		t.Error("the second signal is not heeded")
		close(hang)
		<-answered
		signals <- syscall.SIGTERM
	}
	<-again
	for w.gateway.policy.Load() != second { // which may be late, too
		time.Sleep(time.Millisecond)
	}
	if !t.Failed() {
		close(hang)
		<-answered
	}
	signals <- syscall.SIGTERM
	for w.gateway.policy.Load() != third {
		if p := w.gateway.policy.Load(); p != second && p != third {
			t.Fatal("the late answer counts")
		}
		time.Sleep(time.Millisecond)
	}
	close(signals)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.Contains(w.log(), "the policy is still being read") {
		t.Errorf("%s", w.log())
	}
}

// TestConfigWith: what is said on a command line stands beside the file, and neither replaces what that says nor weakens it.
func TestConfigWith(t *testing.T) {
	file := Config{Key: "k", Journal: "j", Window: "1s", WindowMax: 5, InsecureAnyClient: true, Upstreams: []Upstream{{URL: "u"}}, Headers: HeadersClosed}
	got, err := file.With(Config{Listen: "b:2", Policy: "p", WindowMax: 7, LogDenied: true, InsecureAnyClient: true, Upstreams: []Upstream{{URL: "v"}}, Headers: HeadersOpen})
	if err != nil || got.Listen != "b:2" || got.Key != "k" || got.Journal != "j" || got.Policy != "p" || got.Window != "1s" || got.WindowMax != 7 || !got.InsecureAnyClient || !got.LogDenied ||
		got.Upstreams[0].URL != "u" || got.Headers != HeadersClosed {
		t.Errorf("%+v %v", got, err)
	}
	full := Config{Listen: "a:1", Operations: "a:2", Key: "k", Journal: "j", Witness: "w", Policy: "p"}
	for want, over := range map[string]Config{
		"listen":                    {Listen: "b:1"},
		"operations":                {Operations: "b:2"},
		"key":                       {Key: "l"},
		"journal":                   {Journal: "i"},
		"witness":                   {Witness: "v"},
		"policy":                    {Policy: "p"}, // the same text means the same file from one folder alone
		"insecureAnyClient":         {InsecureAnyClient: true},
		"insecureForwardUndeclared": {InsecureForwardUndeclared: true},
	} {
		got, err := full.With(over)
		no, ok := errors.AsType[*ConflictError](err)
		if !ok || no.Member != want || no.Weakens != strings.HasPrefix(want, "insecure") || !strings.HasPrefix(err.Error(), want+": ") || got.Key != "" {
			t.Errorf("%s: %+v %v", want, got, err)
		}
	}
	parsed, err := ParseConfig([]byte("schema: " + Schema + "\nupstreams: [{url: 'https://a'}]\n"))
	if err != nil || parsed.Listen != "" || parsed.Parents != ParentsJournal {
		t.Errorf("an address that a file does not name is %q, %v", parsed.Listen, err)
	}
}
