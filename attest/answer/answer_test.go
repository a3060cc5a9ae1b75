package answer

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest/evidence"
)

func TestVerdictText(t *testing.T) {
	v := Verdict{
		Name: "a\nb", Verified: true, Facts: []string{Fact("run", "r\x1b[2J")}, Note: "n",
		Checks: []evidence.Check{
			{Name: evidence.CheckSignature, Verdict: evidence.Pass, Reason: "good"},
			{Name: evidence.CheckSigner, Verdict: evidence.Fail, Reason: "bad", Details: []string{"detail"}, Hint: "do"},
			{Name: evidence.CheckStatement, Verdict: "unknown", Reason: "why"},
		},
	}
	const want = `a\u{a}b: verified
  run          r\u{1b}[2J
  signature    ok: good
  signer       FAILED: bad
               detail
               hint: do
  statement    not checked: why
  note         n
`
	if got := v.Text(nil); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	v.Verified = false
	got := v.Text(func(good bool, word string) string { return "<" + word + ">" })
	if !strings.HasPrefix(got, "a\\u{a}b: <NOT VERIFIED>\n") || strings.Contains(got, "note") || strings.Contains(got, "run ") {
		t.Errorf("what is not verified is shown as\n%s", got)
	}
}

// An answer that there is none has its error and a word for programs, and is not verified.
func TestWhy(t *testing.T) {
	code := func(error) string { return "malformed" }
	for err, want := range map[error]string{nil: `{}`, errors.New("x"): `{"error":"x","errorCode":"malformed"}`} {
		text, _ := json.Marshal(Why(err, code))
		if string(text) != want {
			t.Errorf("%v: %s, want %s", err, text, want)
		}
	}
	text, _ := json.Marshal(Bundle{Bundle: "b", None: Why(errors.New("x"), code)})
	if !strings.Contains(string(text), `"verified":false`) || !strings.Contains(string(text), `"bundle":"b"`) {
		t.Errorf("%s", text)
	}
	if (Link{}).Verdict().Verified || (Bundle{}).Verdict().Verified {
		t.Error("a zero answer is verified")
	}
}
