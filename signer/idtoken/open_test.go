package idtoken

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

func TestOpenBrowser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("pages are opened by another program here")
	}
	dir := t.TempDir()
	opened := filepath.Join(dir, "opened")
	t.Setenv("PATH", dir)
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} {
		t.Setenv(name, "")
	}
	const page = "https://issuer.example/?a=b&c=$(d)"
	wantError(t, openBrowser(page), "no display")
	t.Setenv("DISPLAY", ":0")
	wantError(t, openBrowser(page), "xdg-open")
	script := "#!/bin/sh\nprintf '%s' \"$1\" >'" + opened + ".part'\n/bin/mv '" + opened + ".part' '" + opened + "'\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := openBrowser(page); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(opened); err == nil {
			if string(data) != page {
				t.Errorf("opened %q, want %q", data, page)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal("no page was opened")
		}
	}
}
