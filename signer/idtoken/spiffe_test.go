package idtoken

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// agent answers as a SPIFFE agent does.
type agent struct {
	workload.UnimplementedSpiffeWorkloadAPIServer
	answer reply
	asked  atomic.Int64
}

func (a *agent) FetchJWTSVID(ctx context.Context, req *workload.JWTSVIDRequest) (*workload.JWTSVIDResponse, error) {
	if md, _ := metadata.FromIncomingContext(ctx); !slices.Equal(md.Get("workload.spiffe.io"), []string{"true"}) {
		return nil, status.Error(codes.InvalidArgument, "security header missing from request")
	}
	if !slices.Equal(req.GetAudience(), []string{"sigstore"}) || req.GetSpiffeId() != "" {
		return nil, status.Error(codes.InvalidArgument, "another request was expected")
	}
	return a.answer(ctx, a.asked.Add(1))
}

func svids(tokens ...string) *workload.JWTSVIDResponse {
	var answer workload.JWTSVIDResponse
	for _, raw := range tokens {
		answer.Svids = append(answer.Svids, &workload.JWTSVID{SpiffeId: "spiffe://example.org/runs", Svid: raw})
	}
	return &answer
}

func (a *agent) serve(t *testing.T, network, address string) net.Addr {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	workload.RegisterSpiffeWorkloadAPIServer(server, a)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr()
}

type reply func(context.Context, int64) (*workload.JWTSVIDResponse, error)

// says refuses some times, with a text that has the token in it, and then gives the token.
func says(raw string, code codes.Code, times int64) reply {
	return func(_ context.Context, asked int64) (*workload.JWTSVIDResponse, error) {
		if asked <= times {
			return nil, status.Error(code, "told "+raw)
		}
		return svids(raw), nil
	}
}

func gives(tokens ...string) reply {
	return func(context.Context, int64) (*workload.JWTSVIDResponse, error) { return svids(tokens...), nil }
}

// socketDir is short: a socket's path has at most a hundred bytes or so.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestSPIFFE(t *testing.T) {
	raw := jwt(claims{"sub": "spiffe://example.org/runs"})
	for _, c := range []struct {
		name   string
		answer reply
		want   string // nothing when a token comes
		asked  int64
	}{
		{"good", gives(raw), "", 1},
		{"the first is the default", gives(raw, jwt(nil)), "", 1},
		{"unavailable twice, then good", says(raw, codes.Unavailable, 2), "", 3},
		{"unavailable for ever", says(raw, codes.Unavailable, 99), "told [token], after 3 attempts", 3},
		{"slow for ever", func(ctx context.Context, _ int64) (*workload.JWTSVIDResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, "no answer within 400ms, after 3 attempts", 3},
		{"refused", says(raw, codes.InvalidArgument, 99), "told [token]", 1},
		{"not registered", says(raw, codes.PermissionDenied, 99), "no identity here: told [token]", 1},
		{"none", gives(), "no JWT-SVID in it", 1},
		{"an empty one", gives(""), "no JWT-SVID in it", 1},
		{"oversized", gives(strings.Repeat("a", maxAnswer)), "larger than max", 1},
		{"garbage", gives("garbage"), "1 parts between dots", 1},
		{"expired", gives(jwt(claims{"exp": 5})), "expired at 1970-01-01T00:00:05Z", 1},
		{"for others", gives(jwt(claims{"aud": "spiffe://example.org"})), `audience "spiffe://example.org", want "sigstore"`, 1},
		{"duplicate claims", gives(rawJWT(`{"alg":"ES256"}`, `{"sub":"a","sub":"b"}`)), "/sub", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := &agent{answer: c.answer}
			m := newMachine(t)
			isSlow := strings.HasPrefix(c.name, "slow")
			if isSlow {
				m.patience = hurried
			}
			m.agentSocket = filepath.Join(socketDir(t), "api.sock")
			a.serve(t, "unix", m.agentSocket)
			token, from, err := First(t.Context(), "sigstore", m.sources()...)
			if got := a.asked.Load(); got > c.asked || got < c.asked && !isSlow { // of those that are given up, some never arrive
				t.Errorf("asked %d times, want %d", got, c.asked)
			}
			if c.want == "" {
				if err != nil || token.Raw() != raw || from != "SPIFFE" {
					t.Errorf("another token, or an error: %v", err)
				}
				return
			}
			wantError(t, err, c.want, raw)
			if none := c.name == "not registered"; errors.Is(err, ErrNoIdentity) != none {
				t.Errorf("%v: is ErrNoIdentity: %t, want %t", err, !none, none)
			}
		})
	}
}

func TestSPIFFEAddresses(t *testing.T) {
	raw := jwt(nil)
	a := &agent{answer: func(context.Context, int64) (*workload.JWTSVIDResponse, error) { return svids(raw), nil }}
	socket := filepath.Join(socketDir(t), "api.sock")
	a.serve(t, "unix", socket)
	tcp := a.serve(t, "tcp", "127.0.0.1:0").String()
	for address, want := range map[string]string{
		socket:                   "",
		"unix://" + socket:       "",
		"unix:" + socket:         "",
		"tcp://" + tcp:           "",
		socket + "-not":          "no such file",
		"unix://" + socket[1:]:   "want unix:///path",
		"unix:relative":          "want unix:///path",
		"relative":               "want unix:///path",
		"https://127.0.0.1:1":    "want unix:///path",
		"tcp://192.0.2.1:8081":   "want a loopback address",
		"tcp://localhost:8081":   "want a loopback address",
		"tcp://127.0.0.1":        "want a loopback address",
		"tcp://" + tcp + "/path": "want unix:///path",
		"unix:///\x7f":           "want unix:///path",
		"npipe:spire-agent\\api": "want unix:///path",
	} {
		token, _, err := First(t.Context(), "sigstore", newMachine(t, "SPIFFE_ENDPOINT_SOCKET", address).sources()...)
		switch {
		case want != "":
			wantError(t, err, want)
		case err != nil || token.Raw() != raw:
			t.Errorf("%s: another token, or an error: %v", address, err)
		}
	}
}

func TestSPIFFEDown(t *testing.T) {
	socket := filepath.Join(socketDir(t), "api.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	listener.Close()
	m := newMachine(t)
	m.agentSocket = socket
	_, _, err = First(t.Context(), "sigstore", m.sources()...)
	wantError(t, err, "connection refused")
	wantError(t, err, "after 3 attempts")
	if errors.Is(err, ErrNoIdentity) {
		t.Error("an agent that is down is passed over")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err = First(ctx, "sigstore", m.sources()...); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
}
