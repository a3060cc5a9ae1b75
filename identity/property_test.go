package identity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/runattest/runattest/identity"
)

// TestOneDeclarationOneIdentity writes generated declarations in many ways, which all have
// one identity, and changes them in one place at a time, which gives each another one.
func TestOneDeclarationOneIdentity(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		v := randomDeclaration(r)
		want := mustParse(t, write(r, v, plainly)).ID()
		if built, err := identity.Build(mustParse(t, write(r, v, plainly)).Run()); err != nil || built.ID() != want {
			t.Fatalf("seed %d: built of its own parts it is %s, %v; want %s", seed, built.ID(), err, want)
		}
		for range 5 {
			spelling := write(r, v, strangely)
			if got := mustParse(t, spelling).ID(); got != want {
				t.Fatalf("seed %d: %s, want %s, for\n%s", seed, got, want, spelling)
			}
		}
		asYAML := toYAML(t, v)
		d, err := identity.ParseYAML(asYAML)
		if err != nil || d.ID() != want {
			t.Fatalf("seed %d: YAML gives %v, want %s, for\n%s", seed, err, want, asYAML)
		}
		seen := map[identity.ID]string{want: "the original"}
		for _, changed := range mutations(v) {
			text := write(r, changed, plainly)
			d, err := identity.Parse(text)
			if err != nil {
				continue // the change made it invalid: it has no identity at all
			}
			if before, ok := seen[d.ID()]; ok && before != string(text) {
				t.Fatalf("seed %d: two declarations with one identity:\n%s\n%s", seed, before, text)
			}
			seen[d.ID()] = string(text)
		}
		if len(seen) < 10 {
			t.Fatalf("seed %d: only %d of the changes were valid", seed, len(seen)-1)
		}
	}
}

// TestEveryCharacterCounts changes each character of a prompt, and numbers in their last digit.
func TestEveryCharacterCounts(t *testing.T) {
	text := `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"inference","model":{"name":"m"},` +
		`"prompt":{"text":"Summarise the report, please."},"parameters":{"temperature":0.7},"context":[],"constraints":{}}`
	original := mustParse(t, []byte(text)).ID()
	start := strings.Index(text, "Summarise")
	for i := start; i < start+len("Summarise the report, please."); i++ {
		changed := []byte(text)
		changed[i] ^= 1
		if changed[i] == '"' || changed[i] == '\\' {
			changed[i] = 'x'
		}
		if mustParse(t, changed).ID() == original {
			t.Errorf("changing %q does not change the identity", text[i])
		}
	}
	if mustParse(t, []byte(strings.Replace(text, "0.7", "0.71", 1))).ID() == original {
		t.Error("0.7 and 0.71 have one identity")
	}
	if mustParse(t, []byte(strings.Replace(text, "0.7", "7e-1", 1))).ID() != original {
		t.Error("0.7 and 7e-1 have two identities")
	}
}

// object is a JSON object that keeps the order of its members.
type object []member

type member struct {
	name  string
	value any // object, []any, string, json.Number, bool
}

func randomDeclaration(r *rand.Rand) object {
	d := object{
		{"schema", identity.Schema},
		{"kind", []string{"inference", "agent", "training", "evaluation", "batch", "other"}[r.IntN(6)]},
		{"model", object{{"name", "model-" + randomText(r)}, {"version", "1"}}},
		{"prompt", object{{"text", randomText(r)}}},
		{"parameters", randomObject(r, 3)},
		{"constraints", randomObject(r, 3)},
	}
	var context []any
	for i := range r.IntN(3) {
		context = append(context, object{{"role", "tool"}, {"name", "t" + strconv.Itoa(i)}, {"content", randomValue(r, 3)}})
	}
	return append(d, member{"context", context})
}

func randomObject(r *rand.Rand, depth int) object {
	o := object{{"seed", json.Number(strconv.Itoa(r.IntN(1000)))}}
	for i := range r.IntN(6) {
		o = append(o, member{fmt.Sprintf("%s%d", randomText(r), i), randomValue(r, depth-1)})
	}
	return o
}

func randomValue(r *rand.Rand, depth int) any {
	kind := r.IntN(6)
	if depth <= 0 {
		kind = r.IntN(4)
	}
	switch kind {
	case 0:
		return r.IntN(2) == 0
	case 1:
		return json.Number(strconv.Itoa(r.IntN(2_000_000) - 1_000_000))
	case 2:
		return json.Number(strconv.FormatFloat(float64(r.IntN(10_000))/1000, 'f', -1, 64))
	case 3:
		return randomText(r)
	case 4:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, randomValue(r, depth-1))
		}
		return list
	}
	return randomObject(r, depth-1)
}

func randomText(r *rand.Rand) string {
	letters := []rune("abcXYZ 09_-/~\"\\\n\té漢字😀\u2028\u007f<>&")
	var b strings.Builder
	for range 1 + r.IntN(12) {
		b.WriteRune(letters[r.IntN(len(letters))])
	}
	return b.String()
}

// style writes the parts of JSON that may be written in several ways.
type style struct {
	space  func(*rand.Rand) string
	order  func(*rand.Rand, object) object
	text   func(*rand.Rand, string) string
	number func(*rand.Rand, string) string
}

var plainly = style{
	space:  func(*rand.Rand) string { return "" },
	order:  func(_ *rand.Rand, o object) object { return o },
	text:   func(_ *rand.Rand, s string) string { q, _ := json.Marshal(s); return string(q) },
	number: func(_ *rand.Rand, s string) string { return s },
}

var strangely = style{
	space: func(r *rand.Rand) string { return []string{"", " ", "\n", "\t", "\r\n  "}[r.IntN(5)] },
	order: func(r *rand.Rand, o object) object {
		shuffled := append(object(nil), o...)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		return shuffled
	},
	text: func(r *rand.Rand, s string) string {
		var b strings.Builder
		for _, c := range s {
			switch {
			case c < 0x10000 && r.IntN(3) == 0:
				fmt.Fprintf(&b, `\u%04x`, c)
			case c == '/' && r.IntN(2) == 0:
				b.WriteString(`\/`)
			default:
				q, _ := json.Marshal(string(c))
				b.Write(q[1 : len(q)-1])
			}
		}
		return `"` + b.String() + `"`
	},
	number: func(r *rand.Rand, s string) string {
		switch {
		case r.IntN(2) == 0:
			return s
		case !strings.Contains(s, "."):
			return s + ".0"
		default:
			return s + "0E+0"
		}
	},
}

func write(r *rand.Rand, v any, s style) []byte {
	var b bytes.Buffer
	s.write(&b, r, v)
	return b.Bytes()
}

func (s style) write(b *bytes.Buffer, r *rand.Rand, v any) {
	b.WriteString(s.space(r))
	defer func() { b.WriteString(s.space(r)) }()
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i, m := range s.order(r, v) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(s.space(r) + s.text(r, m.name) + s.space(r) + ":")
			s.write(b, r, m.value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			s.write(b, r, e)
		}
		b.WriteByte(']')
	case string:
		b.WriteString(s.text(r, v))
	case json.Number:
		b.WriteString(s.number(r, v.String()))
	default:
		fmt.Fprint(b, v)
	}
}

// toYAML writes v through the YAML library, in whatever style that chooses.
func toYAML(t *testing.T, v any) []byte {
	t.Helper()
	data, err := yaml.Dump(yamlNode(v))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func yamlNode(v any) *yaml.Node {
	switch v := v.(type) {
	case object:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, m := range v {
			n.Content = append(n.Content, yamlNode(m.name), yamlNode(m.value))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, e := range v {
			n.Content = append(n.Content, yamlNode(e))
		}
		return n
	case string:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v, Style: yaml.DoubleQuotedStyle}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v)}
}

// mutations are copies of v, each with one change somewhere.
func mutations(v object) []object {
	var all []object
	walk(v, func(changed any) { all = append(all, changed.(object)) })
	return all
}

// walk calls emit with a copy of v for each place in it, changed there.
func walk(v any, emit func(any)) {
	switch v := v.(type) {
	case object:
		emit(append(append(object(nil), v...), member{"added", true}))
		for i, m := range v {
			emit(append(append(object(nil), v[:i]...), v[i+1:]...))
			walk(m.value, func(changed any) {
				c := append(object(nil), v...)
				c[i].value = changed
				emit(c)
			})
		}
	case []any:
		emit(append(append([]any(nil), v...), "added"))
		for i, e := range v {
			walk(e, func(changed any) {
				c := append([]any(nil), v...)
				c[i] = changed
				emit(c)
			})
		}
	case string:
		emit(v + "x")
		emit(json.Number("1"))
	case json.Number:
		emit(json.Number(v.String() + "1"))
		emit(v.String())
	case bool:
		emit(!v)
	}
}
