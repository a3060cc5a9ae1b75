package sigstore

import "testing"

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
