package main

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// registry serves the npm packages of a release on a loopback address, and counts who asks for other names.
func registry(t *testing.T, dir string, r release) (url string) {
	t.Helper()
	type pack struct {
		manifest map[string]any
		data     []byte
	}
	packs := map[string]pack{}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: no npm packages: %v", dir, err)
	}
	for _, name := range found {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files, err := unpackTarIn(npmFolder, data)
		if err != nil {
			t.Fatal(err)
		}
		p := pack{data: data}
		if err := json.Unmarshal(files["package.json"], &p.manifest); err != nil {
			t.Fatal(err)
		}
		packs[p.manifest["name"].(string)] = p
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := strings.TrimPrefix(req.URL.Path, "/")
		if p, ok := packs[strings.TrimPrefix(path.Dir(req.URL.Path), "/tarball/")]; ok {
			_, _ = w.Write(p.data)
			return
		}
		p, ok := packs[name]
		if !ok {
			http.NotFound(w, req)
			return
		}
		sum := sha512.Sum512(p.data)
		p.manifest["dist"] = map[string]string{
			"tarball":   "http://" + req.Host + "/tarball/" + name + "/x.tgz",
			"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"name": name, "dist-tags": map[string]string{"latest": r.bare()}, "versions": map[string]any{r.bare(): p.manifest},
		})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestNPM installs by name, from a registry: with npm, npx and pnpm, and where the program's package is left out.
func TestNPM(t *testing.T) {
	dir, r := dist(t)
	url := registry(t, dir, r)
	room := func(t *testing.T) *room {
		return newRoom(t, dir, "npm_config_registry="+url, "npm_config_yes=true")
	}
	version := "runattest " + r.tag
	t.Run("npm, global", func(t *testing.T) {
		room := room(t)
		writeFile(t, filepath.Join(room.dir, "run.json"), declaration)
		room.want(t, `npm install -g runattest && runattest keygen --no-password && runattest sign --key runattest.key run.json &&
runattest verify --key runattest.pub run.json.sigstore.json`, "airun:1:sha256:", "run.json.sigstore.json: verified")
		room.want(t, `runattest verify --key runattest.pub run.json || test $? = 2 && echo passed on`, "passed on")
	})
	t.Run("npx", func(t *testing.T) { room(t).want(t, "npx --yes runattest version", version) })
	t.Run("a project, and a module", func(t *testing.T) {
		room(t).want(t, `npm init -y >/dev/null && npm install runattest && npx --no runattest version
echo 'import { binaryPath } from "runattest"; console.log(binaryPath())' > x.mjs && "$(node x.mjs)" version && ! ls node_modules/@runattest/win32-x64`, version)
	})
	t.Run("pnpm", func(t *testing.T) {
		room(t).want(t, `npm init -y >/dev/null && pnpm add runattest && pnpm exec runattest version && node -e 'console.log(require("runattest").binaryPath())'`,
			version, "/bin/runattest\n")
	})
	const absent = "the package @runattest/linux-x64, which has the program for this system, is not installed"
	t.Run("without optional packages", func(t *testing.T) {
		room := room(t)
		room.want(t, `npm init -y >/dev/null && npm install --omit=optional runattest && { npx --no runattest version || test $? = 3; }`, absent, "hint: install without --omit=optional")
		room.want(t, `npm install && npx --no runattest version || { rm -r node_modules package-lock.json && npm install && npx --no runattest version; }`, version)
	})
	t.Run("the lock file of another system", func(t *testing.T) {
		room := room(t)
		room.want(t, `npm init -y >/dev/null && npm install runattest
node -e 'const fs = require("fs"), lock = JSON.parse(fs.readFileSync("package-lock.json"));
delete lock.packages["node_modules/@runattest/linux-x64"]; delete lock.packages["node_modules/runattest"].optionalDependencies;
fs.writeFileSync("package-lock.json", JSON.stringify(lock))'
npm ci && { npx --no runattest version || test $? = 3; }`, absent, "remove it and node_modules, and install again")
		room.want(t, "rm -r package-lock.json node_modules && npm install && npx --no runattest version", version)
	})
	t.Run("an installed launcher that is terminated", func(t *testing.T) {
		// The shell can open the FIFO for writing once the program reads from it.
		room(t).want(t, `npm install -g runattest && mkfifo in && { runattest canonicalize in & } && exec 3>in && kill -TERM $! && { wait $! || echo status $?; }`,
			"runattest: interrupted", "status 3")
	})
}
