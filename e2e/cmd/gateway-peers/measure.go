//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type turnTime = time.Duration

const turn = 800 * time.Millisecond

// An experiment is a kind of load.
type experiment struct {
	size, clients int
	stream        bool // and what is measured is the time to its first byte
}

var experiments = []experiment{{2_000, 1, false}, {2_000, 16, false}, {500_000, 1, false}, {2_000, 4, true}}

// A target takes calls.
type target struct {
	name   string
	url    string // of chat completions
	model  string
	header map[string]string
	group  int    // the process group of the program; 0 for a direct call
	log    string // the file with what it says

	tried map[experiment]error // what it cannot do
}

// A turned is one turn of a target.
type turned struct {
	took   []time.Duration
	rate   float64 // calls a second
	others float64 // how many cores other work took
	cpu    float64 // milliseconds of the program's, a call
}

// A result is all turns of a target, by experiment.
type result struct {
	*target
	turns  map[experiment][]turned
	lost   map[experiment][]error // turns that do not count, because a call failed
	memory int                    // MiB after all calls
}

var number atomic.Int64 // no two calls are equal

func (t *target) call(ctx context.Context, client *http.Client, e experiment) (time.Duration, error) {
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"%d %s"}],"seed":7,"stream":%v}`, t.model, number.Add(1), text(e.size-100), e.stream)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sk-bench")
	for name, value := range t.header {
		request.Header.Set(name, value)
	}
	began := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	first := make([]byte, 1)
	_, err = io.ReadFull(response.Body, first)
	took := time.Since(began)
	rest, restErr := io.ReadAll(response.Body)
	switch {
	case err != nil || restErr != nil:
		return 0, fmt.Errorf("%s: %w", response.Status, firstOf(err, restErr))
	case response.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("%s: %.300s", response.Status, append(first, rest...))
	case e.stream && !bytes.Contains(rest, []byte("[DONE]")):
		return 0, fmt.Errorf("the stream has no end: %.300s", append(first, rest...))
	case e.stream:
		return took, nil
	}
	return time.Since(began), nil
}

// explain adds what the program said last.
func (t *target) explain(err error) error {
	log, _ := os.ReadFile(t.log)
	if err == nil || len(log) == 0 {
		return err
	}
	return fmt.Errorf("%w; it said: %s", err, strings.TrimSpace(string(log[max(0, len(log)-500):])))
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// measureAll gives each target its turns, and stops those whose turn it is not.
func measureAll(ctx context.Context, o options, targets []*target, work string) (results []*result, disk []time.Duration, err error) {
	probe, err := newProbe(work)
	if err != nil {
		return nil, nil, err
	}
	defer probe.Close()
	for _, t := range targets {
		results = append(results, &result{target: t, turns: map[experiment][]turned{}, lost: map[experiment][]error{}})
		t.tried = map[experiment]error{}
		if err := t.signal(syscall.SIGCONT); err != nil {
			return nil, nil, err
		}
		for _, e := range experiments {
			client := newClient(1)
			t.tried[e] = t.explain(t.wake(ctx, client, e))
			client.CloseIdleConnections()
		}
		if err := t.signal(syscall.SIGSTOP); err != nil {
			return nil, nil, err
		}
	}
	for round := range o.rounds + 1 { // the first warms up
		for _, e := range experiments {
			for i := range results {
				r := results[(i+round)%len(results)]
				if r.tried[e] != nil {
					continue
				}
				if err := ctx.Err(); err != nil {
					return nil, nil, err
				}
				one, err := r.turn(ctx, e, o.turn)
				if err != nil {
					r.lost[e] = append(r.lost[e], r.explain(err))
				} else if round > 0 {
					r.turns[e] = append(r.turns[e], one)
				}
			}
		}
		took, err := syncs(probe, o.turn)
		if err != nil {
			return nil, nil, err
		}
		disk = append(disk, took...)
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round, o.rounds)
	}
	for _, r := range results {
		_, r.memory = r.uses()
	}
	slices.Sort(disk)
	return results, disk, nil
}

const probeSize, probeWrite = 16 << 20, 2500

// newProbe is a file like a journal's: written before it is used.
func newProbe(work string) (*os.File, error) {
	f, err := os.Create(filepath.Join(work, "probe"))
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(make([]byte, probeSize)); err == nil {
		err = f.Sync()
	}
	return f, err
}

// syncs are how long writes of a journal's line and their fdatasync take.
func syncs(f *os.File, long time.Duration) (took []time.Duration, err error) {
	data := []byte(text(probeWrite))
	for began := time.Now(); time.Since(began) < long; {
		one := time.Now()
		if _, err := f.WriteAt(data, int64(len(took)*probeWrite%(probeSize-probeWrite))); err != nil {
			return nil, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return nil, err
		}
		took = append(took, time.Since(one))
	}
	return took, nil
}

func (t *target) signal(s syscall.Signal) error {
	if t.group == 0 {
		return nil
	}
	return syscall.Kill(-t.group, s)
}

func newClient(connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}, Timeout: time.Minute}
}

// wakings is how many calls may fail while a program finds that it was stopped: connections are gone, and a disk seems to have taken
// as long as it was.
const wakings = 20

// wake calls until three calls in a row have an answer.
func (t *target) wake(ctx context.Context, client *http.Client, e experiment) error {
	good, failed := 0, 0
	for good < 3 {
		if _, err := t.call(ctx, client, e); err == nil {
			good++
		} else if failed++; failed > wakings || ctx.Err() != nil {
			return err
		} else {
			good = 0
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// turn has the clients call for so long.
func (t *target) turn(ctx context.Context, e experiment, long time.Duration) (turned, error) {
	if err := t.signal(syscall.SIGCONT); err != nil {
		return turned{}, err
	}
	defer func() { _ = t.signal(syscall.SIGSTOP) }()
	client := newClient(e.clients)
	defer client.CloseIdleConnections()
	if err := t.wake(ctx, client, e); err != nil {
		return turned{}, err
	}
	before, program := others(t)
	began := time.Now()
	var (
		mu      sync.Mutex
		all     turned
		failed  error
		clients sync.WaitGroup
	)
	for range e.clients {
		clients.Go(func() {
			var mine []time.Duration
			var err error
			for err == nil && time.Since(began) < long {
				var took time.Duration
				if took, err = t.call(ctx, client, e); err == nil {
					mine = append(mine, took)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.took, failed = append(all.took, mine...), firstOf(failed, err)
		})
	}
	clients.Wait()
	took := time.Since(began)
	after, programAfter := others(t)
	if failed != nil {
		return turned{}, failed
	}
	slices.Sort(all.took)
	all.rate = float64(len(all.took)) / took.Seconds()
	all.others = (after - before).Seconds() / took.Seconds()
	all.cpu = (programAfter - program).Seconds() * 1000 / float64(len(all.took))
	return all, nil
}

// tick is the unit of /proc's times: USER_HZ.
const tick = 10 * time.Millisecond

// others is the time that other work has taken of the cores so far, and the program's own.
func others(t *target) (rest, program time.Duration) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	for i, field := range strings.Fields(line)[1:] {
		if n, err := strconv.ParseInt(field, 10, 64); err == nil && i != 3 && i != 4 && i < 8 { // all but idle, iowait and guests
			rest += time.Duration(n) * tick
		}
	}
	program, _ = t.uses()
	own, _ := usage(func(pid, group int) bool { return pid == os.Getpid() || upstreamGroup > 0 && group == upstreamGroup })
	return rest - program - own, program
}

// uses is the processor time of a target's processes, and their memory in MiB.
func (t *target) uses() (cpu time.Duration, mebibytes int) {
	if t.group == 0 {
		return 0, 0
	}
	return usage(func(_, group int) bool { return group == t.group })
}

func usage(counts func(pid, group int) bool) (cpu time.Duration, mebibytes int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(f) < 22 {
			continue
		}
		number := func(i int) int { n, _ := strconv.Atoi(f[i]); return n }
		if counts(pid, number(2)) {
			cpu += time.Duration(number(11)+number(12)) * tick
			mebibytes += number(21) * os.Getpagesize() >> 20
		}
	}
	return cpu, mebibytes
}
