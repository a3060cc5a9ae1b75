package capture

import (
	"fmt"

	"github.com/runattest/runattest/internal/jsontree"
)

// report fills in what c says beside the declaration.
func (d *declarer) report(c *Captured, root jsontree.Value) {
	if d.table.afterStart {
		c.Warnings = append(c.Warnings, Warning{Message: afterStart})
	}
	for _, e := range d.events {
		pointer := e.trail.String()
		switch e.what {
		case LeftOpen:
			c.Open = append(c.Open, Opening{pointer, e.hides})
		case NotKnown:
			c.Unknown = append(c.Unknown, Unknown{Pointer: pointer, Name: e.detail})
		}
		if format, ok := warnings[e.what]; ok {
			message := format
			if e.detail != "" {
				message = fmt.Sprintf(format, e.detail)
			}
			c.Warnings = append(c.Warnings, Warning{pointer, message})
		}
	}
	byMember := map[string][]Fate{}
	for _, e := range d.events {
		detail := e.detail
		if e.what == LeftOpen {
			detail = "hides " + e.hides
		}
		member := e.trail[:min(1, len(e.trail))].String()
		byMember[member] = append(byMember[member], Fate{Pointer: e.trail.String(), Outcome: e.what, Detail: detail})
	}
	kept := d.fates
	for name := range root.Members() {
		k := d.table.body.index.byName[string(name)]
		pointer := trail{{name: k.step(name, false)}}.String()
		if len(kept) > 0 && kept[0].Pointer == pointer { // they are in this order
			c.Fates, kept = append(c.Fates, kept[0]), kept[1:]
		}
		c.Fates = append(c.Fates, byMember[pointer]...)
	}
	if d.location != "" {
		c.Fates = append(c.Fates, Fate{Pointer: "path:location", Outcome: Kept, To: "/constraints/location"})
	}
	for _, f := range d.settings {
		c.Fates = append(c.Fates, Fate{Pointer: f.name, Outcome: Kept, To: "/parameters/" + jsontree.EscapePointer(f.name)})
	}
}

// warnings are for outcomes that a person should look at.
var warnings = map[Outcome]string{
	NotKnown:   "the table does not know this %s: it is kept",
	NotDecoded: "is text where bytes were expected, since it is not strict base64: it stays as it is",
	Integer:    "%s is beyond ±(2^53 - 1): it is declared as a string of its digits",
	Rounded:    "%s, the nearest double, is declared",
	PathKept:   "the path of a server's URL is declared: it must not hold a secret",
	TwoModels:  "the body names another model than the path, %s: both are declared",
}
