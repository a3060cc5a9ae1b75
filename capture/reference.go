package capture

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// references are what a folder's files name that is elsewhere, in the order of the files' paths.
type references []reference

// A reference is what one file names: members of it as they stand there.
type reference struct {
	path  string
	names []string
	texts [][]byte
}

// notStrict stands for a file that the strict reader does not take, so that what it names is not known.
const notStrict = "unread"

// readConfig adds what a file names elsewhere: the model that an adapter is for, and code in another repository.
func (d *folder) readConfig(fsys fs.FS, file component, l *references) error {
	if _, is := find(d.configs, baseName(file.path)); !is {
		return nil
	}
	text, err := d.text(fsys, file)
	if err != nil {
		return err
	}
	r := reference{path: file.path}
	root, err := parse(d.name(), reading, text)
	if err != nil { // such as Infinity, which Python reads
		*l = append(*l, reference{file.path, []string{notStrict}, [][]byte{[]byte("true")}})
		return nil
	}
	if baseName(file.path) == "adapter_config.json" {
		for _, name := range []string{"base_model_name_or_path", "revision"} {
			switch v := root.Get(name); {
			case v.Kind() == jsontree.String:
				r.names, r.texts = append(r.names, name), append(r.texts, v.Raw())
			case name == "base_model_name_or_path":
				r.names, r.texts = append(r.names, name), append(r.texts, []byte(`""`))
			}
		}
	}
	var code [][]byte
	findCode(root, false, &code)
	if len(code) > 0 {
		r.names, r.texts = append(r.names, "code"), append(r.texts, append(append([]byte{'['}, bytes.Join(code, []byte{','})...), ']'))
	}
	if len(r.names) > 0 {
		*l = append(*l, r)
	}
	return nil
}

// findCode finds, at every depth, strings REPOSITORY--MODULE at or below members that name code.
func findCode(v jsontree.Value, below bool, l *[][]byte) {
	switch v.Kind() {
	case jsontree.String:
		if below && strings.Contains(v.Text(), "--") {
			*l = append(*l, v.Raw())
		}
	case jsontree.Object:
		for name, e := range v.Members() {
			n := string(name)
			findCode(e, below || n == "auto_map" || n == "custom_pipelines", l)
		}
	case jsontree.Array:
		for _, e := range v.Elements() {
			findCode(e, below, l)
		}
	}
}

// parameters say for each file what it names.
func (l references) parameters() string {
	dst := []byte{'{'}
	for i, r := range l {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, []byte(r.path)), ":{"...)
		for j, name := range r.names {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(dst, `"`+name+`":`...), r.texts[j]...)
		}
		dst = append(dst, '}')
	}
	return string(dst) + "}"
}

// openIn says what the declaration of a folder leaves open, as report does, and what it has that captures do not.
func openIn(root jsontree.Value) (open []Opening, unknown []Unknown) {
	type named struct {
		path string
		v    jsontree.Value
	}
	var files []named
	for path, v := range root.Get("parameters").Members() {
		files = append(files, named{string(path), v})
	}
	slices.SortFunc(files, func(a, b named) int { return strings.Compare(a.path, b.path) })
	for _, file := range files {
		pointer := pointerTo(file.path)
		if file.v.Kind() != jsontree.Object {
			unknown = append(unknown, Unknown{pointer, "parameter " + file.path, true})
		}
		for name := range file.v.Members() {
			switch n := string(name); n {
			case "revision":
			case "base_model_name_or_path", "code", notStrict:
				open = append(open, Opening{pointer, "model"})
			default:
				unknown = append(unknown, Unknown{Pointer: pointer, Name: "member " + n})
			}
		}
	}
	for _, part := range []string{"prompt", "context", "constraints"} {
		if root.Get(part).Len() > 0 {
			unknown = append(unknown, Unknown{"", part, true})
		}
	}
	return open, unknown
}

// report says what is open, and warns of it.
func (l references) report(c *Captured) {
	for _, r := range l {
		pointer := pointerTo(r.path)
		for i, name := range r.names {
			what := "is for the model " + string(r.texts[i]) + ", which is elsewhere: its files are not in the declaration"
			switch name {
			case "revision":
				continue
			case "code":
				what = "names code in another repository, which is not in the declaration: " + string(r.texts[i])
			case notStrict:
				what = "is not strict JSON: whether it names code in another repository, or another model, is not known"
			}
			c.Open = append(c.Open, Opening{pointer, "model"})
			c.Fates = append(c.Fates, Fate{Pointer: pointer, Outcome: LeftOpen, Detail: "hides model"})
			c.Warnings = append(c.Warnings, Warning{pointer, what})
		}
	}
}
