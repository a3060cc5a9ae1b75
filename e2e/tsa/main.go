// Command tsa serves Sigstore's timestamp authority on the loopback interface, with a key and a
// certificate chain of its own that last as long as it runs.
//
// It is the server of github.com/sigstore/timestamp-authority with timestamp-server's settings, and
// without timestamp-server's metrics: those are bound to port 2112 of every interface, so that a machine
// has room for one, and tests need several. It is a module of its own, so that e2e needs none.
package main

import (
	"flag"
	"log"
	"time"

	"github.com/sigstore/timestamp-authority/v2/pkg/server"
	"github.com/spf13/viper"
)

const (
	policy = "1.3.6.1.4.1.57264.2" // Sigstore's

	timeout = 10 * time.Second
)

func main() {
	port := flag.Int("port", 0, "the TCP `port` to listen on")
	flag.Parse()
	viper.Set("timestamp-signer", "memory")
	viper.Set("timestamp-signer-hash", "sha256")
	viper.Set("default-policy-oid", policy)
	viper.Set("accepted-policy-oids", []string{policy})
	viper.Set("max-request-body-size", 1<<20)
	s := server.NewRestAPIServer("127.0.0.1", *port, []string{"http"}, false, timeout, timeout)
	s.CleanupTimeout = time.Second
	if err := s.Serve(); err != nil {
		log.Fatal(err)
	}
}
