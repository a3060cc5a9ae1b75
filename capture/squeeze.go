package capture

import (
	"strings"

	"github.com/runattest/runattest/internal/casefold"
)

// fold is the form that all names have in common which differ in case alone.
var fold = casefold.String

// squeeze is a name without case, hyphens and underscores.
func squeeze(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return -1
		}
		return r
	}, fold(name))
}
