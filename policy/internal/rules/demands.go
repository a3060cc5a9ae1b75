package rules

import (
	"cmp"
	"maps"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"

	"github.com/runattest/runattest/internal/limits"
)

// demands are what conditions ask of expressions that must all be met, by how these are written. The zero value has none.
type demands struct {
	may, never map[string][]string // the constants that an expression is to be one of, and none of
	numbers    map[string]between
	nowhere    string // an expression that is to be in an empty list

	checked *cel.Ast            // that the condition that is added is of
	added   int                 // parts of it
	bound   map[string]ast.Expr // the constants that variables stand for there
}

// add adds a condition that must be true, or one that must be false.
func (d *demands) add(checked *cel.Ast, e ast.Expr, is bool) {
	d.checked, d.added = checked, 0
	d.addPart(e, is)
}

func (d *demands) addPart(e ast.Expr, is bool) {
	if d.added++; d.added > limits.Demands {
		return
	}
	if e.Kind() == ast.ComprehensionKind {
		d.addEach(e.AsComprehension(), is)
	}
	if e.Kind() != ast.CallKind {
		return
	}
	args := e.AsCall().Args()
	switch name := e.AsCall().FunctionName(); name {
	case operators.LogicalNot:
		d.addPart(args[0], !is)
	case operators.LogicalAnd, operators.LogicalOr:
		if is == (name == operators.LogicalAnd) {
			d.addPart(args[0], is)
			d.addPart(args[1], is)
		}
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		if !is {
			name = opposite[name]
		}
		d.addNumber(name, args[0], args[1])
	case operators.Equals, operators.NotEquals:
		if texts := d.textsOf(args[1]); texts != nil {
			d.addTexts(args[0], texts, is == (name == operators.Equals))
		} else if texts := d.textsOf(args[0]); texts != nil {
			d.addTexts(args[1], texts, is == (name == operators.Equals))
		}
	case operators.In:
		if texts := d.textsIn(args[1]); texts != nil {
			d.addTexts(args[0], texts, is)
		}
	}
}

// opposite is the comparison that is true where one is false.
var opposite = map[string]string{
	operators.Less: operators.GreaterEquals, operators.GreaterEquals: operators.Less,
	operators.LessEquals: operators.Greater, operators.Greater: operators.LessEquals,
}

// addEach adds what each of some constants must meet: by all, and by exists where that must be false.
func (d *demands) addEach(c ast.ComprehensionExpr, is bool) {
	joins, step := operators.LogicalAnd, c.LoopStep()
	if !is {
		joins = operators.LogicalOr
	}
	if step.Kind() != ast.CallKind || step.AsCall().FunctionName() != joins || !isAccumulator(c, step.AsCall().Args()[0]) || !isAccumulator(c, c.Result()) {
		return
	}
	before, shadows := d.bound[c.IterVar()]
	for _, one := range keysOf(c.IterRange()) {
		if d.bound == nil {
			d.bound = map[string]ast.Expr{}
		}
		d.bound[c.IterVar()] = one
		d.addPart(step.AsCall().Args()[1], is)
	}
	delete(d.bound, c.IterVar())
	if shadows {
		d.bound[c.IterVar()] = before
	}
}

// keysOf are the elements of a list, or the keys of a map, that is written out; none of another expression.
func keysOf(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.MapKind:
		var keys []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			keys = append(keys, entry.AsMapEntry().Key())
		}
		return keys
	}
	return nil
}

func (d *demands) addTexts(e ast.Expr, texts []string, is bool) {
	of := d.name(e)
	if of == "" {
		return
	}
	switch {
	case !is:
		d.neverIs(of, texts)
	case len(texts) == 0: // may be of a deny list that is empty still
		d.nowhere = of
	default:
		d.mayBe(of, texts)
	}
}

func (d *demands) mayBe(of string, texts []string) {
	if d.may == nil {
		d.may = map[string][]string{}
	}
	if before, known := d.may[of]; known {
		texts = slices.DeleteFunc(slices.Clone(before), func(text string) bool { return !slices.Contains(texts, text) })
	}
	d.may[of] = texts
}

func (d *demands) neverIs(of string, texts []string) {
	if d.never == nil {
		d.never = map[string][]string{}
	}
	d.never[of] = append(d.never[of], texts...)
}

func (d *demands) addNumber(operator string, x, y ast.Expr) {
	n, ok := numberIn(d.value(y))
	if !ok {
		x, y, operator = y, x, turned(operator)
		n, ok = numberIn(d.value(y))
	}
	of := d.name(x)
	if !ok || of == "" {
		return
	}
	d.isNumber(of, unbounded.with(operator, n))
}

func (d *demands) isNumber(of string, some between) {
	if d.numbers == nil {
		d.numbers = map[string]between{}
	}
	if before, known := d.numbers[of]; known {
		some = some.within(before)
	}
	d.numbers[of] = some
}

// value is the constant that an expression stands for, or the expression.
func (d *demands) value(e ast.Expr) ast.Expr {
	if e.Kind() == ast.IdentKind {
		if constant, ok := d.bound[e.AsIdent()]; ok {
			return constant
		}
	}
	return e
}

// textsOf is the text of a constant, nil of another expression.
func (d *demands) textsOf(e ast.Expr) []string {
	if text := constantText(d.value(e)); text != "" {
		return []string{text}
	}
	return nil
}

// textsIn are the texts of a list of constants, or of the keys of a map, nil of another expression.
func (d *demands) textsIn(e ast.Expr) []string {
	if e.Kind() != ast.ListKind && e.Kind() != ast.MapKind {
		return nil
	}
	texts := []string{}
	for _, one := range keysOf(e) {
		text := d.textsOf(one)
		if text == nil {
			return nil
		}
		texts = append(texts, text...)
	}
	return texts
}

// name is how an expression is written that has one value for a run, "" of a constant, and of one that turns on a bound variable.
func (d *demands) name(e ast.Expr) string {
	reads, turns := false, false
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(part ast.Expr) {
		if part.Kind() == ast.IdentKind {
			_, isBound := d.bound[part.AsIdent()]
			reads, turns = true, turns || isBound
		}
	}))
	if !reads || turns {
		return ""
	}
	if e.Kind() == ast.SelectKind && e.AsSelect().FieldName() == "kind" && d.checked.NativeRep().GetType(e.AsSelect().Operand().ID()).TypeName() == "Run" {
		return "declaration.kind" // which it is
	}
	if of := path(e); of != "" {
		return of
	}
	text, err := cel.ExprToString(e, d.checked.NativeRep().SourceInfo())
	if err != nil {
		return ""
	}
	return text
}

// asks says whether something is asked of an expression.
func (d *demands) asks(of string) bool {
	_, isNumber := d.numbers[of]
	return isNumber || d.may[of] != nil || d.never[of] != nil
}

// size is how many constants that expression is held against.
func (d *demands) size(of string) int { return 1 + len(d.may[of]) + len(d.never[of]) }

// about are the demands of one expression.
func (d *demands) about(of string) *demands {
	one := &demands{}
	if texts, ok := d.may[of]; ok {
		one.join(&demands{may: map[string][]string{of: texts}})
	}
	if texts, ok := d.never[of]; ok {
		one.join(&demands{never: map[string][]string{of: texts}})
	}
	if some, ok := d.numbers[of]; ok {
		one.join(&demands{numbers: map[string]between{of: some}})
	}
	return one
}

// join adds what others demand.
func (d *demands) join(other *demands) {
	for of, texts := range other.may {
		d.mayBe(of, texts)
	}
	for of, texts := range other.never {
		d.neverIs(of, texts)
	}
	for of, some := range other.numbers {
		d.isNumber(of, some)
	}
	d.nowhere = cmp.Or(d.nowhere, other.nowhere)
}

// contradicted are the expressions of which what is demanded cannot be, sorted.
func (d *demands) contradicted() []string {
	var all []string
	for of := range d.numbers {
		if some := d.numbers[of]; some.isEmpty() || some.excludes(d.may[of]) {
			all = append(all, of)
		}
	}
	for of := range d.may {
		if !slices.ContainsFunc(d.may[of], func(text string) bool { return !slices.Contains(d.never[of], text) }) {
			all = append(all, of)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// contradiction is an expression that is to be two constants at once, or numbers, which are "" of constants; "" if none is.
func (d *demands) contradiction() (of, numbers string) {
	for _, of := range slices.Sorted(maps.Keys(d.numbers)) {
		if some := d.numbers[of]; some.isEmpty() || some.excludes(d.may[of]) {
			return of, some.and(d.may[of])
		}
	}
	for _, of := range slices.Sorted(maps.Keys(d.may)) {
		if len(d.may[of]) == 0 {
			return of, ""
		}
	}
	return "", ""
}

// why says what they contradict each other about, "" if they do not.
func (d *demands) why() string {
	if d.nowhere != "" {
		return "demands of " + d.nowhere + " that it is in an empty list"
	}
	of, numbers := d.contradiction()
	if of == "" {
		all := d.contradicted()
		if len(all) == 0 {
			return ""
		}
		of = all[0]
	}
	if numbers != "" {
		numbers = ": " + numbers
	}
	return "demands of " + of + " that it is two things at once" + numbers
}
