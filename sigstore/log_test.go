package sigstore

import (
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/pkitest"
)

// A report names the index that was proved, not the one that is written beside it.
func TestProvedIndex(t *testing.T) {
	w := newWorld(t)
	trust := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice})
	claiming := func(p parts) parts { p.entry()["logIndex"] = "12345"; return p }
	for name, c := range map[string]struct {
		bundle parts
		logged bool
	}{
		"v1":       {claiming(w.v1()), true},
		"promised": {claiming(w.promised()), false},
		"v2":       {claiming(w.v2()), false},
	} {
		o := c.bundle.bundle(t).CheckTrust(t.Context(), trust)
		if logged := len(o.Logs) > 0; logged != c.logged {
			t.Errorf("%s: logs %v, time %+v", name, o.Logs, o.Time)
		}
		for _, l := range o.Logs {
			if l.Index == 12345 {
				t.Errorf("%s: the report names an index that nothing proves", name)
			}
		}
	}
}

// TestUnbelievedLog: the time that a log has signed proves nothing where the log is not believed at the other times, and may forbid.
func TestUnbelievedLog(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC) }
	const url = "https://rekor.example"
	stamped := func(hour int) evidence.TrustedTime {
		return evidence.TrustedTime{Kind: timestampKind, Authority: "https://tsa.example", Time: at(hour)}
	}
	promised := evidence.TrustedTime{Kind: logKind, Authority: url, Time: at(8)}
	for title, c := range map[string]struct {
		stamps        []evidence.TrustedTime
		before, until int // hours; of SignedBefore, and of the key
		refused       string
	}{
		"alone":                       {nil, 10, 12, ""},
		"stamped in its time":         {[]evidence.TrustedTime{stamped(9)}, 10, 12, ""},
		"stamped after it":            {[]evidence.TrustedTime{stamped(11)}, 10, 12, "signed by 2026-11-01T11:00:00Z at the latest"},
		"stamped in time, and later":  {[]evidence.TrustedTime{stamped(9), stamped(11)}, 10, 12, ""},
		"stamped before, key retired": {[]evidence.TrustedTime{stamped(6)}, 10, 7, "is outside the validity of k"},
	} {
		before := at(c.before)
		log := &root.TransparencyLog{ValidityPeriodStart: at(7), ValidityPeriodEnd: at(9).Add(time.Minute)}
		found := findings{times: c.stamps, entries: []inLog{{log: log, at: evidence.LogEntry{Log: url}, times: []evidence.TrustedTime{promised}}}}
		found.judgeLogs()
		r := rootWith(t, namedChain{url: "https://tsa.example", chain: []*pkitest.Holder{pkitest.Root("Acme Root")}})
		got := (&trust{TrustOptions{Root: r, SignedBefore: &before}}).judgeTime(evidence.Envelope{}, found, demand{who: "k", notAfter: at(c.until), time: true})
		if (got.Verdict == evidence.Pass) != (c.refused == "") || !strings.Contains(got.Reason, c.refused) {
			t.Errorf("%s: %+v", title, got)
		}
	}
	// of a log with a new key, which is another one at the same URL, the time stays
	retired := &root.TransparencyLog{ValidityPeriodStart: at(7), ValidityPeriodEnd: at(9)}
	next := &root.TransparencyLog{ValidityPeriodStart: at(7)}
	found := findings{times: []evidence.TrustedTime{stamped(11)}}
	for _, l := range []*root.TransparencyLog{retired, next} {
		found.entries = append(found.entries, inLog{log: l, at: evidence.LogEntry{Log: url}, times: []evidence.TrustedTime{promised}})
	}
	found.judgeLogs()
	if len(found.times) != 2 || found.times[1] != promised || len(found.unbelieved) != 1 || len(found.promises) != 1 {
		t.Errorf("a retired log and its successor: %+v", found)
	}
	// each of two is held against what the other says, whichever stands first
	later := evidence.TrustedTime{Kind: logKind, Authority: "https://next.example", Time: at(10)}
	ended := inLog{log: retired, at: evidence.LogEntry{Log: url}, times: []evidence.TrustedTime{promised}}
	begun := inLog{log: &root.TransparencyLog{ValidityPeriodStart: at(9)}, at: evidence.LogEntry{Log: "https://next.example"}, times: []evidence.TrustedTime{later}}
	for _, entries := range [][]inLog{{ended, begun}, {begun, ended}} {
		found := findings{entries: entries}
		if found.judgeLogs(); len(found.times) > 0 || len(found.unbelieved) != 2 {
			t.Errorf("each outside the other's time: %+v", found)
		}
	}
}
