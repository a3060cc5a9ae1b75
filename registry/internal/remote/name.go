package remote

import (
	"net"
	"strings"
	"time"
)

// Scheme begins the names of repositories in registries.
const Scheme = "oci://"

// Name names a repository of a registry.
type Name struct{ Host, Path string }

// String is the name with the scheme.
func (n Name) String() string { return Scheme + n.Host + "/" + n.Path }

// Options are how a registry is reached.
type Options struct {
	CA           []byte // of the registry, PEM; nil trusts the system's
	InsecureHTTP bool   // asks for no TLS; without it only a registry on a loopback address, and with no CA, is reached so
	Timeout      time.Duration
	UserAgent    string
}

// isPlain says that the registry is asked in plain HTTP.
func (n Name) isPlain(o Options) bool {
	return o.InsecureHTTP || n.isLoopback() && o.CA == nil
}

// isLoopback says that the registry is this machine, by its name alone.
func (n Name) isLoopback() bool {
	host := n.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return isLoopback(strings.Trim(host, "[]"))
}

func isLoopback(name string) bool {
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}
