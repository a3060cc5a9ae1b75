package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// counts are what /metrics shows.
type counts struct {
	inFlight atomic.Int64
	mu       sync.Mutex
	calls    map[[3]string]int64 // by upstream's prefix, endpoint and outcome
	seconds  map[string]float64  // by upstream's prefix
}

func (c *counts) add(upstream, endpoint, outcome string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls, c.seconds = map[[3]string]int64{}, map[string]float64{}
	}
	c.calls[[3]string{upstream, endpoint, outcome}]++
	c.seconds[upstream] += took.Seconds()
}

// report logs and counts a call: by what is configured, not by what the client wrote.
func (g *Gateway) report(c *call, w *watched, begun time.Time, outcome string) {
	prefix, endpoint, took := "", "", time.Since(begun)
	if c.route.up != nil {
		prefix = c.route.up.Prefix + "/"
	}
	if e := c.route.endpoint; e != nil {
		endpoint = e.method + " " + e.path
	}
	g.counts.add(prefix, endpoint, outcome, took)
	g.log.Info("call", "client", c.client, "upstream", prefix, "endpoint", endpoint, "outcome", outcome, "status", w.status, "bytes", c.size, "seconds", took.Seconds())
}

// Operations answers health checks and shows metrics, for a listener of its own: GET /healthz says that the process serves,
// /readyz whether calls can be taken (200 or 503), and /metrics counts calls in Prometheus' text format.
func (g *Gateway) Operations() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case g == nil || g.journal == nil || g.stopping.Load():
			http.Error(w, "not ready: it is stopping", http.StatusServiceUnavailable)
		case g.journal.Ready() != nil:
			http.Error(w, "not ready: the journal takes no calls, or its segments are not signed", http.StatusServiceUnavailable)
		default:
			fmt.Fprintln(w, "ready")
		}
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		if g != nil {
			fmt.Fprint(w, g.metrics())
		}
	})
	return mux
}

func (g *Gateway) metrics() string {
	var b strings.Builder
	metric := func(name, what, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, what) }
	metric("runattest_gateway_in_flight", "gauge", "Calls that are being answered.")
	fmt.Fprintf(&b, "runattest_gateway_in_flight %d\n", g.counts.inFlight.Load())
	metric("runattest_gateway_body_bytes", "gauge", "Bytes of bodies that are held.")
	fmt.Fprintf(&b, "runattest_gateway_body_bytes %d\n", g.budget.used.Load())
	g.counts.mu.Lock()
	defer g.counts.mu.Unlock()
	metric("runattest_gateway_calls_total", "counter", "Calls by upstream, endpoint and outcome: forwarded, aborted, or why they were refused.")
	byKey := func(x, y [3]string) int { return slices.Compare(x[:], y[:]) }
	for _, k := range slices.SortedFunc(maps.Keys(g.counts.calls), byKey) {
		fmt.Fprintf(&b, "runattest_gateway_calls_total{upstream=%q,endpoint=%q,outcome=%q} %d\n", k[0], k[1], k[2], g.counts.calls[k])
	}
	metric("runattest_gateway_seconds_total", "counter", "How long calls took, their answers included.")
	for _, k := range slices.Sorted(maps.Keys(g.counts.seconds)) {
		fmt.Fprintf(&b, "runattest_gateway_seconds_total{upstream=%q} %g\n", k, g.counts.seconds[k])
	}
	return b.String()
}
