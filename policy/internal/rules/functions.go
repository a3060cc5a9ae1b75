package rules

import (
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/cel-go/interpreter"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/limits"
)

// functions are CEL's matches, with its work bounded before it is done, three functions on
// strings, and json. CEL's string extension is left out: some of its functions take the product of two
// lengths, or their sum in memory, before the meter counts them.
func functions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function(overloads.Matches,
			cel.MemberOverload(overloads.MatchesString, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType),
			cel.Overload(overloads.Matches, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType),
			cel.SingletonBinaryBinding(matches)),
		cel.Function("lowerAscii",
			cel.MemberOverload("string_lower_ascii", []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(lowerASCII))),
		cel.Function("trim",
			cel.MemberOverload("string_trim", []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(trim))),
		cel.Function("split",
			cel.MemberOverload("string_split_string", []*cel.Type{cel.StringType, cel.StringType}, cel.ListType(cel.StringType), cel.BinaryBinding(split))),
		cel.Function(functionJSON,
			cel.Overload("json_dyn", []*cel.Type{cel.DynType}, cel.StringType, cel.UnaryBinding(jsonText))),
	}
}

// regex is an expression of RE2 with the size of its program.
type regex struct {
	*regexp.Regexp
	size int
}

func compileRegex(pattern string) (regex, error) {
	if len(pattern) > limits.RegexSource {
		return regex{}, fmt.Errorf("regular expression of %d bytes, want at most %d", len(pattern), limits.RegexSource)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return regex{}, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return regex{}, err
	}
	if n := len(program.Inst); n > limits.RegexProgram {
		return regex{}, fmt.Errorf("regular expression of %d instructions, want at most %d", n, limits.RegexProgram)
	}
	re, err := regexp.Compile(pattern)
	return regex{re, len(program.Inst)}, err
}

// match holds a text against the expression, unless that would take too long.
func (r regex) match(text string) ref.Val {
	if len(text) > limits.RegexWork/max(r.size, 1) {
		return types.NewErr("%d bytes are too many for a regular expression of %d instructions", len(text), r.size)
	}
	return types.Bool(r.MatchString(text))
}

func matches(text, pattern ref.Val) ref.Val {
	s, ok := text.(types.String)
	p, isPattern := pattern.(types.String)
	if !ok || !isPattern {
		return types.MaybeNoSuchOverloadErr(text)
	}
	re, err := compileRegex(string(p))
	if err != nil {
		return types.NewErr("%s", err)
	}
	return re.match(string(s))
}

// matchesConstant compiles an expression that a policy states once, when it is loaded.
var matchesConstant = &interpreter.RegexOptimization{
	Function:   overloads.Matches,
	RegexIndex: 1,
	Factory: func(call interpreter.InterpretableCall, pattern string) (interpreter.InterpretableCall, error) {
		re, err := compileRegex(pattern)
		if err != nil {
			return nil, err
		}
		compiled := interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(values ...ref.Val) ref.Val {
			if len(values) != 2 {
				return types.NoSuchOverloadErr()
			}
			text, ok := values[0].(types.String)
			if !ok {
				return types.MaybeNoSuchOverloadErr(values[0])
			}
			return re.match(string(text))
		})
		return &timedMatch{compiled}, nil
	},
}

func lowerASCII(v ref.Val) ref.Val {
	return types.String(strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, string(v.(types.String))))
}

func trim(v ref.Val) ref.Val { return types.String(strings.TrimSpace(string(v.(types.String)))) }

func split(v, separator ref.Val) ref.Val {
	text, by := string(v.(types.String)), string(separator.(types.String))
	parts := strings.SplitN(text, by, limits.Pieces+1)
	if len(parts) > limits.Pieces {
		return types.NewErr("more than %d pieces", limits.Pieces)
	}
	return types.NewStringList(types.DefaultTypeAdapter, parts)
}

const functionJSON = "json"

// jsonText is a value in RFC 8785 form, so that a rule can look at all the text in it.
func jsonText(v ref.Val) ref.Val {
	plain, err := plainOf(v)
	if err != nil {
		return types.WrapErr(err)
	}
	text, err := json.Marshal(plain)
	if err == nil {
		text, err = canonical.Options{ExactNumbers: true}.Append(nil, text)
	}
	if err != nil {
		return types.WrapErr(err)
	}
	return types.String(text)
}

// plainOf is a value as encoding/json takes it.
func plainOf(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.String, types.Int, types.Double, types.Bool:
		return v.Value(), nil
	case types.Null:
		return nil, nil
	case traits.Mapper:
		members := map[string]any{}
		for i := v.Iterator(); i.HasNext() == types.True; {
			key := i.Next()
			name, ok := key.(types.String)
			if !ok {
				return nil, fmt.Errorf("json: a name is of type %s, want string", key.Type().TypeName())
			}
			member, err := plainOf(v.Get(key))
			if err != nil {
				return nil, err
			}
			members[string(name)] = member
		}
		return members, nil
	case traits.Lister:
		elements := []any{}
		for i := v.Iterator(); i.HasNext() == types.True; {
			element, err := plainOf(i.Next())
			if err != nil {
				return nil, err
			}
			elements = append(elements, element)
		}
		return elements, nil
	}
	return nil, fmt.Errorf("json: no value of type %s", v.Type().TypeName())
}
