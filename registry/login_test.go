package registry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/registry"
)

// Where credentials are found, and where they never go.

// noLogins points every place where credentials are looked for at folders of the test, and gives a function that
// writes a file there with the credentials of a user for a registry.
func noLogins(t *testing.T) (places map[string]string, write func(place, key, user string)) {
	t.Helper()
	home, run := t.TempDir(), t.TempDir()
	for name, value := range map[string]string{"HOME": home, "XDG_RUNTIME_DIR": run, "XDG_CONFIG_HOME": "", "DOCKER_CONFIG": "", "REGISTRY_AUTH_FILE": ""} {
		t.Setenv(name, value)
	}
	places = map[string]string{
		"run":    filepath.Join(run, "containers", "auth.json"),
		"config": filepath.Join(home, ".config", "containers", "auth.json"),
		"docker": filepath.Join(home, ".docker", "config.json"),
		"named":  filepath.Join(home, "named.json"),
	}
	return places, func(place, key, user string) {
		path := places[place]
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		auth := base64.StdEncoding.EncodeToString([]byte(user + ":secret"))
		writeFile(t, path, fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, key, auth))
	}
}

// whoAsks is the user whose credentials a registry is sent.
func whoAsks(t *testing.T, s *server) string {
	t.Helper()
	user := "anonymous"
	s.spoil(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		if name, password, ok := r.BasicAuth(); ok && password == "secret" {
			user = name
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	if _, err := open(t, s.host+"/acme/app:v1").Resolve(context.Background()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	return user
}

// The files are asked in Podman's order.
func TestCredentialFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("XDG_RUNTIME_DIR is Linux's")
	}
	s := newServer(t, true)
	places, write := noLogins(t)
	if got := whoAsks(t, s); got != "anonymous" {
		t.Errorf("%s", got)
	}
	for _, place := range []string{"docker", "config", "run"} { // each goes before the one before
		write(place, s.host, place)
		if got := whoAsks(t, s); got != place {
			t.Errorf("with %s: %s", place, got)
		}
	}
	write("run", "another.test", "run") // which has none for this registry
	if got := whoAsks(t, s); got != "config" {
		t.Errorf("without run: %s", got)
	}
	t.Setenv("DOCKER_CONFIG", filepath.Dir(places["docker"]))
	if got := whoAsks(t, s); got != "docker" {
		t.Errorf("DOCKER_CONFIG alone: %s", got)
	}
	write("named", s.host, "named")
	t.Setenv("REGISTRY_AUTH_FILE", places["named"])
	if got := whoAsks(t, s); got != "named" {
		t.Errorf("REGISTRY_AUTH_FILE alone: %s", got)
	}
	write("named", "another.test", "named")
	if got := whoAsks(t, s); got != "anonymous" {
		t.Errorf("REGISTRY_AUTH_FILE has none: %s", got)
	}
}

// TestLoginHints: where credentials are refused, the hint is the command that writes the file that they are from.
func TestLoginHints(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("XDG_RUNTIME_DIR is Linux's")
	}
	s := newServer(t, true)
	s.spoil(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	hintOf := func() string {
		t.Helper()
		_, err := open(t, s.host+"/acme/app:v1").Resolve(t.Context())
		failed, ok := errors.AsType[*registry.Error](err)
		if !ok {
			t.Fatal(err)
		}
		return string(failed.Hint)
	}
	places, write := noLogins(t)
	hints := func(name, want, other string) {
		t.Helper()
		if got := hintOf(); !strings.Contains(got, want) || other != "" && strings.Contains(got, other) {
			t.Errorf("%s: %s; want %s", name, got, want)
		}
	}
	hints("none", "docker login "+s.host+", or podman login", "")
	write("docker", s.host, "x")
	hints("docker", "docker login "+s.host+", or oras login", "podman")
	write("docker", s.host+"/acme", "x")
	hints("docker, a namespace", fmt.Sprintf("the entry %q is removed from %s", s.host+"/acme", places["docker"]), "podman")
	write("config", s.host, "x")
	hints("config", "REGISTRY_AUTH_FILE="+places["config"]+" podman login "+s.host+",", "docker login")
	write("run", s.host+"/acme/app", "x")
	hints("run, a repository", "REGISTRY_AUTH_FILE="+places["run"]+" podman login "+s.host+"/acme/app,", "docker login")
	t.Setenv("DOCKER_CONFIG", filepath.Dir(places["docker"]))
	write("docker", s.host, "x")
	hints("DOCKER_CONFIG", "docker login "+s.host+", or oras login", "podman")
	write("docker", "another.test", "x")
	hints("DOCKER_CONFIG without", "docker login "+s.host, "podman")
	write("named", s.host+"/acme", "x")
	t.Setenv("REGISTRY_AUTH_FILE", places["named"])
	hints("named", "podman login "+s.host+"/acme, which writes the file that REGISTRY_AUTH_FILE names", "docker login")
	// A folder in place of the file.
	t.Setenv("REGISTRY_AUTH_FILE", filepath.Dir(places["run"]))
	hints("a folder with one", "set REGISTRY_AUTH_FILE to "+places["run"], "")
	t.Setenv("REGISTRY_AUTH_FILE", t.TempDir())
	hints("a folder without", "set REGISTRY_AUTH_FILE to a file, or unset it", "")
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("DOCKER_CONFIG", filepath.Dir(filepath.Dir(places["run"])))
	if err := os.Mkdir(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), 0o700); err != nil { // as a mount of a file that is not there makes it
		t.Fatal(err)
	}
	hints("a folder where Docker's file is", "remove the folder", "")
}

// Keys are registries, namespaces of one, or URLs; what is for another registry or namespace stays here.
func TestCredentialKeys(t *testing.T) {
	s := newServer(t, true)
	_, write := noLogins(t)
	_, port, _ := strings.Cut(s.host, ":")
	for key, want := range map[string]string{
		s.host:                       "alice",
		"http://" + s.host + "/":     "alice",
		"https://" + s.host + "/v1/": "alice",
		s.host + "/v2":               "alice",
		s.host + "/acme":             "alice",
		s.host + "/acme/app":         "alice",
		s.host + "/acme/ap":          "anonymous",
		s.host + "/other":            "anonymous",
		"127.0.0.1":                  "anonymous",
		"localhost:" + port:          "anonymous",
		s.host + ".evil.test":        "anonymous",
		"docker.io":                  "anonymous",
	} {
		write("docker", key, "alice")
		if got := whoAsks(t, s); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

// helperScript puts a credential helper on PATH, and in Docker's configuration.
func helperScript(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a shell script")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-ours"), []byte("#!/bin/sh\n"+script), 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	writeFile(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(`{"credsStore":"ours"}`))
}

// A helper that does not do what it should is named, and holds nothing up.
func TestCredentialHelpers(t *testing.T) {
	for name, r := range map[string]struct{ script, want string }{
		"hangs":            {"sleep 60", "and it was killed"},
		"child hangs":      {"sleep 60 & wait", "and it was killed"},
		"child keeps pipe": {"sleep 60 &\nexit 1", ""},
		"leaves a child":   {`sleep 60 & echo '{"Username":"alice","Secret":"wrong"}'`, `user "alice"`},
		"ignores signals":  {"trap '' TERM INT HUP; sleep 60; sleep 60", "and it was killed"},
		"talks on":         {"yes", "an answer of more than 65536 bytes"},
		"talks of errors":  {"yes >&2 & sleep 0.2; exit 1", ""},
		"fails":            {"echo the keychain is locked; exit 1", "the keychain is locked"},
		"fails on stderr":  {"echo the keychain is locked >&2; exit 1", "the keychain is locked"},
		"no JSON":          {"echo secret", "is not JSON"},
		"has none":         {"echo credentials not found in native keychain; exit 1", "which has no credentials for"},
		"leaks":            {`echo '{"Username":"alice","Secret":"secret"}'; exit 1`, "it failed"},
		"works":            {`echo '{"Username":"alice","Secret":"wrong"}'`, `user "alice"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, true)
			helperScript(t, r.script)
			s.spoil(func(w http.ResponseWriter, q *http.Request, _ http.Handler) { wantsLogin(w, q) })
			timeout := time.Second
			if name == "leaves a child" { // which is waited for that long
				timeout = 10 * time.Second
			}
			target, err := registry.Open(parse(t, s.host+"/app:v1"), registry.Options{Timeout: timeout})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			_, err = target.Resolve(context.Background())
			var failed *registry.Error
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), r.want) || r.want != "which has no credentials for" && !strings.Contains(err.Error(), "docker-credential-ours") {
				t.Errorf("%v; want %q and the helper's name", err, r.want)
			}
			if took := time.Since(start); took > 20*time.Second || strings.Contains(err.Error(), "secret") || len(err.Error()) > 3000 {
				t.Errorf("after %s: %v", took, err)
			}
		})
	}
}

// The credentials of one registry are not given to another that asks for them.
func TestCredentialsStay(t *testing.T) {
	s := newServer(t, true)
	login(t, s.host)
	other := newStranger(t, func(w http.ResponseWriter, r *http.Request) { wantsLogin(w, r) })
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		},
		"by another name": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+r.URL.Path, http.StatusFound)
		},
	} {
		s.spoil(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			if !wantsLogin(w, r) {
				answer(w, r)
			}
		})
		if _, err := open(t, s.host+"/app:v1").Resolve(context.Background()); err == nil || len(other.told) > 0 {
			t.Errorf("%s: %v, the other was told %v", name, err, other.told)
		}
	}
}
