package canonical

import "sync"

// A transformer turns one text into its canonical form in two passes. The first, scan,
// checks src and notes what has to be left out or replaced, and which objects have members
// in another order. The second, emit, copies src to where it goes, accordingly. So each
// byte is read once and copied once, however deep objects nest, and canonical text is
// copied as a whole.
type transformer struct {
	src        []byte
	begin, end int // where the top-level value stands, once scanned
	size       int // of the canonical form, once scanned

	frames  []frame  // the open arrays and objects
	members []member // the members so far of the open objects, outermost object first
	edits   []edit   // what changes within src, in order
	texts   []byte   // what edits put in
	objects []object // in order of their opening; those in order are dropped early
	ranked  []rank   // the members of the object that is being sorted
	pieces  []piece  // the members of disordered objects, in canonical order
	cursors []cursor // emit's stack

	digits  []byte // of the number at hand
	spelled []byte // a number on its way
	name1   []byte // unescaped names
	name2   []byte
	window  []byte // what is collected before it is hashed

	exact      bool
	escaped    bool // the last string has escape sequences
	depthLeft  int
	valuesLeft int

	code   Code // of the first error
	offset int

	idle int // consecutive uses that left most of the memory untouched
}

// An edit leaves src[start:end] out. Where text is not 0, it puts in the bytes that follow
// texts[text], which is their number.
type edit struct {
	start, end int
	text       int
}

var transformers = sync.Pool{New: func() any { return new(transformer) }}

func newTransformer(o Options, src []byte) *transformer {
	t := transformers.Get().(*transformer)
	t.src = src
	t.frames = t.frames[:0]
	t.members = t.members[:0]
	t.edits = t.edits[:0]
	t.texts = append(t.texts[:0], 0) // so that no text has index 0
	t.objects = t.objects[:0]
	t.pieces = t.pieces[:0]
	t.exact = o.ExactNumbers
	t.depthLeft = o.depthLimit()
	t.valuesLeft = o.valueLimit()
	return t
}

const (
	smallMemory = 1 << 12 // members or edits, worth keeping in any case
	maxIdle     = 16
)

// release gives the transformer back. One that grew for a huge text is dropped once
// enough small ones have followed, so that a single outlier does not stay in memory.
func (t *transformer) release() {
	t.idle++
	if m := max(cap(t.members), cap(t.edits), cap(t.pieces)); m <= smallMemory || len(t.src) > m {
		t.idle = 0
	}
	t.src = nil
	if t.idle < maxIdle {
		transformers.Put(t)
	}
}

// run does the first pass.
func (t *transformer) run() error {
	if t.scan() {
		return nil
	}
	return &Error{Code: t.code, Offset: t.offset, Pointer: pointerAt(t.src, t.offset, t.code)}
}

// fail records an error and returns -1, which stands for a position that is not there.
func (t *transformer) fail(code Code, offset int) int {
	t.code, t.offset = code, offset
	return -1
}

// skip leaves src[i:j] out of the canonical form.
func (t *transformer) skip(i, j int) {
	t.edits = append(t.edits, edit{start: i, end: j})
	t.size -= j - i
}

// replace puts s, of less than 256 bytes, in the place of src[i:j].
func (t *transformer) replace(i, j int, s []byte) {
	t.skip(i, j)
	t.edits[len(t.edits)-1].text = len(t.texts)
	t.texts = append(append(t.texts, byte(len(s))), s...)
	t.size += len(s)
}
