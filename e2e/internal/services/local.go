package services

import (
	"net"
	"net/http"
	"time"
)

// local is a server of the tests' own, within the process.
type local struct {
	URL    string // without a final slash
	server *http.Server
}

func serve(handler http.Handler) (*local, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go s.Serve(l)
	return &local{"http://" + l.Addr().String(), s}, nil
}

// Stop closes the server with its connections, and what is being answered on them.
func (l *local) Stop() { l.server.Close() }
