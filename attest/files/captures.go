package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/yamljson"
	"github.com/runattest/runattest/internal/zero"
)

// Captures captures what is in files and folders, by one format.
type Captures struct {
	Format capture.Format
	Source capture.Source // what all have in common, without a body
	Folder string         // beside a file, for a format that takes one; "" for none
	// Open opens a folder; nil opens it as a model's folder, whose links are followed below it.
	Open func(folder string) (fsys fs.FS, closeFolder func(), err error)
}

// Captured is one capture.
type Captured struct {
	*capture.Captured        // nil with an error
	Name              string // of the file or folder, with the line where that holds several
	Several           bool   // there may be others in it
	Size              int    // of the text, in bytes
}

// AnnotationError says that an attestation was to have an annotation that capturing sets.
type AnnotationError struct{ Name string }

func (e *AnnotationError) Error() string {
	return zero.IfNil(e).Name + ": capturing sets the annotation of that name"
}

// Options are what an attestation of the declaration says besides it: what base has, the annotations of the capture, and with
// withSource the exact bytes of the source as the subject source. Base is left as it is.
func (c Captured) Options(base attest.StatementOptions, withSource bool) (attest.StatementOptions, error) {
	if c.Captured == nil {
		return base, errors.New("nothing is captured: it is nil")
	}
	annotations := c.Annotations()
	for name, value := range base.Annotations {
		if _, twice := annotations[name]; twice {
			return base, &AnnotationError{name}
		}
		annotations[name] = value
	}
	base.Annotations = annotations
	if withSource {
		digest, err := c.SourceDigest()
		if err != nil {
			return base, err
		}
		base.Subjects = append(slices.Clip(base.Subjects), attest.Subject{Name: "source", SHA256: digest})
	}
	return base, nil
}

// InFolder captures the folder of that name, with what src says beside it.
func (c Captures) InFolder(ctx context.Context, dir string, src capture.Source) (*capture.Captured, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s: is a file, want a model's folder", dir)
	}
	open := c.Open
	if open == nil {
		open = input.Folder
	}
	fsys, closeFolder, err := open(dir)
	if err != nil {
		return nil, err
	}
	if closeFolder != nil {
		defer closeFolder()
	}
	captured, err := c.Format.CaptureFolder(ctx, fsys, src)
	return captured, LocateCapture(nil, err)
}

// FolderOf returns the captured folder that a file would be written to, where it would replace a file of the run, or be captured
// the next time. Captured are paths, where the format reads folders, and Folder. It is the first that has target in it or below it,
// links followed and folders yet to be made included, and "" if none has. It is "", too, if target is "-", standard output, or if the
// folder of target cannot be read: writing the file says why.
func (c Captures) FolderOf(target string, paths ...string) string {
	if target == input.Stdin { // as the name of a result
		return ""
	}
	if !c.Format.ReadsFolder() {
		paths = nil
	}
	if c.Folder != "" {
		paths = append(slices.Clone(paths), c.Folder)
	}
	return overwrite.Inside(target, paths...)
}

// Snapshot returns the name and the commit of the model in a folder of Hugging Face's cache. It reads them from the folder's path,
// links followed, which ends in models--ORGANISATION--NAME/snapshots/COMMIT; another path is an error.
func Snapshot(dir string) (model, commit string, err error) { return input.Snapshot(dir) }

// In captures every request in texts, and goes on after what is wrong with one.
func (c Captures) In(ctx context.Context, texts iter.Seq2[Text, error]) iter.Seq2[Captured, error] {
	return func(yield func(Captured, error) bool) {
		if texts == nil {
			yield(Captured{}, errors.New("nothing to capture: it is nil"))
			return
		}
		for t, err := range texts {
			if err != nil {
				if !yield(Captured{Name: t.Name}, err) {
					return
				}
				continue
			}
			for captured, err := range c.text(ctx, t) {
				if !yield(captured, err) {
					return
				}
			}
		}
	}
}

// Line captures the one request in line n of the text of that name.
func (c Captures) Line(name string, n int, line []byte) (Captured, error) {
	src := c.Source
	src.Body = line
	one, err := c.Format.Capture(src)
	return Captured{Captured: one, Name: name, Size: len(line)}, locateLine(n, line, err)
}

// text captures every request in a text.
func (c Captures) text(ctx context.Context, t Text) iter.Seq2[Captured, error] {
	src := c.Source
	src.Body = t.Data
	made := func(one *capture.Captured) Captured {
		return Captured{one, t.Name, t.Lines || one != nil && one.CustomID != "", len(t.Data)}
	}
	return func(yield func(Captured, error) bool) {
		if c.Folder != "" {
			one, err := c.InFolder(ctx, c.Folder, src)
			yield(Captured{one, t.Name, t.Lines, len(t.Data)}, err)
			return
		}
		for one, err := range c.Format.CaptureEach(src) {
			if err != nil { // only then: Kind reads all of a batch
				if kind := Kind(t.Data); IsKey(kind) {
					err = fmt.Errorf("is %s, want a request's body", kind)
				}
			}
			if t.Line > 0 {
				err = locateLine(t.Line, t.Data, err)
			} else {
				err = LocateCapture(t.Data, err)
			}
			if !yield(made(one), err) {
				return
			}
		}
	}
}

// LocateCapture says on which line of a request's body an error of package capture is, where that knows.
func LocateCapture(body []byte, err error) error {
	var e *capture.Error
	if !errors.As(err, &e) || e.Offset < 0 {
		return err
	}
	line, column := yamljson.LineColumn(body, e.Offset)
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// locateLine is LocateCapture for a body that is line n of a text.
func locateLine(n int, body []byte, err error) error {
	var e *capture.Error
	if !errors.As(err, &e) || e.Offset < 0 {
		return err
	}
	body = bytes.TrimRight(body, "\r\n")
	_, column := yamljson.LineColumn(body, min(e.Offset, len(body)))
	return fmt.Errorf("line %d, column %d: %w", n, column, err)
}

// UndetectedError says that a file or folder is not of one capture format alone.
type UndetectedError struct {
	Name    string
	Formats []string // that it may be of; one does not know all of it
}

func (e *UndetectedError) Error() string {
	switch e = zero.IfNil(e); len(e.Formats) {
	case 0:
		return e.Name + ": is of no capture format that is known"
	case 1:
		return fmt.Sprintf("%s: may be of the format %s, which does not know all of it", e.Name, e.Formats[0])
	}
	return fmt.Sprintf("%s: may be of the formats %s", e.Name, strings.Join(e.Formats, ", "))
}

// NamesFormat says whether a name that stands alone is taken for that of a capture format, and not of a file whose format is to be
// detected. A format goes before a file of its name, and what is neither is taken for a format.
func NamesFormat(name string) bool {
	if _, err := capture.Lookup(name); err == nil || input.IsStdin(name) {
		return err == nil
	}
	_, err := os.Stat(name)
	return err != nil
}

// DetectCapture finds the one format that a file or folder can be of, and gives the text of a file. src is what is said
// beside it. If there is no such format, the error is an *UndetectedError.
func DetectCapture(path string, stdin io.Reader, src capture.Source) (format capture.Format, t Text, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		format, err := detectFolder(path)
		return format, Text{Name: path}, err
	}
	for t, err := range input.Whole(path, stdin) { // one
		if err != nil {
			return format, t, err
		}
		src.Body = t.Data
		formats, sure := capture.Detect(src)
		if !sure {
			return format, t, undetected(t.Name, formats)
		}
		return formats[0], t, nil
	}
	return format, t, fmt.Errorf("%s: cannot be read", input.Name(path))
}

func detectFolder(dir string) (capture.Format, error) {
	fsys, closeFolder, err := input.Folder(dir)
	if err != nil {
		return capture.Format{}, err
	}
	defer closeFolder()
	formats, err := capture.DetectFolder(fsys)
	switch {
	case err != nil:
		return capture.Format{}, err
	case len(formats) != 1:
		return capture.Format{}, undetected(dir, formats)
	}
	return formats[0], nil
}

func undetected(name string, formats []capture.Format) error {
	e := &UndetectedError{Name: name}
	for _, f := range formats {
		e.Formats = append(e.Formats, f.Name())
	}
	return e
}
