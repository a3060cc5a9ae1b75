package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// The names of clients that are not configured by name.
const (
	localClient = "local" // a user of this machine
	anyClient   = "any"
)

// checkBrowser keeps out what a page in a browser could send: a name that resolves to the gateway's address, and another origin.
func (g *Gateway) checkBrowser(r *http.Request) *refusal {
	if !g.ownHost(r) {
		return refuse(hostRefused, "the Host %q is not one of the gateway's; hosts in its configuration lists others", r.Host)
	}
	if len(r.Header.Values("Origin")) > 0 {
		return refuse(browserRefused, "a request with an Origin comes from a page in a browser, and pages must not have runs signed")
	}
	return nil
}

// ownHost tells whether a Host is the gateway's: one of the configuration, or the address of the connection as a literal. On a
// Unix socket, which pages do not reach, it is any that is there.
func (g *Gateway) ownHost(r *http.Request) bool {
	host := strings.ToLower(r.Host)
	if host == "" {
		return false
	}
	if slices.Contains(g.hosts, host) {
		return true
	}
	switch local := localAddress(r).(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		at := local.AddrPort()
		at = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
		own := []string{at.String()}
		if at.Addr().IsLoopback() {
			own = append(own, net.JoinHostPort("localhost", portOf(at)))
		}
		return slices.Contains(own, host)
	}
	return false
}

func portOf(at netip.AddrPort) string {
	_, port, _ := net.SplitHostPort(at.String())
	return port
}

func localAddress(r *http.Request) net.Addr {
	address, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return address
}

// isLocal tells an address that users of this machine alone reach.
func isLocal(a net.Addr) bool {
	switch a := a.(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	}
	return false
}

// client is the name of the client. Where clients are configured each must prove its name, on a loopback address as well.
func (g *Gateway) client(r *http.Request) (string, *refusal) {
	tokens := r.Header.Values(headerKey)
	if len(tokens) > 1 {
		return "", refuse(headerRefused, "%s is there %d times, want it once", headerKey, len(tokens))
	}
	if len(g.config.Clients) == 0 {
		switch {
		case len(tokens) == 1:
			return "", refuse(clientUnknown, "%s is given, and the gateway has no clients with tokens", headerKey)
		case g.config.InsecureAnyClient:
			return anyClient, nil
		case isLocal(localAddress(r)):
			return localClient, nil
		}
		return "", refuse(clientUnknown, "the gateway has no list of clients, and the address is not a local one")
	}
	byToken, byNames := "", []string(nil)
	if len(tokens) == 1 {
		if strings.TrimSpace(tokens[0]) == "" {
			return "", refuse(clientUnknown, "%s is empty", headerKey)
		}
		sum := sha256.Sum256([]byte(tokens[0]))
		for _, c := range g.config.Clients { // all of them: the time does not tell which
			if want, err := hex.DecodeString(c.TokenSHA256); err == nil && subtle.ConstantTimeCompare(sum[:], want) == 1 {
				byToken = c.Name
			}
		}
		if byToken == "" {
			return "", refuse(clientUnknown, "%s is not the token of a client", headerKey)
		}
	}
	leaf := certificateOf(r)
	if leaf != nil && hasExpired(r, g.clock()) { // a connection lasts longer than it
		if byToken == "" {
			return "", refuse(clientUnknown, "the client's certificate has expired, or one of its authorities'")
		}
		leaf = nil
	}
	for _, c := range g.config.Clients {
		if c.Certificate != "" && slices.Contains(namesIn(leaf), c.Certificate) {
			byNames = append(byNames, c.Name)
		}
	}
	switch {
	case byToken != "" && len(byNames) > 0 && !slices.Contains(byNames, byToken):
		return "", refuse(clientUnknown, "the token and the certificate are of two clients")
	case byToken != "":
		return byToken, nil
	case len(byNames) > 1:
		return "", refuse(clientUnknown, "the certificate is of several clients, %s: want the token of one of them in %s, too", strings.Join(byNames, " and "), headerKey)
	case len(byNames) > 0:
		return byNames[0], nil
	case leaf != nil && len(namesIn(leaf)) == 0:
		return "", refuse(clientUnknown, "the client's certificate has no DNS name, email address or URI; a common name does not count")
	case leaf != nil:
		return "", refuse(clientUnknown, "the certificate of no client has the name %s", strings.Join(namesIn(leaf), " or "))
	}
	return "", refuse(clientUnknown, "want a client's token in %s, or its certificate", headerKey)
}

// isOfBlank tells the SHA-256 of a text that is empty or a few blanks, which is what commands hash where a variable is not set.
func isOfBlank(sum []byte) bool {
	for _, blank := range []string{"", "\n", "\r\n", "\r", " ", " \n", " \r\n", "\t", "\n\n", "\x00"} {
		if blankSum := sha256.Sum256([]byte(blank)); string(sum) == string(blankSum[:]) {
			return true
		}
	}
	return false
}

// certificateOf is the certificate of a connection, if it was verified, or nil.
func certificateOf(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil
	}
	return r.TLS.VerifiedChains[0][0]
}

// hasExpired says that in each chain of the client's certificate one has expired.
func hasExpired(r *http.Request, now time.Time) bool {
	return !slices.ContainsFunc(r.TLS.VerifiedChains, func(chain []*x509.Certificate) bool {
		return !slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return now.After(c.NotAfter) })
	})
}

// namesIn are the names of a certificate that may be a client's, each whole: DNS names, email addresses and URIs.
func namesIn(leaf *x509.Certificate) []string {
	if leaf == nil {
		return nil
	}
	names := slices.Concat(leaf.DNSNames, leaf.EmailAddresses)
	for _, u := range leaf.URIs {
		names = append(names, u.String())
	}
	return names
}
