//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"time"
)

const roundTrips = 20_000

// measureLines asks one process for signatures, a line at a time and each after the answer to the one before.
func measureLines(dir, binary string, declaration []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, declaration); err != nil {
		return err
	}
	line.WriteByte('\n')
	cmd := exec.Command(binary, "sign", "--key", "runattest.key", "--jsonl", "--format", "json", "-")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	answers := bufio.NewReaderSize(out, 1<<20)
	var trips []time.Duration
	begin := time.Now()
	for range roundTrips {
		start := time.Now()
		if _, err = in.Write(line.Bytes()); err != nil {
			break
		}
		var answer []byte
		if answer, err = answers.ReadSlice('\n'); err == nil && !bytes.Contains(answer, []byte(`"bundle":`)) {
			err = fmt.Errorf("answered: %s", answer)
		}
		if err != nil {
			break
		}
		trips = append(trips, time.Since(start))
	}
	all := time.Since(begin)
	if err != nil {
		_ = cmd.Process.Kill()
	} else {
		err = in.Close()
	}
	if ended := cmd.Wait(); err == nil {
		err = ended
	}
	if err != nil {
		return fmt.Errorf("sign --jsonl: %w", err)
	}
	slices.Sort(trips)
	fmt.Printf("%-10s %-26s %6.0f a second, round trip median %.3f ms, p99 %.3f ms (%d lines of %d bytes, P-256)\n", "runattest", "sign --jsonl -",
		roundTrips/all.Seconds(), ms(trips[len(trips)/2]), ms(trips[len(trips)*99/100]), roundTrips, line.Len())
	return nil
}
