package gateway

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// TestToken: where clients are configured each proves its name, and its token is not forwarded.
func TestToken(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Config.Clients = []Client{{Name: "ci", TokenSHA256: digest([]byte("token-of-ci"))}, {Name: "other", TokenSHA256: digest([]byte("token-of-other"))}}
	})
	for _, headers := range [][]string{nil, {"Airun-Key: token-of-c"}, {"Airun-Key: " + digest([]byte("token-of-ci"))}} {
		w.refused(w.post("/v1/chat/completions", chat, headers...), clientUnknown)
	}
	w.refused(w.post("/v1/chat/completions", chat, "Airun-Key: token-of-ci", "Airun-Key: token-of-other"), headerRefused)
	w.refused(w.post("/v1/models", ""), endpointUnknown)
	g := w.post("/v1/chat/completions", chat, "Airun-Key: token-of-ci")
	e := w.journal.all()
	if g.status != 200 || e[0].Client != "ci" || w.verify(e[0]).Report().Annotations["client"] != "ci" || w.requests()[0].header.Get("Airun-Key") != "" {
		t.Fatal(g, e)
	}
	if !slices.Contains(e[0].Headers, "Airun-Key") || !slices.Contains(e[0].Headers, "Content-Type") {
		t.Errorf("the line names %v", e[0].Headers)
	}
	if strings.Contains(w.log(), "token-of") {
		t.Errorf("the log has a token: %s", w.log())
	}
	parent := headerParent + ": " + g.header.Get(headerIdentity)
	if g := w.post("/v1/chat/completions", chat, parent, "Airun-Key: token-of-other"); g.header.Get("Airun-Refusal") != parentRefused.code {
		t.Errorf("a parent of another client: %v", g)
	}
	if g := w.post("/v1/chat/completions", chat, parent, "Airun-Key: token-of-ci"); g.status != 200 {
		t.Error(g)
	}
}

// TestEmptyToken: the digest of a token that was not set is refused, and an empty token proves nothing.
func TestEmptyToken(t *testing.T) {
	for _, blank := range []string{"", "\n", "\r\n", " ", "\t"} {
		for _, sum := range []string{digest([]byte(blank)), strings.ToUpper(digest([]byte(blank)))} {
			text := head + "upstreams: [{url: 'https://a'}]\nclients: [{name: a, tokenSHA256: '" + sum + "'}]"
			if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), "clients/0: tokenSHA256: is the digest of an empty or blank text") {
				t.Errorf("the digest of %q: %v", blank, err)
			}
		}
	}
	w := newWorld(t, func(o *Options) {
		o.Config.Clients = []Client{{Name: "ci", TokenSHA256: digest([]byte("token-of-ci"))}}
	})
	w.gateway.config.Clients[0].TokenSHA256 = digest(nil) // which no configuration can say
	for _, empty := range []string{"Airun-Key:", "Airun-Key:  ", "Airun-Key: \t"} {
		status, refusal := w.raw("POST /v1/chat/completions HTTP/1.1\nHost: HOST\nContent-Type: application/json\n" + empty + "\nContent-Length: 2\n\n{}")
		if status != 401 || refusal != clientUnknown.code {
			t.Errorf("%q: %d %s", empty, status, refusal)
		}
	}
}

// TestURLSecret: every path begins with the secret, which is in no log, and is not forwarded.
func TestURLSecret(t *testing.T) {
	const secret = "0123456789-abcdef"
	w := newWorld(t, func(o *Options) { o.URLSecret = secret })
	for _, path := range []string{"/v1/chat/completions", "/0123456789-abcdee/v1/chat/completions", "/" + secret + "x/v1/chat/completions", "//" + secret + "/v1/chat/completions"} {
		w.refused(w.post(path, chat), clientUnknown)
	}
	if g := w.post("/"+secret+"/v1/chat/completions", chat); g.status != 200 || w.requests()[0].target != "/v1/chat/completions" {
		t.Error(g, w.requests())
	}
	if g := w.post("/"+secret+"/v1/x", chat); strings.Contains(g.body, secret) {
		t.Errorf("a refusal has the secret: %s", g.body)
	}
	if strings.Contains(w.log(), secret) {
		t.Errorf("the log has the secret: %s", w.log())
	}
	for _, bad := range []string{"short", secret + "/x", secret + "%"} {
		if _, err := New(Options{Signer: w.key, Journal: w.journal, Config: w.gateway.config, URLSecret: bad}); err == nil {
			t.Errorf("secret %q was taken", bad)
		}
	}
}

// serve runs a gateway on an address until the test ends.
func (w *world) serve(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- w.gateway.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l
}

// TestUnix: a Unix socket is this user's alone, and is gone when the gateway has ended.
func TestUnix(t *testing.T) {
	dir, err := os.MkdirTemp("", "gw") // short: the length of a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	t.Run("serving", func(t *testing.T) {
		w := newWorld(t, nil)
		w.serve(t, "unix:"+path)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatal(info, err)
		}
		if _, err := Listen("unix:" + path); err == nil {
			t.Error("two listeners on one socket")
		}
		client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}}
		defer client.CloseIdleConnections()
		res, err := client.Post("http://gateway/v1/chat/completions", "application/json", strings.NewReader(chat))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 200 || w.journal.all()[0].Client != "local" {
			t.Error(res.Status)
		}
	})
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("the socket is left")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen("unix:" + path); err == nil {
		t.Error("a file was replaced")
	}
}

// TestUnixReplaced: a gateway that ends takes its own socket away, and not what has come in its place.
func TestUnixReplaced(t *testing.T) {
	dir, err := os.MkdirTemp("", "gw") // short: the length of a socket's path is limited
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	old, err := Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next, err := Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	old.Close()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal("the socket of the next gateway is gone: ", err)
	}
	c.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	next.Close()
	if text, err := os.ReadFile(path); err != nil || string(text) != "kept" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestUnixLong: a socket's path that Check takes is one that Listen takes, at each length of its folder.
func TestUnixLong(t *testing.T) {
	root, err := os.MkdirTemp("", "gw")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	taken := 0
	for n := 1; n < 110-len(root); n++ {
		dir := filepath.Join(root, strings.Repeat("x", n))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "s")
		want := checkAddress("unix:" + path)
		for range 3 {
			l, err := Listen("unix:" + path)
			if (err == nil) != (want == nil) {
				t.Fatalf("a folder of %d bytes: %v, and Check says %v", len(dir), err, want)
			}
			if err == nil {
				taken++
				l.Close()
			}
		}
	}
	if taken == 0 {
		t.Error("no path is taken")
	}
}

// TestNotLocal: an address that others reach needs clients.
func TestNotLocal(t *testing.T) {
	w := newWorld(t, nil)
	l, err := Listen("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := w.gateway.Serve(t.Context(), l); !errors.Is(err, ErrNoClients) {
		t.Error(err)
	}
	for _, bad := range []string{"", "8787", "fd://x", "fd://2", "unix:", "http://127.0.0.1:1"} {
		if l, err := Listen(bad); err == nil {
			l.Close()
			t.Errorf("%q was taken", bad)
		}
	}
}

// certificates are an authority, and what it certifies, as files.
type certificates struct {
	dir  string
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newCertificates(t *testing.T) *certificates {
	c := &certificates{dir: t.TempDir()}
	c.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &c.key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	c.ca, _ = x509.ParseCertificate(der)
	c.write(t, "ca.pem", "CERTIFICATE", der)
	return c
}

func (c *certificates) write(t *testing.T, name, kind string, der []byte) {
	if err := os.WriteFile(filepath.Join(c.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *certificates) make(t *testing.T, file string, change func(*x509.Certificate)) tls.Certificate {
	c.last++
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{SerialNumber: big.NewInt(1 + c.last), NotAfter: time.Now().Add(time.Hour)}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, c.ca, &key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(key)
	c.write(t, file+".pem", "CERTIFICATE", der)
	c.write(t, file+".key", "PRIVATE KEY", private)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestCertificate: a client's certificate proves a name by a whole DNS name, email address or URI, and not by its common name.
func TestCertificate(t *testing.T) {
	c := newCertificates(t)
	c.make(t, "server", func(x *x509.Certificate) { x.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	uri, _ := url.Parse("spiffe://acme.example/trainer")
	w := newWorld(t, func(o *Options) {
		o.Config.TLS = TLS{Certificate: filepath.Join(c.dir, "server.pem"), Key: filepath.Join(c.dir, "server.key"), ClientCA: filepath.Join(c.dir, "ca.pem")}
		o.Config.Clients = []Client{{Name: "dns", Certificate: "ci.acme.example"}, {Name: "uri", Certificate: uri.String()}, {Name: "token", TokenSHA256: digest([]byte("t"))},
			{Name: "email", Certificate: "ops@acme.example", TokenSHA256: digest([]byte("t2"))}}
	})
	l := w.serve(t, "127.0.0.1:0")
	roots := x509.NewCertPool()
	roots.AddCert(c.ca)
	for i, test := range []struct {
		certificate *tls.Certificate
		token, want string // want is the client, or !why
	}{
		{ptr(c.make(t, "a", func(x *x509.Certificate) { x.DNSNames = []string{"ci.acme.example"} })), "", "dns"},
		{ptr(c.make(t, "b", func(x *x509.Certificate) { x.URIs = []*url.URL{uri} })), "", "uri"},
		{ptr(c.make(t, "c", func(x *x509.Certificate) { x.Subject.CommonName = "ci.acme.example" })), "", "!a common name does not count"},
		{ptr(c.make(t, "d", func(x *x509.Certificate) { x.DNSNames = []string{"x.ci.acme.example", "*.acme.example"} })), "", "!the certificate of no client has the name x.ci.acme.example or *.acme.example"},
		{ptr(c.make(t, "e", func(x *x509.Certificate) { x.DNSNames = []string{"ci.acme.example"} })), "t", "!of two clients"},
		{ptr(c.make(t, "f", func(x *x509.Certificate) {
			x.DNSNames, x.EmailAddresses = []string{"ci.acme.example"}, []string{"ops@acme.example"}
		})), "t2", "email"},
		{ptr(c.make(t, "g", func(x *x509.Certificate) {
			x.DNSNames, x.EmailAddresses = []string{"ci.acme.example"}, []string{"ops@acme.example"}
		})), "", "!the certificate is of several clients, dns and email"},
		{nil, "t", "token"},
		{nil, "", "!want a client's token in Airun-Key, or its certificate"},
	} {
		config := &tls.Config{RootCAs: roots}
		if test.certificate != nil {
			config.Certificates = []tls.Certificate{*test.certificate}
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
		r, _ := http.NewRequest("POST", "https://"+l.Addr().String()+"/v1/chat/completions", strings.NewReader(chat))
		if test.token != "" {
			r.Header.Set(headerKey, test.token)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		client.CloseIdleConnections()
		e := w.journal.all()
		why, refused := strings.CutPrefix(test.want, "!")
		if refused && (res.StatusCode != 401 || !strings.Contains(string(answer), why)) || !refused && (res.StatusCode != 200 || e[len(e)-1].Client != test.want) {
			t.Errorf("%d: %s %s, want %q", i, res.Status, answer, test.want)
		}
	}
	if len(w.requests()) != 4 {
		t.Errorf("%d calls were forwarded", len(w.requests()))
	}
}

// TestCertificateKey: an authority whose private key anyone can guess is refused at the start, and a client's certificate of such a key
// proves nothing.
func TestCertificateKey(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	named := func(x *x509.Certificate) {
		x.DNSNames, x.IPAddresses = []string{"ci.acme.example"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	ca := pkitest.Root("ca")
	server := ca.Issue("server", named)
	settings := TLS{Certificate: write("server.pem", pkitest.PEM(server)), Key: write("server.key", server.PrivateKey()), ClientCA: write("weak.pem", pkitest.PEM(ca, pkitest.Guessed(nil, "weak", pkitest.Authority)))}
	if _, err := settings.load(time.Now()); err == nil || !strings.Contains(err.Error(), "certificate 2: key: ECDSA with the private key 1") {
		t.Errorf("weak authority: %v", err)
	}
	settings.ClientCA = write("ca.pem", pkitest.PEM(ca))
	w := newWorld(t, func(o *Options) {
		o.Config.TLS, o.Config.Clients = settings, []Client{{Name: "ci", Certificate: "ci.acme.example"}}
	})
	l := w.serve(t, "127.0.0.1:0")
	roots := x509.NewCertPool()
	roots.AddCert(ca.Certificate)
	for name, client := range map[string]*pkitest.Holder{"good": ca.Issue("ci", named), "weak": pkitest.Guessed(ca, "ci", named)} {
		pair := tls.Certificate{Certificate: [][]byte{client.Certificate.Raw}, PrivateKey: client.Signer()}
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}}
		res, err := c.Post("https://"+l.Addr().String()+"/v1/chat/completions", "application/json", strings.NewReader(chat))
		if err == nil {
			res.Body.Close()
		}
		if ok := err == nil && res.StatusCode == 200; ok != (name == "good") {
			t.Errorf("%s: %v, %v", name, res, err)
		}
		c.CloseIdleConnections()
	}
	if len(w.requests()) != 1 {
		t.Errorf("%d calls were forwarded", len(w.requests()))
	}
}

// TestCertificateExpires: it proves nothing when it has expired, also on the connection that it was used for before.
func TestCertificateExpires(t *testing.T) {
	t.Run("the client's", func(t *testing.T) { holdExpiry(t, time.Hour) })
	t.Run("its authority's", func(t *testing.T) { holdExpiry(t, 1000*time.Hour) })
}

// holdExpiry has an authority that is valid for an hour, and a client's certificate.
func holdExpiry(t *testing.T, valid time.Duration) {
	c := newCertificates(t)
	c.make(t, "server", func(x *x509.Certificate) { x.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	var later atomic.Int64
	w := newWorld(t, func(o *Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
		o.Config.TLS = TLS{Certificate: filepath.Join(c.dir, "server.pem"), Key: filepath.Join(c.dir, "server.key"), ClientCA: filepath.Join(c.dir, "ca.pem")}
		o.Config.Clients = []Client{{Name: "ci", Certificate: "ci.acme.example", TokenSHA256: digest([]byte("t"))}}
	})
	l := w.serve(t, "127.0.0.1:0")
	roots := x509.NewCertPool()
	roots.AddCert(c.ca)
	certificate := c.make(t, "ci", func(x *x509.Certificate) {
		x.DNSNames, x.NotAfter = []string{"ci.acme.example"}, time.Now().Add(valid)
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}}}
	defer client.CloseIdleConnections()
	for i, want := range []int{200, 401, 200} {
		r, _ := http.NewRequest("POST", "https://"+l.Addr().String()+"/v1/chat/completions", strings.NewReader(chat))
		r.Header.Set("Content-Type", "application/json")
		if i == 2 {
			r.Header.Set(headerKey, "t")
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want || want == 401 && !strings.Contains(string(answer), "has expired") {
			t.Errorf("%s %s, want %d", res.Status, answer, want)
		}
		later.Store(int64(2 * time.Hour))
	}
}

// TestPair: what is wrong with the gateway's certificate and key is said with their names.
func TestPair(t *testing.T) {
	c := newCertificates(t)
	c.make(t, "a", func(*x509.Certificate) {})
	c.make(t, "b", func(*x509.Certificate) {})
	c.make(t, "old", func(x *x509.Certificate) { x.NotBefore, x.NotAfter = time.Unix(0, 0), time.Unix(1, 0) })
	c.make(t, "early", func(x *x509.Certificate) {
		x.NotBefore, x.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	})
	c.write(t, "encrypted.key", "ENCRYPTED PRIVATE KEY", []byte("x"))
	for files, want := range map[[2]string]string{
		{"a.pem", "a.key"}:         "",
		{"a.pem", "b.key"}:         "does not match public key; of several certificates the gateway's comes first",
		{"a.key", "a.pem"}:         "switched",
		{"a.pem", "encrypted.key"}: "the key is encrypted, want one without a password",
		{"none.pem", "a.key"}:      "no such file",
		{"old.pem", "old.key"}:     "valid from 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z, and no client that checks it accepts it now",
		{"early.pem", "early.key"}: "no client that checks it accepts it now",
	} {
		certificate, key := filepath.Join(c.dir, files[0]), filepath.Join(c.dir, files[1])
		_, err := TLS{Certificate: certificate, Key: key}.load(time.Now())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "tls: tls:")) {
			t.Errorf("%v: %v, want %q", files, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), certificate) && !strings.Contains(err.Error(), key) {
			t.Errorf("%v: no file is named: %v", files, err)
		}
	}
}

// TestReadyWithTLS: a gateway whose certificate cannot serve does not say that it listens.
func TestReadyWithTLS(t *testing.T) {
	c := newCertificates(t)
	c.make(t, "old", func(x *x509.Certificate) { x.NotBefore, x.NotAfter = time.Unix(0, 0), time.Unix(1, 0) })
	w := newWorld(t, func(o *Options) {
		o.Config.Listen = "127.0.0.1:0"
		o.Config.TLS = TLS{Certificate: filepath.Join(c.dir, "old.pem"), Key: filepath.Join(c.dir, "old.key")}
	})
	err := w.gateway.Run(t.Context(), func(r Ready) error { return fmt.Errorf("listens on %s", r) })
	if err == nil || !strings.Contains(err.Error(), "no client that checks it accepts it now") {
		t.Errorf("got %v", err)
	}
}

// TestRefusedBodyIsRead: in HTTP/2, too, the body of a refused call is read, so that its stream is not reset: clients such as curl
// and httpx lose the answer with it. Of a client that is not known, little is read.
func TestRefusedBodyIsRead(t *testing.T) {
	c := newCertificates(t)
	c.make(t, "server", func(x *x509.Certificate) { x.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	w := newWorld(t, func(o *Options) {
		o.Config.TLS = TLS{Certificate: filepath.Join(c.dir, "server.pem"), Key: filepath.Join(c.dir, "server.key")}
		o.Config.Clients = []Client{{Name: "ci", TokenSHA256: digest([]byte("t"))}}
	})
	l := w.serve(t, "127.0.0.1:0")
	roots := x509.NewCertPool()
	roots.AddCert(c.ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	for _, size := range []int64{limits.GatewayDrainUnknown, 8 << 20} { // the second does not fit into buffers
		body := &countedBody{Reader: io.LimitReader(zeros{}, size)}
		r, _ := http.NewRequest("POST", "https://"+l.Addr().String()+"/v1/unknown", body)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.ProtoMajor != 2 || res.StatusCode < 400 || len(answer) == 0 || (body.n.Load() == size) != (size == limits.GatewayDrainUnknown) {
			t.Errorf("%s %s %q, %v, %d bytes of %d were read", res.Proto, res.Status, answer, err, body.n.Load(), size)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type countedBody struct {
	io.Reader
	n atomic.Int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func ptr[T any](v T) *T { return &v }

// TestStop: a call in flight ends before the gateway does.
func TestStop(t *testing.T) {
	w := newWorld(t, nil)
	begun := make(chan bool)
	wait, goOn := w.barrier()
	w.handler = func(rw http.ResponseWriter, _ *http.Request) {
		close(begun)
		wait()
		io.WriteString(rw, "whole")
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.gateway.Serve(ctx, l) }()
	answer := make(chan string, 1)
	go func() {
		res, err := http.Post("http://"+l.Addr().String()+"/v1/chat/completions", "application/json", strings.NewReader(chat))
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	<-begun
	stop()
	select {
	case err := <-served:
		t.Fatalf("the gateway has ended before the call: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	goOn()
	if got := <-answer; got != "whole" {
		t.Errorf("the client got %q", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestConnections: of more connections than configured the last wait, and are served when another is closed.
func TestConnections(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Config.Limits.Connections = 1 })
	l := w.serve(t, "127.0.0.1:0")
	first, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("HEAD / HTTP/1.1\r\nHost: %s\r\n\r\n", l.Addr())
	io.WriteString(first, head)
	if res, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || res.StatusCode != 200 {
		t.Fatal(res, err)
	}
	second, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	io.WriteString(second, head)
	_ = second.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := second.Read(make([]byte, 1)); err == nil {
		t.Fatal("the second was served beside the first", n)
	}
	first.Close()
	_ = second.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := second.Read(make([]byte, 1)); err != nil {
		t.Error(n, err)
	}
}
