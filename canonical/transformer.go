package canonical

import "sync"

// A transformer turns one text into its canonical form in two passes. The first, scan,
// checks src and makes flat of it, which has no white space and spells numbers and strings
// as they shall be; and it notes which objects have members in another order. The second,
// emit, copies flat to where it goes, in canonical order. So each byte is read once and
// copied at most twice, however deep objects nest, and canonical text is copied as a whole.
type transformer struct {
	src  []byte
	flat []byte // once scanned: memory, or a part of src if nothing in it had to change

	memory    []byte
	unchanged bool // flat is a part of src
	done      int  // how much of src has been copied to memory, or left out
	gap       int  // how many bytes fewer that made: src[i], if it stays, is flat[i-gap]

	frames  []frame  // the open arrays and objects, in one around the top-level value
	members []member // the members so far of the open objects, outermost object first
	objects []object // the disordered objects, inner ones first
	pieces  []piece  // their members, in canonical order
	ranked  []rank   // the members of the object that is being sorted
	cursors []cursor // emit's stack

	prefixes []uint64 // of the members of an object that keep their order

	// What was found at each depth, after a comma or an opening bracket and before a
	// closing one. It is only a guess and stays from text to text.
	between, before [levels]spacing

	digits  []byte // of the number at hand
	spelled []byte // a number on its way
	name1   []byte // unescaped names
	name2   []byte
	window  []byte // what is collected before it is hashed

	exact      bool
	keep       bool // numbers stay as they are spelled
	escaped    bool // the last string has escape sequences
	depthLimit int
	valuesLeft int

	code   Code // of the first error
	offset int

	idle int // consecutive uses that left most of the memory untouched
}

var transformers = sync.Pool{New: func() any { return new(transformer) }}

func newTransformer(o Options, src []byte) *transformer {
	t := transformers.Get().(*transformer)
	t.src = src
	t.members = t.members[:0]
	t.objects = t.objects[:0]
	t.pieces = t.pieces[:0]
	t.exact, t.keep = o.ExactNumbers, false
	t.depthLimit = o.depthLimit()
	t.valuesLeft = o.valueLimit()
	return t
}

const (
	smallMemory = 1 << 12 // members, or 64 bytes of text each, worth keeping in any case
	maxIdle     = 16
)

// release gives the transformer back. One that grew for a huge text is dropped once
// enough small ones have followed, so that a single outlier does not stay in memory.
func (t *transformer) release() {
	t.idle++
	if m := max(cap(t.members), cap(t.memory)/64, cap(t.pieces)); m <= smallMemory || len(t.src) > m {
		t.idle = 0
	}
	t.src, t.flat = nil, nil
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
