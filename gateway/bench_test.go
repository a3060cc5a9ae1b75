package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway/journal"
	_ "github.com/runattest/runattest/internal/collectlater" // as in the command
	"github.com/runattest/runattest/internal/testing/cputime"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/signer"
)

// BenchmarkCall is a call over one connection, and the same with 16 and 64 clients: direct, through a bare httputil.ReverseProxy, and
// through the gateway with a real journal, without a policy and with one of ten rules. No two calls are equal, so that each is
// signed. make bench-gateway runs it beside BenchmarkDisk of the journal, which is what a call waits for the disk. cpu-µs/call is the time
// that clients, gateway and upstream together had on processors, which other work on the machine changes least.
func BenchmarkCall(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", 956))
	}))
	defer upstream.Close()
	target, _ := url.Parse(upstream.URL)
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1, Transport: newTransport(),
	})
	defer bare.Close()
	plain, ten := benchGateway(b, upstream.URL, false), benchGateway(b, upstream.URL, true)
	var calls atomic.Int64
	for _, size := range []int{2_000, 500_000} {
		for _, to := range []struct{ name, url string }{{"direct", upstream.URL}, {"bare", bare.URL}, {"gateway", plain}, {"rules", ten}} {
			b.Run(fmt.Sprintf("%s/%d/one", to.name, size), func(b *testing.B) {
				client := &http.Client{Transport: newTransport()}
				for b.Loop() {
					benchCall(b, client, to.url, size, calls.Add(1))
				}
			})
			for _, clients := range []int{16, 64} {
				b.Run(fmt.Sprintf("%s/%d/%d", to.name, size, clients), func(b *testing.B) {
					client := &http.Client{Transport: newTransport()}
					b.SetParallelism(clients / runtime.GOMAXPROCS(0))
					before := cputime.Used()
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							benchCall(b, client, to.url, size, calls.Add(1))
						}
					})
					b.ReportMetric(float64((cputime.Used()-before).Microseconds())/float64(b.N), "cpu-µs/call")
					b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
				})
			}
		}
	}
}

func benchCall(b *testing.B, client *http.Client, to string, size int, i int64) {
	body := fmt.Sprintf(`{"model": "gpt-4.1", "messages": [{"role": "user", "content": "%d %s"}], "seed": 7}`, i, strings.Repeat("words ", size/6))
	res, err := client.Post(to+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	if res.Body.Close(); res.StatusCode != 200 {
		b.Fatal(res.Status)
	}
}

// benchGateway serves a gateway with a journal on disk.
func benchGateway(b *testing.B, upstream string, rules bool) string {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		b.Fatal(err)
	}
	key, err := signer.Parse(pair.Private, nil)
	if err != nil {
		b.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(b.TempDir(), "journal"), journal.Options{Sign: func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, key, attest.SignOptions{})
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close(context.Background()) })
	o := Options{Signer: key, Journal: j, Config: Config{Upstreams: []Upstream{{URL: upstream, Provider: "openai"}}}}
	if rules {
		spec := policy.Spec{Keys: []attest.TrustedKey{{Name: "gateway", Key: pair.Key}}}
		for i := range 10 {
			spec.Rules = append(spec.Rules, policy.Rule{Name: fmt.Sprintf("rule%d", i), Expr: fmt.Sprintf(`declaration.model.name != "%d" && declaration.parameters.?seed.orValue(0) >= 0`, i)})
		}
		if o.Policy, err = policy.New(spec, policy.Options{BeforeSigning: true}); err != nil {
			b.Fatal(err)
		}
	}
	g, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(g)
	b.Cleanup(server.Close)
	return server.URL
}
