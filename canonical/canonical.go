package canonical

import (
	"errors"
	"hash"
	"math"
)

// Transform returns the RFC 8785 form of the JSON text src, in new memory.
// Every error is an *[Error].
func Transform(src []byte) ([]byte, error) {
	return Options{}.Append(nil, src)
}

// Append appends the RFC 8785 form of the JSON text src to dst and returns the
// extended slice. On an error, always an *[Error], it returns dst as it was.
// It does not allocate when dst has room. The two must not overlap, but dst may be src[:0].
func Append(dst, src []byte) ([]byte, error) {
	return Options{}.Append(dst, src)
}

// Options are what a caller may ask beyond RFC 8785. The zero value is the plain RFC.
type Options struct {
	// ExactNumbers refuses a number whose decimal value is not that of its canonical form.
	ExactNumbers bool

	// MaxDepth is how deep arrays and objects may nest: a scalar has depth 0, {} and [] 1.
	// Zero stands for 10,000.
	MaxDepth int

	// MaxValues is how many members and elements the whole text may have.
	// Zero stands for any number.
	MaxValues int
}

const defaultMaxDepth = 10000

// Append is the function [Append] under these options.
func (o Options) Append(dst, src []byte) ([]byte, error) {
	t := newTransformer(o, src)
	err := t.run()
	if err == nil {
		dst = t.appendTo(dst)
	}
	t.release()
	return dst, err
}

// Form is the canonical form of src: a part of src where that is canonical already, and else in new memory. It refuses what
// Append refuses.
func (o Options) Form(src []byte) ([]byte, error) {
	t := newTransformer(o, src)
	err := t.run()
	var form []byte
	switch {
	case err != nil:
	case t.unchanged && len(t.objects) == 0:
		form = t.flat
	default:
		form = t.appendTo(make([]byte, 0, len(t.flat)))
	}
	t.release()
	return form, err
}

// AppendCompact appends src to dst without its white space and with strings as RFC 8785 spells
// them; members stay in the order of src, and numbers as src spells them. It refuses what
// Append refuses, and is for text whose order matters, such as what a model is shown. On an
// error, always an *[Error], it returns dst as it was. The two must not overlap.
func (o Options) AppendCompact(dst, src []byte) ([]byte, error) {
	t := newTransformer(o, src)
	t.keep = true
	err := t.run()
	if err == nil {
		dst = append(dst, t.flat...)
	}
	t.release()
	return dst, err
}

// Hash writes the canonical form of src to h, piece by piece from src, or from src without
// its white space: the form is not put together in memory once more. On an error, always
// an *[Error], h is untouched.
func (o Options) Hash(h hash.Hash, src []byte) error {
	if h == nil {
		return errors.New("no hash to write to")
	}
	t := newTransformer(o, src)
	err := t.run()
	if err == nil {
		t.hashTo(h)
	}
	t.release()
	return err
}

func (o Options) depthLimit() int {
	if o.MaxDepth <= 0 {
		return defaultMaxDepth
	}
	return o.MaxDepth
}

func (o Options) valueLimit() int {
	if o.MaxValues <= 0 {
		return math.MaxInt
	}
	return o.MaxValues
}
