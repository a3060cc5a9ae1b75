package idtoken

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// quick asks again at once, and hurried gives up soon besides: servers that are good have to answer it in time.
var (
	quick   = patience{attempt: 10 * time.Second, waits: []time.Duration{time.Millisecond, time.Millisecond}}
	hurried = patience{attempt: 400 * time.Millisecond, waits: quick.waits}
)

// newMachine is one with nothing but variables, given as name and value in turn.
func newMachine(t *testing.T, variables ...string) machine {
	t.Helper()
	dir := t.TempDir()
	env := map[string]string{}
	for i := 0; i < len(variables); i += 2 {
		env[variables[i]] = variables[i+1]
	}
	return machine{
		getenv:      func(name string) string { return env[name] },
		tokenFile:   filepath.Join(dir, "token"),
		agentSocket: filepath.Join(dir, "socket"),
		productName: filepath.Join(dir, "product"),
		patience:    quick,
	}
}

func names(sources []Source) string {
	var all []string
	for _, s := range sources {
		all = append(all, s.Name())
	}
	return strings.Join(all, ", ")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAmbientFinds(t *testing.T) {
	const url, bearer = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
	for _, c := range []struct {
		want      string
		variables []string
	}{
		{"", nil},
		{"", []string{"CI", "true", "GITHUB_ACTIONS", "true", "SIGSTORE_ID_TOKEN", "", "K_SERVICE", "knative-elsewhere"}},
		{"", []string{url, "https://x"}},
		{"", []string{bearer, "y"}},
		{"SIGSTORE_ID_TOKEN", []string{"SIGSTORE_ID_TOKEN", "x"}},
		{"GitHub Actions", []string{url, "https://x", bearer, "y"}},
		{"Buildkite", []string{"BUILDKITE_AGENT_ACCESS_TOKEN", "x"}},
		{"SPIFFE", []string{"SPIFFE_ENDPOINT_SOCKET", "unix:///nowhere"}},
		{"Google", []string{"GCE_METADATA_HOST", "x"}},
		{"Google", []string{"CLOUD_RUN_JOB", "x"}},
		{"Google", []string{"GOOGLE_SERVICE_ACCOUNT_NAME", "x"}},
		{"SIGSTORE_ID_TOKEN, GitHub Actions, Buildkite, SPIFFE, Google", []string{
			"GCE_METADATA_HOST", "x", "SPIFFE_ENDPOINT_SOCKET", "x", "BUILDKITE_AGENT_ACCESS_TOKEN", "x",
			url, "https://x", bearer, "y", "SIGSTORE_ID_TOKEN", "x",
		}},
	} {
		if got := names(newMachine(t, c.variables...).sources()); got != c.want {
			t.Errorf("%v: %q, want %q", c.variables, got, c.want)
		}
	}
}

func TestAmbientFindsFiles(t *testing.T) {
	m := newMachine(t)
	write(t, m.tokenFile, "x")
	write(t, m.productName, "Google Compute Engine\n")
	write(t, m.agentSocket, "no socket")
	if got, want := names(m.sources()), "token file, Google"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	write(t, m.productName, "Standard PC (Q35 + ICH9, 2009)\n")
	if err := os.Remove(m.agentSocket); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", m.agentSocket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if got, want := names(m.sources()), "token file, SPIFFE"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The variables come from the caller's function, and by default from the process.
func TestAmbientReadsTheProcess(t *testing.T) {
	raw := jwt(nil)
	t.Setenv("SIGSTORE_ID_TOKEN", raw+"\n")
	token, from, err := First(t.Context(), "sigstore", Ambient(nil)...)
	if err != nil {
		t.Fatal(err)
	}
	if token.Raw() != raw || from != "SIGSTORE_ID_TOKEN" {
		t.Errorf("another token, or from another source: %s", from)
	}
	for _, s := range Ambient(func(string) string { return "" }) {
		if s.Name() == "SIGSTORE_ID_TOKEN" {
			t.Error("the process's variable is read where a caller gave others")
		}
	}
}

func TestTokenFile(t *testing.T) {
	m := newMachine(t)
	raw := jwt(nil)
	for _, c := range []struct{ name, content, want string }{
		{"good", raw + "\n", ""},
		{"empty", "", "is empty"},
		{"large", strings.Repeat("a", maxToken+1), "larger than 65536 bytes"},
		{"garbage", "<html>", "token file: identity token: 1 parts"},
		{"expired", jwt(claims{"exp": 1700000000}), "token file: identity token: expired at 2023-11-14T22:13:20Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, m.tokenFile, c.content)
			token, _, err := First(t.Context(), "sigstore", m.sources()...)
			if c.want != "" {
				wantError(t, err, c.want, raw)
			} else if err != nil || token.Raw() != raw {
				t.Errorf("another token, or an error: %v", err)
			}
		})
	}
}

type fixed struct {
	name string
	raw  string
	err  error
}

func (f fixed) Name() string { return f.name }
func (f fixed) Token(context.Context, string) (Token, error) {
	if f.err != nil {
		return Token{}, f.err
	}
	return Parse(f.raw)
}

func TestFirst(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name, from, want string
		sources          []Source
		is               error
	}{
		{"none", "", "set SIGSTORE_ID_TOKEN", nil, ErrNoIdentity},
		{"one", "a", "", []Source{fixed{name: "a", raw: jwt(nil)}}, nil},
		{"the first", "a", "", []Source{fixed{name: "a", raw: jwt(nil)}, fixed{name: "b", err: broken}}, nil},
		{"the first with an identity", "b", "", []Source{fixed{name: "a", err: ErrNoIdentity}, fixed{name: "b", raw: jwt(nil)}}, nil},
		{"a failure is not passed over", "a", "broken", []Source{fixed{name: "a", err: broken}, fixed{name: "b", raw: jwt(nil)}}, broken},
		{"all passed over", "", "no identity here; no identity here", []Source{fixed{name: "a", err: ErrNoIdentity}, fixed{name: "b", err: ErrNoIdentity}}, ErrNoIdentity},
		{"a stranger's source is checked too", "a", "expired", []Source{fixed{name: "a", raw: jwt(claims{"exp": 5})}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, from, err := First(t.Context(), "sigstore", c.sources...)
			if from != c.from {
				t.Errorf("from %q, want %q", from, c.from)
			}
			if c.want == "" {
				if err != nil || token.Raw() == "" {
					t.Errorf("no token: %v", err)
				}
				return
			}
			wantError(t, err, c.want)
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			if token.Raw() != "" {
				t.Error("a token beside an error")
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[31m\r\n b":                       "a[31m b",
		"the keyserver-and-eyebrow-database":    "the keyserver-and-eyebrow-database",
		"got " + jwt(nil) + ", and " + jwt(nil): "got [token], and [token]",
		"the password is hunter2, yes hunter2":  "the password is [secret], yes [secret]",
		strings.Repeat("ä", 200):                strings.Repeat("ä", 150) + "...",
		"x" + strings.Repeat("ä", 200):          "x" + strings.Repeat("ä", 149) + "...",
	} {
		if diff := cmp.Diff(want, printable(in, "hunter2", "")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// BenchmarkAmbient measures what the search costs on a machine that is not in a CI.
func BenchmarkAmbient(b *testing.B) {
	for b.Loop() {
		Ambient(func(string) string { return "" })
	}
}
