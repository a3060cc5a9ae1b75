package sigstore

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// signed is a checkpoint with more signature lines.
func signed(p parts, lines ...string) parts {
	checkpoint := proof(p)["checkpoint"].(map[string]any)
	checkpoint["envelope"] = checkpoint["envelope"].(string) + strings.Join(lines, "")
	return p
}

func signatureLine(p parts) string {
	note := proof(p)["checkpoint"].(map[string]any)["envelope"].(string)
	return note[strings.LastIndex(note, "\n\n")+2:]
}

// noteLine is a signature line of an unknown key.
func noteLine(name string, i int) string {
	return fmt.Sprintf("\u2014 %s %s\n", name, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "key%c and a signature", i)))
}

// otherName is a signature line like the log's, with its key ID and a signature that is not its own; the name is another one, or the log's.
func otherName(p parts, other bool) string {
	name, text, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(signatureLine(p), "\n"), "\u2014 "), " ")
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	signature[len(signature)-1] ^= 1
	if other {
		name = "witness.example"
	}
	return "\u2014 " + name + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
}

// TestCheckpointSignatures: the log's signature counts, others are ignored, as many as a note may have. Rekor v1 and v2 alike.
func TestCheckpointSignatures(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	o, ada := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}, trustsAda(t, "trusted_root.json")
	witnesses := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, noteLine("witness.example", 'a'+i))
		}
		return lines
	}
	first := func(p parts, line string) parts {
		checkpoint := proof(p)["checkpoint"].(map[string]any)
		checkpoint["envelope"] = strings.Replace(checkpoint["envelope"].(string), "\n\n", "\n\n"+line, 1)
		return p
	}
	without := func(p parts) parts {
		checkpoint := proof(p)["checkpoint"].(map[string]any)
		checkpoint["envelope"] = strings.TrimSuffix(checkpoint["envelope"].(string), signatureLine(p))
		return p
	}
	cases := map[string]trial{
		"another client's": {ofClients(t, "05-rekor1-cosigned.sigstore.json"), ada, ""},
		"sized":            {func() parts { p := w.v1(); proof(p)["treeSize"] = "2"; return p }(), o, "time: log entry 0: a proof for a tree of size 2, but the checkpoint is of size 1"},
	}
	for version, entry := range map[string]func() parts{"v1": w.v1, "v2": w.v2} {
		for name, c := range map[string]trial{
			"one more":                   {signed(entry(), witnesses(1)...), o, ""},
			"before the log's":           {first(entry(), witnesses(1)[0]), o, ""},
			"as many as there may":       {signed(entry(), witnesses(99)...), o, ""},
			"too many":                   {signed(entry(), witnesses(100)...), o, "time: log entry 0: "},
			"the log's ID, another name": {first(entry(), otherName(entry(), true)), o, ""},
			"the log's name and ID, not its signature": {first(entry(), otherName(entry(), false)), o, "time: log entry 0: "},
			"the log's ID, another name, alone":        {func() parts { p := entry(); return signed(without(p), otherName(entry(), true)) }(), o, "time: log entry 0: "},
			"the log's twice":                          {func() parts { p := entry(); return signed(p, signatureLine(p)) }(), o, ""},
			"another log's":                            {signed(entry(), signatureLine(other.v1())), o, ""},
			"another log's alone":                      {signed(without(entry()), signatureLine(other.v1())), o, "time: log entry 0: "},
			"none":                                     {without(entry()), o, "time: log entry 0: "},
			"not a signature":                          {signed(entry(), "\u2014 witness.example !\n"), o, "time: log entry 0: "},
			"not a line":                               {signed(entry(), "witness.example\n"), o, "time: log entry 0: "},
			"not ended":                                {signed(entry(), strings.TrimSuffix(noteLine("witness.example", 'a'), "\n")), o, "time: log entry 0: "},
		} {
			cases[version+" "+name] = c
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.bundle.bundle(t)
			verifies(t, c)
		})
	}
}

// verifies is trial.run without sigstore-go, which verifies the signatures of all keys of a Rekor v1 note.
func verifies(t *testing.T, c trial) {
	t.Helper()
	o := c.bundle.bundle(t).CheckTrust(t.Context(), trusting(t, c.trust))
	_, reason, _ := strings.Cut(c.refused, ": ")
	if yes := o.By != nil; yes != (c.refused == "") || !yes && !strings.Contains(o.Time.Reason, reason) {
		t.Errorf("%+v\nwant %q", o, c.refused)
	}
}

// TestInflatedEntries: what can be added to a bundle by all through whose hands it goes is bounded, and refused before it
// costs anything.
func TestInflatedEntries(t *testing.T) {
	w := newWorld(t)
	alice, ada := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}, trustsAda(t, "trusted_root.json")
	hashes := func(p parts, n, size int) parts {
		list := []any{}
		for range n {
			list = append(list, make([]byte, size))
		}
		proof(p)["hashes"] = list
		return p
	}
	lines := func(p parts) parts { return signed(p, strings.Repeat(signatureLine(p), 1_000)) }
	note := func(p parts) parts {
		checkpoint := proof(p)["checkpoint"].(map[string]any)
		checkpoint["envelope"] = strings.Replace(checkpoint["envelope"].(string), "\n\n", strings.Repeat("\nmore", 1<<14)+"\n\n", 1)
		return p
	}
	log := proofOfClients(t)
	for name, c := range map[string]trial{
		"another client's":   {signed(log, strings.Repeat(signatureLine(log), 140_000)), ada, "time: log entry 0: a checkpoint of"},
		"v1 signature lines": {lines(w.v1()), alice, "time: log entry 0: a checkpoint of"},
		"v2 signature lines": {lines(w.v2()), alice, "time: log entry 0: a checkpoint of"},
		"v1 note":            {note(w.v1()), alice, "time: log entry 0: a checkpoint of"},
		"v2 note":            {note(w.v2()), alice, "time: log entry 0: a checkpoint of"},
		"v1 hashes":          {hashes(w.v1(), 5_000, 32), alice, "time: log entry 0: an inclusion proof of 5000 hashes"},
		"v2 hashes":          {hashes(w.v2(), 65, 32), alice, "time: log entry 0: an inclusion proof of 65 hashes"},
		"long hash":          {hashes(w.v2(), 1, 100), alice, "time: log entry 0: an inclusion proof whose hash 0"},
		"body": {func() parts { p := w.v1(); p.entry()["canonicalizedBody"] = make([]byte, 1<<18); return p }(), alice,
			"time: log entry 0: a body of"},
	} {
		t.Run(name, func(t *testing.T) {
			c.bundle.bundle(t)
			verifies(t, c) // the reason says that the size was looked at, and what would cost is not done
		})
	}
}

func proofOfClients(t *testing.T) parts {
	t.Helper()
	p := ofClients(t, "01-good-rekor1.sigstore.json")
	material := p["verificationMaterial"].(map[string]any)
	p["verificationMaterial"] = parts(material)
	return p
}

// TestUnknownLogIsBoundedToo: nor does evidence by strangers cost more than evidence by logs that are known.
func TestUnknownLogIsBoundedToo(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	p := w.v2()
	q := other.v1()
	p.material()["tlogEntries"] = append(p.material()["tlogEntries"].([]any), signed(q, strings.Repeat(signatureLine(q), 1_000)).entry())
	verifies(t, trial{p, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}, "time: log entry 1: a checkpoint of"})
}

func FuzzCheckpoint(f *testing.F) {
	for _, note := range []string{
		"rekor.example - 1\n2\nAAAA\n\n" + noteLine("rekor.example", 'a'),
		"rekor.example\n1\nAAAA\nmore\n\n" + noteLine("rekor.example", 'a') + noteLine("witness.example", 'b'),
		"\n\n\n\n", "a\n1\n\n\n", "",
	} {
		f.Add(note)
	}
	f.Fuzz(func(t *testing.T, note string) {
		c, err := parseCheckpoint(note)
		if err != nil {
			return
		}
		written := c.text + "\n"
		for _, s := range c.signatures {
			written += s.line
		}
		if written != note {
			t.Errorf("%q is written again as %q", note, written)
		}
	})
}

// TestTreeSize: one path of hashes leads from the third of three entries to the root and from the second of two. Which it is
// the checkpoint says.
func TestTreeSize(t *testing.T) {
	w := newWorld(t)
	o := TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice}
	claiming := func(index, size string) parts {
		p := w.v1()
		body, err := base64.StdEncoding.DecodeString(p.entry()["canonicalizedBody"].(string))
		if err != nil {
			t.Fatal(err)
		}
		third := w.inclusion(body, []byte("stands for the first two"))
		third["checkpoint"] = map[string]any{"envelope": w.checkpoint(3, third["rootHash"].([]byte))}
		third["logIndex"], third["treeSize"] = index, size
		p.entry()["inclusionProof"] = third
		return p
	}
	for name, c := range map[string]trial{
		"third of three": {claiming("2", "3"), o, ""},
		"second of two":  {claiming("1", "2"), o, "time: log entry 0: a proof for a tree of size 2, but the checkpoint is of size 3"},
	} {
		t.Run(name, c.run)
	}
}
