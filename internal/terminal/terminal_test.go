package terminal

import (
	"strings"
	"testing"
)

// TestLongLine: a line of the length at which terminals cut may be a part of what was typed, in whichever pieces it is read.
func TestLongLine(t *testing.T) {
	whole, full := strings.Repeat("a", 4094)+"\n", strings.Repeat("a", 4095)+"\n"
	for _, c := range []struct {
		system, text string
		cut          bool
	}{
		{"linux", strings.Repeat(whole, 3), false}, {"linux", whole + full, true}, {"linux", full[:4095], true},
		{"darwin", strings.Repeat("a", 1022) + "\n", false}, {"darwin", whole, true}, {"windows", full + full, false},
	} {
		for _, piece := range []int{1, 1000, 1 << 20} {
			l, err := lines{most: longestLine(c.system)}, error(nil)
			for rest := []byte(c.text); err == nil && len(rest) > 0; {
				n := min(piece, len(rest))
				err, rest = l.add(rest[:n]), rest[n:]
			}
			if (err != nil) != c.cut {
				t.Errorf("%s, %d bytes by %d: %v", c.system, len(c.text), piece, err)
			}
		}
	}
}
