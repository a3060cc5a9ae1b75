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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	upstream := benchUpstream(b)
	bare := benchBare(b, upstream)
	plain, ten := benchGateway(b, upstream, false), benchGateway(b, upstream, true)
	for _, size := range []int{2_000, 500_000} {
		for _, to := range []struct{ name, url string }{{"direct", upstream}, {"bare", bare}, {"gateway", plain}, {"rules", ten}} {
			b.Run(fmt.Sprintf("%s/%d/one", to.name, size), func(b *testing.B) {
				client := &http.Client{Transport: newTransport()}
				for b.Loop() {
					benchCall(b, client, to.url, size, benchCalls.Add(1))
				}
			})
			for _, clients := range []int{16, 64} {
				b.Run(fmt.Sprintf("%s/%d/%d", to.name, size, clients), func(b *testing.B) {
					client := &http.Client{Transport: newTransport()}
					b.SetParallelism(clients / runtime.GOMAXPROCS(0))
					before := cputime.Used()
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							benchCall(b, client, to.url, size, benchCalls.Add(1))
						}
					})
					b.ReportMetric(float64((cputime.Used()-before).Microseconds())/float64(b.N), "cpu-µs/call")
					b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
				})
			}
		}
	}
}

// benchCalls numbers calls, so that no two are equal.
var benchCalls atomic.Int64

func benchUpstream(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, strings.Repeat("x", 956))
	}))
	b.Cleanup(s.Close)
	return s.URL
}

func benchBare(b *testing.B, upstream string) string {
	target, err := url.Parse(upstream)
	if err != nil {
		b.Fatal(err)
	}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, FlushInterval: -1, Transport: newTransport(),
	})
	b.Cleanup(s.Close)
	return s.URL
}

var benchTexts sync.Map

// benchText is the rest of a body of that size.
func benchText(size int) string {
	text, ok := benchTexts.Load(size)
	if !ok {
		text, _ = benchTexts.LoadOrStore(size, strings.Repeat("words ", size/6)+`"}]}`)
	}
	return text.(string)
}

func benchCall(b *testing.B, client *http.Client, to string, size int, i int64) {
	head := fmt.Sprintf(`{"model": "gpt-4.1", "seed": 7, "messages": [{"role": "user", "content": "%d `, i)
	text := benchText(size)
	var body io.Reader = io.MultiReader(strings.NewReader(head), strings.NewReader(text)) // without a copy: the garbage would not be the gateway's
	if size <= 64<<10 {
		body = strings.NewReader(head + text) // which needs no buffer
	}
	r, err := http.NewRequest(http.MethodPost, to+"/v1/chat/completions", body)
	if err != nil {
		b.Fatal(err)
	}
	r.ContentLength = int64(len(head) + len(text))
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	if res.Body.Close(); res.StatusCode != 200 {
		b.Fatal(res.Status)
	}
}

// BenchmarkBeside is a call through a bare httputil.ReverseProxy and one through the gateway in turns, over one connection each, so that
// other work on the machine meets both: their medians, how much longer the gateway takes, what of that it waits for its journal, and the time on processors of
// each, with that of client and upstream.
func BenchmarkBeside(b *testing.B) {
	upstream := benchUpstream(b)
	bare := benchBare(b, upstream)
	for _, rules := range []bool{false, true} {
		plain, times := benchTimed(b, upstream, rules)
		for _, size := range []int{2_000, 500_000} {
			b.Run(fmt.Sprintf("rules=%t/%d", rules, size), func(b *testing.B) {
				one, other := &http.Client{Transport: newTransport()}, &http.Client{Transport: newTransport()}
				var without, with []time.Duration
				var worked, workedMore time.Duration
				timed := func(all *[]time.Duration, worked *time.Duration, client *http.Client, url string) {
					begun, before := time.Now(), cputime.Used()
					benchCall(b, client, url, size, benchCalls.Add(1))
					*all = append(*all, time.Since(begun))
					*worked += cputime.Used() - before
				}
				times.take()
				for b.Loop() {
					timed(&without, &worked, one, bare)
					timed(&with, &workedMore, other, plain)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(without), "bare-µs")
				b.ReportMetric(median(with), "gateway-µs")
				b.ReportMetric(median(with)-median(without), "more-µs")
				b.ReportMetric(median(times.take()), "journal-µs")
				b.ReportMetric(float64(worked.Microseconds())/float64(len(without)), "bare-cpu-µs")
				b.ReportMetric(float64(workedMore.Microseconds())/float64(len(with)), "gateway-cpu-µs")
			})
		}
	}
}

// median is in microseconds.
func median(all []time.Duration) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return float64(all[len(all)/2].Nanoseconds()) / 1000
}

// A timedJournal measures how long calls wait for a journal.
type timedJournal struct {
	Journal
	mu  sync.Mutex
	all []time.Duration
}

func (j *timedJournal) Append(ctx context.Context, e journal.Entry) (journal.Receipt, error) {
	begun := time.Now()
	r, err := j.Journal.Append(ctx, e)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.all = append(j.all, time.Since(begun))
	return r, err
}

func (j *timedJournal) take() []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	all := j.all
	j.all = nil
	return all
}

// benchGateway serves a gateway with a journal on disk.
func benchGateway(b *testing.B, upstream string, rules bool) string {
	url, _ := benchTimed(b, upstream, rules)
	return url
}

// benchTimed is the same, with how long calls wait for the journal.
func benchTimed(b *testing.B, upstream string, rules bool) (string, *timedJournal) {
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
	timed := &timedJournal{Journal: j}
	o := Options{Signer: key, Journal: timed, Config: Config{Upstreams: []Upstream{{URL: upstream, Provider: "openai"}}}}
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
	return server.URL, timed
}
