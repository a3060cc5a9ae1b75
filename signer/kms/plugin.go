package kms

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"

	"github.com/runattest/runattest/internal/limits"
)

// plugin is a program that speaks for one key.
type plugin struct {
	reference
	path     string
	timeout  time.Duration
	messages io.Writer
}

func newPlugin(ref string, options []Option) (*plugin, error) {
	r, err := parse(ref)
	if err != nil {
		return nil, err
	}
	path, err := exec.LookPath(r.program())
	if err != nil {
		return nil, newMissing(r, err)
	}
	p := &plugin{reference: r, path: path, timeout: DefaultTimeout, messages: io.Discard}
	for _, option := range options {
		option(p)
	}
	return p, nil
}

func (p *plugin) fail(err error) error { return &Error{p.program(), err} }

// call runs the plugin once. By the protocol, the answer decides and the exit status does not.
func (p *plugin) call(ctx context.Context, hash crypto.Hash, method *common.MethodArgs, stdin []byte) (*common.PluginResp, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	rpc := common.RPCOptions{CtxDeadline: &deadline}
	if method.SignMessage != nil {
		method.SignMessage.SignOptions.RPCOptions = rpc
	} else {
		method.PublicKey.PublicKeyOptions.RPCOptions = rpc
	}
	args, err := json.Marshal(&common.PluginArgs{
		InitOptions: &common.InitOptions{
			CtxDeadline:     &deadline,
			ProtocolVersion: common.ProtocolVersion,
			KeyResourceID:   p.key,
			HashFunc:        hash,
			RPCOptions:      &rpc,
		},
		MethodArgs: method,
	})
	if err != nil {
		return nil, p.fail(err)
	}
	answer, err := p.run(ctx, stdin, common.ProtocolVersion, string(args))
	if err != nil {
		return nil, p.fail(err)
	}
	return answer, nil
}

// run returns the answer that the program prints, and kills it if it prints too much or
// the context ends.
func (p *plugin) run(ctx context.Context, stdin []byte, args ...string) (*common.PluginResp, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout := &bounded{limit: limits.PluginAnswer, full: func() { cancel(errTooMuch) }}
	stderr := &lastBytes{limit: limits.PluginMessages}
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = stdout, io.MultiWriter(stderr, &bounded{limit: limits.PluginMessages, to: p.messages})
	cmd.WaitDelay = time.Second // what the program started may keep its output open
	err := cmd.Run()
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.DeadlineExceeded):
		return nil, fmt.Errorf("no answer in time: %w%s", cause, lastWords(stderr.kept))
	case cause != nil:
		return nil, cause
	}
	var answer common.PluginResp
	if bad := json.Unmarshal(stdout.kept.Bytes(), &answer); bad != nil {
		if err == nil {
			err = fmt.Errorf("the answer is not sigstore's KMS plugin protocol: %w", bad)
		}
		return nil, fmt.Errorf("%w%s", err, lastWords(stderr.kept))
	}
	if answer.ErrorMessage != "" {
		return nil, errors.New(shorten(answer.ErrorMessage))
	}
	return &answer, nil
}

var errTooMuch = fmt.Errorf("an answer of more than %d bytes", limits.PluginAnswer)

// bounded keeps, or passes on, the beginning of what is written to it up to a limit, and tells when there is more.
type bounded struct {
	kept  bytes.Buffer // not embedded: its ReadFrom knows no limit
	to    io.Writer
	limit int
	full  func()
}

func (b *bounded) Write(data []byte) (int, error) {
	part := data[:min(len(data), b.limit)]
	b.limit -= len(part)
	if len(part) < len(data) && b.full != nil {
		b.full()
	}
	if b.to == nil {
		b.kept.Write(part)
	} else if _, err := b.to.Write(part); err != nil {
		b.to = io.Discard // the writer failed: drop the rest, and let the call go on
	}
	return len(data), nil // the program must not fail because of its messages
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	kept  []byte
	limit int
}

func (l *lastBytes) Write(data []byte) (int, error) {
	l.kept = append(l.kept, data...)
	if over := len(l.kept) - l.limit; over > 0 {
		l.kept = l.kept[:copy(l.kept, l.kept[over:])]
	}
	return len(data), nil
}

// lastWords returns the last line of standard error, where programs give the reason.
func lastWords(stderr []byte) string {
	text := strings.TrimSpace(string(stderr))
	if text == "" {
		return ""
	}
	return "; it said: " + shorten(text[strings.LastIndexByte(text, '\n')+1:])
}

// shorten makes one short line of a plugin's text; clouds answer with pages.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	const most = 1000
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
