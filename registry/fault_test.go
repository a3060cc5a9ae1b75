package registry_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/testing/deadline"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/registry"
)

type front = func(w http.ResponseWriter, r *http.Request, next http.Handler)

// onPath spoils the answers to requests whose path holds a text.
func onPath(part string, spoiled http.HandlerFunc) front {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, part) {
			spoiled(w, r)
			return
		}
		next.ServeHTTP(w, r)
	}
}

func index(w http.ResponseWriter, body func(w http.ResponseWriter)) {
	w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
	body(w)
}

// million writes an index of a million entries.
func million(w http.ResponseWriter) {
	index(w, func(w http.ResponseWriter) {
		fmt.Fprint(w, `{"schemaVersion":2,"mediaType":"`+ocispec.MediaTypeImageIndex+`","manifests":[`)
		entry := `{"mediaType":"` + ocispec.MediaTypeImageManifest + `","digest":"sha256:` + hexDigits + `","size":1},`
		chunk := strings.Repeat(entry, 1000)
		for range 1000 {
			if _, err := fmt.Fprint(w, chunk); err != nil {
				return
			}
		}
		fmt.Fprint(w, strings.TrimSuffix(entry, ",")+`]}`)
	})
}

// endless says that there is another page, for ever.
func endless(news bool) http.HandlerFunc {
	var page atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		n := page.Add(1)
		w.Header().Set("Link", fmt.Sprintf(`<%s?page=%d>; rel="next"`, r.URL.Path, n))
		entry := ""
		if news {
			entry = fmt.Sprintf(`{"digest":"sha256:%064x","size":1}`, n)
		}
		index(w, func(w http.ResponseWriter) { fmt.Fprintf(w, `{"schemaVersion":2,"manifests":[%s]}`, entry) })
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// What a registry does wrong is an error that says so, and the registry's.
func TestRegistryFaults(t *testing.T) {
	for name, r := range map[string]struct {
		front front
		want  string
	}{
		"redirect loop": {onPath("/manifests/v1", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }), "redirects"},
		"forbidden":     {onPath("/manifests/v1", status(http.StatusForbidden, `{}`)), "is refused (403"},
		"dies":          {onPath("/manifests/v1", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "it broke off without an answer"},
		"lying digest": {func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(swapDigest{w}, r)
		}, "serves something else"},
		"manifest over the cap": {onPath("/manifests/v1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
			w.Header().Set("Content-Length", fmt.Sprint(17<<20))
			_, _ = w.Write(bytes.Repeat([]byte(" "), 17<<20))
		}), "want at most 16777216"},
		"a million referrers":       {onPath("/referrers/", func(w http.ResponseWriter, _ *http.Request) { million(w) }), "want at most 16777216"},
		"a million in the fallback": {noAPI(func(w http.ResponseWriter) { million(w) }), "want at most 16777216"},
		"endless pages":             {onPath("/referrers/", endless(true)), "more than 5000 pages"},
		"endless pages of nothing":  {onPath("/referrers/", endless(false)), "more than 20 pages with nothing new"},
		"pages in a circle": {onPath("/referrers/", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", fmt.Sprintf(`<%s?page=x>; rel="next"`, r.URL.Path))
			index(w, func(w http.ResponseWriter) { fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`) })
		}), "goes in circles"},
		"pages at another server": {onPath("/referrers/", elsewhere), "another server"},
		"referrers, not JSON": {onPath("/referrers/", func(w http.ResponseWriter, _ *http.Request) {
			index(w, func(w http.ResponseWriter) { fmt.Fprint(w, "{") })
		}), "list of referrers"},
		"referrers without a list": {onPath("/referrers/", func(w http.ResponseWriter, _ *http.Request) {
			index(w, func(w http.ResponseWriter) {
				fmt.Fprint(w, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"}`)
			})
		}), "has no member manifests"},
		"a fallback without a list": {noAPI(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			fmt.Fprint(w, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"}`)
		}), "has no member manifests"},
		"a part of the referrers": {onPath("/referrers/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("OCI-Filters-Applied", "artifactType")
			index(w, func(w http.ResponseWriter) { fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`) })
		}), "it is filtered, which was not asked for"},
		"a fallback, not an index": {noAPI(func(w http.ResponseWriter) {
			fmt.Fprint(w, `{"mediaType":"application/vnd.oci.image.manifest.v1+json"}`)
		}), "not an index of referrers"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			s.artifact()
			s.spoil(r.front)
			target := open(t, s.host+"/app:v1")
			a, err := target.Resolve(context.Background())
			if err == nil {
				_, err = target.List(context.Background(), a)
			}
			var failed *registry.Error
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), r.want) || !strings.Contains(err.Error(), s.host) {
				t.Errorf("%v; want an *Error with %q", err, r.want)
			}
		})
	}
}

func elsewhere(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Link", `<http://169.254.169.254/v2/app/referrers/x>; rel="next"`)
	index(w, func(w http.ResponseWriter) { fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`) })
}

// noAPI answers for the index under the fallback tag.
func noAPI(answer func(w http.ResponseWriter)) front {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case strings.Contains(r.URL.Path, "/referrers/"):
			http.NotFound(w, r)
		case strings.Contains(r.URL.Path, "/manifests/sha256-"):
			answer(w)
		default:
			next.ServeHTTP(w, r)
		}
	}
}

type swapDigest struct{ http.ResponseWriter }

func (s swapDigest) WriteHeader(code int) {
	s.Header().Set("Docker-Content-Digest", "sha256:"+hexDigits)
	s.ResponseWriter.WriteHeader(code)
}

func TestNoSuchTag(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	for _, name := range []string{"/app:v2", "/app", "/other:v1", "/app@sha256:" + hexDigits} {
		if _, err := open(t, s.host+name).Resolve(context.Background()); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bundleLayerOf stores content as a layer that claims to be a bundle.
func (s *server) bundleLayerOf(data string) ocispec.Descriptor {
	s.put("blob", "", "", []byte(data))
	d := blob(data)
	d.MediaType = attest.BundleMediaType
	return d
}

// badLayers are the layers of referrers that are not attestations.
func badLayers(s *server) map[string][]ocispec.Descriptor {
	text, huge, negative := s.bundleLayerOf("{}"), s.bundleLayerOf("{}"), s.bundleLayerOf("{}")
	text.MediaType, huge.Size, negative.Size = "text/plain", 1<<60, -1
	lost := blob("nowhere")
	lost.MediaType = attest.BundleMediaType
	escaping := lost
	escaping.Digest = "sha256:../../x"
	return map[string][]ocispec.Descriptor{
		"no bundle":  {s.bundleLayerOf("{}")},
		"empty":      {s.bundleLayerOf("")},
		"two layers": {s.bundleLayerOf("{}"), s.bundleLayerOf("1")},
		"no layer":   {},
		"wrong type": {text},
		"huge":       {huge},
		"negative":   {negative},
		"dangling":   {lost},
		"bad digest": {escaping},
	}
}

// A bad referrer is reported and the good one is there, whatever is wrong with the bad one.
func TestMalformedReferrers(t *testing.T) {
	for name := range badLayers(newServer(t, false)) {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, false)
			bad := s.refer(s.artifact(), ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: badLayers(s)[name]})
			good := attach(t, s.host+"/app:v1", 1)
			found, _, errs := fetchAll(t, s.host+"/app:v1")
			var malformed *registry.MalformedError
			if len(errs) != 1 || !errors.As(errs[0], &malformed) || malformed.Referrer != bad.Digest.String() {
				t.Errorf("errors %v; want that %s is malformed", errs, bad.Digest)
			}
			if len(found) != 1 || found[0].Referrer != good[0].Referrer {
				t.Errorf("the good one is hidden: %v", found)
			}
		})
	}
}

// One blob that very many referrers hold is not fetched for each of them, be it a bundle or none.
func TestOneBlobManyReferrers(t *testing.T) {
	for name, isBundle := range map[string]bool{"a bundle": true, "none": false} {
		s := newServer(t, false)
		artifact := s.artifact()
		_, a := resolve(t, s.host+"/app:v1")
		data := []byte("{}")
		if isBundle {
			data = sign(t, 1, attest.StatementOptions{}, a)
		}
		layer := s.bundleLayerOf(string(data))
		const many = 200
		for i := range many {
			s.refer(artifact, ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{layer},
				Annotations: map[string]string{"n": fmt.Sprint(i)}})
		}
		before := s.count("GET blobs")
		found, l, errs := fetchAll(t, s.host+"/app:v1")
		if asked := s.count("GET blobs") - before; asked > 50 {
			t.Errorf("%s: asked for %d times", name, asked)
		}
		if isBundle && (len(found) != 1 || l.Repeated() != many-1 || len(errs) > 0) || !isBundle && len(errs) != many {
			t.Errorf("%s: %d found, %d repeated, %d errors", name, len(found), l.Repeated(), len(errs))
		}
	}
}

// Whatever a manifest says of when it was made, it can be said again.
func TestCreated(t *testing.T) {
	for said, want := range map[string]string{
		"2026-11-24T10:00:00+01:00": "2026-11-24T09:00:00Z",
		"2026-01-01T00:00:00+24:00": "2025-12-31T00:00:00Z",
		"9999-12-31T23:59:59-23:00": "0001-01-01T00:00:00Z",
		"0000-01-01T00:00:00+01:00": "0001-01-01T00:00:00Z",
		"yesterday":                 "0001-01-01T00:00:00Z",
	} {
		s := newServer(t, false)
		artifact := s.artifact()
		_, a := resolve(t, s.host+"/app:v1")
		layer := s.bundleLayerOf(string(sign(t, 1, attest.StatementOptions{}, a)))
		s.refer(artifact, ocispec.Manifest{ArtifactType: attest.BundleMediaType, Layers: []ocispec.Descriptor{layer},
			Annotations: map[string]string{ocispec.AnnotationCreated: said}})
		found, _, errs := fetchAll(t, s.host+"/app:v1")
		if len(found) != 1 || len(errs) > 0 {
			t.Fatalf("%s: %d found, %v", said, len(found), errs)
		}
		if got := string(encode(t, found[0].Created)); got != `"`+want+`"` {
			t.Errorf("%s: %s, want %s", said, got, want)
		}
	}
}

// Content that is not what its digest says is the registry's fault, and hides nothing either.
func TestSpoiledContent(t *testing.T) {
	for name, spoil := range map[string]func(data []byte) []byte{
		"truncated": func(data []byte) []byte { return data[:len(data)/2] },
		"flipped":   func(data []byte) []byte { d := bytes.Clone(data); d[10] ^= 1; return d },
		"longer":    func(data []byte) []byte { return append(bytes.Clone(data), ' ') },
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/chunked=%v", name, chunked), func(t *testing.T) {
				s := newServer(t, true)
				s.artifact()
				attached := attach(t, s.host+"/app:v1", 1, 2)
				s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/blobs/"+attached[0].Bundle) {
						next.ServeHTTP(w, r)
						return
					}
					answer := httptest.NewRecorder()
					next.ServeHTTP(answer, r)
					data := spoil(answer.Body.Bytes())
					if chunked {
						w.(http.Flusher).Flush()
					}
					_, _ = w.Write(data)
				})
				found, _, errs := fetchAll(t, s.host+"/app:v1")
				if len(errs) != 1 || len(found) != 1 || found[0].Referrer != attached[1].Referrer {
					t.Fatalf("%d found, %v", len(found), errs)
				}
				var failed *registry.Error
				if !errors.As(errs[0], &failed) || !strings.Contains(errs[0].Error(), attached[0].Referrer) {
					t.Errorf("%v", errs[0])
				}
			})
		}
	}
}

// What may pass is asked again, as late as the registry wants.
func TestRetryAfter(t *testing.T) {
	for name, code := range map[string]int{"429": http.StatusTooManyRequests, "503": http.StatusServiceUnavailable} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			s.artifact()
			var asked atomic.Int32
			s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if strings.Contains(r.URL.Path, "/manifests/v1") && asked.Add(1) == 1 {
					w.Header().Set("Retry-After", "1")
					w.WriteHeader(code)
					return
				}
				next.ServeHTTP(w, r)
			})
			start := time.Now()
			resolve(t, s.host+"/app:v1")
			if took := time.Since(start); took < time.Second || asked.Load() != 2 {
				t.Errorf("asked %d times within %s", asked.Load(), took)
			}
		})
	}
}

// A server whose Retry-After is longer than --timeout is neither waited for nor asked too soon.
func TestRetryAfterTooLong(t *testing.T) {
	for _, after := range []string{"3600", "31536000", "99999999999999999999", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), "Fri, 31 Dec 9999 23:59:59 GMT"} {
		for _, write := range []bool{false, true} {
			s := newServer(t, false)
			s.artifact()
			target, a := resolve(t, s.host+"/app:v1")
			var asked atomic.Int32
			s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if write && isIndexWrite(r) || !write && strings.Contains(r.URL.Path, "/manifests/v1") {
					asked.Add(1)
					w.Header().Set("Retry-After", after)
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			})
			start := time.Now()
			_, err := target.Resolve(context.Background())
			if write {
				_, err = target.Attach(context.Background(), a, sign(t, 1, attest.StatementOptions{}, a))
			}
			var failed *registry.Error
			if !errors.As(err, &failed) || failed.Hint == "" || !strings.Contains(err.Error(), "503") || asked.Load() != 1 || time.Since(start) > 10*time.Second {
				t.Errorf("%s: %v after %s, asked %d times", after, err, time.Since(start), asked.Load())
			}
		}
	}
}

func TestDeadline(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	s.spoil(onPath("/manifests/", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.Resolve(context.Background())
	var failed *registry.Error
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), "no answer within 100ms") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := open(t, s.host+"/app:v1").Resolve(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// TestDeadlineAfterAnswer: the last answer is named where the time ends before a better one.
func TestDeadlineAfterAnswer(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	ctx, end := deadline.New(t.Context())
	var asked atomic.Int32
	s.spoil(onPath("/manifests/", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		end()
		<-r.Context().Done()
	}))
	_, err := open(t, s.host+"/app:v1").Resolve(ctx)
	var failed *registry.Error
	if !errors.As(err, &failed) || failed.Hint != registry.HintTimeout || !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "no good answer within 20s: the last answer was GET http://"+s.host+"/v2/app/manifests/v1: 502 Bad Gateway") {
		t.Errorf("%v", err)
	}
}

// The registry dies between the bundle and its manifest; attaching again completes it.
func TestInterruptedAttach(t *testing.T) {
	both(t, func(t *testing.T, s *server) {
		s.artifact()
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, r)
		})
		target, a := resolve(t, s.host+"/app:v1")
		bundle := sign(t, 1, attest.StatementOptions{}, a)
		var failed *registry.Error
		if _, err := target.Attach(context.Background(), a, bundle); !errors.As(err, &failed) {
			t.Fatalf("%v", err)
		}
		s.spoil(nil)
		attached, err := open(t, s.host+"/app:v1").Attach(context.Background(), a, bundle)
		if err != nil || attached[0].Existed {
			t.Fatalf("%v, %v", attached, err)
		}
		if found, _, errs := fetchAll(t, s.host+"/app:v1"); len(found) != 1 || len(errs) > 0 {
			t.Errorf("%d found, %v", len(found), errs)
		}
	})
}

// A refusal says whose credentials were tried.
func TestCredentials(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if user, password, _ := r.BasicAuth(); user != "alice" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
	config := filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json")
	for _, r := range []struct{ config, want string }{
		{"", "tried " + config + ", which does not exist"},
		{`{}`, "which has no credentials for " + s.host},
		{`{"auths": {"` + s.host + `": {"auth": "Ym9iOnNlY3JldA=="}}}`, `tried the credentials of user "bob" from ` + config},
		{`{"auths": {"` + s.host + `": {"identitytoken": "secret"}}}`, "tried the token from " + config},
		{`{`, "the credentials cannot be read: " + config},
		{`{"credHelpers": {"` + s.host + `": "absent"}}`, "the credential helper docker-credential-absent, which " + config + " names"},
		{`{"auths": {"` + s.host + `": {"auth": "YWxpY2U6c2VjcmV0"}}}`, ""},
	} {
		if r.config != "" {
			if err := os.WriteFile(config, []byte(r.config), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err := open(t, s.host+"/app:v1").Resolve(context.Background())
		var failed *registry.Error
		switch {
		case r.want == "" && err != nil:
			t.Error(err)
		case r.want != "" && (!errors.As(err, &failed) || !strings.Contains(err.Error(), r.want) || strings.Contains(err.Error(), "secret") || failed.Hint == ""):
			t.Errorf("%v; want %q and a hint", err, r.want)
		}
	}
}

// TestWeakAuthority: an authority, or a registry's certificate, whose private key anyone can guess proves no registry.
func TestWeakAuthority(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	here := func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }
	good, weak := pkitest.Root("ca"), pkitest.Guessed(nil, "weak", pkitest.Authority)
	for name, c := range map[string]struct {
		ca   []byte
		by   *pkitest.Holder
		want string
	}{
		"good":      {pkitest.PEM(good), good.Issue("registry", here), ""},
		"key":       {pkitest.PEM(good), pkitest.Guessed(good, "registry", here), "ECDSA with the private key 1"},
		"authority": {pkitest.PEM(good, weak), weak.Issue("registry", here), "certificate 2: key: ECDSA with the private key 1"},
	} {
		front := httptest.NewUnstartedServer(s)
		front.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{c.by.Certificate.Raw}, PrivateKey: c.by.Signer()}}}
		front.StartTLS()
		target, err := registry.Open(parse(t, strings.TrimPrefix(front.URL, "https://")+"/app:v1"), registry.Options{CA: c.ca})
		if err == nil {
			_, err = target.Resolve(context.Background())
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		front.Close()
	}
}

// Plain HTTP is for this machine, and not where an authority is given.
func TestPlainHTTP(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	tlsFront := httptest.NewTLSServer(s)
	defer tlsFront.Close()
	tlsHost := strings.TrimPrefix(tlsFront.URL, "https://")
	ca := encodePEM(tlsFront.Certificate().Raw)
	for _, r := range []struct {
		host string
		o    registry.Options
		want string
	}{
		{s.host, registry.Options{}, ""},
		{s.host, registry.Options{CA: ca}, string(registry.HintNoTLS)},
		{tlsHost, registry.Options{CA: ca}, ""},
		{tlsHost, registry.Options{}, "400"},
		{tlsHost, registry.Options{CA: []byte("nothing")}, "no certificate"},
	} {
		target, err := registry.Open(parse(t, r.host+"/app:v1"), r.o)
		if err == nil {
			_, err = target.Resolve(context.Background())
		}
		var failed *registry.Error
		text := fmt.Sprint(err)
		if errors.As(err, &failed) {
			text += string(failed.Hint)
		}
		if r.want == "" && err != nil || !strings.Contains(text, r.want) {
			t.Errorf("%s: %v; want %q", r.host, text, r.want)
		}
	}
}
