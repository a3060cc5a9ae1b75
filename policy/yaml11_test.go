package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestYAML11: what other readers of YAML take for another value is refused. Times are times for all of them.
func TestYAML11(t *testing.T) {
	head := header(t, newSigner(t))
	key := pemOf(t, newSigner(t))
	approver := func(required, name, role string) string {
		return head + "approvals: {required: " + required + ", approvers: [{name: " + name + ", role: " + role + ", keys: [{key: " + key + "}]}]}\n"
	}
	for text, want := range map[string]string{
		approver("1", "a", "r"):                          "",
		approver("1e0", "a", "r"):                        "1e0 is the number 1e0 here, as in YAML 1.2, and text for other readers",
		approver("010", "a", "r"):                        "010 is the number 10 here, as in YAML 1.2, and an octal number for other readers",
		approver("1", "off", "r"):                        "off is text here, as in YAML 1.2, and a boolean for other readers",
		approver("1", "a", "no"):                         "no is text here",
		approver("1", "12:30", "r"):                      "a number in base 60 for other readers",
		approver("1", "2026-01-01", "r"):                 "a date for other readers",
		approver("1", "'off'", "'2026-01-01'"):           "",
		head + "rules:\n  - {name: off, expr: 'true'}\n": "line 7, column 12: /rules/0/name: off is text",
		head + "approvals: {required: 0, roles: {on: 1}, approvers: [{name: a, role: 'on', keys: [{key: " + key + "}]}]}\n": "/approvals/roles/on: on is text",
	} {
		if _, err := Parse([]byte(text), options); want != "" && (err == nil || !strings.Contains(allOf(err), want)) {
			t.Errorf("want %q, got %v\n%s", want, err, text)
		} else if want == "" && err != nil && strings.Contains(err.Error(), "as in YAML") {
			t.Error(err)
		}
	}
	dir := t.TempDir()
	cases := "schema: " + CasesSchema + "\npolicy: p.yaml\ncases:\n  - name: a\n    expect: allow\n    now: 2026-01-31T12:00:00Z\n    declaration: " +
		"{schema: 'https://github.com/runattest/runattest/declaration/v1', kind: other, model: {name: m}, prompt: {}, parameters: {x: 0777}, context: [], constraints: {}}\n"
	for name, text := range map[string]string{"p.yaml": head, "cases.yaml": cases} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := LoadCases(filepath.Join(dir, "cases.yaml"), options)
	if err == nil || !strings.Contains(err.Error(), "/cases/0/declaration/parameters/x: 0777 is the number 777 here") || strings.Contains(allOf(err), "a date") {
		t.Error(err)
	}
}

func allOf(err error) string {
	if invalid, ok := errors.AsType[*InvalidError](err); ok {
		return fmt.Sprint(invalid.Problems)
	}
	return fmt.Sprint(err)
}

// TestCasesNames: names in cases are held against what people read in them, and problems have lines.
func TestCasesNames(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(header(t, newSigner(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"    approvals: [{approver: \"\u0430lice\", decision: approved}]\n": "line 8, column 28: /cases/0/approvals/0/approver: ",
		"    approvals: [{approver: \"alice \", decision: approved}]\n":     "/cases/0/approvals/0/approver: a blank at the end",
		"    signer: \"ci\u200b\"\n":                                        "/cases/0/signer: U+200B",
		"    issuer: \"https://\u0430cme.example\"\n":                       "/cases/0/issuer: ",
	} {
		cases := "schema: " + CasesSchema + "\npolicy: p.yaml\ncases:\n  - name: a\n    expect: allow\n    declaration: " +
			"{schema: 'https://github.com/runattest/runattest/declaration/v1', kind: other,\n      model: {name: m}, prompt: {}, parameters: {}, context: [], constraints: {}}\n" + text
		for mark, want := range map[string]string{"": want, "\ufeff": "line 1, column 1: begins with a byte order mark"} {
			if err := os.WriteFile(filepath.Join(dir, "cases.yaml"), []byte(mark+cases), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadCases(filepath.Join(dir, "cases.yaml"), options); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v, want %q", text, err, want)
			}
		}
	}
}

// TestTwicePlace: what is wrong with the first of two members of one name has its place.
func TestTwicePlace(t *testing.T) {
	_, err := Parse([]byte("schema: https://github.com/runattest/runattest/policy/v1\nsigners:\n  required: 1.0000000000000001\n  required: 2\n"), Options{})
	var invalid *InvalidError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Line != 3 {
		t.Errorf("%+v", err)
	}
}
