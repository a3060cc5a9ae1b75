package yamljson

import (
	"strings"
	"testing"
)

// TestAmbiguous: on each of the first some readers differ from YAML 1.2's core schema, and on none of the second. PyYAML 6.0.4,
// ruamel.yaml 0.19.1, js-yaml 5.5.0, yaml 2.9.1 (npm; 1.1 and 1.2), yaml.v2, yaml.v3 and v4 (Go), serde_yaml 0.9 and
// yaml-rust2 (Rust) were run over 131,000 scalars; Psych's (Ruby) are those of its scalar scanner.
func TestAmbiguous(t *testing.T) {
	for s, hint := range map[string]string{
		"off": `quote it: "off"`, "no": `quote it: "no"`, "YES": "", "y": "", "N": "", "On": "",
		"0o17": "write 15 for", "0777": "write 777 for", "08": "write 8 for", "-010": "write -10 for", "0_7": "quote", "0o1_7": "quote",
		"12:30": `quote it: "12:30"`, "1:2": "", "190:20:30": "", "-12:30": "", "12:30:45.5": "",
		"4823e19": "write 4823.0e+19 for", "1e3": "write 1.0e+3 for", "1e-5": "write 1.0e-5 for", "1.5e5": "write 1.5e+5 for", "1.e3": "write 1.0e+3", "0e0": "",
		"-.5": "write -0.5 for", "+.5": "write 0.5 for",
		"1_000": `quote it: "1_000"`, "1_000.5": "", ".1_0": "", "0_": "", "0b1": "", "-0b1": "", "-0x1F": "", "0x_1F": "",
		"2020-01-01": "", "2020-13-01": "", "2001-12-14t21:59:43.10-05:00": "", "2020-01-01T00:00:00Z": "", "2020-01-01 00:00:00": "",
		"=": "", "<<": "",
		"oN": `quote it: "oN"`, "tRue": "", "yEs": "", "nULL": "", // Ruby
		"007": "write 7 for", "00": "write 0 for", "-00": "", "01.5": "write 1.5 for", "007.5": "write 7.5 for", "-007.50": "write -7.50 for", // text in serde_yaml, and in YAML's JSON schema
		"0X1F": "", "0O17": "", "0B101": "", "-0o7": "", "+0o7": "", "0b+1": "", "0_x1": "", "0x_f_": "", "+_1": "", "+_.5": "", "09_": "", "08_1": "", "._5": "", "-._5": "", "1_0e3": "", // Go
		"2001-1-1": `quote it: "2001-1-1"`, "2001-01-1": "", "2001-1-01": "", "2001-1-1 1:1:1": "", "2001-12-14T21:59:43+0530": "", "2001-12-14T21:59:43Z": "", // Go, Ruby
		"0:30": "", "09:30": "", "00:00": "", "-09:30": "", "00:30:00": "", "0:30.5": "", // Ruby
		"1,000": "", "1,000.5": "", "1,2,3": "", "0,5": "", ":a": "", ":30": "", // Ruby
		".": "quote it", "-.": "", "+.": "", "._": "", "-._": "", ".e5": "", ".e+5": "", // npm's yaml, in its 1.1
	} {
		doc, problems := Read([]byte("- "+s+"\n"), "value", testLimits)
		if len(problems) > 0 {
			t.Errorf("%s: %v", s, problems)
			continue
		}
		found := doc.Ambiguous()
		if len(found) != 1 || found[0].Code != "yaml-version" || found[0].Pointer != "/0" || found[0].Line != 1 || !strings.HasPrefix(found[0].Hint, hint) {
			t.Errorf("%s: got %+v, want %s", s, found, hint)
			continue
		}
		for alternative := range strings.SplitSeq(found[0].Hint, ";") { // following it leaves nothing to warn of
			write, ok := strings.CutPrefix(alternative, "write ")
			write = strings.TrimSuffix(write, " for the number")
			if !ok {
				write = "'" + s + "'"
			}
			if again, problems := Read([]byte("- "+write+"\n"), "value", testLimits); len(problems) > 0 || len(again.Ambiguous()) > 0 {
				t.Errorf("%s: %q is ambiguous, too", s, write)
			}
		}
	}
	for _, s := range []string{
		"true", "False", "text", "yes please", "0", "-0", "1", "+1", "1.5", "+1.5", ".5", "5.", "1.0e+5", "1.e+3", "1.5e-3", "0x1F", "0xffffffffffffffff", "0b2", "0o8", "0b", "0x", "0xg", "+", "_", "e1", "1e", "1e+", "v1_0", "1_0a", "1,000,", "1,", "1, 2", "a:b", "..", "_.", ".e", "-_.",
		"12:70", "12:30pm", "a:30", "1.2.3", "v1.2", "2020-1", "20-1-1", "2020-01-01x", "2020-01-01T", "2020-01-01-01", "1-2", "yes-no", "nullable", "True-ish", "inf", "nan", "_1", "'off'", `"0777"`, "1e400", "-0900e400", "?b", "/on", "null-ish",
	} {
		doc, problems := Read([]byte("- "+s+"\n"), "value", testLimits)
		if len(problems) > 0 || len(doc.Ambiguous()) > 0 {
			t.Errorf("%s: %v %v", s, problems, doc.Ambiguous())
		}
	}
	doc, problems := Read([]byte("on:\n  !!str 1_0: 1\n  <<: 1\n  0777: 1\n  n: [off, {no: 1_0}, ?b]\n"), "value", testLimits)
	if len(problems) != 3 { // a tag, a merge key and a number for a key
		t.Fatal(problems)
	}
	var pointers []string
	for _, p := range doc.Ambiguous() {
		pointers = append(pointers, p.Pointer)
	}
	if got, want := strings.Join(pointers, " "), "/on /on/1_0 /on/n /on/n/0 /on/n/1/no /on/n/1/no /on/n/2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAmbiguousToPyYAML(t *testing.T) {
	doc, problems := Read([]byte("a: .\nb: yes\n"), "value", testLimits)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if all, python := doc.Ambiguous(), doc.AmbiguousToPyYAML(); len(all) != 2 || len(python) != 1 || python[0].Pointer != "/b" {
		t.Errorf("got %v and %v", all, python)
	}
}
