package overwrite

import (
	"os"
	"path/filepath"
)

// Files are files among which a result is looked for, in time that does not grow with their number. The zero value has none.
type Files struct {
	count   int
	there   map[fileID][]file
	folders []string // whose files are all among them
}

// file is a file that is there.
type file struct {
	name  string
	index int
	info  os.FileInfo
}

// NewFiles has these files.
func NewFiles(names ...string) *Files {
	f := &Files{}
	for _, name := range names {
		f.Add(name)
	}
	return f
}

// Add adds a file, as it is now. One that is not there counts, too.
func (f *Files) Add(name string) {
	if info, err := os.Stat(name); err == nil {
		if f.there == nil {
			f.there = map[fileID][]file{}
		}
		f.there[idOf(info)] = append(f.there[idOf(info)], file{name, f.count, info})
	}
	f.count++
}

// AddLayout adds an OCI layout: its tarball, or the files of the layout in its folder. What else is in the folder is not added.
func (f *Files) AddLayout(path string) {
	f.Add(path)
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return
	}
	f.Add(filepath.Join(path, "oci-layout"))
	f.Add(filepath.Join(path, "index.json"))
	f.folders = append(f.folders, filepath.Join(path, "blobs"))
}

// Find gives the name and the index of the first that is the same file as target, as IsSameFile says; "" if there is none.
func (f *Files) Find(target string) (name string, index int) {
	return f.find(target, func(string) bool { return true })
}

// FindAlias is Find among those that have another name than target.
func (f *Files) FindAlias(target string) (name string, index int) {
	return f.find(target, func(other string) bool { return !IsSameName(target, other) })
}

func (f *Files) find(target string, wanted func(name string) bool) (name string, index int) {
	if target == "" || target == "-" {
		return "", -1
	}
	info, err := os.Stat(target)
	if err != nil {
		return "", -1
	}
	for _, other := range f.there[idOf(info)] {
		if os.SameFile(info, other.info) && wanted(other.name) {
			return other.name, other.index
		}
	}
	return "", -1
}
