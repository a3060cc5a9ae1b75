package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/gateway/journal/report"
)

func ExampleJournal() {
	a := report.NewJournal("j", &journal.Result{Verified: true, Segments: 1, Counts: journal.Counts{Lines: 3, Denied: 1}})
	fmt.Print(a.Verdict().Text(nil))
	// Output:
	// j: verified
	//   lines        3
	//   segments     1
	//   denied       1 calls were denied
	//   note         lines that were cut from the end are not missed, unless a receipt or a later bundle is kept elsewhere
}

// TestNotVerified: what is not verified looks verified in no form.
func TestNotVerified(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	line := journal.LineResult{UnverifiedLine: journal.UnverifiedLine{Segment: 1, Number: 2, Time: at, Fate: journal.Denied, Client: "a\x1b[2J"}}
	run := journal.LineResult{UnverifiedLine: journal.UnverifiedLine{Fate: "x"}, Report: attest.Report{}}
	for _, c := range []struct{ got, want string }{
		{report.NewJournal("j", nil).Verdict().Text(nil), "j: NOT VERIFIED\n"},
		{report.NewSegment(journal.SegmentResult{Number: 1, Report: attest.Report{Verified: true}}).Verdict("j").Text(nil), "j/00000001.jsonl: NOT VERIFIED\n"},
		{report.Remark(line), "denied: not signed yet"},
		{report.Remark(run), ""},
		{report.UnverifiedText(line.UnverifiedLine), `00000001/2  2026-01-02T03:04:05.000Z  a\u{1b}[2J  denied`},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for _, a := range []any{report.NewLine(line), report.NewSegment(journal.SegmentResult{Report: attest.Report{Verified: true}}), report.NewJournal("j", nil)} {
		text, err := json.Marshal(a)
		if err != nil || !strings.Contains(string(text), `"verified":false`) {
			t.Errorf("%v, %s", err, text)
		}
	}
}
