package policy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/approvaltype"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// counted is a trust check whose work is counted with that of the others of a decision.
type counted struct {
	attest.Trust
	work *signer.Work
}

func (c counted) CheckEnvelope(ctx context.Context, e evidence.Envelope) evidence.Result {
	e.Work = c.work
	return c.Trust.CheckEnvelope(ctx, e)
}

func verifyApproval(ctx context.Context, b *attest.Bundle, trust attest.Trust) (*attest.VerifiedClaim, error) {
	v, err := attest.NewVerifier(trust)
	if err != nil {
		return nil, err
	}
	return v.VerifyClaim(ctx, b, ApprovalType)
}

// readSigned reads what an approver has signed. With a claim, the error is that the statement is not an approval.
func readSigned(ctx context.Context, b *attest.Bundle, trust attest.Trust) (s ApprovalStatement, claim *attest.VerifiedClaim, err error) {
	if n := len(b.UnverifiedPayload()); n > limits.Approval {
		return s, nil, fmt.Errorf("has a payload of %d bytes, want at most %d", n, limits.Approval)
	}
	if claim, err = verifyApproval(ctx, b, trust); err == nil {
		s, err = readApproval(claim)
	}
	return s, claim, err
}

var (
	hexDigits    = lazyregexp.New(`[0-9a-f]{64,}`)
	escapedDigit = lazyregexp.New(`(?:\\u00|%)[346][0-9]`) // of JSON, and of URLs: 0 to 9, a to f, A to F and more, in lower case
)

// runsIn returns the runs whose digests occur in a payload that is not a Statement, or not one of the form that
// approvals have: a rejection of a later version is one, too. A Statement of another type is about none. The error is that
// there are more than a Statement may name.
func runsIn(b *attest.Bundle) ([]identity.ID, error) {
	if !approvaltype.MayBe(b.UnverifiedPredicateType()) {
		return nil, nil
	}
	found := map[string]identity.ID{}
	payload := b.UnverifiedPayload()
	for _, text := range [][]byte{payload, decoded(payload)} {
		text = bytes.ToLower(bytes.ReplaceAll(text, []byte{0}, nil)) // of UTF-16
		few := addDigests(found, text)
		if bytes.Contains(text, []byte(`\u00`)) || bytes.IndexByte(text, '%') >= 0 {
			few = addDigests(found, escapedDigit.ReplaceAllFunc(text, unescaped)) && few
		}
		if !few {
			return nil, fmt.Errorf("it cannot be read, and names more than %d digests, so that it may be a rejection of any run", limits.Subjects)
		}
	}
	return slices.Collect(maps.Values(found)), nil
}

// addDigests adds each 64 hexadecimal digits in a row: more of them before a digest, as in airun%3A1%3Asha256%3A, do not hide it. It is
// false for more than there may be.
func addDigests(found map[string]identity.ID, text []byte) bool {
	for _, row := range hexDigits.FindAll(text, -1) {
		for ; len(row) >= 64; row = row[1:] {
			if id, err := identity.ParseID("airun:1:sha256:" + string(row[:64])); err == nil {
				found[string(row[:64])] = id
			}
			if len(found) > limits.Subjects {
				return false
			}
		}
	}
	return true
}

// decoded is what a payload has in base64, where that was encoded twice, or in hex; nil of another one.
func decoded(payload []byte) []byte {
	text := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, string(payload))
	text = strings.Trim(text, `"`)
	if inside, err := hex.DecodeString(strings.TrimPrefix(text, "0x")); err == nil {
		return inside
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	inside, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return inside
}

// unescaped is what an escape of JSON or of a URL stands for, in lower case.
func unescaped(escape []byte) []byte {
	digits := escape[len(escape)-2:]
	return bytes.ToLower([]byte{(digits[0]-'0')<<4 | (digits[1] - '0')})
}
