package services

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startGood serves "good answer" below /path.
func startGood(t *testing.T) (url string) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /path/thing", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "good answer") })
	good, err := serve(mux)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(good.Stop)
	return good.URL + "/path"
}

func startFaulty(t *testing.T, fault Fault) *Front {
	f, err := Faulty(startGood(t), fault)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	return f
}

func TestUnavailable(t *testing.T) {
	f := startFaulty(t, Unavailable(2))
	for range 2 {
		if _, err := get(t.Context(), f.URL+"/thing"); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("error %v, want 503", err)
		}
	}
	if body, err := get(t.Context(), f.URL+"/thing"); err != nil || string(body) != "good answer" {
		t.Errorf("%q, %v, want the good answer", body, err)
	}
	if f.Requests() != 3 {
		t.Errorf("%d requests, want 3", f.Requests())
	}
}

func TestHTML(t *testing.T) {
	body, err := get(t.Context(), startFaulty(t, HTML).URL+"/thing")
	if err != nil || !strings.HasPrefix(string(body), "<!DOCTYPE html>") {
		t.Errorf("%q, %v, want a page", body, err)
	}
}

func TestCut(t *testing.T) {
	body, err := get(t.Context(), startFaulty(t, Cut).URL+"/thing")
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != "good " {
		t.Errorf("%q, %v, want half of it", body, err)
	}
}

func TestSlow(t *testing.T) {
	f := startFaulty(t, Slow(200*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := get(ctx, f.URL+"/thing"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
	if body, err := get(t.Context(), f.URL+"/thing"); err != nil || string(body) != "good answer" {
		t.Errorf("%q, %v, want the good answer", body, err)
	}
}

func TestDown(t *testing.T) {
	url, err := Down(startGood(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t.Context(), url+"/thing"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v, want connection refused", err)
	}
}
