package capture

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// Detect gives the formats that a source may be of: those that capture it, and have more of its members than they do not have. Of these it
// gives the ones that have most: the fewest members of the body and header lines are unknown. They are sure if one format is left that
// knows all of the source, below its members too. A source may leave out the model; what it says of the provider, the target and header
// lines must fit. Chat completions of OpenAI and of those that speak like it are told apart by the provider alone.
func Detect(src Source) (formats []Format, sure bool) {
	var least likeness
	for _, f := range Formats() {
		l, fits := f.liken(src)
		switch {
		case !fits || len(formats) > 0 && l.members > least.members:
			continue
		case l.members != least.members:
			formats = nil
		}
		if least.members = l.members; len(formats) == 0 || l.below > least.below {
			least.below = l.below
		}
		formats = append(formats, f)
	}
	if named := slices.DeleteFunc(slices.Clone(formats), func(f Format) bool { return !f.lists(src.Provider) }); src.Provider != "" && len(named) > 0 {
		formats = named
	}
	return formats, len(formats) == 1 && least == likeness{}
}

// A likeness is how much of a source a format does not know: members of its body and header lines, and what is below members or a flag.
type likeness struct{ members, below int }

// DetectFolder gives the formats that a folder may be of: one of their files is at its top.
func DetectFolder(fsys fs.FS) ([]Format, error) {
	if fsys == nil {
		return nil, errors.New("capture: the folder is nil")
	}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var formats []Format
	for _, f := range Formats() {
		isSign := func(e fs.DirEntry) bool { _, is := find(f.folder.signs, e.Name()); return is }
		if f.folder != nil && slices.ContainsFunc(entries, isSign) {
			formats = append(formats, f)
		}
	}
	return formats, nil
}

// lists tells a format that names the provider, and does not merely take any.
func (f Format) lists(provider string) bool {
	return f.table != nil && takes(f.table.providers, provider)
}

// liken says how much of a source the format does not know, if it may be of the format.
func (f Format) liken(src Source) (l likeness, fits bool) {
	known := 0
	count := func(c *Captured, err error) bool {
		if err != nil {
			return false
		}
		for _, fate := range c.Fates {
			if isMember := strings.LastIndexByte(fate.Pointer, '/') == 0; isMember && slices.Contains([]Outcome{Kept, LeftOut, Absent}, fate.Outcome) {
				known++
			}
		}
		l.members += len(c.Unread)
		for _, u := range c.Unknown {
			if strings.LastIndexByte(u.Pointer, '/') != 0 {
				l.below++
				continue
			}
			l.members++
			known-- // it is kept as well
		}
		return true
	}
	switch {
	case f.batch != nil:
		for c, err := range f.batch.each(src) {
			if !count(c, err) {
				return l, false
			}
		}
	case f.table == nil:
		return l, false
	default:
		if f.table.callerModel && src.Model == "" {
			src.Model = "model"
		}
		isText := false // where the API has an object: `prompt` is a stored prompt in one API, and the prompt itself in others
		look := func(r *request, root jsontree.Value) {
			f.table.nameless(r, root)
			isText = f.table.standIn != "" && root.Get(f.table.standIn).Kind() == jsontree.String
		}
		if !count(f.capture(src, nil, look)) || isText {
			return l, false
		}
	}
	return l, known > l.members
}

// nameless stands for the model of a request whose path would name it.
func (t *table) nameless(r *request, root jsontree.Value) {
	inPath := slices.ContainsFunc(t.paths, func(p path) bool { return strings.Contains(p.pattern, "model}") })
	i := slices.IndexFunc(t.body.members, func(m member) bool { return m.to == toModel })
	if r.model == "" && inPath && (i < 0 || root.Get(t.body.members[i].name).Kind() == jsontree.Absent) {
		r.model = "model"
	}
}
