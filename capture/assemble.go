package capture

import (
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
)

// arrange puts groups in order, and takes in what stands beside the body.
func (d *declarer) arrange() {
	byName := func(a, b group) int { return canonical.Compare(a.name, b.name) }
	slices.SortFunc(d.first, byName)
	slices.SortFunc(d.tools, func(a, b group) int {
		if (a.name == "tools") != (b.name == "tools") {
			if a.name == "tools" {
				return -1
			}
			return 1
		}
		return byName(a, b)
	})
	for _, f := range d.settings {
		d.parameters = append(appendString(d.parameters, []byte(f.name)), ':')
		if f.set {
			d.parameters = append(appendStrings(d.parameters, f.values), ',')
		} else {
			d.parameters = append(appendString(d.parameters, []byte(f.values[0])), ',')
		}
	}
	if d.location != "" {
		d.constraints = append(appendString(append(d.constraints, `"location":`...), []byte(d.location)), ',')
	}
	slices.SortStableFunc(d.events, func(a, b event) int { return compareTrails(a.trail, b.trail) })
}

// declaration puts the parts together.
func (d *declarer) declaration(parents []identity.ID) []byte {
	d.arrange()
	size := len(d.messages) + len(d.parameters) + len(d.constraints) + 256*len(d.events) + 1024
	for _, g := range slices.Concat(d.first, d.tools) {
		size += len(g.text)
	}
	dst := make([]byte, 0, size)
	dst = append(endList(append(append(dst, `{"constraints":{`...), d.constraints...)), `},"context":[`...)
	for _, g := range d.tools {
		dst = append(dst, g.text...)
	}
	for _, e := range d.events {
		if e.what == Hashed {
			dst = append(e.bytes.append(dst, e.trail.String()), ',')
		}
	}
	for _, f := range d.files {
		r := resource{role: f.role, digest: f.digest, size: f.size}
		dst = append(r.append(dst, f.path), ',')
	}
	dst = d.appendInterface(append(endList(dst), `],"extensions":{`...))
	dst = append(dst, `},"kind":"`+d.table.kind+`","model":{"name":`...)
	if d.model != "" {
		dst = appendString(dst, []byte(d.model))
	} else {
		dst = append(dst, d.bodyModel...)
	}
	if d.provider != "" {
		dst = appendString(append(dst, `,"provider":`...), []byte(d.provider))
	}
	if d.revision != "" {
		dst = appendString(append(dst, `,"version":`...), []byte(d.revision))
	}
	dst = append(endList(append(append(dst, `},"parameters":{`...), d.parameters...)), '}')
	if len(parents) > 0 {
		var ids []string
		for _, p := range parents {
			ids = append(ids, p.String())
		}
		dst = appendStrings(append(dst, `,"parents":`...), ids)
	}
	dst = append(dst, `,"prompt":{`...)
	if len(d.first) > 0 || len(d.messages) > 0 {
		dst = append(dst, `"messages":[`...)
		for _, g := range d.first {
			dst = append(dst, g.text...)
		}
		dst = append(endList(append(dst, d.messages...)), ']')
	}
	return append(dst, `},"schema":"`+identity.Schema+`"}`...)
}

// appendInterface appends the extension interface v1 with its name.
func (d *declarer) appendInterface(dst []byte) []byte {
	dst = append(dst, `"`+Interface+`":{"api":"`+d.table.api+`"`...)
	for _, l := range []struct {
		name string
		what Outcome
	}{{"integers", Integer}, {"nulls", Null}, {"secrets", Withheld}} {
		if pointers := d.pointers(l.what); len(pointers) > 0 {
			dst = appendStrings(append(dst, `,"`+l.name+`":`...), pointers)
		}
	}
	return append(dst, '}')
}

// pointers are those of the values to which that happened, in order.
func (d *declarer) pointers(what Outcome) []string {
	var l []string
	for _, e := range d.events {
		if e.what == what {
			l = append(l, e.trail.String())
		}
	}
	return slices.Compact(l)
}

func (r *resource) append(dst []byte, name string) []byte {
	dst = appendString(append(dst, `{"role":"`+r.role+`","name":`...), []byte(name))
	dst = append(dst, `,"digest":{"sha256":"`...)
	dst = hex.AppendEncode(dst, r.digest[:])
	dst = strconv.AppendInt(append(dst, `"},"size":`...), r.size, 10)
	if r.media != "" {
		dst = append(dst, `,"mediaType":"`+r.media+`"`...)
	}
	return append(dst, '}')
}

// endList takes off the comma behind the last member or element.
func endList(dst []byte) []byte {
	if dst[len(dst)-1] == ',' {
		return dst[:len(dst)-1]
	}
	return dst
}

func appendStrings(dst []byte, l []string) []byte {
	dst = append(dst, '[')
	for i, s := range l {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, []byte(s))
	}
	return append(dst, ']')
}
