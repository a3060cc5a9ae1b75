package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// shown is how many elements and how many characters of a value are put into a message.
const shownElements, shownText = 20, 300

// show is a value for a message: a string as it is, anything else as JSON would have it.
func show(v ref.Val) string {
	if s, ok := v.(types.String); ok {
		return cut(string(s))
	}
	return cut(literal(v))
}

func literal(v ref.Val) string {
	switch v := v.(type) {
	case types.String:
		return strconv.Quote(cut(string(v)))
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339)
	case types.Duration:
		return v.String()
	case *types.Optional:
		if !v.HasValue() {
			return "none"
		}
		return literal(v.GetValue())
	case *ordered:
		if v.label != "" {
			return v.label
		}
		return members(v)
	case traits.Mapper:
		return members(v)
	case traits.Lister:
		var parts []string
		for i := v.Iterator(); i.HasNext() == types.True; {
			element := i.Next()
			if len(parts) == shownElements {
				parts = append(parts, "...")
				break
			}
			parts = append(parts, literal(element))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprint(v.Value())
}

func members(v traits.Mapper) string {
	var parts []string
	for i := v.Iterator(); i.HasNext() == types.True; {
		key := i.Next()
		if len(parts) == shownElements {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, literal(key)+":"+literal(v.Get(key)))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func cut(s string) string {
	n := 0
	for i := range s {
		if n == shownText {
			return s[:i] + "..."
		}
		n++
	}
	return s
}
