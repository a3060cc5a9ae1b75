//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// quiet is the half of the turns in which other work took least.
func quiet(turns []turned) []turned {
	turns = slices.Clone(turns)
	slices.SortFunc(turns, func(a, b turned) int { return cmp.Compare(a.others, b.others) })
	return turns[:(len(turns)+1)/2]
}

// median is that of a figure of the quiet turns.
func median(turns []turned, of func(turned) float64) float64 {
	var all []float64
	for _, t := range quiet(turns) {
		all = append(all, of(t))
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func quantile(q float64) func(turned) float64 {
	return func(t turned) float64 {
		return float64(t.took[min(len(t.took)-1, int(q*float64(len(t.took))))]) / float64(time.Millisecond)
	}
}

func rate(t turned) float64 { return t.rate }

// printTable prints the results as Markdown, with ratios to the gateway without a policy.
func printTable(w io.Writer, results []*result, disk []time.Duration, failed map[string]error) {
	var busy, worst float64
	var all []float64
	for _, r := range results {
		for _, turns := range r.turns {
			for _, t := range quiet(turns) {
				all = append(all, t.others)
			}
		}
	}
	if slices.Sort(all); len(all) > 0 {
		busy, worst = all[len(all)/2], all[len(all)-1]
	}
	fmt.Fprintf(w, "%s, %d cores, %s, %s; other work took %.2f cores in the median turn that counts, %.2f at most;\na write of %d bytes and its fdatasync took %.2f ms, p99 %.2f\n\n",
		processor(), runtime.NumCPU(), strings.TrimSpace(kernel()), runtime.Version(), busy, worst, probeWrite,
		quantile(0.5)(turned{took: disk}), quantile(0.99)(turned{took: disk}))
	fmt.Fprintln(w, "| | 2 KB: p50 / p99 | over direct | times ours | 16 clients: calls/s | cpu a call | 500 KB: p50 | first byte of a stream | memory |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")
	find := func(name string) *result {
		i := slices.IndexFunc(results, func(r *result) bool { return r.name == name })
		if i < 0 {
			return nil
		}
		return results[i]
	}
	p50 := func(r *result, e experiment) float64 {
		if r == nil {
			return 0
		}
		return median(r.turns[e], quantile(0.5))
	}
	direct, ours := p50(find(nameDirect), experiments[0]), p50(find(nameOurs), experiments[0])
	for _, r := range results {
		over, times := "", ""
		mine := p50(r, experiments[0])
		if r.name != nameDirect && direct > 0 && mine > 0 {
			over = fmt.Sprintf("%.2f", mine-direct)
			if ours > direct {
				times = fmt.Sprintf("%.1f", (mine-direct)/(ours-direct))
			}
		}
		fmt.Fprintf(w, "| %s | %s / %s | %s | %s | %s | %s | %s | %s | %s |\n", r.name,
			figure(mine, "%.2f ms"), figure(median(r.turns[experiments[0]], quantile(0.99)), "%.2f"), over, times,
			figure(median(r.turns[experiments[1]], rate), "%.0f"),
			figure(median(r.turns[experiments[1]], func(t turned) float64 { return t.cpu }), "%.2f ms"),
			figure(p50(r, experiments[2]), "%.2f ms"), figure(p50(r, experiments[3]), "%.2f ms"), figure(float64(r.memory), "%.0f MiB"))
	}
	fmt.Fprintln(w)
	for _, r := range results {
		for _, e := range experiments {
			err := r.tried[e]
			if lost := r.lost[e]; len(lost) > 0 {
				err = fmt.Errorf("%d turns do not count: %w", len(lost), lost[0])
			}
			if err != nil {
				fmt.Fprintf(w, "%s, %d bytes, %d clients, stream %v: %v\n", r.name, e.size, e.clients, e.stream, err)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		fmt.Fprintf(w, "%s does not run: %v\n", name, failed[name])
	}
}

func figure(f float64, format string) string {
	if f == 0 {
		return ""
	}
	return fmt.Sprintf(format, f)
}

func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	data, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "Linux " + string(data)
}
