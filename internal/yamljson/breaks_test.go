package yamljson

import (
	"strings"
	"testing"
	"time"
)

var testLimits = Limits{Bytes: 2 << 20, Entries: 100_000, Depth: 256, Problems: 100, Pointers: 1 << 20}

// TestEnds: what readers of YAML take in two ways is refused, and what they agree on is read. PyYAML 6.0.4,
// ruamel.yaml 0.19.1, js-yaml 5.5.0 and yaml 2.9.1 (npm) were compared.
func TestEnds(t *testing.T) {
	for _, style := range []string{"|", ">", "|+", ">+", "|2", ">2", "|2+", ">+2"} {
		for _, end := range []string{"b", "b\n   ", "b\n  c", "b\n  # no comment", "b ", "b\n\n  c"} {
			refused(t, "a: "+style+"\n  "+end)
			accepted(t, "a: "+style+"\n  "+end+"\n")
			accepted(t, "a: "+style+"\n  "+end+"\nb: c")
		}
	}
	for _, style := range []string{"|-", ">-", "|2-", ">-2"} {
		for _, end := range []string{"b", "b\n  c", "b\n\n  ", "b\n "} {
			accepted(t, "a: "+style+"\n  "+end)
		}
	}
	for _, text := range []string{"? |\n  k", "- |\n b", "a:\n- - |\n   b", "--- |\n b", "a: |+\n  ", "a: |+\n\n  ", "a: | # comment\n  b", "a: |\r\n  b"} {
		refused(t, text)
	}
	for _, text := range []string{
		"a: b", "a: b\n  c", `a: "b"`, "a: [b]", "a: |\n  b\n...", "a: |\n  b\n# c", "a: |\n  b\n  ", "a: |\n  b\n\n", "a: |\n  b\nc: d", "a: |", "a: |\n",
	} {
		accepted(t, text)
	}
	refused(t, "a: |2\n   \n") // readers in JavaScript find nothing in it
	refused(t, "a: >2-\n   \t\n")
	accepted(t, "a: |\n   \n\n")
}

// TestEscapedBreaks: "\" at the end of a line before an empty line is a line feed, a blank or nothing.
func TestEscapedBreaks(t *testing.T) {
	for _, text := range []string{"a: \"b\\\n\n  c\"", "a: \"b\\\r\n \t \r\n  c\"", "? \"b\\\n\n  c\"\n: d", "é: [\"é\", \"b\\\n\n  c\"]"} {
		refused(t, text)
	}
	for _, text := range []string{"a: \"b\\\n  c\"", "a: \"b\\\\\n\n  c\"", "a: \"b\n\n  c\"", "a: 'b\\\n\n  c'", "a: |\n  b\\\n\n  c\n", "a: \"b\\\\\"\n\nb: \"c\""} {
		accepted(t, text)
	}
}

// TestTwoReadings: each of the first is another value for one of the readers of TestEnds, js-yaml 4.3.2, or libyaml, and each of
// the second is one value for all of them that read it. They are what was left of 300,000 small texts.
func TestTwoReadings(t *testing.T) {
	for text, code := range map[string]string{
		// npm's yaml ends a text in quotes before a line that is not indented below its key
		"a: '''\nb: c'\n": "yaml-break", "a: \"b\\\"\nc: d\"\n": "yaml-break", "- '''\n- c'\n": "yaml-break",
		"a: 'b\nc'\n": "yaml-break", "a: 'b\n\tc'\n": "yaml-break", "a: \"b\n\"\n": "yaml-break", "a: 'b\n\n\n'\n": "yaml-break",
		"a:\n  b: '''\n  c: d'\n": "yaml-break", "a:\n- '''\n- c'\n": "yaml-break", "a:\n- b: 'c\n  d'\n": "yaml-break", "a: ['b\nc']\n": "yaml-break",
		"a:\n  b: {c: \"d\n  e\"}\n": "yaml-break", "? 'a\nb'\n: c\n": "yaml-break", "a: 'b\r\nc'\r\n": "yaml-break",
		// npm's yaml leaves the last line out
		"a: |1\n  b\n  \n": "yaml-break", "a: >1-\n   b\n  c\n  \n\nd: e\n": "yaml-break", "a: |2\n\n    b\n   \n": "yaml-break",
		// npm's yaml ends the key at the tab
		"? a\n\t\n  b\n: c\n": "yaml-break",
		// ruamel.yaml takes "b" for a key
		"a: [b\t:1]\n": "yaml-flow", "a: {b\t:1: c}\n": "yaml-flow", "a: [b c\t:\"d\"]\n": "yaml-flow", "a: [{b: c\t:d}]\n": "yaml-flow",
		// js-yaml 4 takes it for the beginning of a document
		"---a: b\n": "yaml-documents", "# c\r\n---a: b\n": "yaml-documents", "a: b\n---c: d\n": "yaml-documents", "...a: b\n": "yaml-documents", "----: b": "yaml-documents",
	} {
		_, problems := Read([]byte(text), "value", testLimits)
		if len(problems) != 1 || problems[0].Code != code || problems[0].Line == 0 || problems[0].Hint == "" {
			t.Errorf("%q: got %+v, want %s", text, problems, code)
		}
	}
	for _, text := range []string{
		"a: 'b\n c'\n", "a: \"b\n\n c\"\n", "a: 'b\n \t\n c'\n", "a: 'b\n '\n", "'a\nb'\n", "[\"a\nb\"]\n", "{a: 'b\nc'}\n", "a:\n- 'b\n  c'\n", "a:\n  b: 'c\n   d'\n", "- - 'a\n    b'\n",
		"? 'a\n b'\n: c\n", "a: |1\n  b\n \n", "a: |2\n  b\n   \n", "a: |\n  b\n   \n", "a: |1\n  b\n", "a: |1\n  b\n  \n c\n",
		"a: [b :1]\n", "a: [\"b\"\t: 1]\n", "a: b\t:c\n", "a: [b\t: c]\n", "a: ['b\t:c']\n", "a:\tb\nc\t: d\n", "-\ta\n-\tb\n", "a: {b?: 1}\n", "a: {\"b\":1}\n", "a: [b, c: d]\n", "a: [b:c, d::e]\n",
		"--- a\n", "---\ta\n", "---\r\na: b\n...\r\n", " ---a: b\n", "a:\n ---b\n", "a: |\n ---b\n", "\"---a\": b\n", "a: b\n...", "--a: b\n",
	} {
		accepted(t, text)
	}
}

// TestManyQuoted: places are found in one pass.
func TestManyQuoted(t *testing.T) {
	start := time.Now()
	accepted(t, "["+strings.Repeat(`"", `, 90_000)+"1]")
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func refused(t *testing.T, text string) {
	t.Helper()
	_, problems := Read([]byte(text), "value", testLimits)
	if len(problems) != 1 || problems[0].Code != "yaml-break" || problems[0].Line == 0 || problems[0].Hint == "" {
		t.Errorf("%q: got %+v, want yaml-break", text, problems)
	}
}

func accepted(t *testing.T, text string) {
	t.Helper()
	if _, problems := Read([]byte(text), "value", testLimits); len(problems) > 0 {
		t.Errorf("%.200q: %+v", text, problems)
	}
}
