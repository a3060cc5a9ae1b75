package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// TestStrayAnswer: what a server sends behind its answer is not printed.
func TestStrayAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, err = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}stray content")
		if err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, conn) // until the client closes it
		_ = conn.Close()
	}))
	defer server.Close()
	cmd := exec.Command("runattest", "list", strings.Replace(server.URL, "http", "oci", 1)+"/a/b:v1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no such tag") {
		t.Fatalf("%v: %s", err, out)
	}
	if strings.Contains(string(out), "stray") {
		t.Errorf("%s", out)
	}
}
