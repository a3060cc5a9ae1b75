package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// TestOwnUpstream: an upstream that is the gateway, or its operations, is refused before a call can go round.
func TestOwnUpstream(t *testing.T) {
	name, err := os.Hostname()
	if err != nil || name == "localhost" {
		name = "other.example"
	}
	for _, c := range []struct {
		listen, upstream string
		same             bool
	}{
		{"127.0.0.1:8787", "http://127.0.0.1:8787", true},
		{"127.0.0.1:8787", "http://127.0.0.1:8787/base", true},
		{"127.0.0.1:8787", "https://127.0.0.1:8787", true},
		{"127.0.0.1:8787", "http://localhost:8787", true},
		{"127.0.0.1:8787", "http://LOCALHOST.:8787", true},
		{"127.0.0.1:8787", "http://0.0.0.0:8787", true},
		{"127.0.0.1:8787", "http://[::ffff:127.0.0.1]:8787", true},
		{"[::1]:8787", "http://localhost:8787", true},
		{"[::1]:8787", "http://[::]:8787", true},
		{"localhost:8787", "http://127.0.0.1:8787", true},
		{"localhost:8787", "http://[::1]:8787", true},
		{"0.0.0.0:8787", "http://127.0.0.1:8787", true},
		{"0.0.0.0:8787", "http://localhost:8787", true},
		{"0.0.0.0:8787", "http://127.0.0.9:8787", true},
		{":8787", "http://127.0.0.1:8787", true},
		{"[::]:8787", "http://127.0.0.1:8787", true},
		{"0.0.0.0:80", "http://localhost", true},
		{"127.0.0.1:443", "https://localhost", true},
		{"127.0.0.1:http", "http://localhost", true},
		{"gw.example:8787", "http://GW.example:8787", true},
		{"0.0.0.0:8787", "http://" + name + ":8787", name != "other.example"},

		{"127.0.0.1:8787", "http://127.0.0.1:8788", false},
		{"127.0.0.1:8787", "http://127.0.0.1", false},
		{"127.0.0.1:443", "http://localhost", false},
		{"127.0.0.2:8787", "http://127.0.0.1:8787", false},
		{"[::1]:8787", "http://127.0.0.1:8787", false},
		{"127.0.0.1:8787", "http://192.0.2.1:8787", false},
		{"0.0.0.0:8787", "http://192.0.2.1:8787", false},
		{"0.0.0.0:8787", "http://vllm.example:8787", false},
		{"127.0.0.1:0", "http://127.0.0.1:8787", false},
	} {
		for _, operations := range []bool{false, true} {
			w := newWorld(t, func(o *Options) {
				o.Config.Listen, o.Config.InsecureAnyClient = c.listen, true
				if operations {
					o.Config.Listen, o.Config.Operations = "127.0.0.1:1", c.listen
				}
				o.Config.Upstreams = append(o.Config.Upstreams, Upstream{Prefix: "/own", URL: c.upstream})
			})
			err := w.gateway.Check()
			if !c.same {
				if err != nil {
					t.Errorf("%s, upstream %s: %v", c.listen, c.upstream, err)
				}
				continue
			}
			failed, ok := errors.AsType[*AddressError](err)
			if !ok || failed.Operations != operations || !strings.Contains(err.Error(), c.upstream+" is this address") {
				t.Errorf("%s, operations %v, upstream %s: %v", c.listen, operations, c.upstream, err)
			}
		}
	}
}

// TestOwnUpstreamRun: so is the address of a listener that is known only when it is open.
func TestOwnUpstreamRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWorld(t, func(o *Options) {
		o.Config.Upstreams = []Upstream{{URL: "http://" + strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)}}
	})
	ended, stop := context.WithCancel(t.Context())
	stop() // where it is not refused, it does not serve for ever
	if err := w.gateway.Serve(ended, l); err == nil || !strings.Contains(err.Error(), "forward calls to itself") {
		t.Errorf("Serve: %v", err)
	}
}

// TestOwnUpstreamByName: a name that leads back to the gateway is found when it connects: one line in the journal, and no more.
func TestOwnUpstreamByName(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		transport := newTransport()
		w := newWorld(t, func(o *Options) {
			o.Config.Upstreams = []Upstream{{URL: "http://model.example:8080", Provider: "openai"}}
			o.Config.InsecureAnyClient = true
		})
		l, err := net.Listen("tcp", listen)
		if err != nil {
			t.Fatal(err)
		}
		port := netip.MustParseAddrPort(l.Addr().String()).Port()
		own := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
		dial := transport.DialContext
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "model.example:8080" {
				t.Errorf("asks for %s", address)
			}
			return dial(ctx, network, own) // as a resolver could
		}
		w.gateway.hosts = append(w.gateway.hosts, "model.example:8080")
		w.gateway.transport = w.gateway.elsewhere(transport)
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- w.gateway.Serve(ctx, l) }()
		res, err := http.Post("http://"+own+"/v1/chat/completions", "application/json", strings.NewReader(chat))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if refusal := res.Header.Get("Airun-Refusal"); res.StatusCode != 502 || refusal != upstreamLoops.code || len(w.journal.all()) != 1 {
			t.Errorf("%s: %d %s, %d lines", listen, res.StatusCode, refusal, len(w.journal.all()))
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}
