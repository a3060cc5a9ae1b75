package sigstore

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/go-openapi/runtime"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/rekor/pkg/types"
	"github.com/sigstore/sigstore-go/pkg/tlog"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/deadline"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
)

// serve answers with h, and counts.
func serve(t *testing.T, h http.HandlerFunc) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// stamper stamps what it is asked to, as a real authority does. The library's stamper
// takes the signature itself, so the request's digest is not enough: sig says what is signed.
func (w world) stamper(sig func() []byte) http.HandlerFunc {
	return func(out http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, err := timestamp.ParseRequest(body); err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		out.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = out.Write(w.stampOf(sig()))
	}
}

// rekorV1 stands in for a Rekor v1 server: it makes the entries of the library's own types,
// promised and proved with the test's key. It proves the client and the verifier, not a server.
func (w world) rekorV1() http.HandlerFunc {
	return func(out http.ResponseWriter, r *http.Request) {
		entry, err := w.logged(r)
		if err != nil {
			http.Error(out, fmt.Sprintf(`{"code":400,"message":%q}`, err), http.StatusBadRequest)
			return
		}
		out.Header().Set("Content-Type", "application/json")
		out.Header().Set("ETag", "uuid")
		out.Header().Set("Location", "/api/v1/log/entries/uuid")
		out.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(out).Encode(map[string]any{"uuid": entry})
	}
}

func (w world) logged(r *http.Request) (map[string]any, error) {
	proposed, err := models.UnmarshalProposedEntry(r.Body, runtime.JSONConsumer())
	if err != nil {
		return nil, err
	}
	entry, err := types.UnmarshalEntry(proposed)
	if err != nil {
		return nil, err
	}
	body, err := types.CanonicalizeEntry(r.Context(), entry)
	if err != nil {
		return nil, err
	}
	id, err := w.RekorLogID()
	if err != nil {
		return nil, err
	}
	now := time.Now().Unix()
	promise, err := w.RekorSignPayload(tlog.RekorPayload{Body: base64.StdEncoding.EncodeToString(body), IntegratedTime: now, LogID: id})
	if err != nil {
		return nil, err
	}
	root := sha256.Sum256(append([]byte{0}, body...)) // of a tree with this entry alone
	proof := map[string]any{
		"logIndex": 0, "treeSize": 1, "rootHash": hex.EncodeToString(root[:]), "hashes": []string{}, "checkpoint": w.checkpoint(1, root[:]),
	}
	return map[string]any{
		"body": base64.StdEncoding.EncodeToString(body), "integratedTime": now, "logIndex": 0, "logID": id,
		"verification": map[string]any{"signedEntryTimestamp": promise, "inclusionProof": proof},
	}, nil
}

// keeper remembers what it signs.
type keeper struct {
	signer.Signer
	sig []byte
}

func (k *keeper) Sign(ctx context.Context, message []byte) ([]byte, error) {
	sig, err := k.Signer.Sign(ctx, message)
	k.sig = sig
	return sig, err
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	s := keytest.New(t, signer.ECDSAP256)
	return &keeper{Signer: s}
}

func newStatement(t *testing.T) *attest.Statement {
	t.Helper()
	d, err := identity.Parse([]byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference","model":{"name":"m"},"prompt":{"text":"hello"},"parameters":{},"context":[],"constraints":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.New(d, attest.StatementOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignWithServices(t *testing.T) {
	w := newWorld(t)
	by := newKeeper(t)
	stamper, _ := serve(t, w.stamper(func() []byte { return by.sig }))
	log, _ := serve(t, w.rekorV1())
	services := Services{TimestampAuthorities: []string{stamper}, Logs: []Log{{log, 1}}, Key: by.PublicKey()}
	trust := trusting(t, TrustOptions{
		Root: rootOf(t, nil, w), Keys: []attest.TrustedKey{{Name: "k", Key: by.PublicKey()}},
		RequireTimestamps: 1, RequireLogEntries: 1, SignedBefore: ptr(time.Now().Add(time.Minute)),
	})
	b, err := attest.Sign(t.Context(), newStatement(t), by, attest.SignOptions{Witness: services, Trust: trust})
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := attest.ParseBundle(text)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	v, err := verifier.Verify(t.Context(), again, attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	if r := v.Report(); len(r.Times) != 2 || len(r.Logs) != 1 {
		t.Errorf("times %v, logs %v, want the authority's and the log's", r.Times, r.Logs)
	}
}

// TestSignVerifiesWhatItMade: evidence that no verifier would believe is not written.
func TestSignVerifiesWhatItMade(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	by := newKeeper(t)
	stamper, _ := serve(t, other.stamper(func() []byte { return by.sig }))
	trust := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Keys: []attest.TrustedKey{{Name: "k", Key: by.PublicKey()}}, RequireTimestamps: 1})
	b, err := attest.Sign(t.Context(), newStatement(t), by, attest.SignOptions{
		Witness: Services{TimestampAuthorities: []string{stamper}}, Trust: trust,
	})
	var no *attest.VerificationError
	if !errors.As(err, &no) || b != nil {
		t.Errorf("got %v, %v", b, err)
	}
}

// fault is how a service misbehaves. tries is how often it is asked.
type fault struct {
	h     http.HandlerFunc
	says  string
	tries int32
}

func faults() map[string]fault {
	status := func(code int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	return map[string]fault{
		"html":       {status(200, "text/html; charset=utf-8", "<html>"), "a page of HTML", 1},
		"html error": {status(404, "text/html", "<html>lost</html>"), "answered 404 Not Found", 1},
		"refusal":    {status(400, "application/json", `{"code":3,"message":"not\nyou"}`), "answered 400 Bad Request: not you", 1},
		"overloaded": {status(503, "text/plain", "later"), "answered 503 Service Unavailable: later", 1 + retries},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, "redirects are not followed", 1},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "x")
		}, "breaks off", 1 + retries},
		"garbage":     {status(201, "application/octet-stream", "garbage"), "", 1},
		"empty":       {status(201, "application/json", ""), "", 1},
		"endless":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, zeros{}) }, "longer than", 1},
		"null":        {status(201, "application/json", "null"), "", 1},
		"empty thing": {status(201, "application/json", "{}"), "", 1},
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestFaultyServices asks each kind of service that misbehaves in each way: an error that names
// it, in bounded tries, and no panic.
func TestFaultyServices(t *testing.T) {
	by := newKeeper(t)
	e := evidence.Envelope{MediaType: attest.BundleMediaType, PayloadType: attest.PayloadType, Payload: []byte("{}"), KeyHint: by.PublicKey().Hint()}
	var err error
	if e.Signature, err = by.Sign(t.Context(), e.Message()); err != nil {
		t.Fatal(err)
	}
	token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://x","sub":"me"}`)) + ".e30"
	for name, ask := range map[string]func(ctx context.Context, url string) error{
		"timestamp authority": func(ctx context.Context, url string) error {
			_, err := Services{TimestampAuthorities: []string{url}}.Witness(ctx, e)
			return err
		},
		"rekor v1": func(ctx context.Context, url string) error {
			_, err := Services{Logs: []Log{{url, 1}}, Key: by.PublicKey()}.Witness(ctx, e)
			return err
		},
		"rekor v2": func(ctx context.Context, url string) error {
			_, err := Services{Logs: []Log{{url, 2}}, Key: by.PublicKey()}.Witness(ctx, e)
			return err
		},
		"fulcio": func(ctx context.Context, url string) error {
			_, err := RequestCertificate(ctx, url, token)
			return err
		},
	} {
		for kind, f := range faults() {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				url, asked := serve(t, f.h)
				err := ask(t.Context(), url)
				var failed *ServiceError
				if !errors.As(err, &failed) || !strings.Contains(err.Error(), f.says) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v, want %s", err, f.says)
				}
				if n := asked.Load(); n != f.tries {
					t.Errorf("asked %d times, want %d", n, f.tries)
				}
			})
		}
		t.Run(name+" down", func(t *testing.T) {
			t.Parallel()
			var failed *ServiceError
			if err := ask(t.Context(), "http://127.0.0.1:1"); !errors.As(err, &failed) || !strings.Contains(err.Error(), "refused") {
				t.Errorf("got %v", err)
			}
		})
		t.Run(name+" slow", func(t *testing.T) {
			t.Parallel()
			done := make(chan struct{})
			url, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
				select {
				case <-done:
				case <-r.Context().Done():
				}
			})
			defer close(done)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := ask(ctx, url); err == nil || !strings.Contains(err.Error(), "no answer in time") {
				t.Errorf("got %v", err)
			}
		})
		t.Run(name+" busy, then slow", func(t *testing.T) {
			t.Parallel()
			ctx, end := deadline.New(t.Context())
			var n atomic.Int32
			url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) == 1 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				end()
				_, _ = io.Copy(io.Discard, r.Body) // without which the server does not see the client leave
				<-r.Context().Done()
			})
			if err := ask(ctx, url); err == nil || !strings.Contains(err.Error(), "no good answer in time: answered 503") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestServiceRecovers: what is overloaded for a moment is asked again.
func TestServiceRecovers(t *testing.T) {
	w := newWorld(t)
	good := w.stamper(func() []byte { return []byte("sig") })
	var n atomic.Int32
	url, asked := serve(t, func(out http.ResponseWriter, r *http.Request) {
		if n.Add(1) < 3 {
			out.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		good(out, r)
	})
	evidence, err := Services{TimestampAuthorities: []string{url}}.Witness(t.Context(), evidence.Envelope{Signature: []byte("sig")})
	if err != nil || len(evidence.Timestamps) != 1 || asked.Load() != 3 {
		t.Errorf("got %v, %v after %d requests", evidence, err, asked.Load())
	}
}

// TestEvidenceIsAboutTheSignature: a service that answers with something else's evidence is refused.
func TestEvidenceIsAboutTheSignature(t *testing.T) {
	w := newWorld(t)
	url, _ := serve(t, w.stamper(func() []byte { return []byte("another") }))
	if _, err := (Services{TimestampAuthorities: []string{url}}).Witness(t.Context(), evidence.Envelope{Signature: []byte("sig")}); err == nil || !strings.Contains(err.Error(), "over something else") {
		t.Errorf("got %v", err)
	}
}

// TestStampedAhead: a time that this machine's clock has not reached is reported, and taken.
func TestStampedAhead(t *testing.T) {
	stamps := pkitest.Root("Root").Issue("Stamps", pkitest.Stamper)
	e := evidence.Envelope{Signature: []byte("sig")}
	at := func(later time.Duration, accuracy int64) string {
		url, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			d := newDraft(stamps)
			d.info.Imprint.Hash, d.info.Time = sum(crypto.SHA256, e.Signature), generalizedTime(time.Now().Add(later).UTC().Format("20060102150405")+"Z")
			if accuracy > 0 {
				d.info.Accuracy = accuracyOf(accuracy, -1, -1)
			}
			_, _ = w.Write(d.response())
		})
		return url
	}
	ahead := at(3*time.Hour, 0)
	var said []string
	services := Services{TimestampAuthorities: []string{at(0, 0), ahead, at(3*time.Hour, 4*3600), at(-3*time.Hour, 0)}, Ahead: func(url string, at time.Time) {
		said = append(said, url)
		if !at.After(time.Now().Add(2 * time.Hour)) {
			t.Errorf("%s: %v", url, at)
		}
	}}
	if m, err := services.Witness(t.Context(), e); err != nil || len(m.Timestamps) != 4 || !slices.Equal(said, []string{ahead}) {
		t.Errorf("%d timestamps, said %q: %v", len(m.Timestamps), said, err)
	}
	services.Ahead = nil
	if _, err := services.Witness(t.Context(), e); err != nil {
		t.Error(err)
	}
}

// TestLoggedAhead: so is the time of a log's promise.
func TestLoggedAhead(t *testing.T) {
	w := newWorld(t)
	e, key := signedBy(t, signer.ECDSAP256)
	for later, says := range map[time.Duration]bool{0: false, 3 * time.Hour: true, -3 * time.Hour: false} {
		url, _ := serve(t, func(out http.ResponseWriter, r *http.Request) {
			entry, err := w.logged(r)
			if err != nil {
				t.Error(err)
			}
			entry["integratedTime"] = time.Now().Add(later).Unix()
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(out).Encode(map[string]any{"uuid": entry})
		})
		said := ""
		services := Services{Logs: []Log{{url, 1}}, Key: key, Ahead: func(url string, at time.Time) {
			said = url
			if !at.After(time.Now().Add(2 * time.Hour)) {
				t.Errorf("%s: %v", url, at)
			}
		}}
		if m, err := services.Witness(t.Context(), e); err != nil || len(m.LogEntries) != 1 || says != (said == url) {
			t.Errorf("%v: %d entries, said %q: %v", later, len(m.LogEntries), said, err)
		}
	}
}

// TestStampedInside: a timestamp that no verifier would take beside the certificate is not taken, and nothing is logged.
func TestStampedInside(t *testing.T) {
	top := pkitest.Root("Root")
	stamps := top.Issue("Stamps", pkitest.Stamper)
	signs := top.Issue("", pkitest.For(x509.ExtKeyUsageCodeSigning), signersOwn, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = stampedAt.Add(-time.Minute), stampedAt.Add(time.Minute)
	})
	for name, test := range map[string]struct {
		at           time.Time
		accuracy     int64 // seconds
		certificates [][]byte
		want         string
	}{
		"inside":              {stampedAt, 0, [][]byte{signs.Certificate.Raw}, ""},
		"with the first":      {stampedAt.Add(-time.Minute), 30, [][]byte{signs.Certificate.Raw}, ""},
		"before":              {stampedAt.Add(-2 * time.Minute), 0, [][]byte{signs.Certificate.Raw}, "2026-11-01T11:58:00Z is outside the validity of the certificate (2026-11-01T11:59:00Z to 2026-11-01T12:01:00Z)"},
		"behind":              {stampedAt.Add(time.Hour), 0, [][]byte{signs.Certificate.Raw}, "2026-11-01T13:00:00Z is outside the validity of the certificate"},
		"behind, at the last": {stampedAt, 90, [][]byte{signs.Certificate.Raw}, "2026-11-01T12:00:00Z (accuracy 1m30s) is outside the validity of the certificate"},
		"by a key":            {stampedAt.Add(time.Hour), 0, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := evidence.Envelope{Signature: []byte("sig"), Certificates: test.certificates}
			url, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				d := newDraft(stamps)
				d.info.Imprint.Hash, d.info.Time = sum(crypto.SHA256, e.Signature), generalizedTime(test.at.Format("20060102150405")+"Z")
				if test.accuracy > 0 {
					d.info.Accuracy = accuracyOf(test.accuracy, -1, -1)
				}
				_, _ = w.Write(d.response())
			})
			_, err := Services{TimestampAuthorities: []string{url}}.Witness(t.Context(), e)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestCheckServices(t *testing.T) {
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Services{
		"no scheme":        {TimestampAuthorities: []string{"tsa.example.com"}},
		"other scheme":     {TimestampAuthorities: []string{"ftp://tsa.example.com"}},
		"with a password":  {TimestampAuthorities: []string{"https://me:hunter2@tsa.example.com"}},
		"twice":            {TimestampAuthorities: []string{"https://tsa.example.com/v1", "https://tsa.example.com/v1"}},
		"in two spellings": {TimestampAuthorities: []string{"https://tsa.example.com/v1", "https://other.example.com", "HTTPS://TSA.example.com:443/v1/"}},
		"a log twice":      {Logs: []Log{{"https://rekor.example.com", 1}, {"https://rekor.example.com", 2}}},
		"empty":            {Logs: []Log{{"", 2}}},
		"version":          {Logs: []Log{{"https://rekor.example.com", 3}}},
		"ed25519 and v2":   {Logs: []Log{{"https://rekor.example.com", 2}}, Key: pair.Key},
	} {
		if err := s.Check(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (Services{TimestampAuthorities: []string{"https://tsa.example.com/a", "https://tsa.example.com/b", "https://tsa.example.com/a?policy=2"}}).Check(); err != nil {
		t.Errorf("three authorities: %v", err)
	}
	if _, err := RequestCertificate(t.Context(), "http://fulcio.example.com", "token"); err == nil || !strings.Contains(err.Error(), "want https") {
		t.Errorf("a token over plain http: %v", err)
	}
}

func TestParseTrustedRoot(t *testing.T) {
	w := newWorld(t)
	good, err := rootOf(t, nil, w).JSON()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseTrustedRoot(good); err != nil {
		t.Error(err)
	} else if text, _ := again.JSON(); string(text) != string(good) {
		t.Error("written and read again is another root")
	}
	if good, err = canonical.Transform(good); err != nil { // without white space, to be edited below
		t.Fatal(err)
	}
	twice, err := rootOf(t, nil, w, newWorld(t)).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var two struct {
		Tlogs []struct{ LogID struct{ KeyID string } }
	}
	if err := json.Unmarshal(twice, &two); err != nil || len(two.Tlogs) != 2 {
		t.Fatal(err, len(two.Tlogs))
	}
	edit := func(old, new string) string {
		s := strings.Replace(string(good), old, new, 1)
		if s == string(good) {
			t.Fatalf("%q is not in the root", old)
		}
		return s
	}
	for name, text := range map[string]string{
		"empty":           "",
		"not JSON":        "x",
		"other type":      edit("version=0.1", "version=9.9"),
		"no type":         edit(`"mediaType"`, `"mediatype"`),
		"duplicate":       edit(`"mediaType":`, `"mediaType":"x","mediaType":`),
		"unknown member":  edit(`"mediaType":`, `"extra":1,"mediaType":`),
		"trailing":        string(good) + "{}",
		"ends too early":  edit(`"end":"2`, `"end":"1`),
		"not a time":      edit(`"end":"2`, `"end":"x`),
		"garbage in cert": edit(`"rawBytes":"MII`, `"rawBytes":"AII`),
		"deep":            strings.Repeat(`{"a":`, 1000),
		"one ID twice":    strings.Replace(string(twice), two.Tlogs[0].LogID.KeyID, two.Tlogs[1].LogID.KeyID, 1),
		"huge":            `{"mediaType":"` + strings.Repeat("a", 5<<20) + `"}`,
	} {
		if _, err := ParseTrustedRoot([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q", name, err)
		}
	}
}

func TestSigningConfig(t *testing.T) {
	config := `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",
		"caUrls":[{"url":"https://fulcio.old","majorApiVersion":1,"validFor":{"start":"2020-01-01T00:00:00Z","end":"2024-01-01T00:00:00Z"},"operator":"a"},
			{"url":"https://fulcio","majorApiVersion":1,"validFor":{"start":"2024-01-01T00:00:00Z"},"operator":"a"}],
		"rekorTlogUrls":[{"url":"https://rekor","majorApiVersion":2,"validFor":{"start":"2024-01-01T00:00:00Z"},"operator":"a"},
			{"url":"https://rekor.old","majorApiVersion":1,"validFor":{"start":"2024-01-01T00:00:00Z"},"operator":"a"}],
		"rekorTlogConfig":{"selector":"ANY"},
		"tsaUrls":[{"url":"https://tsa/1","majorApiVersion":1,"validFor":{"start":"2024-01-01T00:00:00Z"},"operator":"a"},
			{"url":"https://tsa/2","majorApiVersion":1,"validFor":{"start":"2024-01-01T00:00:00Z"},"operator":"b"}],
		"tsaConfig":{"selector":"ALL"}}`
	c, err := ParseSigningConfig([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e, err := c.Select(Selection{Now: at})
	if err != nil || e.Fulcio != "https://fulcio" || len(e.Services.TimestampAuthorities) != 2 || len(e.Services.Logs) != 1 || e.Services.Logs[0] != (Log{"https://rekor", 2}) {
		t.Errorf("got %+v, %v", e, err)
	}
	if e, err := c.Select(Selection{Now: at.AddDate(-10, 0, 0)}); err == nil {
		t.Errorf("before anything was valid: %+v", e)
	}
	for name, text := range map[string]string{
		"type":      strings.Replace(config, "v0.2", "v0.1", 1),
		"duplicate": strings.Replace(config, `"caUrls":`, `"caUrls":[],"caUrls":`, 1),
		"selector":  strings.Replace(config, `"ANY"`, `"SOME"`, 1),
		"how many": strings.Replace(config, `,
		"tsaConfig":{"selector":"ALL"}`, "", 1),
		"how many logs": strings.Replace(config, `"rekorTlogConfig":{"selector":"ANY"},`, "", 1),
	} {
		if _, err := ParseSigningConfig([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	exact, err := ParseSigningConfig([]byte(strings.Replace(config, `"selector":"ALL"`, `"selector":"EXACT","count":3`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if e, err := exact.Select(Selection{Now: at}); err == nil {
		t.Errorf("three of two: %+v", e)
	}
	none, err := ParseSigningConfig([]byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}`))
	if err != nil {
		t.Fatal(err)
	}
	if e, err := none.Select(Selection{Now: at}); err != nil || e.Fulcio != "" || len(e.Services.Logs) != 0 {
		t.Errorf("no services: %+v, %v", e, err)
	}
}

// TestSelection: of a configuration, what is needed must be good, and nothing else.
func TestSelection(t *testing.T) {
	const service = `{"url":"https://%s","majorApiVersion":%d,"validFor":{"start":"2024-01-01T00:00:00Z"%s},"operator":%q}`
	const ended = `,"end":"2025-01-01T00:00:00Z"`
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	old := func(list string) []string {
		return []string{list, fmt.Sprintf(service, list+".example", 1, ended, "a")}
	}
	given := Endpoints{Fulcio: "https://own", OIDCIssuer: "https://own", Services: Services{TimestampAuthorities: []string{"https://own"}, Logs: []Log{{"https://own", 1}}}}
	for name, test := range map[string]struct {
		list []string // its name and its services
		with string   // the selector of tsaUrls
		s    Selection
		want string // an error, or ""
	}{
		"authority":                 {old("caUrls"), "", Selection{}, "caUrls: https://caUrls.example is valid from 2024-01-01T00:00:00Z to 2025-01-01T00:00:00Z, and it is 2026-01-01T00:00:00Z"},
		"authority and a key":       {old("caUrls"), "", Selection{Key: true}, ""},
		"authority and a token":     {old("caUrls"), "", Selection{Token: true}, "caUrls: "},
		"authority, another given":  {old("caUrls"), "", Selection{Given: Endpoints{Fulcio: "https://own"}}, ""},
		"login":                     {old("oidcUrls"), "", Selection{}, "oidcUrls: "},
		"login and a key":           {old("oidcUrls"), "", Selection{Key: true}, ""},
		"login and a token":         {old("oidcUrls"), "", Selection{Token: true}, ""},
		"login, another given":      {old("oidcUrls"), "", Selection{Given: given}, ""},
		"stamper and a key":         {old("tsaUrls"), "", Selection{Key: true, Token: true}, "tsaUrls: "},
		"stamper, another given":    {old("tsaUrls"), "", Selection{Given: given}, ""},
		"log and a key":             {old("rekorTlogUrls"), "", Selection{Key: true, Token: true}, "rekorTlogUrls: "},
		"log, another given":        {old("rekorTlogUrls"), "", Selection{Given: given}, ""},
		"unknown version":           {[]string{"caUrls", fmt.Sprintf(service, "c.example", 9, "", "a")}, "", Selection{}, "caUrls: https://c.example has version 9 of the API, and known here are [1]"},
		"one ended, one unknown":    {append(old("caUrls"), fmt.Sprintf(service, "c.example", 9, "", "a")), "", Selection{}, "; https://c.example has version 9"},
		"a secret in it":            {[]string{"caUrls", fmt.Sprintf(service, "u:hunter2pw@c.example", 9, "", "a")}, "", Selection{}, "caUrls: https://[secret]@c.example has version 9"},
		"login, not to the second":  {old("oidcUrls"), "", Selection{Now: at.Add(8 * time.Millisecond)}, "oidcUrls: https://oidcUrls.example is valid from 2024-01-01T00:00:00Z to 2025-01-01T00:00:00Z, and it is 2026-01-01T00:00:00Z"},
		"over since a moment":       {old("oidcUrls"), "", Selection{Now: at.AddDate(-1, 0, 0).Add(8 * time.Millisecond)}, "to 2025-01-01T00:00:00Z, and it is 2025-01-01T00:00:00.008Z"},
		"two of one operator":       {[]string{"tsaUrls", fmt.Sprintf(service, "a.example", 1, "", "a"), fmt.Sprintf(service, "b.example", 1, "", "a")}, `"EXACT","count":2`, Selection{}, "tsaUrls: 2 services of different operators are asked for, and fewer are valid"},
		"two of two operators":      {[]string{"tsaUrls", fmt.Sprintf(service, "a.example", 1, "", "a"), fmt.Sprintf(service, "b.example", 1, "", "b")}, `"EXACT","count":2`, Selection{}, ""},
		"exactly, without a number": {[]string{"tsaUrls", fmt.Sprintf(service, "a.example", 1, "", "a")}, `"EXACT"`, Selection{}, "tsaUrls: its selector is EXACT, and has no count"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := ParseSigningConfig(fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",%q:[%s],"rekorTlogConfig":{"selector":"ANY"},"tsaConfig":{"selector":%s}}`,
				test.list[0], strings.Join(test.list[1:], ","), cmp.Or(test.with, `"ANY"`)))
			if err != nil {
				t.Fatal(err)
			}
			test.s.Now = cmp.Or(test.s.Now, at)
			e, err := c.Select(test.s)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error()+"\n", test.want) || !reflect.DeepEqual(e, Endpoints{}) {
					t.Errorf("got %+v, %v; want %s", e, err, test.want)
				}
				return
			}
			if err != nil || test.s.Given.Fulcio != "" && e.Fulcio != "https://own" {
				t.Errorf("got %+v, %v", e, err)
			}
		})
	}
}

// TestNoSecretsInServiceErrors: the URL of a service may hold a credential, which its errors do not show.
func TestNoSecretsInServiceErrors(t *testing.T) {
	const secret = "hunter2SecretToken99"
	for _, url := range []string{"https://h/?token=" + secret, "https://u:" + secret + "@h", "u:" + secret + "@h", "https//u:" + secret + "@h", "https://u:" + secret + "@[::1"} {
		if err := checkURL(url, false); err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%v", err)
			}
			continue // which no service is asked at
		}
		for _, err := range []error{&ServiceError{"transparency log", url, errors.New("no answer")}, &RepositoryError{URL: url}} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%v", err)
			}
		}
	}
}
