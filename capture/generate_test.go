package capture

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A generator writes requests that a table reads, and some that nothing reads.
type generator struct {
	*rand.Rand
	budget int
	named  *shape // of the member that has the model, nil for the body
}

var someStrings = []string{"", "x", "text", "function", "é\u2028", "a\"b\\c\n", "[secret]", "AAAA", "AAA=", "-_8=", "data:image/png;base64,AAAA", "data:,x",
	"https://u:p@h.example/a?sig=x&w=1", "https://h.example", "{\"json\":1}", "member", "user", "😀"}

var someNumbers = []string{"0", "-0", "1", "1.0", "1e5", "0.1", "9007199254740991", "9007199254740993", "-18446744073709551616", "0.69999999999999996", "5e-324", "1e-400"}

var someNames = []string{"x", "id", "ID", "api_key", "Token", "url", "arguments", "parameters", "a/b~c", "", "json", "type", "role", "content", "ſ", "input"}

func (g *generator) of(l []string) string { return l[g.IntN(len(l))] }

func (g *generator) value(b *bytes.Buffer, s *shape, depth int) {
	g.budget--
	n := g.IntN(12)
	if depth > 6 || g.budget < 0 {
		n = 6 + g.IntN(6)
	}
	if s.bytes != 0 && g.IntN(2) == 0 {
		n = 8
	}
	switch {
	case n < 4 || n == 4 && len(s.members)+len(s.variants) > 0:
		g.object(b, s, depth)
	case n == 4 || n == 5 && s.elements != value:
		b.WriteByte('[')
		for i := range g.IntN(3) {
			if i > 0 {
				b.WriteByte(',')
			}
			g.value(b, s.elements, depth+1)
		}
		b.WriteByte(']')
	case n < 9:
		b.Write(appendString(nil, []byte(g.of(someStrings))))
	case n == 9:
		b.WriteString(g.of(someNumbers))
	case n == 10:
		b.WriteString("true")
	default:
		b.WriteString("null")
	}
}

func (g *generator) object(b *bytes.Buffer, s *shape, depth int) {
	members := s.members
	var used []string
	b.WriteByte('{')
	put := func(name string) bool {
		if slices.Contains(used, name) || g.IntN(40) != 0 && slices.ContainsFunc(used, func(u string) bool { return fold(u) == fold(name) }) {
			return false
		}
		if len(used) > 0 {
			b.WriteByte(',')
		}
		used = append(used, name)
		b.Write(append(appendString(nil, []byte(name)), ':'))
		return true
	}
	if len(s.variants) > 0 && g.IntN(8) > 0 {
		v := s.variants[g.IntN(len(s.variants))]
		members = slices.Concat(members, v.members)
		if put(s.by) {
			b.Write(appendString(nil, []byte(v.name)))
		}
	}
	for _, m := range members {
		if m.to == refused && g.IntN(40) > 0 {
			continue
		}
		if !m.required && !g.isModel(s, m, depth) && g.IntN(1+len(members)) > 2 {
			continue
		}
		name := m.name
		if len(m.aliases) > 0 && g.IntN(3) == 0 {
			name = m.aliases[0]
		}
		if put(name) {
			switch {
			case m.to == toModel || g.isModel(s, m, depth):
				b.WriteString(`"dummy"`)
			case m.value == g.named:
				g.object(b, m.value, depth+1)
			case m.name == "role" && g.IntN(20) > 0:
				b.WriteString(`"user"`)
			case (m.to == toMessages || m.to == toTools) && g.IntN(20) > 0:
				s := m.value.elements
				if m.items != nil && g.IntN(3) > 0 {
					s = m.items
				}
				g.list(b, s, depth)
			default:
				g.value(b, m.value, depth+1)
			}
		}
	}
	for range g.IntN(3) {
		if name := g.of(someNames); (s.free || fold(name) == name) && put(name) {
			g.value(b, unknownValue, depth+1)
		}
	}
	b.WriteByte('}')
}

// isModel tells the member that names the model.
func (g *generator) isModel(s *shape, m member, depth int) bool {
	return m.name == "model" && (depth == 0 || s == g.named)
}

func (g *generator) list(b *bytes.Buffer, s *shape, depth int) {
	b.WriteByte('[')
	for i := range 1 + g.IntN(3) {
		if i > 0 {
			b.WriteByte(',')
		}
		g.object(b, s, depth+1)
	}
	b.WriteByte(']')
}

// sourceFor is a source of that body, with a model where the caller names it.
func sourceFor(f Format, body []byte) Source {
	src := Source{Body: body}
	if f.table != nil && f.table.callerModel {
		src.Model = "m"
	}
	return src
}

// generated captures a request that the seed makes, and checks what holds for all. It says whether there was one.
func generated(t *testing.T, f Format, seed uint64) bool {
	g := &generator{rand.New(rand.NewPCG(seed, 1)), 200, nil}
	if a := f.table.modelArgs; a != nil && a.within != "" {
		g.named = f.table.body.index.byName[a.within].value
	}
	var b bytes.Buffer
	g.object(&b, f.table.body, 0)
	body := b.Bytes()
	c, err := f.Capture(sourceFor(f, body))
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), "would be invalid") {
			t.Fatalf("%s: %v", body, err)
		}
		return false
	}
	isDeclared(t, c.Format.Name(), c)
	checkInverse(t, body, c)
	checkOpen(t, c.Format.Name(), c)
	compact := compacted(t, f.table, body)
	root := spelled(t, f.table, compact)
	for _, fate := range c.Fates {
		if fate.Outcome != LeftOut && fate.Outcome != Absent {
			continue
		}
		other, err := f.Capture(sourceFor(f, edit(nil, root, "", fate.Pointer, "-")))
		if err != nil || other.Declaration.ID() != c.Declaration.ID() {
			t.Errorf("%s: %s is %s, and without it: %v", body, fate.Pointer, fate.Outcome, err)
		}
	}
	if t.Failed() {
		t.Logf("seed %d: %s\n%s", seed, body, c.Declaration.Canonical())
	}
	return true
}

// TestGenerated checks some hundred generated requests of each table.
func TestGenerated(t *testing.T) {
	for _, table := range tables() {
		f := Format{table: table}
		captured := 0
		for seed := range uint64(200) {
			if generated(t, f, seed) {
				captured++
			}
			if t.Failed() {
				return
			}
		}
		if captured < 40 {
			t.Errorf("%s: %d of 200 generated requests are captured, want more", f.Name(), captured)
		}
	}
}

// FuzzTable does what TestGenerated does, for any seed.
func FuzzTable(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		for _, table := range tables() {
			generated(t, Format{table: table}, seed)
		}
	})
}

// TestTables: a table's names are found, and no two of one object are equal without case.
func TestTables(t *testing.T) {
	for _, table := range tables() {
		if got, err := Lookup(table.name()); err != nil || got.table != table {
			t.Errorf("%s is not found: %v", table.name(), err)
		}
		if _, err := Lookup(fmt.Sprintf("%s/99", table.api)); err == nil {
			t.Errorf("%s/99 is found", table.api)
		}
	}
}

// TestLookupNewest: the newest table is the one with the highest number.
func TestLookupNewest(t *testing.T) {
	old := tables
	t.Cleanup(func() { tables = old })
	tables = func() []*table {
		return append([]*table{{api: "openai-chat", number: 9}, {api: "openai-chat", number: 10}}, old()...)
	}
	if f, err := Lookup("openai-chat"); err != nil || f.Name() != "openai-chat/10" {
		t.Errorf("got %s (%v)", f.Name(), err)
	}
	if f, err := Lookup("openai-chat/1"); err != nil || f.Name() != "openai-chat/1" {
		t.Errorf("got %s (%v)", f.Name(), err)
	}
}
