package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/runattest/runattest/internal/atomicfile"
)

// Check says why Run would fail, as far as that is known without opening, making or asking for anything. It does not know whether
// an address is this machine's and free, what a host's name resolves to, and which sockets the process is going to be started with.
func (g *Gateway) Check() error {
	if g == nil || g.issuer == nil {
		return errZero
	}
	if err := g.checkJournal(); err != nil {
		return err
	}
	if err := checkAddress(g.config.Listen); err != nil {
		return &AddressError{Err: err}
	}
	if g.config.Operations != "" {
		if err := checkAddress(g.config.Operations); err != nil {
			return &AddressError{Operations: true, Err: err}
		}
		if g.config.Operations == g.config.Listen && !strings.HasSuffix(g.config.Listen, ":0") {
			return &AddressError{Operations: true, Err: fmt.Errorf("%s: is the address of the calls, too: want another", g.config.Operations)}
		}
	}
	if err := g.config.checkLoop(g.config.Operations); err != nil {
		return &AddressError{Operations: true, Err: err}
	}
	if err := cmp.Or(g.config.checkLoop(g.config.Listen), g.checkClientless()); err != nil {
		return &AddressError{Err: err}
	}
	_, err := g.config.TLS.load(g.clock())
	return err
}

// checkClientless is CheckListener where the address is known before it is opened.
func (g *Gateway) checkClientless() error {
	host, _, err := net.SplitHostPort(g.config.Listen)
	if err != nil || strings.HasPrefix(g.config.Listen, "unix:") {
		return nil
	}
	ip, err := netip.ParseAddr(host)
	if host != "" && err != nil { // a name
		return nil
	}
	if !ip.Unmap().IsLoopback() && g.isClientless() {
		return fmt.Errorf("%s: %w", g.config.Listen, ErrNoClients)
	}
	return nil
}

// checkAddress says why Listen would refuse an address.
func checkAddress(address string) error {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return checkSocket(path)
	}
	if _, ok := strings.CutPrefix(address, "fd://"); ok {
		_, err := descriptorOf(address)
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return errAddress(address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q: port %q, want a number from 0 to 65535", address, port)
	}
	if _, err := netip.ParseAddr(host); err == nil || host == "" || isHostName(host) {
		return nil
	}
	return fmt.Errorf("%q: host %q is neither an IP address nor a host's name", address, host)
}

func errAddress(address string) error {
	return fmt.Errorf("%q: want HOST:PORT, unix:PATH or fd://N", address)
}

// descriptorOf is the N of fd://N.
func descriptorOf(address string) (int, error) {
	n, err := strconv.Atoi(strings.TrimPrefix(address, "fd://"))
	if err != nil || n < 3 {
		return 0, fmt.Errorf("%s: want fd://N with N from 3", address)
	}
	return n, nil
}

// isHostName tells names that can be looked up, with underscores as in container networks. Of digits and dots alone none can.
func isHostName(host string) bool {
	named := false
	for label := range strings.SplitSeq(strings.TrimSuffix(host, "."), ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for _, c := range label {
			switch letter := 'a' <= c|0x20 && c|0x20 <= 'z'; {
			case letter || c == '_' || c == '-':
				named = true
			case c < '0' || c > '9':
				return false
			}
		}
	}
	return named && len(host) <= 254
}

// checkSocket says why no socket can be made at a path: see listenUnix.
func checkSocket(path string) error {
	switch info, err := os.Lstat(path); {
	case path == "":
		return errors.New("unix: want unix:PATH")
	case err == nil && info.Mode().Type() != os.ModeSocket:
		return notSocket(path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return fmt.Errorf("%s: has %d bytes, and a socket's path has at most %d", path, len(path), most)
	} else if dir := filepath.Dir(path); len(filepath.Join(dir, hiddenFolder+"4294967295", "s")) > most {
		return fmt.Errorf("%s: its folder has %d bytes, want at most %d: the socket is made in a folder below it", path, len(dir), most-len("/.s4294967295/s"))
	}
	if info, err := os.Stat(filepath.Dir(path)); err == nil && !info.IsDir() {
		return fmt.Errorf("%s: %s is not a folder", path, filepath.Dir(path))
	}
	return atomicfile.CheckFolder(filepath.Join(filepath.Dir(path), ".s"))
}

func notSocket(path string) error { return fmt.Errorf("%s: exists and is not a socket", path) }
