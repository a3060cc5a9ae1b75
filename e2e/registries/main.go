// Command registries serves one of the registries that are Go packages, in memory, on this
// machine: both have the referrers API, CUE's with the artifactType filter and the OCI-Subject
// header, go-containerregistry's without, and with the config's media type for the artifact type.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	port := flag.String("port", "", "the port on 127.0.0.1")
	kind := flag.String("kind", "", "cue or ggcr")
	flag.Parse()
	var handler http.Handler
	switch *kind {
	case "cue":
		handler = ociserver.New(ocimem.New(), nil)
	case "ggcr":
		handler = registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	default:
		fmt.Fprintln(os.Stderr, "registries: -kind cue or ggcr")
		os.Exit(2)
	}
	server := &http.Server{Addr: "127.0.0.1:" + *port, Handler: handler, ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
