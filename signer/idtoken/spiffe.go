package idtoken

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"time"

	"github.com/spiffe/go-spiffe/v2/proto/spiffe/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const socketName = "SPIFFE_ENDPOINT_SOCKET"

// spiffe gets the JWT-SVID of a workload that is registered with a SPIFFE agent:
// https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_API.md
func spiffe(m machine) *source {
	address := m.getenv(socketName)
	if address == "" && !isSocket(m.agentSocket) {
		return nil
	}
	return &source{"SPIFFE", func(ctx context.Context, audience string) (string, error) {
		target, err := workloadTarget(cmp.Or(address, m.agentSocket))
		if err != nil {
			return "", fmt.Errorf("%s: %w", socketName, err)
		}
		return fetchSVID(ctx, target, audience, m.patience)
	}}
}

// workloadTarget is a socket's address as gRPC has it. The standard wants unix: or tcp: URIs, cosign a path.
func workloadTarget(address string) (string, error) {
	if filepath.IsAbs(address) {
		return "unix:" + address, nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return "", errors.New("not a URI, want unix:///path")
	case u.Scheme == "unix" && u.Host == "" && filepath.IsAbs(cmp.Or(u.Path, u.Opaque)):
		return "unix:" + cmp.Or(u.Path, u.Opaque), nil
	case u.Scheme == "tcp" && u.Path == "":
		if ap, err := netip.ParseAddrPort(u.Host); err == nil && ap.Addr().IsLoopback() {
			return "passthrough:///" + ap.String(), nil
		}
		return "", fmt.Errorf("%s: want a loopback address and a port, because the connection is not encrypted", printable(u.Host))
	}
	return "", fmt.Errorf("%q: want unix:///path", printable(address))
}

func fetchSVID(ctx context.Context, target, audience string, p patience) (string, error) {
	connect := grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 2, MaxDelay: time.Second},
		MinConnectTimeout: p.attempt,
	}
	conn, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()), // a socket of this machine; the agent looks at who is calling
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithConnectParams(connect),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)))
	if err != nil {
		return "", fmt.Errorf("%s: %w", target, err)
	}
	defer conn.Close()
	// Without this header agents refuse, so that a web page cannot ask.
	ctx = metadata.AppendToOutgoingContext(ctx, "workload.spiffe.io", "true")
	var answer *workload.JWTSVIDResponse
	err = p.try(ctx, func(ctx context.Context) (err error) {
		answer, err = workload.NewSpiffeWorkloadAPIClient(conn).FetchJWTSVID(ctx, &workload.JWTSVIDRequest{Audience: []string{audience}})
		switch status.Code(err) {
		case codes.OK:
			return nil
		case codes.Unavailable:
			return &passing{error: err}
		case codes.DeadlineExceeded:
			return &passing{error: context.DeadlineExceeded} // the agent may reach the deadline before us
		case codes.PermissionDenied:
			return fmt.Errorf("%w: %s", ErrNoIdentity, status.Convert(err).Message())
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", target, err)
	}
	if len(answer.GetSvids()) == 0 || answer.GetSvids()[0].GetSvid() == "" {
		return "", fmt.Errorf("%s: the answer: no JWT-SVID in it", target)
	}
	return answer.GetSvids()[0].GetSvid(), nil // the first is the default, as the standard says
}
