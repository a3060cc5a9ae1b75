package gateway

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
)

// Ready is where a gateway serves.
type Ready struct {
	Address    string `json:"address"`
	URL        string `json:"url,omitempty"` // "" of a socket of Unix
	Operations string `json:"operations,omitempty"`
}

// String is the URL, or the address, and where health checks and metrics are.
func (r Ready) String() string {
	where := cmp.Or(r.URL, r.Address)
	if r.Operations != "" {
		where += ", operations on http://" + r.Operations
	}
	return where
}

// An AddressError says that an address of the configuration cannot be served.
type AddressError struct {
	Operations bool // it is that of health checks and metrics
	Err        error
}

func (e *AddressError) Error() string {
	switch e = zero.IfNil(e); {
	case e.Err == nil:
		return "an address cannot be served"
	case e.Operations:
		return "operations: " + e.Err.Error()
	}
	return "listen: " + e.Err.Error()
}

func (e *AddressError) Unwrap() error { return zero.IfNil(e).Err }

// Run listens on the addresses of the configuration, tells ready, and serves as Serve does. An address that cannot be served is an
// *AddressError; an error of ready ends it. With Options.OpenJournal it opens the journal before, which may be a *JournalError, and
// closes it afterwards.
func (g *Gateway) Run(ctx context.Context, ready func(Ready) error) error {
	if g == nil || g.issuer == nil {
		return errZero
	}
	return g.withJournal(ctx, func() error { return g.run(ctx, ready) })
}

func (g *Gateway) run(ctx context.Context, ready func(Ready) error) error {
	l, err := Listen(g.config.Listen)
	if err != nil {
		return &AddressError{Err: err}
	}
	defer l.Close()
	says := Ready{Address: l.Addr().String()}
	if l.Addr().Network() == "tcp" {
		says.URL = "http://" + says.Address
		if g.config.TLS.Certificate != "" {
			says.URL = "https://" + says.Address
		}
	}
	if g.config.Operations != "" {
		operations, err := Listen(g.config.Operations)
		if err != nil {
			return &AddressError{Operations: true, Err: err}
		}
		defer operations.Close()
		if err := g.config.checkLoop(operations.Addr().String()); err != nil {
			return &AddressError{Operations: true, Err: err}
		}
		g.serves(operations.Addr())
		says.Operations = operations.Addr().String()
		server := &http.Server{Handler: g.Operations(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: limits.GatewayIdleSeconds * time.Second}
		go func() { _ = server.Serve(operations) }()
	}
	if err := g.CheckListener(l); err != nil {
		return &AddressError{Err: err}
	}
	config, err := g.config.TLS.load(g.clock())
	if err != nil {
		return err
	}
	if ready != nil {
		if err := ready(says); err != nil {
			return err
		}
	}
	return g.serve(ctx, l, config)
}
