//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

const roundTrips = 20_000

// measureLinesAlone is measureLines with a key of its own.
func measureLinesAlone(binary string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "procbench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	declaration, err := os.ReadFile("testdata/declarations/openai-tools.json")
	if err != nil {
		return fmt.Errorf("run it from the project's root: %w", err)
	}
	if _, err := once(dir, binary, "keygen", "--no-password"); err != nil {
		return err
	}
	return measureLines(dir, binary, declaration)
}

// measureLines asks one process for signatures, a line at a time and each after the answer to the one before.
func measureLines(dir, binary string, declaration []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, declaration); err != nil {
		return err
	}
	line.WriteByte('\n')
	cmd := exec.Command(binary, "sign", "--key", "runattest.key", "--jsonl", "--format", "json", "-")
	cmd.Dir = dir
	took, err := converse("runattest", "sign --jsonl -", cmd, line.Bytes(), `"bundle":`)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	alone, err := converse("crypto", "sign and verify alone", exec.Command(self, "-answer", strconv.Itoa(took.answer)), line.Bytes(), "")
	if err != nil {
		return err
	}
	fmt.Printf("%-10s %-26s %.2f times a program that only signs a line, verifies that, and answers as many bytes\n", "", "", took.all.Seconds()/alone.all.Seconds())
	return nil
}

// conversation is what a program took for all round trips, and the size of its last answer.
type conversation struct {
	all    time.Duration
	answer int
}

// converse sends a program a line at a time, each after the answer to the one before, which must contain what is wanted.
func converse(name, what string, cmd *exec.Cmd, line []byte, want string) (conversation, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return conversation{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return conversation{}, err
	}
	if err := cmd.Start(); err != nil {
		return conversation{}, err
	}
	answers := bufio.NewReaderSize(out, 1<<20)
	var trips []time.Duration
	var took conversation
	begin := time.Now()
	for range roundTrips {
		start := time.Now()
		if _, err = in.Write(line); err != nil {
			break
		}
		var answer []byte
		if answer, err = answers.ReadSlice('\n'); err == nil && !bytes.Contains(answer, []byte(want)) {
			err = fmt.Errorf("answered: %s", answer)
		}
		if err != nil {
			break
		}
		trips = append(trips, time.Since(start))
		took.answer = len(answer)
	}
	took.all = time.Since(begin)
	if err != nil {
		_ = cmd.Process.Kill()
	} else {
		err = in.Close()
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	if err != nil {
		return conversation{}, fmt.Errorf("%s: %w", what, err)
	}
	slices.Sort(trips)
	fmt.Printf("%-10s %-26s %6.0f a second, round trip median %.3f ms, p99 %.3f ms (%d lines of %d bytes, P-256)\n", name, what,
		roundTrips/took.all.Seconds(), ms(trips[len(trips)/2]), ms(trips[len(trips)*99/100]), roundTrips, len(line))
	return took, nil
}

// answer signs each line of standard input with a P-256 key, verifies that signature, and answers a line of so many bytes: what
// no program of that kind can do without.
func answer(size string) error {
	n, err := strconv.Atoi(size)
	if err != nil || n < 1 {
		return fmt.Errorf("-answer %q: want a number of bytes", size)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	line := append(bytes.Repeat([]byte{'x'}, n-1), '\n')
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		text, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		digest := sha256.Sum256(text)
		signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			return err
		}
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			return errors.New("a signature does not verify")
		}
		if _, err := os.Stdout.Write(line); err != nil {
			return err
		}
	}
}
