package attest

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/runattest/runattest/attest/evidence"
)

// TestMaterialAppend: a bundle's material is written as encoding/json and package canonical write it.
func TestMaterialAppend(t *testing.T) {
	for name, m := range map[string]material{
		"key":         {keyHint: "a+b/c="},
		"escaped":     {keyHint: "<\"\\\n\u2028&>"},
		"certificate": {certificates: [][]byte{{0, 1, 255}}},
		"timestamps":  {keyHint: "k", evidence: evidence.Material{Timestamps: [][]byte{{1}, {2, 3}}}},
		"entries":     {keyHint: "k", evidence: evidence.Material{LogEntries: [][]byte{[]byte(`{"b": 1.0, "a": [ ]}`), []byte(`{}`)}}},
		"all":         {certificates: [][]byte{{9}}, evidence: evidence.Material{Timestamps: [][]byte{{1}}, LogEntries: [][]byte{[]byte(`{"a":"<"}`)}}},
	} {
		want := map[string]any{}
		if len(m.certificates) > 0 {
			want["certificate"] = map[string]any{"rawBytes": base64.StdEncoding.EncodeToString(m.certificates[0])}
		} else {
			want["publicKey"] = map[string]any{"hint": m.keyHint}
		}
		if len(m.evidence.Timestamps) > 0 {
			var list []any
			for _, s := range m.evidence.Timestamps {
				list = append(list, map[string]any{"signedTimestamp": s})
			}
			want["timestampVerificationData"] = map[string]any{"rfc3161Timestamps": list}
		}
		entries := []any{}
		for _, e := range m.evidence.LogEntries {
			entries = append(entries, json.RawMessage(e))
		}
		want["tlogEntries"] = entries
		text, err := marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.append([]byte("x"))
		if err != nil || string(got) != "x"+string(text) {
			t.Errorf("%s: %v\n got %s\nwant x%s", name, err, got, text)
		}
	}
	broken := material{keyHint: "k", evidence: evidence.Material{LogEntries: [][]byte{[]byte(`{`)}}}
	if got, err := broken.append(nil); err == nil {
		t.Errorf("a broken entry is written: %s", got)
	}
}
