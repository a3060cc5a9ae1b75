package capture

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/secrets"
)

// edit copies v without what stands at the pointer skip, and with the members of objects at the pointer turned in
// reverse order.
func edit(dst []byte, v jsontree.Value, at, skip, turned string) []byte {
	switch v.Kind() {
	case jsontree.Object:
		var l [][]byte
		for name, e := range v.Members() {
			p := at + "/" + jsontree.EscapePointer(string(name))
			if p == skip {
				continue
			}
			l = append(l, edit(append(appendString(nil, name), ':'), e, p, skip, turned))
		}
		if at == turned {
			for i := range len(l) / 2 {
				l[i], l[len(l)-1-i] = l[len(l)-1-i], l[i]
			}
		}
		return append(append(append(dst, '{'), bytes.Join(l, []byte{','})...), '}')
	case jsontree.Array:
		var l [][]byte
		for i, e := range v.Elements() {
			l = append(l, edit(nil, e, fmt.Sprintf("%s/%d", at, i), skip, turned))
		}
		return append(dst, brackets(l)...)
	}
	return append(dst, v.Raw()...)
}

// TestMembers: without a member that is out or absent a request has the same identity, and without one that is kept
// another; its own order does not matter, nor white space.
func TestMembers(t *testing.T) {
	for v := range capturedVectors(t) {
		f, src, c := v.format, v.src, v.c
		compact := compacted(t, f.table, src.Body)
		root := spelled(t, f.table, compact)
		same := func(why string, body []byte) bool {
			src.Body = body
			other, err := captureVector(t, v.Vector, f, src)
			return err == nil && other.Declaration.ID() == c.Declaration.ID()
		}
		if !same("order", edit(nil, root, "", "-", "")) {
			t.Errorf("%s: the order of its members matters", v.Name)
		}
		if !same("space", bytes.ReplaceAll(edit(nil, root, "", "-", "-"), []byte(`":`), []byte("\" :\n"))) && !bytes.Contains(compact, []byte(`\":`)) {
			t.Errorf("%s: white space matters", v.Name)
		}
		for _, fate := range c.Fates {
			isIn := fate.Outcome == Kept
			if fate.Outcome != LeftOut && fate.Outcome != Absent && !isIn || strings.Contains(fate.Pointer, ":") || fate.Pointer == "/model" && f.table.modelArgs == nil {
				continue
			}
			if same(fate.Pointer, edit(nil, root, "", fate.Pointer, "-")) == isIn {
				t.Errorf("%s: %s is %s, and without it the identity is the same: %v", v.Name, fate.Pointer, fate.Outcome, !isIn)
			}
		}
	}
}

// TestToolOrder: the order of a tool's members, which a model may see, is another run.
func TestToolOrder(t *testing.T) {
	checked := map[string]bool{}
	for v := range capturedVectors(t) {
		root := spelled(t, v.format.table, compacted(t, v.format.table, v.src.Body))
		for i, tool := range root.Get("tools").Elements() {
			stays := 0
			for name := range tool.Members() {
				if !slices.Contains([]string{"_meta", "icons", "cache_control"}, string(name)) {
					stays++
				}
			}
			if stays < 2 {
				continue
			}
			src := v.src
			src.Body = edit(nil, root, "", "-", fmt.Sprintf("/tools/%d", i))
			c, err := v.format.Capture(src)
			if err != nil {
				t.Fatal(err)
			}
			if checked[v.format.table.api] = true; c.Declaration.ID() == v.c.Declaration.ID() {
				t.Errorf("%s: the order in tool %d does not matter", v.Name, i)
			}
		}
	}
	if len(checked) < 6 {
		t.Errorf("tools of %d formats, want at least 6", len(checked))
	}
}

// TestInverse: from a declaration its source can be rebuilt.
func TestInverse(t *testing.T) {
	for v := range capturedVectors(t) {
		t.Run(v.Name, func(t *testing.T) { checkInverse(t, v.src.Body, v.c) })
	}
}

// TestSecretsInVectors: not-a-key stands for a secret.
func TestSecretsInVectors(t *testing.T) {
	found := 0
	for _, v := range loadVectors(t) {
		if v.IsValid() && bytes.Contains(v.Body, []byte("not-a-key")) {
			found++
		}
		if strings.Contains(v.Header["canonical"], "not-a-key") {
			t.Errorf("%s: a secret is in the declaration", v.Name)
		}
	}
	if found == 0 {
		t.Error("no vector has a secret")
	}
}

// FuzzCapture: what is captured can be rebuilt, has the same identity once more, and is what the strict reader takes.
func FuzzCapture(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(v.Body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, format := range Formats() {
			if format.folder != nil {
				continue
			}
			if format.batch != nil {
				for c, err := range format.CaptureEach(Source{Body: body}) {
					if c == nil && err == nil {
						t.Fatalf("%s: neither a declaration nor an error", format.Name())
					}
				}
				continue
			}
			c, err := format.Capture(sourceFor(format, body))
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || strings.Contains(err.Error(), "would be invalid") {
					t.Fatalf("%s: %v", format.Name(), err)
				}
				continue
			}
			isDeclared(t, format.Name(), c)
			checkInverse(t, body, c)
			checkOpen(t, format.Name(), c)
		}
	})
}

// option is a name that an option of a command may have.
var option = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*$`)

// FuzzSecrets plants a canary where secrets are, at several depths.
func FuzzSecrets(f *testing.F) {
	f.Add("api_key", byte(0), byte(1))
	f.Add("Authorization", byte(1), byte(3))
	f.Add("X-Auth-Token", byte(1), byte(0))
	f.Add("client-secret", byte(0), byte(5))
	f.Add("\u017fecret", byte(0), byte(0))
	f.Add("HEADERS", byte(1), byte(2))
	f.Add("api-key", byte(2), byte(0))
	f.Add("api-key", byte(3), byte(1))
	f.Add("token", byte(3), byte(2))
	f.Add("hf_token", byte(2), byte(3))
	f.Add("api key", byte(4), byte(0))
	f.Add("token", byte(5), byte(1))
	f.Add("headers", byte(4), byte(2))
	f.Add("api_key", byte(5), byte(3))
	f.Add("pass_word", byte(12), byte(0))
	f.Add("Authorization", byte(13), byte(1))
	minimal, toolless := map[string]string{}, map[string]string{} // bodies without their first brace
	for _, v := range loadVectors(f) {
		if filepath.Base(v.Name) == "minimal.vec" {
			format, _ := sourceOf(f, v)
			root := spelled(f, format.table, compacted(f, format.table, v.Body))
			rest := edit(nil, root, "", "-", "-")[1:]
			minimal[format.table.api] = string(rest)
			if rest = edit(nil, root, "", "/tools", "-")[1:]; string(rest) == "}" {
				rest = []byte(`"z":1}`)
			}
			toolless[format.table.api] = string(rest)
		}
	}
	f.Fuzz(func(t *testing.T, name string, where, depth byte) {
		kind := unknownSecrets
		if where&1 == 1 {
			kind = toolSecrets
		}
		if !secrets.IsWithheld(name) {
			return
		}
		secret := `"CANARY"`
		for range depth % 8 {
			secret = `{"x":[` + secret + `]}`
		}
		quoted := string(appendString(nil, []byte(name)))
		if where&2 != 0 && option.MatchString(name) {
			secret = string(appendString(nil, []byte("x --"+name+[]string{" a\\ CANARY", ` "a\" CANARY"`, "='a CANARY'", " a\\\nCANARY"}[depth%4]+" -v")))
			quoted = `"command"`
		}
		if where&6 == 4 && !strings.ContainsAny(quoted[1:len(quoted)-1], "\\'") {
			if where&8 != 0 { // an escape sequence for each character
				quoted = `"`
				for _, unit := range utf16.Encode([]rune(name)) {
					quoted += fmt.Sprintf(`\u%04x`, unit)
				}
				quoted += `"`
			}
			inner := "{" + quoted + ": " + []string{`"CANARY"`, `"a\"CANARY"`, `{"x": ["}", "CANARY"]}`, `[CANARY, 'CANARY]']`}[depth%4] + "}"
			quoted, secret = `"x"`, string(appendString(nil, []byte(inner)))
		}
		inner := `{` + quoted + `:` + secret + `}`
		for _, format := range Formats() {
			if format.table == nil {
				continue
			}
			body := `{"newcomer":{"deep":[` + inner + `]},` + minimal[format.table.api]
			if kind == toolSecrets {
				if format.table.body.index.byName["tools"] == nil {
					continue
				}
				body = `{"tools":[{"type":"own","name":"n","deep":[` + inner + `]}],` + toolless[format.table.api]
			}
			c, err := format.Capture(sourceFor(format, []byte(body)))
			if err != nil {
				continue // the name is not JSON text, or that of another member
			}
			if bytes.Contains(c.Declaration.Canonical(), []byte("CANARY")) || !c.Withholds() {
				t.Fatalf("%s: %s", format.Name(), c.Declaration.Canonical())
			}
		}
	})
}
