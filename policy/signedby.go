package policy

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
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
	digestPattern = lazyregexp.New(`[0-9a-f]{64}`)
	escapedDigit  = lazyregexp.New(`\\u00([346][0-9])`) // of JSON: 0 to 9, a to f, A to F and more, in lower case
)

// approvalFamily is in the predicate types of all versions of approvals, however they are spelled: in their letters and digits.
const approvalFamily = "runapproval"

func mayMeanApproval(predicateType string) bool {
	if plain, err := url.PathUnescape(predicateType); err == nil {
		predicateType = plain
	}
	letters := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, predicateType)
	return letters == "" || strings.Contains(letters, approvalFamily)
}

// runsIn returns the runs whose digests occur in a payload that is not a Statement, or not one of the form that
// approvals have: a rejection of a later version is one, too. A Statement of another type is about none. The error is that
// there are more than a Statement may name.
func runsIn(b *attest.Bundle) ([]identity.ID, error) {
	if !mayMeanApproval(b.UnverifiedPredicateType()) {
		return nil, nil
	}
	var ids []identity.ID
	var found [][]byte
	payload := b.UnverifiedPayload()
	for _, text := range [][]byte{payload, outOfBase64(payload)} {
		text = bytes.ToLower(bytes.ReplaceAll(text, []byte{0}, nil)) // of UTF-16
		found = append(found, digestPattern.FindAll(text, limits.Subjects+1)...)
		if bytes.Contains(text, []byte(`\u00`)) {
			found = append(found, digestPattern.FindAll(withoutEscapes(text), limits.Subjects+1)...)
		}
	}
	if len(found) > limits.Subjects {
		return nil, fmt.Errorf("it cannot be read, and names more than %d digests, so that it may be a rejection of any run", limits.Subjects)
	}
	for _, digits := range found {
		if id, err := identity.ParseID("airun:1:sha256:" + string(digits)); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// outOfBase64 is what a payload has in base64, where that was encoded twice; nil of another one.
func outOfBase64(payload []byte) []byte {
	text := strings.TrimRight(strings.Trim(string(bytes.TrimSpace(payload)), `"`), "=")
	text = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "").Replace(text)
	inside, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return inside
}

// withoutEscapes is text with what JSON may escape of a digest as it is read.
func withoutEscapes(text []byte) []byte {
	return escapedDigit.ReplaceAllFunc(text, func(escape []byte) []byte {
		c := (escape[4]-'0')<<4 | (escape[5] - '0')
		return bytes.ToLower([]byte{c})
	})
}
