//go:build unix

package journal

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runattest/runattest/signer"
)

// A file may become no larger than the system allows: as on a full disk, calls are refused, and what was acknowledged is kept.
func TestFileSizeLimit(t *testing.T) {
	d := newDesk(t)
	pair, err := signer.Generate(signer.Ed25519, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d.key, err = signer.Parse(pair.Private, nil); err != nil {
		t.Fatal(err)
	}
	d.trust(t)
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(limited, "sh", "-c", `ulimit -f 40; exec "$0"`, os.Args[0]) // of 512 bytes
	cmd.Env = append(os.Environ(), "JOURNAL_LIMITED="+d.dir, "JOURNAL_KEY="+string(pair.Private))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var receipts []Receipt
	refused := 0
	for line := range strings.Lines(string(out)) {
		if r, err := ParseReceipt(strings.TrimSpace(line)); err == nil {
			receipts = append(receipts, r)
		} else if strings.Contains(line, "file too large") {
			refused++
		}
	}
	if len(receipts) != 9 || refused < 3 {
		t.Fatalf("%s", out)
	}
	closeJournal(t, d.open(t))
	d.verified(t, len(receipts), VerifyOptions{Receipts: receipts, Closed: true})
}

func init() { appendLimited = appendToLimit }

// appendToLimit appends entries that are too large among others.
func appendToLimit(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	key, err := signer.Parse([]byte(os.Getenv("JOURNAL_KEY")), nil)
	if err != nil {
		panic(err)
	}
	d := &desk{key: key, dir: dir}
	j, err := Open(dir, Options{Sign: d.sign, chunk: 12 << 10, RetryAfter: time.Millisecond})
	if err != nil {
		panic(err)
	}
	t := &testing.B{}
	for i := range 12 {
		e := d.entry(t, i, false)
		if i%4 == 3 { // larger than a file may be
			e.Headers = nil
			for n := range 40 {
				e.Headers = append(e.Headers, fmt.Sprint(n)+strings.Repeat("x", 990))
			}
		}
		for {
			r, err := j.Append(ctx, e)
			if err == nil {
				fmt.Println(r)
				break
			}
			if fmt.Println(err); i%4 == 3 {
				break
			}
			time.Sleep(time.Millisecond) // until there is a new segment
		}
	}
}
