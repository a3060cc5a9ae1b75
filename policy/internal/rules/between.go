package rules

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// between is what comparisons with constants leave of the numbers that a member may be.
type between struct {
	least, most           float64
	aboveLeast, belowMost bool // without the number itself
}

// any number.
var unbounded = between{least: math.Inf(-1), most: math.Inf(1)}

// with is what a comparison of the member with n leaves.
func (b between) with(operator string, n float64) between {
	switch operator {
	case operators.Greater, operators.GreaterEquals:
		if open := operator == operators.Greater; n > b.least || n == b.least && open {
			b.least, b.aboveLeast = n, open
		}
	case operators.Less, operators.LessEquals:
		if open := operator == operators.Less; n < b.most || n == b.most && open {
			b.most, b.belowMost = n, open
		}
	}
	return b
}

// within are the numbers of both.
func (b between) within(other between) between {
	from, to := operators.GreaterEquals, operators.LessEquals
	if other.aboveLeast {
		from = operators.Greater
	}
	if other.belowMost {
		to = operators.Less
	}
	return b.with(from, other.least).with(to, other.most)
}

func (b between) has(n float64) bool {
	return (n > b.least || n == b.least && !b.aboveLeast) && (n < b.most || n == b.most && !b.belowMost)
}

// isEmpty says that it leaves none.
func (b between) isEmpty() bool {
	return b.least > b.most || b.least == b.most && (b.aboveLeast || b.belowMost)
}

// and names what is demanded, with the constants that the member is to be besides.
func (b between) and(constants []string) string {
	var all []string
	if !math.IsInf(b.least, 0) {
		all = append(all, map[bool]string{false: ">= ", true: "> "}[b.aboveLeast]+strconv.FormatFloat(b.least, 'g', -1, 64))
	}
	if !math.IsInf(b.most, 0) {
		all = append(all, map[bool]string{false: "<= ", true: "< "}[b.belowMost]+strconv.FormatFloat(b.most, 'g', -1, 64))
	}
	if len(constants) > 0 {
		all = append(all, "== "+strings.Join(constants, " or "))
	}
	return strings.Join(all, " and ")
}

// numberIn is a constant number that a double can be compared with.
func numberIn(e ast.Expr) (n float64, ok bool) {
	switch v := constantIn(e).(type) {
	case types.Int:
		return float64(v), v > -1<<53 && v < 1<<53
	case types.Double:
		return float64(v), !math.IsNaN(float64(v))
	}
	return 0, false
}

// excludes says whether all of these constants are numbers that b does not have.
func (b between) excludes(constants []string) bool {
	return len(constants) > 0 && !slices.ContainsFunc(constants, func(text string) bool {
		n, err := strconv.ParseFloat(text, 64)
		return err != nil || b.has(n)
	})
}
