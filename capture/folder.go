package capture

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	slashpath "path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// A folder says which files of a folder are a model, and what each is.
type folder struct {
	api    string
	number int
	title  string
	about  []string // paragraphs for the page
	kind   string

	role     string    // of all files that no pattern fits, or "other"
	anywhere []string  // folders that are skipped wherever they are
	replaces string    // the member of the body beside it that the folder stands for
	signs    []pattern // one of these must be at the top, if there are any
	folders  []string  // that are skipped at the top
	skipped  []pattern // files that are skipped at the top
	indexes  []pattern // files whose weight_map names other files
	weights  []pattern // files that may be Git LFS pointers
	roles    []pattern // the first that fits says the role
	pickles  []pattern // files that are warned of
	configs  []pattern // files that may name a model or code elsewhere
}

// A pattern is a file's name, in which one * stands for any characters.
type pattern struct{ name, role string }

func (p pattern) match(name string) bool {
	before, after, any := strings.Cut(p.name, "*")
	if !any {
		return name == p.name
	}
	return len(name) >= len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}

func find(l []pattern, name string) (pattern, bool) {
	if i := slices.IndexFunc(l, func(p pattern) bool { return p.match(name) }); i >= 0 {
		return l[i], true
	}
	return pattern{}, false
}

func patterns(role string, names ...string) []pattern {
	var l []pattern
	for _, n := range names {
		l = append(l, pattern{n, role})
	}
	return l
}

// folders are all that this package has.
var folders = []*folder{{
	api: "hf-model", number: 1, kind: "inference",
	title: "a model's folder, as Hugging Face lays it out",
	about: []string{
		"Reads a folder with a model for transformers, PEFT, diffusers or llama.cpp: weights, configuration, tokenizer, templates and code. The caller names the model, since the same folder elsewhere is the same model.",
	},
	signs:   patterns("", "config.json", "adapter_config.json", "model_index.json", "*.gguf"),
	folders: []string{".git", ".cache", ".huggingface"},
	skipped: patterns("", ".gitattributes", ".gitignore", ".DS_Store", "README.md"),
	indexes: patterns("", "*.index.json"),
	weights: patterns("", "*.safetensors", "*.gguf", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack", "*.onnx", "*.onnx_data"),
	roles: slices.Concat(
		patterns("code", "*.py"), // whatever else the name says
		patterns("adapter", "adapter_*"),
		patterns("tokenizer", "tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "spiece.model", "sentencepiece*", "*.tiktoken"),
		patterns("template", "chat_template*", "*.jinja")),
	configs: patterns("", "*config.json", "model_index.json"),
	pickles: patterns("", "*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt"),
}}

func (f *folder) name() string { return fmt.Sprintf("%s/%d", f.api, f.number) }

func (f *folder) error(file, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	if file != "" {
		message = quote(file) + " " + message
	}
	return &Error{Format: f.name(), Offset: -1, Message: message}
}

// A component is a file of a model.
type component struct {
	path   string
	role   string
	digest [sha256.Size]byte
	size   int64

	pointer bool // the digest and the size are those that a Git LFS pointer names
}

// ReadsFolder tells whether the format's source is a folder, which CaptureFolder reads.
func (f Format) ReadsFolder() bool { return f.folder != nil }

// TakesFolder tells whether a folder may stand beside the format's body: CaptureFolder reads the two.
func (f Format) TakesFolder() bool { return f.table != nil && f.table.folder != nil }

// withFolder captures a body and the files of the folder beside it.
func (t *table) withFolder(ctx context.Context, fsys fs.FS, src Source) (*Captured, error) {
	var skipped Captured
	files, err := t.folder.files(fsys, &skipped)
	if err != nil {
		return nil, err
	}
	if err := t.folder.hashAll(ctx, fsys, files); err != nil {
		return nil, err
	}
	c, err := Format{table: t}.capture(src, files, nil)
	if err != nil {
		return nil, err
	}
	for _, fate := range skipped.Fates {
		fate.Pointer = "folder:" + fate.Pointer
		c.Fates = append(c.Fates, fate)
		if strings.HasSuffix(fate.Pointer, t.folder.anywhere[0]) {
			c.Warnings = append(c.Warnings, Warning{fate.Pointer, "is not in the declaration, and Python may run what is in it: remove it"})
		}
	}
	for i, file := range files {
		c.Fates = append(c.Fates, Fate{Pointer: "folder:" + pointerTo(file.path), Outcome: Kept, To: "/context/" + strconv.Itoa(i), Detail: " " + file.role})
	}
	return c, nil
}

// CaptureFolder maps a folder into a declaration, for a format that reads one, or the body of src and the folder beside it. Of src it takes the model's name, its
// revision, the provider and the parents, and there must be nothing else in it. It follows a symbolic link to a file as far as fsys does: [os.Root.FS] keeps
// it below the root. Where fsys does not implement [fs.StatFS], as what [fs.Sub] returns, it opens the target of a
// link to see what it is, and waits if that is a pipe. The error is an *[Error], or that of reading. Digest of what it returns is zero.
func (f Format) CaptureFolder(ctx context.Context, fsys fs.FS, src Source) (*Captured, error) {
	if f.TakesFolder() {
		return f.table.withFolder(ctx, fsys, src)
	}
	d := f.folder
	if d == nil {
		return nil, &Error{Format: f.Name(), Offset: -1, Message: "reads no folder"}
	}
	if src.Model == "" {
		return nil, &Error{Format: d.name(), Offset: -1, Message: "the source does not name the model", Hint: "name the model that the folder holds"}
	}
	if src.Target != "" || len(src.Header) > 0 || len(src.Body) > 0 {
		return nil, d.error("", "a path, a header or a body is given, and a folder has none")
	}
	c := &Captured{Format: f}
	files, err := d.files(fsys, c)
	if err != nil {
		return nil, err
	}
	if err := d.hashAll(ctx, fsys, files); err != nil {
		return nil, err
	}
	var refers references
	for i, file := range files {
		if err := d.checkIndex(fsys, file); err != nil {
			return nil, err
		}
		if err := d.readConfig(fsys, file, &refers); err != nil {
			return nil, err
		}
		pointer := pointerTo(file.path)
		if file.pointer {
			c.Warnings = append(c.Warnings, Warning{pointer, "is a Git LFS pointer: the file that it names was not read"})
		}
		c.Fates = append(c.Fates, Fate{Pointer: pointer, Outcome: Kept, To: "/model/components/" + strconv.Itoa(i), Detail: " " + file.role})
		if _, is := find(d.pickles, baseName(file.path)); is {
			c.Warnings = append(c.Warnings, Warning{pointer, "its name is that of a pickle, which runs code when it is loaded"})
		}
	}
	refers.report(c)
	c.Declaration, err = identity.Parse(d.declaration(files, refers, src))
	if err != nil {
		return nil, d.error("", "the declaration would be invalid: %v", err)
	}
	return c, nil
}

// hashAll hashes files in parallel. Of several errors it returns that of the first file, whichever is met first.
func (d *folder) hashAll(ctx context.Context, fsys fs.FS, files []component) error {
	errs := make([]error, len(files))
	var failed atomic.Int64
	failed.Store(int64(len(files)))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range files {
		g.Go(func() error {
			if int64(i) > failed.Load() {
				return nil // a file before it has failed, and those between the two are read
			}
			if errs[i] = d.hash(ctx, fsys, &files[i]); errs[i] != nil {
				for old := failed.Load(); int64(i) < old && !failed.CompareAndSwap(old, int64(i)); old = failed.Load() {
				}
			}
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// pointerTo is the pointer to a file, in the object that a folder is: texts by their paths.
func pointerTo(name string) string { return "/" + jsontree.EscapePointer(name) }

// baseName is what stands behind the last slash.
func baseName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// files are the model's files, sorted by the bytes of their paths.
func (d *folder) files(fsys fs.FS, c *Captured) ([]component, error) {
	if fsys == nil {
		return nil, d.error("", "the folder is nil")
	}
	var files []component
	found := false
	err := fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (slices.Contains(d.folders, name) || slices.Contains(d.anywhere, e.Name())):
			c.Fates = append(c.Fates, Fate{Pointer: pointerTo(name), Outcome: LeftOut, Detail: "skipped"})
			return fs.SkipDir
		case e.IsDir():
			return nil
		}
		if _, skip := find(d.skipped, name); skip {
			c.Fates = append(c.Fates, Fate{Pointer: pointerTo(name), Outcome: LeftOut, Detail: "skipped"})
			return nil
		}
		if t := e.Type(); !t.IsRegular() && t&fs.ModeSymlink == 0 { // which Stat would open, where fsys has none of its own
			return d.error(name, "is neither a file nor a link to one")
		}
		info, err := fs.Stat(fsys, name)
		switch {
		case err != nil && e.Type()&fs.ModeSymlink != 0 && !errors.Is(err, fs.ErrPermission):
			return d.error(name, "is a link to nothing, or out of the folder")
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			return d.error(name, "is neither a file nor a link to one")
		case !utf8.ValidString(name):
			return d.error(name, "has a name that is not valid UTF-8")
		case len(files) == limits.CaptureFiles:
			return d.error("", "the folder has more than %d files", limits.CaptureFiles)
		}
		role := cmp.Or(d.role, "other")
		if p, ok := find(d.roles, e.Name()); ok {
			role = p.role
		}
		if _, ok := find(d.signs, name); ok && name == e.Name() {
			found = true
		}
		files = append(files, component{path: name, role: role, size: info.Size()})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, d.error("", "the folder has no files")
	}
	if !found && len(d.signs) > 0 {
		var names []string
		for _, p := range d.signs {
			names = append(names, p.name)
		}
		return nil, d.error("", "the folder has none of %s: it does not hold a model", strings.Join(names, ", "))
	}
	slices.SortFunc(files, func(a, b component) int { return strings.Compare(a.path, b.path) })
	return files, nil
}

// hash fills in a file's digest and size: its own, or those of the file that an LFS pointer names.
func (d *folder) hash(ctx context.Context, fsys fs.FS, file *component) error {
	f, err := fsys.Open(file.path)
	if err != nil {
		return err
	}
	defer f.Close() // only read: nothing to lose
	h := sha256.New()
	var start bytes.Buffer
	n, err := io.CopyN(io.MultiWriter(h, &start), f, lfsPointer)
	if err == nil {
		buffer := make([]byte, 256<<10)
		for err == nil && ctx.Err() == nil {
			var m int
			m, err = f.Read(buffer)
			h.Write(buffer[:m])
			n += int64(m)
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.Is(err, io.EOF):
		return err
	case n != file.size:
		return d.error(file.path, "changed while it was read: it had %d bytes, and then %d", file.size, n)
	}
	file.digest = [sha256.Size]byte(h.Sum(nil))
	if n < lfsPointer && bytes.HasPrefix(start.Bytes(), []byte(lfsVersion)) {
		return d.pointer(start.String(), file)
	}
	return nil
}

const (
	lfsPointer = 1024 // bytes that a Git LFS pointer has fewer than: its specification
	lfsVersion = "version https://git-lfs.github.com/spec/v1"
)

// text is a small file once more, the same as when it was hashed.
func (d *folder) text(fsys fs.FS, file component) ([]byte, error) {
	if file.size > limits.CaptureBody {
		return nil, d.error(file.path, "has %d bytes, want at most %d of a file that is read", file.size, limits.CaptureBody)
	}
	text, err := fs.ReadFile(fsys, file.path)
	if err == nil && sha256.Sum256(text) != file.digest {
		err = d.error(file.path, "changed while it was read")
	}
	return text, err
}

// checkIndex refuses an index of weights that names a skipped file: it would be loaded, and is not in the declaration.
func (d *folder) checkIndex(fsys fs.FS, file component) error {
	if _, is := find(d.indexes, baseName(file.path)); !is || file.pointer {
		return nil
	}
	text, err := d.text(fsys, file)
	if err != nil {
		return err
	}
	root, err := parse(d.name(), canonical.Options{MaxDepth: limits.CaptureDepth, MaxValues: limits.CaptureValues}, text)
	if err != nil {
		return d.error(file.path, "is an index that cannot be read: %v", err)
	}
	if root.Kind() != jsontree.Object {
		return d.error(file.path, "is of type %s, want an object", root.Kind())
	}
	for _, v := range root.Get("weight_map").Members() {
		named := slashpath.Join(slashpath.Dir(file.path), v.Text())
		top, _, below := strings.Cut(named, "/")
		_, skipped := find(d.skipped, top)
		if !below && skipped || below && slices.Contains(d.folders, top) {
			return d.error(file.path, "names %s, which is skipped", quote(v.Text()))
		}
	}
	return nil
}

// pointer reads a Git LFS pointer, which stands for the file that it names. One in the place of a text is a text as well, which
// a program would use as it is.
func (d *folder) pointer(text string, file *component) error {
	if _, is := find(d.weights, baseName(file.path)); !is {
		e := d.error(file.path, "is a Git LFS pointer, want the file itself: it is not one of weights")
		e.Hint = "git lfs pull"
		return e
	}
	bad := d.error(file.path, "is a Git LFS pointer that cannot be read, want the lines version, oid sha256:HEX and size")
	rest, ok := strings.CutPrefix(text, lfsVersion+"\noid sha256:")
	oid, size, ok2 := strings.Cut(rest, "\nsize ")
	size, ok3 := strings.CutSuffix(size, "\n")
	raw, err := hex.DecodeString(oid)
	n, err2 := strconv.ParseInt(size, 10, 64)
	if !ok || !ok2 || !ok3 || err != nil || err2 != nil || len(raw) != sha256.Size || oid != strings.ToLower(oid) || n < 0 || n > 1<<53-1 || size != strconv.FormatInt(n, 10) {
		return bad
	}
	file.digest, file.size, file.pointer = [sha256.Size]byte(raw), n, true
	return nil
}

// declaration is the text of a folder's declaration.
func (d *folder) declaration(files []component, refers references, src Source) []byte {
	dst := []byte(`{"schema":"` + identity.Schema + `","kind":"` + d.kind + `","prompt":{},"parameters":` + refers.parameters() + `,"context":[],"constraints":{},"extensions":{"` +
		Interface + `":{"api":"` + d.api + `"}},`)
	if len(src.Parents) > 0 {
		var ids []string
		for _, p := range src.Parents {
			ids = append(ids, p.String())
		}
		dst = append(appendStrings(append(dst, `"parents":`...), ids), ',')
	}
	dst = appendString(append(dst, `"model":{"name":`...), []byte(src.Model))
	if src.Provider != "" {
		dst = appendString(append(dst, `,"provider":`...), []byte(src.Provider))
	}
	if src.Revision != "" {
		dst = appendString(append(dst, `,"version":`...), []byte(src.Revision))
	}
	dst = append(dst, `,"components":[`...)
	for i, f := range files {
		if i > 0 {
			dst = append(dst, ',')
		}
		r := resource{role: f.role, digest: f.digest, size: f.size}
		dst = r.append(dst, f.path)
	}
	return append(dst, `]}}`...)
}
