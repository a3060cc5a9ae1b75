//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	nameDirect = "direct"
	nameBare   = "`httputil.ReverseProxy`"
	nameOurs   = "**runattest gateway**"

	startTimeout = 2 * time.Minute
)

// A place is what a program is started with.
type place struct {
	installed string // where the peer is
	work      string // a folder of its own
	port      int
	upstream  string // http://127.0.0.1:PORT
	runattest string
}

// A peer is a program that forwards chat completions.
type peer struct {
	name   string
	folder string // below that of the peers; "" for what is not installed there
	start  func(place) (*exec.Cmd, error)
	path   string
	model  string
	header func(place) map[string]string
	says   string // the file to which it writes its URL, where it takes a port of its own
}

var peers = []peer{
	{name: "nginx, 2 workers", folder: "nginx", start: nginx},
	{name: nameBare, start: bare},
	{name: nameOurs, start: gateway("")},
	{name: nameOurs + ", ten rules", start: gateway(tenRules())},
	{name: "smg 1.13.0", folder: "smg", start: smg},
	{name: "TensorZero 2026.6.0", folder: "tensorzero", start: tensorZero, path: "/openai/v1/chat/completions", model: "tensorzero::model_name::bench", says: "url"},
	{name: "Portkey 1.15.2", folder: "portkey", start: portkey, header: portkeyHeader},
	{name: "LiteLLM 1.106.12, 1 worker", folder: "litellm", start: liteLLM},
	{name: "aegis-latent-core 5.0.2", folder: "aegis-latent-core", start: aegis},
}

// tenRules are those of BenchmarkCall in package gateway.
func tenRules() string {
	var b strings.Builder
	b.WriteString("schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: gateway, key: runattest.pub}]}\nrules:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "  - {name: rule%d, expr: 'declaration.model.name != \"%d\" && declaration.parameters.?seed.orValue(0) >= 0'}\n", i, i)
	}
	return b.String()
}

func gateway(policy string) func(place) (*exec.Cmd, error) {
	return func(p place) (*exec.Cmd, error) {
		keygen := exec.Command(p.runattest, "keygen", "--no-password", "--algorithm", "ed25519")
		keygen.Dir = p.work
		if said, err := keygen.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, said)
		}
		args := []string{"gateway", "--key", "runattest.key", "--journal", "journal", "--upstream", p.upstream, "--provider", "openai", "--listen", at(p.port)}
		if policy != "" {
			if err := write(p, "policy.yaml", policy); err != nil {
				return nil, err
			}
			args = append(args, "--policy", "policy.yaml")
		}
		return exec.Command(p.runattest, args...), nil
	}
}

func bare(p place) (*exec.Cmd, error) {
	self, err := os.Executable()
	return exec.Command(self, "-serve", "bare", "-port", fmt.Sprint(p.port), "-to", p.upstream), err
}

func nginx(p place) (*exec.Cmd, error) {
	if err := write(p, "nginx.conf", fmt.Sprintf(`daemon off;
worker_processes 2;
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_max_body_size 64m;
	client_body_buffer_size 1m;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	upstream model { server %s; keepalive 64; }
	server {
		listen 127.0.0.1:%d;
		keepalive_requests 1000000;
		location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
	}
}
`, strings.TrimPrefix(p.upstream, "http://"), p.port)); err != nil {
		return nil, err
	}
	return exec.Command(filepath.Join(p.installed, "usr", "sbin", "nginx"), "-p", p.work, "-c", filepath.Join(p.work, "nginx.conf"), "-e", "stderr"), nil
}

func smg(p place) (*exec.Cmd, error) {
	return exec.Command(filepath.Join(p.installed, "bin", "smg"), "launch", "--backend", "openai", "--worker-urls", p.upstream,
		"--host", "127.0.0.1", "--port", fmt.Sprint(p.port), "--log-level", "error"), nil
}

func tensorZero(p place) (*exec.Cmd, error) {
	config := fmt.Sprintf(`[gateway]
observability.enabled = false

[models.bench]
routing = ["standin"]

[models.bench.providers.standin]
type = "openai"
model_name = "gpt-4.1"
api_base = "%s/v1/"
api_key_location = "none"
`, p.upstream)
	if err := write(p, "tensorzero.toml", config); err != nil {
		return nil, err
	}
	script := `import os, sys, tensorzero
gateway = tensorzero._start_http_gateway(config_file="tensorzero.toml", clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
open("new", "w").write(gateway.base_url)
os.rename("new", "url")
sys.stdin.read()
`
	if err := write(p, "start.py", script); err != nil {
		return nil, err
	}
	return exec.Command(filepath.Join(p.installed, "bin", "python"), "start.py"), nil
}

func portkey(p place) (*exec.Cmd, error) {
	cmd := exec.Command("node", filepath.Join(p.installed, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js"), "--port="+fmt.Sprint(p.port), "--headless")
	cmd.Env = append(os.Environ(), "TRUSTED_CUSTOM_HOSTS=127.0.0.1,localhost", "NODE_ENV=production")
	return cmd, nil
}

func portkeyHeader(p place) map[string]string {
	return map[string]string{"x-portkey-provider": "openai", "x-portkey-custom-host": p.upstream + "/v1"}
}

func liteLLM(p place) (*exec.Cmd, error) {
	config := fmt.Sprintf(`model_list:
  - model_name: gpt-4.1
    litellm_params: {model: openai/gpt-4.1, api_base: "%s/v1", api_key: sk-bench}
litellm_settings: {telemetry: false}
`, p.upstream)
	if err := write(p, "config.yaml", config); err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(p.installed, "bin", "litellm"), "--config", "config.yaml", "--host", "127.0.0.1", "--port", fmt.Sprint(p.port), "--num_workers", "1")
	cmd.Env = append(os.Environ(), "LITELLM_LOCAL_MODEL_COST_MAP=True", "LITELLM_MASTER_KEY=sk-bench", "LITELLM_LOG=ERROR", "PATH="+filepath.Join(p.installed, "bin")+":"+os.Getenv("PATH"))
	return cmd, nil
}

// aegis runs in its development mode: the strict one wants Redis, AppArmor or SELinux, and seccomp.
func aegis(p place) (*exec.Cmd, error) {
	cmd := exec.Command(filepath.Join(p.installed, "bin", "aegis"))
	cmd.Env = append(os.Environ(),
		"AEGIS_SECURITY_ENFORCEMENT_MODE=development", "AEGIS_REQUIRE_LSM=false", "AEGIS_REQUIRE_SECCOMP=false",
		"AEGIS_BACKEND_URL="+p.upstream, "AEGIS_BACKEND_API_KEY=sk-bench", "AEGIS_API_KEYS=sk-bench",
		"AEGIS_SIGNING_KEY="+strings.Repeat("5a", 32), "AEGIS_AUTH_IDENTITY_HMAC_KEY="+strings.Repeat("a5", 32), "AEGIS_ALLOW_LEGACY_UNMAPPED_API_KEY_PRINCIPALS=true",
		"AEGIS_HOST=127.0.0.1", "AEGIS_PORT="+fmt.Sprint(p.port), "AEGIS_LOG_LEVEL=ERROR",
		"AEGIS_MAX_REQUEST_BODY_BYTES=16777216", "AEGIS_RATE_LIMIT_REQUESTS_PER_MINUTE=10000", "AEGIS_RATE_LIMIT_THRESHOLD=10000",
		"AEGIS_RATE_LIMIT_WINDOW=1", "AEGIS_RATE_LIMIT_BURST=100", "AEGIS_RATE_LIMIT_TOKEN_CAPACITY=1000000000", "AEGIS_RATE_LIMIT_TOKENS_PER_MINUTE=1000000000",
		"AEGIS_WAL_PATH="+filepath.Join(p.work, "wal.jsonl"))
	return cmd, nil
}

func write(p place, name, text string) error {
	return os.WriteFile(filepath.Join(p.work, name), []byte(text), 0o600)
}

var upstreamGroup int // the process group of the upstream

// startAll starts the upstream and every peer that is installed, and says of the others why they do not run.
func startAll(ctx context.Context, o options, work string) (targets []*target, failed map[string]error, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, stop, err
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, stop, err
	}
	upstream := exec.Command(self, "-serve", "upstream", "-port", fmt.Sprint(port))
	end, err := launch(upstream, work, "upstream")
	if err != nil {
		return nil, nil, stop, err
	}
	stops = append(stops, end)
	upstreamGroup = upstream.Process.Pid
	address := "http://" + at(port)
	direct := &target{name: nameDirect, url: address + "/v1/chat/completions", model: "gpt-4.1"}
	if err := direct.ready(ctx); err != nil {
		return nil, nil, stop, err
	}
	targets, failed = append(targets, direct), map[string]error{}
	for _, p := range peers {
		if o.only != "" && !slices.ContainsFunc(strings.Split(o.only, ","), func(word string) bool { return strings.Contains(p.name, word) }) {
			continue
		}
		t, end, err := p.run(ctx, o, work, address)
		if end != nil {
			stops = append(stops, end)
		}
		if err != nil {
			failed[p.name] = err
			continue
		}
		targets = append(targets, t)
	}
	return targets, failed, stop, ctx.Err()
}

func (p peer) run(ctx context.Context, o options, work, upstream string) (*target, func(), error) {
	installed := filepath.Join(o.folder, p.folder)
	if said, err := os.ReadFile(installed + ".failed"); err == nil && p.folder != "" {
		return nil, nil, fmt.Errorf("it could not be installed: %s", said)
	}
	if _, err := os.Stat(installed); err != nil {
		return nil, nil, err
	}
	own, err := os.MkdirTemp(work, "peer-*")
	if err != nil {
		return nil, nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	where := place{installed, own, port, upstream, o.runattest}
	cmd, err := p.start(where)
	if err != nil {
		return nil, nil, err
	}
	end, err := launch(cmd, own, "log")
	if err != nil {
		return nil, nil, err
	}
	t := &target{name: p.name, url: "http://" + at(port), model: "gpt-4.1", group: cmd.Process.Pid, log: filepath.Join(own, "log")}
	if p.path == "" {
		p.path = "/v1/chat/completions"
	}
	if p.model != "" {
		t.model = p.model
	}
	if p.header != nil {
		t.header = p.header(where)
	}
	if p.says != "" {
		if t.url, err = said(ctx, filepath.Join(own, p.says)); err != nil {
			end()
			return nil, nil, err
		}
	}
	t.url += p.path
	if err := t.ready(ctx); err != nil {
		end()
		return nil, nil, t.explain(err)
	}
	return t, end, t.signal(syscall.SIGSTOP)
}

// said waits for a URL in a file.
func said(ctx context.Context, file string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		text, err := os.ReadFile(file)
		if err == nil {
			u, err := url.Parse(strings.TrimSpace(string(text)))
			if err != nil {
				return "", err
			}
			return "http://" + u.Host, nil
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// launch starts a program in a process group of its own that ends with this one.
func launch(cmd *exec.Cmd, dir, log string) (end func(), err error) {
	output, err := os.Create(filepath.Join(dir, log))
	if err != nil {
		return nil, err
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread() // the kernel takes the end of the thread that forked for the end of the parent
		defer output.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	return func() {
		_ = in.Close()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}, <-started
}

// ready calls until there is an answer.
func (t *target) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client := newClient(1)
	defer client.CloseIdleConnections()
	for {
		_, err := t.call(ctx, client, experiments[0])
		if err == nil {
			return nil
		}
		if t.group != 0 && errors.Is(syscall.Kill(t.group, 0), syscall.ESRCH) {
			return fmt.Errorf("it ended: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it is not ready after %s: %w", startTimeout, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
