package capture

import (
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/runattest/runattest/identity"
)

// isDeclared holds a captured declaration against what identity v1 makes of its text: it is put together from parts in canonical form.
func isDeclared(t testing.TB, name string, c *Captured) {
	t.Helper()
	d, err := identity.Parse(c.Declaration.Canonical())
	if err != nil || d.ID() != c.Declaration.ID() || string(d.Canonical()) != string(c.Declaration.Canonical()) || !reflect.DeepEqual(d.Run(), c.Declaration.Run()) {
		t.Fatalf("%s: the declaration is not what its text says: %v\n%s", name, err, c.Declaration.Canonical())
	}
}

// said is all that a capture says.
func said(c *Captured, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %+v %+v %+v %q %+v %x", c.Declaration.Canonical(), c.Fates, c.Open, c.Unknown, c.Unread, c.Warnings, c.Digest)
}

// TestMemory captures all vectors twice, several at once: what a capture says does not change when its memory is used for others.
func TestMemory(t *testing.T) {
	all := loadVectors(t)
	type result struct {
		c    *Captured
		err  error
		said string
	}
	first := make([]result, len(all))
	capture := func(i int) (*Captured, error) {
		f, src := sourceOf(t, all[i])
		return captureVector(t, all[i], f, src)
	}
	for i := range all {
		c, err := capture(i)
		first[i] = result{c, err, said(c, err)}
		if err == nil {
			isDeclared(t, all[i].Name, c)
		}
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range all {
				if got := said(capture(i)); got != first[i].said {
					t.Errorf("%s: the second capture says\n%s\nand the first one said\n%s", all[i].Name, got, first[i].said)
				}
			}
		})
	}
	group.Wait()
	for i, r := range first {
		if got := said(r.c, r.err); got != r.said {
			t.Errorf("%s: it says\n%s\nand said\n%s", all[i].Name, got, r.said)
		}
		if r.err == nil {
			isDeclared(t, all[i].Name, r.c)
		}
	}
}

// TestToolLists: lists of tools stand in the declaration in the order of rule 6, whatever the order in the body is.
func TestToolLists(t *testing.T) {
	f, err := Lookup("openai-chat/1")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"model":"m","messages":[{"role":"user","content":"x"}],"functions":[{"name":"a\"\\\n"},{"name":"b","description":"é \"q\" \u0001"}],"tools":[{"type":"function","function":{"name":"c"}}]}`,
		`{"tools":[{"type":"function","function":{"name":"c"}}],"functions":[],"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}`,
		`{"tools":[],"model":"m","messages":[],"functions":[{"name":"b"}]}`,
	} {
		c, err := f.Capture(Source{Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		isDeclared(t, body, c)
	}
}
