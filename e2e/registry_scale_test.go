package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// cost is what a process took: its time by the clock and by the processor, and its peak memory in MiB.
type cost struct {
	time, work time.Duration
	peak       int
}

func (c cost) String() string {
	return fmt.Sprintf("%6d ms (%d of work) %4d MiB", c.time.Milliseconds(), c.work.Milliseconds(), c.peak)
}

// Attaching and verifying take work in proportion to how many attestations there are. Attaching holds
// the bundles that it is given, and verifying none: a thousand take little more memory than a hundred.
func TestManyAttestations(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		d.declare("chat-llama-3.1-8b")
		d.makeKey("runattest", "ecdsa-p256", "--no-password")
		var each [2]cost // of a hundred
		for _, n := range []int{10, 100, 1000} {
			image := fmt.Sprintf("%s/acme/trainer:v%d", r.Host, n)
			d.image(image)
			size := d.manyBundles(image, n) >> 20
			attaching, _ := d.costs("attach", image, "many.sigstore.jsonl")
			verifying, said := d.costs("verify", "--strict", "--key", "runattest.pub", "oci://"+image)
			if want := fmt.Sprintf(" %d verified, 0 not verified", n); !strings.Contains(said, want) {
				d.t.Errorf("%s; want %q", said, want)
			}
			d.t.Logf("%4d attestations, %d MiB: attach %s, verify %s", n, size, attaching, verifying)
			if n == 100 {
				each = [2]cost{attaching, verifying}
			}
			if n <= 100 {
				continue
			}
			// Ten times as many in no more than thirty times the work: a quadratic step takes a hundred.
			// The processor's time is compared, which a busy machine does not stretch as it does the clock's.
			if attaching.work > 30*each[0].work || verifying.work > 30*each[1].work {
				d.t.Errorf("not in proportion")
			}
			if attaching.peak > each[0].peak+8*size+64 || verifying.peak > each[1].peak+64 {
				d.t.Errorf("a thousand take too much memory")
			}
		}
	})
}

// Only attaching holds the bundles; all else holds few at a time, whatever they weigh.
func TestLargeAttestations(t *testing.T) {
	const text = 256 << 10
	d, r := newDesk(t), startRegistry(t, "distribution")
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.write("canonical.json", bytes.Replace(d.read("canonical.json"), []byte(seed), fmt.Appendf(nil, `%s,"stop":%q`, seed, strings.Repeat("x", text)), 1))
	var peaks [][]int
	for _, n := range []int{25, 250} {
		image := fmt.Sprintf("%s/acme/trainer:v%d", r.Host, n)
		d.image(image)
		size := d.manyBundles(image, n) >> 20
		attaching, _ := d.costs("attach", image, "many.sigstore.jsonl")
		t.Logf("%4d attestations, %d MiB: attach %s", n, size, attaching)
		var reading []int
		for _, command := range readers(n, image) {
			c, _ := d.costs(command...)
			t.Logf("%4d attestations, %d MiB: %s %s", n, size, command[0], c)
			reading = append(reading, c.peak)
		}
		peaks = append(peaks, reading)
		if attaching.peak > 8*size+100 {
			t.Errorf("attaching %d MiB takes %d", size, attaching.peak)
		}
	}
	for i, command := range readers(250, "IMAGE") {
		if peaks[1][i] > peaks[0][i]+64 {
			t.Errorf("%v: ten times as many take %d MiB instead of %d", command, peaks[1][i], peaks[0][i])
		}
	}
}

// readers are the commands that read what is attached to an image, and write to files of their own.
func readers(n int, image string) [][]string {
	return [][]string{
		{"verify", "--strict", "--key", "runattest.pub", "oci://" + image},
		{"list", image},
		{"fetch", image},
		{"fetch", "-o", fmt.Sprint(n, ".sigstore.jsonl"), image},
		{"fetch", "-o", fmt.Sprint("all", n), image},
		{"fetch", "--air-gap", fmt.Sprint("usb", n), image},
	}
}

// costs runs runattest and demands exit status 0.
func (d *desk) costs(args ...string) (c cost, stderr string) {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), runattestPath, args...)
	cmd.Dir, cmd.WaitDelay = d.dir, time.Second
	cmd.Env = append(slices.Clip(d.env), "GOGC=50") // so that the peak is near to what is needed
	out, err := os.Create(d.path("stdout"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer out.Close()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &said
	forgetPeak()
	start := time.Now()
	if err := cmd.Run(); err != nil {
		d.t.Fatalf("runattest %s: %v\n%s", strings.Join(args, " "), err, &said)
	}
	c.time, c.work = time.Since(start), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.peak = int(usage.Maxrss >> 10)
	}
	return c, said.String()
}

// forgetPeak makes this process small: on Linux a child's peak begins with that of the process that
// started it.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // elsewhere there is nothing to forget
}

// seed is the example's, which manyBundles replaces.
const seed = `"seed":20240723`

// manyBundles signs n runs about an image into many.sigstore.jsonl, and says how large that is.
func (d *desk) manyBundles(image string, n int) int {
	d.t.Helper()
	var lines bytes.Buffer
	run := d.read("canonical.json")
	if !bytes.Contains(run, []byte(seed)) {
		d.t.Fatal("the declaration has another seed")
	}
	for i := range n {
		line := bytes.ReplaceAll(run, []byte(seed), fmt.Appendf(nil, `"seed":%d`, i))
		lines.Write(append(line, '\n'))
	}
	d.write("runs.jsonl", lines.Bytes())
	d.runattest("sign", "--key", "runattest.key", "--subject-ref", image, "--bundle", "many.sigstore.jsonl", "runs.jsonl").ok()
	info, err := os.Stat(d.path("many.sigstore.jsonl"))
	if err != nil {
		d.t.Fatal(err)
	}
	return int(info.Size())
}
