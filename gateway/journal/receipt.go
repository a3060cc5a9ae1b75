package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// Receipt names a line and its content. Kept outside a journal, it shows that the journal had the line: the line cannot be
// taken away or changed later without being missed. The zero value names none.
type Receipt struct {
	Segment int
	Line    int               // in the segment, from 1
	Digest  [sha256.Size]byte // the SHA-256 of the line without its line feed
}

// String is SEGMENT/LINE/HEX.
func (r Receipt) String() string {
	return fmt.Sprintf("%08d/%d/%s", r.Segment, r.Line, hex.EncodeToString(r.Digest[:]))
}

// MarshalText writes the receipt as String does.
func (r Receipt) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

var receiptForm = lazyregexp.New(`^([0-9]{8})/([1-9][0-9]{0,9})/([0-9a-f]{64})$`)

// ParseReceipt is the inverse of String.
func ParseReceipt(s string) (Receipt, error) {
	var r Receipt
	part := receiptForm.FindStringSubmatch(s)
	if part == nil {
		return r, errors.New("want SEGMENT/LINE/HEX, as the header Airun-Journal has it")
	}
	var err error
	r.Segment, _ = strconv.Atoi(part[1])
	if r.Line, err = strconv.Atoi(part[2]); err != nil || r.Segment == 0 {
		return Receipt{}, errors.New("want SEGMENT/LINE/HEX, as the header Airun-Journal has it")
	}
	r.Digest, err = parseDigest(part[3])
	return r, err
}
