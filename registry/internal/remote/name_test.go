package remote

import "testing"

// TestThisMachine: a registry on this machine, by whichever of its names, is asked in plain HTTP where nothing else is wanted.
func TestThisMachine(t *testing.T) {
	for name, want := range map[string]bool{
		"localhost:1": true, "LocalHost:1": true, "127.0.0.1:1": true, "127.8.9.10:1": true, "[::1]:1": true, "LOCALHOST": true,
		"localhost.evil.test:1": false, "127.0.0.1.evil.test:1": false, "notlocalhost:1": false, "[::2]:1": false, "128.0.0.1:1": false,
	} {
		if got := (Name{name, "app"}).isPlain(Options{}); got != want {
			t.Errorf("%s is asked in plain HTTP: %v", name, got)
		}
	}
}
