package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// gatewayProcess is `runattest gateway` at work in front of an upstream.
type gatewayProcess struct {
	d       *desk
	url     string
	journal string
	pid     int
	stop    func() // ends it with SIGTERM
	kill    func() // ends it at once
	ends    int    // the exit status that it is to have
}

var listening = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)

// gateway starts one with the key of the desk, and waits until it says where it listens.
func (d *desk) gateway(journal string, args ...string) *gatewayProcess {
	d.t.Helper()
	return d.gatewayBy(journal, append([]string{"--key", "runattest.key"}, args...)...)
}

// gatewayBy is the same where the arguments say who signs.
func (d *desk) gatewayBy(journal string, args ...string) *gatewayProcess {
	d.t.Helper()
	if _, err := exec.LookPath(runattestPath); err != nil {
		d.t.Fatal(err)
	}
	args = append([]string{"gateway", "--journal", journal, "--listen", "127.0.0.1:0"}, args...)
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	cmd := exec.CommandContext(ctx, runattestPath, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = d.dir, d.env, time.Second
	said, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ready := make(chan string, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if at := listening.FindString(lines.Text()); at != "" {
				select {
				case ready <- at:
				default:
				}
			}
		}
		close(ready)
	}()
	killed := false
	g := &gatewayProcess{d: d, journal: filepath.Join(d.dir, journal)}
	g.stop = sync.OnceFunc(func() {
		defer cancel()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !killed {
			d.t.Errorf("gateway: %v", err)
		}
		<-done
		err := cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != g.ends && !killed {
			d.t.Errorf("gateway: %v, want exit status %d\n%s", err, g.ends, &log)
		}
	})
	g.pid = cmd.Process.Pid
	g.kill = func() {
		killed = true
		_ = cmd.Process.Kill()
		g.stop()
	}
	d.t.Cleanup(g.stop)
	if g.url = <-ready; g.url == "" {
		g.stop()
		d.t.FailNow()
	}
	return g
}

// entry is a line of the journal as `journal verify` gives it.
type journalEntry struct {
	Identity string `json:"identity"`
	Verified bool   `json:"verified"`
}

// call sends a call, and gives the answer with its body.
func (g *gatewayProcess) call(ctx context.Context, body string) (*http.Response, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer r.Body.Close()
	said, err := io.ReadAll(r.Body)
	return r, string(said), err
}

// verified stops the gateway and returns the runs of its journal, in order, which have to verify.
func (g *gatewayProcess) verified() (runs []journalEntry) {
	g.d.t.Helper()
	g.stop()
	for line := range bytes.Lines(g.d.runattest("journal", "verify", "--key", "runattest.pub", "--format", "json", g.journal).ok()) {
		var e journalEntry
		if err := json.Unmarshal(line, &e); err != nil {
			g.d.t.Fatalf("%v: %s", err, line)
		}
		if e.Identity != "" {
			runs = append(runs, e)
		}
	}
	return runs
}

// callers starts the clients of model APIs at this desk, until the test ends.
func (d *desk) callers() (python, node *client) {
	d.t.Helper()
	commands, err := callerCommands()
	if err != nil {
		d.t.Fatal(err)
	}
	source, err := filepath.Abs(filepath.Join("..", "python", "src"))
	if err != nil {
		d.t.Fatal(err)
	}
	with := &desk{d.t, d.dir, append(slices.Clone(d.env), "PYTHONPATH="+source, "RUNATTEST_BIN="+runattestPath)}
	return with.client(commands.python), d.client(commands.node)
}

// modelServer starts llama.cpp's own server with a tiny model of random weights, and returns its URL.
func (d *desk) modelServer() string {
	d.t.Helper()
	commands, err := callerCommands()
	if err != nil {
		d.t.Fatal(err)
	}
	python := commands.python[0]
	folder := filepath.Dir(commands.python[1])
	d.run(python, []string{filepath.Join(folder, "tiny_model.py"), "tiny.gguf"}).ok()
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	cmd := exec.CommandContext(ctx, python, filepath.Join(folder, "model_server.py"), d.path("tiny.gguf"))
	cmd.Dir, cmd.Env, cmd.WaitDelay = d.dir, append(d.env, "PYTHONDONTWRITEBYTECODE=1"), time.Second
	in, out := start(d.t, cmd)
	d.t.Cleanup(func() {
		defer cancel()
		in.Close()
		_ = cmd.Wait() // its own threads may end it with a signal
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at := listening.FindString(lines.Text()); at != "" {
			return at
		}
	}
	d.t.Fatal("llama.cpp's server says no address")
	return ""
}
