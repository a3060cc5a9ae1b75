package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/limits"
)

// BenchmarkSignLines is what the co-process takes for a line, without the pipes.
func BenchmarkSignLines(b *testing.B) {
	text, err := os.ReadFile("../../testdata/declarations/openai-tools.json")
	var line bytes.Buffer
	if err == nil {
		err = json.Compact(&line, text)
	}
	if err != nil {
		b.Fatal(err)
	}
	line.WriteByte('\n')
	name := filepath.Join(b.TempDir(), "k")
	for _, args := range [][]string{{"keygen", "--no-password", "-o", name}, {"sign", "--key", name + ".key", "--jsonl", "--format", "json", "-"}} {
		root := newRoot(args...)
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		root.SetIn(bytes.NewReader(bytes.Repeat(line.Bytes(), b.N)))
		b.ResetTimer()
		if status := run(b.Context(), root, args); status != exitYes {
			b.Fatalf("%q: status %d", args, status)
		}
	}
}

// TestSignLinesAnswers holds a conversation: no line is written before the answer to the one before it is there. One is too
// long, and the last ends with the input.
func TestSignLinesAnswers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "k")
	if status, _, stderr := inProcess(t, "keygen", "--no-password", "-o", name); status != exitYes {
		t.Fatal(stderr)
	}
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	args := []string{"sign", "--key", name + ".key", "--jsonl", "--format", "json", "-"}
	root := newRoot(args...)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(io.Discard)
	ended := make(chan int)
	go func() { ended <- run(t.Context(), root, args); out.Close() }()
	read := bufio.NewReader(answers)
	for i, c := range []struct {
		line string
		good bool
	}{
		{smallest + "\n", true}, {"\r\n", false}, {smallest + "\r\n", true}, {strings.Repeat("x", limits.Declaration+1) + "\n", false},
		{strings.Repeat(" ", limits.Declaration-len(smallest)) + smallest + "\n", true}, {"[]\n", false}, {smallest, true},
	} {
		go func() {
			_, _ = io.WriteString(ask, c.line)
			if !strings.HasSuffix(c.line, "\n") {
				ask.Close()
			}
		}()
		text, err := read.ReadBytes('\n')
		var got struct {
			Line            int
			Identity, Error string
			Bundle          json.RawMessage
		}
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil || got.Line != i+1 || (got.Error == "") != c.good || c.good != (got.Identity != "" && got.Bundle != nil) {
			t.Fatalf("line %d: %v, %.300s", i+1, err, text)
		}
	}
	if status := <-ended; status != exitMalformed {
		t.Errorf("status %d", status)
	}
}

const smallest = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`

// TestInterruptedSays calls an interrupt that, in text and in JSON, where Go calls it a canceled context.
func TestInterruptedSays(t *testing.T) {
	name := filepath.Join(t.TempDir(), "k")
	if status, _, stderr := inProcess(t, "keygen", "--no-password", "-o", name); status != exitYes {
		t.Fatal(stderr)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	args := []string{"sign", "--key", name + ".key", "--timestamp-server", "http://127.0.0.1:9", "--jsonl", "--format", "json", "-"}
	root := newRoot(args...)
	var stderr bytes.Buffer
	root.SetErr(&stderr)
	root.SetIn(strings.NewReader(smallest + "\n"))
	if status := run(ctx, root, args); status != exitFailed || !strings.HasSuffix(stderr.String(), "interrupted\n") || strings.Contains(stderr.String(), "canceled") {
		t.Errorf("status %d, %s", status, &stderr)
	}
	var stdout bytes.Buffer
	o := &output{Printer: cli.Printer{Out: &stdout, Err: &stderr, JSON: true}}
	o.noteNo("f", fmt.Errorf("asked: %w", context.Canceled), func(why string) any { return why })
	if o.status != exitFailed || stdout.String() != "\"asked: interrupted\"\n" || !strings.HasSuffix(stderr.String(), "runattest: f: asked: interrupted\n") {
		t.Errorf("status %d, %s%s", o.status, &stdout, &stderr)
	}
}
