package overwrite

import (
	"cmp"
	"path/filepath"
)

// Places are where results go, also where no file is yet. The zero value has none.
type Places struct {
	folders map[string]string // without links
	names   map[string]string // by their places
}

// Add adds the place of a name, or gives the name by which it was added before, and "" otherwise. Standard output, - or no name,
// takes several results.
func (p *Places) Add(name string) (before string) {
	if name == "" || name == "-" {
		return ""
	}
	if p.names == nil {
		p.folders, p.names = map[string]string{}, map[string]string{}
	}
	dir, base := filepath.Split(name) // as it is: .. behind a link leads out of its target
	folder, known := p.folders[dir]
	if !known {
		var err error
		if folder, err = realSoFar(cmp.Or(dir, ".")); err != nil {
			folder = absolute(dir) // writing there says why
		}
		p.folders[dir] = folder
	}
	place := filepath.Join(folder, base)
	if before, there := p.names[place]; there {
		return before
	}
	p.names[place] = name
	return ""
}
