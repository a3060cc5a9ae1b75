package services

import (
	"context"
	"path/filepath"

	"github.com/runattest/runattest/e2e/internal/tools"
)

// Timestamper is a timestamp authority with a chain of its own: see the folder tsa.
type Timestamper struct {
	*process
	URL       string    // that takes RFC 3161 requests
	Authority Authority // its chain, for a trusted root
}

// Timestamper starts one.
func (p Place) Timestamper(ctx context.Context) (*Timestamper, error) {
	program, err := tools.Build(ctx, p.Bin, "tsa", filepath.Join(p.Bin, "..", "tsa"), ".")
	if err != nil {
		return nil, err
	}
	dir, err := p.folder("tsa")
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	server, err := launch(dir, program, "-port="+ports[0])
	if err != nil {
		return nil, err
	}
	t := &Timestamper{process: server, URL: "http://127.0.0.1:" + ports[0] + "/api/v1/timestamp"}
	chain, err := server.ready(ctx, t.URL+"/certchain")
	if err != nil {
		return nil, err
	}
	certs, err := parseChain(chain)
	if err != nil {
		server.Stop()
		return nil, err
	}
	t.Authority = newAuthority(t.URL, certs)
	return t, nil
}
