package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// buildFlags are those with which everyone gets the same bytes. The tag leaves gRPC's tracing pages out, whose templates would have
// the linker keep every exported method of every type: a sixth of the program.
var buildFlags = []string{"-trimpath", "-tags=" + buildTag, "-ldflags=-s -w"}

const buildTag = "grpcnotrace"

// workshop is a folder with an environment in which programs are built: GOPATH and module cache of its own.
type workshop struct {
	dir   string
	proxy *moduleProxy
	// download is where the other modules come from, as GOPROXY has it.
	download string
	tools    *toolbox // has what compiles C, for the programs that need it
	cache    string   // of compiled packages
	goroot   string
}

// temp makes a folder that goes away with the workshop.
func (w *workshop) temp(name string) (string, error) { return os.MkdirTemp(w.dir, name+"-") }

// newWorkshop makes a workshop in the new folder dir. Other modules come from this machine's module cache, and else from the
// proxies of the Go command's environment; both are checked against the checksum database. With fresh the build cache is empty,
// else it is this machine's.
func newWorkshop(dir string, proxy *moduleProxy, tools *toolbox, fresh bool) (*workshop, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOPROXY", "GOCACHE", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(values) != 4 {
		return nil, fmt.Errorf("go env: %q: want four values", out)
	}
	download := "file://" + filepath.ToSlash(filepath.Join(values[0], "cache", "download")) + "," + values[1]
	w := &workshop{dir: dir, proxy: proxy, download: download, tools: tools, cache: values[2], goroot: values[3]}
	if fresh {
		w.cache = filepath.Join(dir, "cache")
	}
	return w, nil
}

// environ is all that a build sees of the environment.
func (w *workshop) environ(t target) []string {
	env := []string{
		"HOME=" + w.dir, "GOPATH=" + filepath.Join(w.dir, "go"), "GOCACHE=" + w.cache, "GOENV=off",
		"GOPROXY=" + w.proxy.url + "," + w.download, "GONOSUMDB=" + modulePath, "GOTOOLCHAIN=local", "GOWORK=off",
		"CGO_ENABLED=0", "GOOS=" + t.os, "GOARCH=" + t.arch,
	}
	for _, name := range []string{"PATH", "TMPDIR", "SystemRoot", "GOSUMDB", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// program is a program as it was built.
type program struct {
	target
	name string
	path string
	info *buildinfo.BuildInfo
}

// build builds the programs of a component for a target, and holds their build information against the release.
func (w *workshop) build(ctx context.Context, r release, t target, c *component) ([]*program, error) {
	args := append([]string{"install"}, c.flags()...)
	for _, name := range c.programs {
		args = append(args, c.module+"/cmd/"+name+"@"+r.tag)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env, cmd.Dir = w.environ(t), w.dir
	if c.cgo {
		compiler, err := w.tools.compiler(ctx)
		if err != nil {
			return nil, err
		}
		cmd.Env = append(cmd.Env, compiler.environ(t)...)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build for %s: %w\n%s", t, err, out)
	}
	folder := filepath.Join(w.dir, "go", "bin")
	if t != hostTarget() {
		folder = filepath.Join(folder, t.os+"_"+t.arch)
	}
	var all []*program
	for _, name := range c.programs {
		p := &program{target: t, name: name, path: filepath.Join(folder, t.file(name))}
		data, err := os.ReadFile(p.path)
		if err != nil {
			return nil, err
		}
		if p.info, err = c.checkProgram(name, data, r, t, w.proxy.sums[c.module]); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func hostTarget() target { return target{runtime.GOOS, runtime.GOARCH} }

// checkProgram refuses a program that is not the release's for this target; sum is that of its module. It returns what the
// program says of how it was built.
func (c *component) checkProgram(name string, data []byte, r release, t target, sum string) (*buildinfo.BuildInfo, error) {
	info, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.file(name), err)
	}
	var wrong []string
	want := func(what, got, want string) {
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", what, got, want))
		}
	}
	want("program", info.Path, c.module+"/cmd/"+name)
	want("module", info.Main.Path, c.module)
	want("version", info.Main.Version, r.tag)
	want("module sum", info.Main.Sum, sum)
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	want("GOOS", settings["GOOS"], t.os)
	want("GOARCH", settings["GOARCH"], t.arch)
	want("CGO_ENABLED", settings["CGO_ENABLED"], map[bool]string{false: "0", true: "1"}[c.cgo])
	want("-trimpath", settings["-trimpath"], "true")
	want("-tags", settings["-tags"], buildTag)
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s for %s: %s", name, t, strings.Join(wrong, "; "))
	}
	if c.cgo {
		err = checkLibraries(data, t)
	}
	if err != nil {
		return nil, fmt.Errorf("%s for %s: %w", name, t, err)
	}
	return info, nil
}

// module is the folder of a module that was built in.
func (w *workshop) module(path, version string) (string, error) {
	escaped, err := escape(path, version)
	return filepath.Join(w.dir, "go", "pkg", "mod", filepath.FromSlash(escaped)), err
}

// remove removes the workshop; modules in a cache are read-only.
func (w *workshop) remove() error {
	cmd := exec.Command("go", "clean", "-modcache")
	cmd.Env = w.environ(hostTarget())
	return errors.Join(cmd.Run(), os.RemoveAll(w.dir))
}
