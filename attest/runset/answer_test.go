package runset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
)

// readings counts how often a file is read from a place.
type readings struct {
	io.ReadSeeker
	seeks int
}

func (r *readings) Seek(offset int64, whence int) (int64, error) {
	r.seeks++
	return r.ReadSeeker.Seek(offset, whence)
}

// One answer for a set takes one reading of its runs, and runs that are reported take two.
func TestReadings(t *testing.T) {
	d := newDesk(t)
	steps := 0
	step := func() { steps++ }
	for want, o := range map[int]VerifyOptions{1: {Progress: step}, 2: {Progress: step, Each: func(uint64, attest.Report) error { return nil }}} {
		file := &readings{ReadSeeker: bytes.NewReader(d.write(t, 3))}
		set, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		file.seeks, steps = 0, 0
		if r, err := Verify(ctx, d.verifier, set, o); err != nil || !r.Verified || file.seeks != want || steps != 3 {
			t.Errorf("%+v, %v, %d readings, want %d, %d steps", r, err, file.seeks, want, steps)
		}
	}
}

// A set has one answer, whether or not its runs are reported: for every vector, and with what is wrong with a line.
func TestAnswers(t *testing.T) {
	v, sets, malformed := vectorVerifier(t), 0, 0
	same := func(name string, data []byte) {
		t.Helper()
		set, err := Open(bytes.NewReader(data))
		if err != nil {
			return
		}
		got, err := Verify(ctx, v, set, VerifyOptions{})
		want, wantErr := Verify(ctx, v, set, VerifyOptions{Each: func(uint64, attest.Report) error { return nil }})
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v, %v", name, got, err, want, wantErr)
		}
		sets++
		if err == nil {
			return
		}
		malformed++
		if line, want := (*LineError)(nil), (*LineError)(nil); !errors.As(err, &line) || !errors.As(wantErr, &want) || line.Line != want.Line ||
			line.Offset != want.Offset || line.Offset != int64(lineOffset(data, int(line.Line))) {
			t.Errorf("%s: %v, want %v", name, err, wantErr)
		}
	}
	for _, vector := range vectorIndex(t) {
		if !strings.HasSuffix(vector.File, ".runset.jsonl") {
			continue
		}
		data := vectorFile(t, vector.File)
		same(vector.File, data)
		lines := bytes.SplitAfter(data, []byte("\n"))
		for i := 1; i < min(len(lines)-1, 4); i++ {
			for _, line := range []string{"\n", "[]\n", "{\"a\":1,\"a\":2}\n", "{} \n", " " + string(lines[i]), "{", ""} {
				same(fmt.Sprintf("%s, line %d: %q", vector.File, i+1, line), bytes.Join(append(append(lines[:i:i], []byte(line)), lines[i+1:]...), nil))
			}
		}
	}
	if sets < 50 || malformed < 20 {
		t.Errorf("%d sets, %d of them malformed", sets, malformed)
	}
}
