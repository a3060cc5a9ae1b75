package canonical

import "sync"

// A transformer turns one text into its canonical form in two passes. The first, scan,
// checks src and copies its tokens to out, in the order of src, without white space and
// with numbers and strings in canonical spelling; whatever is canonical already is not
// copied before something else forces it. The second, emit, puts members in order.
// Each byte is moved at most twice, however deep objects nest.
type transformer struct {
	src   []byte
	begin int // where the top-level value begins
	end   int // where it ends, once scanned

	out     []byte // canonical tokens of src[begin:flushed]
	flushed int

	frames  []frame  // the open arrays and objects
	members []member // the members so far of the open objects, outermost object first
	names   []byte   // unescaped names, for members whose name has escapes
	objects []object // in order of their opening; those that need no work are dropped early
	pieces  []piece  // the members of disordered objects, in canonical order
	ranked  []rankedMember
	cursors []cursor // emit's stack
	digits  []byte   // of the number at hand
	spelled []byte   // the same number in canonical form

	exact      bool
	escaped    bool // the last string had a backslash
	depthLeft  int
	valuesLeft int

	code   Code // of the first error, or ""
	offset int

	idle int // consecutive uses that left most of the memory untouched
}

var transformers = sync.Pool{New: func() any { return new(transformer) }}

func newTransformer(o Options, src []byte) *transformer {
	t := transformers.Get().(*transformer)
	t.src = src
	t.out = t.out[:0]
	t.frames = t.frames[:0]
	t.members = t.members[:0]
	t.names = t.names[:0]
	t.objects = t.objects[:0]
	t.pieces = t.pieces[:0]
	t.exact = o.ExactNumbers
	t.depthLeft = o.depthLimit()
	t.valuesLeft = o.valueLimit()
	t.code = ""
	return t
}

const (
	smallMemory = 1 << 16 // worth keeping in any case
	maxIdle     = 16
)

// release gives the transformer back. One that grew for a huge text is dropped once
// enough small ones have followed, so that a single outlier does not stay in memory.
func (t *transformer) release() {
	t.idle++
	if cap(t.out) <= smallMemory && cap(t.members) <= smallMemory/16 || len(t.src) >= cap(t.out)/4 {
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

// position is where byte i of src, not yet flushed, will stand in out.
func (t *transformer) position(i int) int { return len(t.out) + i - t.flushed }

// skip leaves src[i:j] out of the canonical form.
func (t *transformer) skip(i, j int) {
	t.out = append(t.out, t.src[t.flushed:i]...)
	t.flushed = j
}

// text is the result of the first pass: canonical but for the order of members.
func (t *transformer) text() []byte {
	if len(t.out) == 0 {
		return t.src[t.flushed:t.end]
	}
	t.skip(t.end, t.end)
	return t.out
}
