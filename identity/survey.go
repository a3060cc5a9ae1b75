package identity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/yamljson"
)

// survey is everything that is wrong with a text: what package canonical refuses is mended in a copy, so that the
// rest of the text is looked at, too.
type survey struct {
	problems []Problem
	root     jsontree.Value // of the mended text; absent where it cannot be mended
	replaced []string       // pointers of values that are not the author's
	locate   locator        // nil at first: places in the mended text are those in the source
}

// surveyJSON lists what is wrong with JSON text.
func surveyJSON(data []byte) *survey {
	s := &survey{}
	if jsonmend.LooksLikeYAML(data) {
		s.problems = []Problem{{
			Severity: Error, Code: "syntax", Line: 1, Column: 1,
			Message: "not valid JSON: this is YAML", Hint: "give the file a name that ends in .yaml, or write it as JSON",
		}}
		return s
	}
	s.text(data, len(data), func(m jsonmend.Mistake) (int, int, int) {
		line, column := yamljson.LineColumn(data, m.Offset)
		return m.Offset, line, column
	})
	return s
}

// text surveys JSON text, which may stand for YAML of size bytes; place is where a mistake in it is in the source.
func (s *survey) text(src []byte, size int, place func(jsonmend.Mistake) (offset, line, column int)) {
	if len(src) > limits.Declaration {
		s.problems = append(s.problems, sizeProblem(size, limits.Declaration))
		return
	}
	mistakes, mended, form := jsonmend.All(src, rules, limits.Problems, limits.Reread)
	if s.locate == nil {
		s.locate = jsonLocator(mended)
	}
	for _, m := range mistakes {
		if enough(s.problems) {
			break
		}
		p := textProblem(m)
		p.Offset, p.Line, p.Column = place(m)
		s.problems = append(s.problems, p)
		if m.Replaced {
			s.replaced = append(s.replaced, m.Pointer)
		}
	}
	switch {
	case form == nil:
	case len(form) > limits.Declaration: // numbers such as 1e20 grow
		s.problems = append(s.problems, sizeProblem(len(form), limits.Declaration))
	default:
		s.members(form)
	}
	s.sort()
}

// members surveys what the canonical form of the mended text says.
func (s *survey) members(form []byte) {
	root, err := jsontree.Parse(form)
	if err != nil {
		return // canonical wrote it: unreachable
	}
	if p, ok := foreign(root); ok && !s.isReplaced("") && (root.Len() > 0 || len(s.problems) == 0) {
		p.Offset, p.Line, p.Column = s.locate(p.Pointer)
		s.problems = []Problem{p}
		return
	}
	s.root = root
	for _, p := range validate(root) {
		if !s.isReplaced(p.Pointer) && !enough(s.problems) {
			p.Offset, p.Line, p.Column = s.locate(p.Pointer)
			s.problems = append(s.problems, p)
		}
	}
}

func (s *survey) isReplaced(pointer string) bool {
	return slices.ContainsFunc(s.replaced, func(r string) bool { return pointer == r || strings.HasPrefix(pointer, r+"/") })
}

func (s *survey) sort() { sortByPlace(s.problems) }

// sortByPlace puts problems in the order of the text, those without a place last.
func sortByPlace(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
