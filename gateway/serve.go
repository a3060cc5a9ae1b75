package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/certfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
)

// ErrNoClients says that a gateway without a list of clients was to serve others than the users of this machine.
var ErrNoClients = errors.New("the address is not a local one, and no clients are configured")

// Listen opens an address: HOST:PORT (port 0 is a free one), unix:PATH (which the user of this process alone can connect to) or
// fd://N, a listening socket that the process was started with.
func Listen(address string) (net.Listener, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return listenUnix(path)
	}
	if strings.HasPrefix(address, "fd://") {
		n, err := descriptorOf(address)
		if err != nil {
			return nil, err
		}
		file := os.NewFile(uintptr(n), address)
		defer file.Close()
		l, err := net.FileListener(file)
		if err != nil {
			return nil, fmt.Errorf("%s: not a listening socket: %w", address, err)
		}
		return l, nil
	}
	return net.Listen("tcp", address)
}

// listenUnix makes a socket in a private folder, and moves it to its place when its mode is set.
func listenUnix(path string) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("%s: another process listens there", path)
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), hiddenFolder)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	hidden := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	var made os.FileInfo
	if err = os.Chmod(hidden, 0o600); err == nil {
		made, err = os.Lstat(hidden)
	}
	if err == nil {
		err = os.Rename(hidden, path)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return &unixListener{UnixListener: l, path: path, made: made}, nil
}

// hiddenFolder begins the name of a folder in which a socket is made.
const hiddenFolder = ".s"

// unixListener takes its socket away when it is closed, and nothing that has come in its place: another process may listen there.
type unixListener struct {
	*net.UnixListener
	path string
	made os.FileInfo
	once sync.Once
}

func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	l.once.Do(func() { // while it is open, no other file has its number
		if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.made) {
			_ = os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}

// CheckListener tells whether Serve would refuse a listener: ErrNoClients or ErrOwnUpstream.
func (g *Gateway) CheckListener(l net.Listener) error {
	switch {
	case g == nil || g.issuer == nil || l == nil:
		return errZero
	case !isLocal(l.Addr()) && g.isClientless():
		return fmt.Errorf("%s: %w", l.Addr(), ErrNoClients)
	case l.Addr().Network() == "tcp":
		return g.config.checkLoop(l.Addr().String())
	}
	return nil
}

// isClientless says that there is no list of clients, where one is required on an address that is not a local one.
func (g *Gateway) isClientless() bool {
	return len(g.config.Clients) == 0 && !g.config.InsecureAnyClient
}

// Serve answers calls until ctx ends, and then for at most 30 seconds those that have begun. It does not close the journal. An
// address that is not a local one needs clients: ErrNoClients. It forwards no call to its own address.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	if err := g.CheckListener(l); err != nil {
		return err
	}
	config, err := g.config.TLS.load(g.clock())
	if err != nil {
		return err
	}
	return g.serve(ctx, l, config)
}

// serve is Serve on a listener that was checked; config is nil for plain HTTP.
func (g *Gateway) serve(ctx context.Context, l net.Listener, config *tls.Config) error {
	g.serves(l.Addr())
	server := &http.Server{
		Handler: g, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: limits.GatewayIdleSeconds * time.Second, MaxHeaderBytes: limits.GatewayHeader, TLSConfig: config,
		ErrorLog: log.New(io.Discard, "", 0), // whose lines would hold what clients send
	}
	limited := &limitedListener{Listener: l, free: make(chan struct{}, g.config.Limits.Connections)}
	served := make(chan error, 1)
	go func() {
		if config != nil {
			served <- server.ServeTLS(limited, "", "")
		} else {
			served <- server.Serve(limited)
		}
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	g.stopping.Store(true)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), limits.GatewayStopSeconds*time.Second)
	defer cancel()
	if err := server.Shutdown(end); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("calls were still under way after %d seconds, and were cut off", limits.GatewayStopSeconds)
		}
		return errors.Join(err, server.Close())
	}
	return nil
}

// load is nil for plain HTTP.
func (t TLS) load(now time.Time) (*tls.Config, error) {
	if t.Certificate == "" {
		return nil, nil
	}
	pair, err := t.pair()
	if err == nil {
		err = t.checkTime(pair.Certificate[0], now)
	}
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if t.ClientCA != "" {
		text, err := boundedfile.Read(t.ClientCA, limits.CertificateChain)
		if err != nil {
			return nil, fmt.Errorf("tls: %w", err)
		}
		if c.ClientCAs, err = certfile.Pool(text, signer.CheckKey); err != nil {
			return nil, fmt.Errorf("tls: %s: %w", t.ClientCA, err)
		}
		c.ClientAuth, c.VerifyConnection = tls.VerifyClientCertIfGiven, certfile.KeysOf(signer.CheckKey)
	}
	return c, nil
}

// checkTime refuses the gateway's certificate, DER, outside its validity: each client would.
func (t TLS) checkTime(der []byte, now time.Time) error {
	c, err := x509.ParseCertificate(der)
	if err == nil && (now.Before(c.NotBefore) || now.After(c.NotAfter)) {
		err = fmt.Errorf("%s: the certificate is valid from %s to %s, and no client that checks it accepts it now",
			t.Certificate, visible.Time(c.NotBefore), visible.Time(c.NotAfter))
	}
	return err
}

// pair is the gateway's certificate with its chain, and the key to it.
func (t TLS) pair() (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	if err == nil || errors.As(err, new(*fs.PathError)) {
		return pair, err
	}
	if key, wrong := boundedfile.Read(t.Key, limits.Key); wrong == nil && bytes.Contains(key, []byte("ENCRYPTED")) {
		return pair, fmt.Errorf("%s: the key is encrypted, want one without a password: openssl pkey -in %[1]s -out NEW writes one", t.Key)
	}
	why := strings.TrimPrefix(err.Error(), "tls: ")
	if strings.Contains(why, "does not match") {
		why += "; of several certificates the gateway's comes first"
	}
	return pair, fmt.Errorf("certificate %s, key %s: %s", t.Certificate, t.Key, why)
}

// limitedListener bounds how many connections are open at once: others wait to be accepted.
type limitedListener struct {
	net.Listener
	free chan struct{}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	l.free <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &limitedConn{Conn: c, free: l.free}, nil
}

type limitedConn struct {
	net.Conn
	free chan struct{}
	once sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.free })
	return err
}
