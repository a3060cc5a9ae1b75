package capture

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// A batch says where the requests of a batch are. Each is captured by the table of its own format, as if it were sent
// alone.
type batch struct {
	api    string
	number int
	title  string
	about  []string // paragraphs for the page

	list    string   // the member of the body that has the requests, or "" where each line of it is one
	body    string   // the member of a request that has its body
	urls    bool     // a request has its method and path as well
	paths   []string // of the call that makes the batch
	formats []string // of the requests: with urls the first one that has the path
	flags   string   // the header whose flags say what the call may use
	drop    []string // its flags that say that this is a batch
}

// batches are all that this package has.
var batches = []*batch{{
	api: "anthropic-batch", number: 1,
	title: "Anthropic message batches",
	about: []string{"Reads the body of `POST /v1/messages/batches`: `requests`, a list of `custom_id` and `params`."},
	list:  "requests", body: "params",
	paths:   []string{"/v1/messages/batches"},
	formats: []string{"anthropic-messages/1"},
	flags:   "anthropic-beta",
	drop:    []string{"message-batches-2024-09-24"},
}, {
	api: "openai-batch", number: 1,
	title: "OpenAI batch files, of OpenAI and Azure",
	about: []string{"Reads the file that is uploaded for a batch, in JSON Lines: each line has `custom_id`, `method`, `url` and `body`. The upload itself is multipart; of it the file alone is read."},
	body:  "body", urls: true,
	paths:   []string{"/v1/files", "/openai/files", "/openai/v1/files"},
	formats: []string{"openai-chat/1", "openai-responses/1", "openai-embeddings/1"},
}}

func (b *batch) name() string { return fmt.Sprintf("%s/%d", b.api, b.number) }

func (b *batch) error(pointer, format string, args ...any) *Error {
	return (&Error{Format: b.name(), Offset: -1, Message: fmt.Sprintf(format, args...)}).in(pointer)
}

// ReadsFile tells whether the format's source is a whole file, and not a request, of which JSON Lines may hold several.
func (f Format) ReadsFile() bool { return f.batch != nil || f.table != nil && f.table.yaml }

// CaptureEach maps a source into declarations: one for each request of a batch, in order, as if it were sent alone, and
// one for any other source. Errors are *[Error]. It goes on after a request that is refused, so that all are named.
func (f Format) CaptureEach(src Source) iter.Seq2[*Captured, error] {
	if f.batch != nil {
		return f.batch.each(src)
	}
	return func(yield func(*Captured, error) bool) { yield(f.Capture(src)) }
}

// one captures a batch that has one request.
func (b *batch) one(src Source) (*Captured, error) {
	var only *Captured
	count := 0
	for c, err := range b.each(src) {
		if err != nil {
			return nil, err
		}
		only = c
		count++
	}
	if count != 1 {
		return nil, b.error("", "a batch of %d requests, each of which has a declaration of its own", count)
	}
	return only, nil
}

func (b *batch) each(src Source) iter.Seq2[*Captured, error] {
	return func(yield func(*Captured, error) bool) {
		if target, _, _ := strings.Cut(src.Target, "?"); target != "" && !slices.Contains(b.paths, target) {
			yield(nil, b.error("", "the path %s is not one of %s", quote(target), strings.Join(b.paths, ", ")))
			return
		}
		src.Target, src.Header = "", b.withoutFlags(src.Header)
		ids := map[string]bool{}
		count, digest := 0, sha256.Sum256(src.Body)
		for pointer, request := range b.requests(src.Body) {
			count++
			c, err := b.request(pointer, request, src, ids)
			if c != nil {
				c.Digest = digest
			}
			if !yield(c, err) {
				return
			}
		}
		if count == 0 {
			yield(nil, b.error("", "a batch without requests"))
		}
	}
}

// element is a request of a batch, or why it cannot be read.
type element struct {
	value jsontree.Value
	err   error
}

// requests are the elements of the batch's list or its lines, by their pointers or line numbers.
func (b *batch) requests(body []byte) iter.Seq2[string, element] {
	reading := canonical.Options{MaxDepth: limits.CaptureDepth + 3, MaxValues: limits.CaptureValues + 8}
	return func(yield func(string, element) bool) {
		if b.list == "" {
			n, next, all := 0, 0, len(bytes.TrimRight(body, "\r\n"))
			for line := range bytes.SplitSeq(body, []byte("\n")) {
				n++
				start := next
				next += len(line) + 1
				if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
					continue
				}
				root, err := parse(b.name(), reading, line)
				if e := (*Error)(nil); errors.As(err, &e) && e.Offset >= 0 {
					e.Offset += start
				}
				where := ""
				if len(line) < all {
					where = fmt.Sprintf("line %d", n)
				}
				if !yield(where, element{root, err}) {
					return
				}
			}
			return
		}
		root, err := parse(b.name(), reading, body)
		if err == nil {
			err = b.closed("", root, b.list)
		}
		if l := root.Get(b.list); err == nil && l.Kind() != jsontree.Array {
			err = b.error("/"+b.list, "is of type %s, want a list of requests", l.Kind())
		}
		if err != nil {
			yield("", element{err: err})
			return
		}
		for i, e := range root.Get(b.list).Elements() {
			if !yield(fmt.Sprintf("/%s/%d", b.list, i), element{value: e}) {
				return
			}
		}
	}
}

// closed holds an object against the names that it must have.
func (b *batch) closed(pointer string, v jsontree.Value, names ...string) error {
	for name := range v.Members() {
		if !slices.Contains(names, string(name)) {
			return b.error(pointer, "has a member %s, want no other than %s", quote(string(name)), strings.Join(names, ", "))
		}
	}
	return nil
}

// request captures one request of a batch.
func (b *batch) request(pointer string, e element, src Source, ids map[string]bool) (*Captured, error) {
	v := e.value
	if e.err != nil {
		return nil, located(e.err, pointer)
	}
	if v.Kind() != jsontree.Object {
		return nil, b.error(pointer, "is of type %s, want an object", v.Kind())
	}
	names := []string{"custom_id", b.body}
	if b.urls {
		names = append(names, "method", "url")
	}
	if err := b.closed(pointer, v, names...); err != nil {
		return nil, err
	}
	id := v.Get("custom_id")
	switch {
	case id.Kind() != jsontree.String || id.Text() == "":
		return nil, b.error(pointer, "has no custom_id, want a string that is not empty")
	case ids[id.Text()]:
		return nil, b.error(pointer, "has the custom_id %s, as a request before it has", quote(id.Text()))
	case v.Get(b.body).Kind() != jsontree.Object:
		return nil, b.error(pointer, "%s is of type %s, want an object", b.body, v.Get(b.body).Kind())
	}
	ids[id.Text()] = true
	f, err := b.formatOf(v, &src)
	if err != nil {
		return nil, located(err, pointer)
	}
	src.Body = v.Get(b.body).Raw()
	c, err := f.Capture(src)
	if err != nil {
		return nil, located(err, pointer+"/"+b.body)
	}
	c.CustomID = id.Text()
	return c, nil
}

// formatOf is the format of a request, whose path it puts into src.
func (b *batch) formatOf(v jsontree.Value, src *Source) (Format, error) {
	if !b.urls {
		return Lookup(b.formats[0])
	}
	if m := v.Get("method"); m.Kind() != jsontree.String || m.Text() != "POST" {
		return Format{}, b.error("/method", `is not "POST"`)
	}
	target := v.Get("url").Text()
	for _, name := range b.formats {
		f, err := Lookup(name)
		if err != nil {
			return Format{}, err
		}
		provider := src.Provider
		if provider == "" {
			provider = f.table.provider
		}
		path, _, _ := strings.Cut(target, "?")
		_, _, err = f.table.pathNames(path, provider)
		switch {
		case err == nil:
			src.Target = target
			return f, nil
		case !errors.Is(err, errPath):
			return Format{}, err // it is a path of the format, and of another provider
		}
	}
	return Format{}, b.error("/url", "%s is not the path of one of %s", quote(target), strings.Join(b.formats, ", "))
}

// located is an error with the place of its request in the batch.
func located(err error, pointer string) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	return e.in(pointer)
}

// in is the error of what stands at a pointer, or on a line and below a pointer there.
func (e *Error) in(pointer string) *Error {
	in := *e
	if strings.HasPrefix(pointer, "/") {
		in.Pointer = pointer + in.Pointer
	} else if line, at, _ := strings.Cut(pointer, "/"); line != "" {
		in.Message = line + ": " + in.Message
		if at != "" {
			in.Pointer = "/" + at + in.Pointer
		}
	}
	return &in
}

// withoutFlags is the header without the flags that say that this is a batch: a request that is sent alone has none.
func (b *batch) withoutFlags(header map[string][]string) map[string][]string {
	if len(b.drop) == 0 {
		return header
	}
	clean := map[string][]string{}
	for name, lines := range header {
		if fold(name) != b.flags {
			clean[name] = lines
			continue
		}
		for _, l := range lines {
			flags := strings.Split(l, ",")
			kept := slices.DeleteFunc(flags, func(f string) bool { return slices.Contains(b.drop, strings.Trim(f, " \t")) })
			if len(kept) > 0 {
				clean[name] = append(clean[name], strings.Join(kept, ","))
			}
		}
	}
	return clean
}
