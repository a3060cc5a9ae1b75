package gateway

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckAddress: an address that Check refuses is one that Listen refuses, and nothing is made or bound to find out.
func TestCheckAddress(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 120)
	for address, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:8787": true, "[::1]:8787": true, "127.0.0.1:http": true, "127.0.0.1:": true, "gateway_1:80": true,
		"gateway.acme.example.:80": true, "fd://3": true, "unix:" + dir + "/s": true, "[::1%lo]:80": true,
		"": false, "127.0.0.1": false, "127.0.0.1:99999": false, "127.0.0.1:-1": false, "127.0.0.1:eight": false, ":::80": false,
		"300.1.1.1:80": false, "127.1:80": false, "bad host:80": false, "[::g]:80": false, "[]]:80": false, "a..b:80": false, "http://127.0.0.1:80": false,
		"127.0.0.1:80/path": false, "-a:80": false, "fd://2": false, "fd://x": false, "fd://": false,
		"unix:": false, "unix:" + dir: false, "unix:" + dir + "/file": false, "unix:" + dir + "/file/s": false, "unix:" + dir + "/gone/s": false,
		"unix:" + dir + "/" + long: false,
	} {
		for _, operations := range []bool{false, true} {
			w := newWorld(t, func(o *Options) {
				o.Config.Listen = address
				if operations {
					o.Config.Listen, o.Config.Operations = "127.0.0.1:1", address
				}
			})
			err := w.gateway.Check()
			var failed *AddressError
			if address == "" { // the default, or none
				if err != nil {
					t.Error(err)
				}
			} else if (err == nil) != ok || err != nil && (!errors.As(err, &failed) || failed.Operations != operations) {
				t.Errorf("%q, operations %v: %v", address, operations, err)
			}
		}
		if ok {
			continue
		}
		if l, err := Listen(address); err == nil {
			l.Close()
			t.Errorf("%q: Listen takes it", address)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestCheckClients: an address that is not a local one needs clients, and calls and operations have an address each.
func TestCheckClients(t *testing.T) {
	for address, want := range map[string]error{
		"0.0.0.0:80": ErrNoClients, ":80": ErrNoClients, "[::]:80": ErrNoClients, "192.0.2.1:80": ErrNoClients, "127.0.0.2:80": nil, "[::ffff:127.0.0.1]:80": nil,
		"acme.example:80": nil, // which is not looked up
	} {
		for _, all := range []bool{false, true} {
			w := newWorld(t, func(o *Options) { o.Config.Listen, o.Config.InsecureAnyClient = address, all })
			if err := w.gateway.Check(); !all && !errors.Is(err, want) || all && err != nil {
				t.Errorf("%s, all %v: %v", address, all, err)
			}
		}
	}
	same := newWorld(t, func(o *Options) { o.Config.Listen, o.Config.Operations = "127.0.0.1:80", "127.0.0.1:80" })
	if err := same.gateway.Check(); err == nil {
		t.Error("one address twice")
	}
	free := newWorld(t, func(o *Options) { o.Config.Listen, o.Config.Operations = "127.0.0.1:0", "127.0.0.1:0" })
	if err := free.gateway.Check(); err != nil {
		t.Error(err)
	}
	secure := newWorld(t, func(o *Options) { o.Config.TLS = TLS{Certificate: "gone.pem", Key: "gone.key"} })
	if err := secure.gateway.Check(); err == nil {
		t.Error("a certificate that is not there")
	}
}
