package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	readyTimeout = 30 * time.Second
	pollInterval = 20 * time.Millisecond
	stopTimeout  = 3 * time.Second

	answerLimit = 1 << 20
	logTail     = 2 << 10 // of a server that did not start, in bytes
)

// process is a third-party server that runs as a process.
type process struct {
	cmd  *exec.Cmd
	log  string // the file that has its output
	done chan struct{}
	err  error // how it ended, once done is closed
}

// launch starts a program in the folder dir, with its output in a file there. It sees no environment
// but a home: some of these servers take settings from variables such as PORT.
func launch(dir, program string, args ...string) (*process, error) {
	p := &process{
		cmd:  exec.Command(program, args...),
		log:  filepath.Join(dir, filepath.Base(program)+".log"),
		done: make(chan struct{}),
	}
	output, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	p.cmd.Dir, p.cmd.Env = dir, []string{"HOME=" + dir, "TMPDIR=" + dir}
	p.cmd.Stdout, p.cmd.Stderr = output, output
	p.cmd.SysProcAttr = diesWithParent()
	started := make(chan error)
	go func() {
		// The kernel takes the end of the thread that forked for the end of the parent.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer output.Close()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// ready asks the server until it answers 200, and returns the answer. A server that never does is stopped.
func (p *process) ready(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		answer, err := get(ctx, url)
		if err == nil {
			return answer, nil
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("%s ended: %v\n%s", p.cmd.Path, p.err, p.tail())
		case <-ctx.Done():
			p.Stop()
			return nil, fmt.Errorf("%s is not ready: %w\n%s", p.cmd.Path, err, p.tail())
		case <-time.After(pollInterval):
		}
	}
}

// Stop asks the server to end, and ends it.
func (p *process) Stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		p.cmd.Process.Kill()
		<-p.done
	}
}

// tail is the end of the server's log.
func (p *process) tail() string {
	log, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(log[max(0, len(log)-logTail):]))
}

// client uses no proxy and keeps no connection, which a server would wait for when it stops.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return body, err
}

// freePorts returns ports that were free a moment ago.
func freePorts(n int) (ports []string, err error) {
	for range n {
		l, lerr := net.Listen("tcp", "127.0.0.1:0")
		if lerr != nil {
			return nil, errors.Join(err, lerr)
		}
		defer l.Close() // all together, so that no port comes twice
		_, port, serr := net.SplitHostPort(l.Addr().String())
		err = errors.Join(err, serr)
		ports = append(ports, port)
	}
	return ports, err
}
