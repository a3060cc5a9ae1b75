package gate_test

import (
	"debug/elf"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/runattest/runattest/gate"
)

// interpreted reads from a program whether it wants a dynamic loader.
func interpreted(t *testing.T, path string) bool {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// TestCheckLoader compares what the process says of itself with what stands in its file. Programs with C code that are linked
// statically are tried end to end, since a test is none.
func TestCheckLoader(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := errors.Is(gate.CheckLoader(), gate.ErrLoader), interpreted(t, self); got != want {
		t.Errorf("refused: %v, want %v", got, want)
	}
}
