package policy

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// Verdict is what an approver says about a run.
type Verdict string

// The verdicts.
const (
	Approved Verdict = "approved"
	Rejected Verdict = "rejected"
)

// ApprovalStatement is what an approver says about one run.
type ApprovalStatement struct {
	Identity   identity.ID
	Decision   Verdict
	Reason     string
	Conditions []string  // what the approver asks for besides; for people, and for rules
	Expires    time.Time // from when on it counts no more; zero is never
}

// CheckExpires refuses a decision that would never count, since it has expired by now. Policies do not count it from its Expires on.
func (s ApprovalStatement) CheckExpires(now time.Time) error {
	if hasExpired(s.Expires.Truncate(time.Second), now) { // as NewApproval writes it
		return errors.New("is past: the decision would never count")
	}
	return nil
}

// hasExpired says that what expires at a time, or never if that is zero, does not count any more.
func hasExpired(at, now time.Time) bool { return !at.IsZero() && !now.Before(at) }

func (s ApprovalStatement) check() error {
	switch {
	case s.Identity.IsZero():
		return errors.New("identity: want that of a run")
	case s.Decision != Approved && s.Decision != Rejected:
		return fmt.Errorf("decision is %s, want %s or %s", strconv.Quote(string(s.Decision)), Approved, Rejected)
	case s.Reason == "":
		return errors.New("reason: want the reason of the decision, for later readers")
	case len(s.Conditions) > limits.Conditions:
		return fmt.Errorf("%d conditions, want at most %d", len(s.Conditions), limits.Conditions)
	}
	if !s.Expires.IsZero() {
		if _, err := parseExpiry(stamp(s.Expires)); err != nil { // what cannot be read may be a rejection
			return fmt.Errorf("expires: %w", err)
		}
	}
	for _, text := range append([]string{s.Reason}, s.Conditions...) {
		switch {
		case text == "":
			return errors.New("conditions: one is empty")
		case len(text) > limits.Reason:
			return fmt.Errorf("a reason or condition of %d bytes, want at most %d", len(text), limits.Reason)
		case !utf8.ValidString(text): // JSON would replace it in silence
			return fmt.Errorf("%+q is not valid UTF-8", text)
		}
	}
	return nil
}

// NewApproval makes the Statement to be signed with attest.Sign.
func NewApproval(s ApprovalStatement) (*attest.Claim, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	predicate := map[string]any{"identity": s.Identity.String(), "decision": s.Decision, "reason": s.Reason}
	if len(s.Conditions) > 0 {
		predicate["conditions"] = s.Conditions
	}
	if !s.Expires.IsZero() {
		predicate["expires"] = stamp(s.Expires)
	}
	claim, err := attest.NewClaim(ApprovalType, []attest.Subject{runSubject(s.Identity)}, predicate)
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	return claim, nil
}

func runSubject(id identity.ID) attest.Subject {
	return attest.Subject{Name: id.String(), SHA256: id.Digest()}
}

// readApproval reads a verified claim as an approval, as strictly as the spec says.
func readApproval(c *attest.VerifiedClaim) (ApprovalStatement, error) {
	root, err := jsontree.Parse(c.Predicate())
	if err != nil {
		return ApprovalStatement{}, err
	}
	s, err := readPredicate(root)
	if err != nil {
		return s, fmt.Errorf("predicate: %w", err)
	}
	subjects := c.Subjects()
	if len(subjects) != 1 || subjects[0] != runSubject(s.Identity) {
		return s, errors.New("subject: want the run that the predicate names, and nothing else")
	}
	return s, nil
}

func readPredicate(v jsontree.Value) (s ApprovalStatement, err error) {
	for name, m := range v.Members() {
		want := jsontree.String
		switch string(name) {
		case "identity":
			s.Identity, err = identity.ParseID(m.Text())
		case "decision":
			s.Decision = Verdict(m.Text())
		case "reason":
			s.Reason = m.Text()
		case "expires":
			s.Expires, err = parseExpiry(m.Text())
		case "conditions":
			want = jsontree.Array
			s.Conditions, err = readConditions(m)
		default:
			return s, fmt.Errorf("unknown member %q", name)
		}
		if m.Kind() != want {
			return s, fmt.Errorf("%s: is of type %s, want %s", name, m.Kind(), want)
		}
		if err != nil {
			return s, fmt.Errorf("%s: %w", name, err)
		}
	}
	return s, s.check()
}

func readConditions(v jsontree.Value) ([]string, error) {
	var all []string
	for _, e := range v.Elements() {
		if e.Kind() != jsontree.String {
			return nil, fmt.Errorf("is of type %s, want strings", e.Kind())
		}
		all = append(all, e.Text())
	}
	if len(all) == 0 {
		return nil, errors.New("want at least one, or no such member")
	}
	return all, nil
}

// parseExpiry takes whole seconds in UTC, the one spelling that NewApproval writes.
func parseExpiry(s string) (time.Time, error) {
	at, err := parseTime(s)
	if err == nil && stamp(at) != s {
		err = fmt.Errorf("%s: want whole seconds in UTC, as 2026-01-31T12:00:00Z", strconv.Quote(s))
	}
	return at, err
}
