package canonical

import (
	"bytes"
	"errors"
	"io"
	"math"
)

// AppendReader appends the canonical form of the JSON text that r holds to dst. It reads r
// to its end, but not beyond maxSize bytes: a longer text gives an *[Error] with Code
// "size" whose Offset is maxSize. An error of r itself is returned as it is.
//
// Members are sorted, so the whole text is in memory before the first byte of the form
// is known; maxSize bounds that memory.
func (o Options) AppendReader(dst []byte, r io.Reader, maxSize int) ([]byte, error) {
	if r == nil {
		return dst, errors.New("no reader")
	}
	var b bytes.Buffer
	limit := int64(maxSize)
	if limit < math.MaxInt64 {
		limit++ // to see that there is more
	}
	if _, err := b.ReadFrom(io.LimitReader(r, limit)); err != nil {
		return dst, err
	}
	if b.Len() > maxSize {
		return dst, &Error{Code: codeSize, Offset: maxSize}
	}
	return o.Append(dst, b.Bytes())
}
