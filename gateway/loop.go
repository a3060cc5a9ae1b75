package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// ErrOwnUpstream says that an upstream is the gateway itself: each call would make the next one, until connections run out.
var ErrOwnUpstream = errors.New("the gateway would forward calls to itself")

// checkLoop finds an upstream whose address is one that the gateway serves, as far as that is known without looking up names.
func (c Config) checkLoop(address string) error {
	for i, u := range c.Upstreams {
		if target, err := url.Parse(u.URL); err == nil && isServed(target, address) {
			return fmt.Errorf("%s: upstreams/%d: %s is this address: %w", address, i, u.URL, ErrOwnUpstream)
		}
	}
	return nil
}

// isServed tells whether a URL leads to an address that is listened on: HOST:PORT.
func isServed(target *url.URL, address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.HasPrefix(address, "unix:") || strings.HasPrefix(address, "fd://") {
		return false
	}
	want := target.Port()
	if want == "" {
		want = map[string]string{"http": "80", "https": "443"}[target.Scheme]
	}
	served, err := net.LookupPort("tcp", port)
	if asked, wrong := net.LookupPort("tcp", want); err != nil || wrong != nil || served != asked || served == 0 {
		return false
	}
	if host != "" && strings.EqualFold(trimName(host), trimName(target.Hostname())) {
		return true
	}
	on := addressesOf(host)
	isAll := host == "" || slices.ContainsFunc(on, netip.Addr.IsUnspecified)
	if name, err := os.Hostname(); isAll && err == nil && strings.EqualFold(name, trimName(target.Hostname())) {
		return true
	}
	return slices.ContainsFunc(addressesOf(target.Hostname()), func(to netip.Addr) bool {
		return isAll && isOfMachine(to) || !isAll && slices.ContainsFunc(on, func(a netip.Addr) bool {
			return a == to || to.IsUnspecified() && a.IsLoopback() // which connects to the loopback address
		})
	})
}

func trimName(host string) string { return strings.TrimSuffix(host, ".") }

// addressesOf are those of a literal, and of the names of the loopback addresses; none of another name.
func addressesOf(host string) []netip.Addr {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap().WithZone("")}
	}
	switch name := strings.ToLower(trimName(host)); {
	case name == "localhost", strings.HasSuffix(name, ".localhost"), name == "localhost.localdomain":
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	return nil
}

// isOfMachine tells an address of this machine.
func isOfMachine(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	all, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		return ok && network.IP.Equal(ip.AsSlice())
	})
}

// serves notes an address that calls reach the gateway by.
func (g *Gateway) serves(a net.Addr) {
	if a, ok := a.(*net.TCPAddr); ok {
		g.ownMu.Lock()
		defer g.ownMu.Unlock()
		g.own = append(g.own, a.AddrPort())
	}
}

// isOwn tells a connection to an address that the gateway serves: one by which a name leads back is known only then.
func (g *Gateway) isOwn(c net.Conn) bool {
	from, _ := c.LocalAddr().(*net.TCPAddr)
	to, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok || from == nil {
		return false
	}
	g.ownMu.Lock()
	defer g.ownMu.Unlock()
	return slices.ContainsFunc(g.own, func(a netip.AddrPort) bool {
		switch {
		case int(a.Port()) != to.Port:
			return false
		case a.Addr().IsUnspecified():
			return to.IP.IsLoopback() || to.IP.Equal(from.IP) // of this machine
		}
		return a.Addr().Unmap().WithZone("") == to.AddrPort().Addr().Unmap().WithZone("")
	})
}

// elsewhere makes a transport refuse connections to the gateway itself.
func (g *Gateway) elsewhere(t *http.Transport) *http.Transport {
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err == nil && g.isOwn(c) {
			c.Close()
			return nil, ErrOwnUpstream
		}
		return c, err
	}
	return t
}
