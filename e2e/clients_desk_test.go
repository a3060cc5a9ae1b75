package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/tools"
)

const clientsTimeout = 10 * time.Minute // the first time they are installed

// client is a running client.py or client.mjs of clients, or a caller.py or caller.mjs of callers.
type client struct {
	t   *testing.T
	in  *json.Encoder
	out *bufio.Scanner
}

// ask is what a client is to do, in its own words.
type ask map[string]any

// clientCommands are the clients of Sigstore, and callerCommands those of model APIs.
var (
	clientCommands = sync.OnceValues(func() (pair, error) { return installPair("clients", "client") })
	callerCommands = sync.OnceValues(func() (pair, error) { return installPair("callers", "caller") })
)

// pair is the same program in both languages.
type pair struct{ python, node []string }

// installPair installs both, so that no client waits while the other is installed.
func installPair(folder, script string) (p pair, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), clientsTimeout)
	defer cancel()
	if p.python, err = tools.Python(ctx, bin, filepath.Join(folder, "python"), script+".py"); err == nil {
		p.node, err = tools.Node(ctx, bin, filepath.Join(folder, "js"), script+".mjs")
	}
	return p, err
}

// clients starts sigstore-python with securesystemslib, and sigstore-js, at this desk, until the test ends.
func (d *desk) clients() (python, node *client) {
	d.t.Helper()
	commands, err := clientCommands()
	if err != nil {
		d.t.Fatal(err)
	}
	return d.client(commands.python), d.client(commands.node)
}

// sigstore runs sigstore-python's command.
func (d *desk) sigstore(args ...string) outcome {
	d.t.Helper()
	commands, err := clientCommands()
	if err != nil {
		d.t.Fatal(err)
	}
	return d.run(commands.python[0], append([]string{"-m", "sigstore"}, args...))
}

// client starts a program that answers a line with a line.
func (d *desk) client(command []string) *client {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.WaitDelay = d.dir, time.Second
	cmd.Env = append(d.env, "NO_PROXY=127.0.0.1,localhost", "PYTHONDONTWRITEBYTECODE=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, out := start(d.t, cmd)
	d.t.Cleanup(func() {
		defer cancel()
		in.Close()
		io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("%s: %v\n%s", command[1], err, &stderr)
		}
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	return &client{d.t, json.NewEncoder(in), lines}
}

// says is what the client answers: "" for yes, or the exception.
func (c *client) says(a ask) string {
	c.t.Helper()
	return c.answer(a).Error
}

// answer is what a client says about one thing that it was asked to do.
type answer struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"` // the exception, where it failed

	// Of callers: what the model said, and what the gateway put into the headers.
	Text     string `json:"text"`
	Identity string `json:"identity"`
	Receipt  string `json:"receipt"`
}

func (c *client) answer(a ask) (said answer) {
	c.t.Helper()
	if err := c.in.Encode(a); err != nil {
		c.t.Fatal(err)
	}
	if !c.out.Scan() {
		c.t.Fatalf("%v: no answer: %v", a, c.out.Err())
	}
	if err := json.Unmarshal(c.out.Bytes(), &said); err != nil {
		c.t.Fatalf("%v: %v: %s", a, err, c.out.Bytes())
	}
	if said.OK == (said.Error != "") {
		c.t.Fatalf("%v: %s", a, c.out.Bytes())
	}
	return said
}

// yes demands that the client says so.
func (c *client) yes(a ask) {
	c.t.Helper()
	if said := c.says(a); said != "" {
		c.t.Errorf("%v: %s", a, said)
	}
}

// no demands that the client refuses for that reason.
func (c *client) no(a ask, reason string) {
	c.t.Helper()
	if said := c.says(a); said == "" || !strings.Contains(said, reason) {
		c.t.Errorf("%v: %q, want %q", a, said, reason)
	}
}
