package answer

import (
	"fmt"
	"time"

	"github.com/runattest/runattest/attest/authority"
)

// Trusted is one authority or log of a trusted root, at a time.
type Trusted struct {
	Kind      string     `json:"kind"`
	URL       string     `json:"url"`
	Name      string     `json:"name,omitempty"`
	Operator  string     `json:"operator,omitempty"`
	ID        string     `json:"id"`
	Algorithm string     `json:"algorithm,omitempty"`
	From      *time.Time `json:"from,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	Status    string     `json:"status"`
	label     string
}

// NewTrusted is the authority or log with its status at a time.
func NewTrusted(a authority.Authority, now time.Time) Trusted {
	return Trusted{a.Kind, a.URL, a.Name, a.Operator, a.ID, a.Algorithm, orNil(a.From), orNil(a.Until), a.Status(now), a.Label()}
}

// trustedFor is what a verifier believes of each kind.
var trustedFor = map[string]string{
	authority.CertificateAuthority:       "who signed",
	authority.CertificateTransparencyLog: "certificates are logged",
	authority.TimestampAuthority:         "when it was signed",
	authority.TransparencyLog:            "signatures are logged",
}

const trustedRow = "%-24s %-22s %-22s %-8s %s"

// TrustedHeading is the line above those of all that is trusted.
func TrustedHeading() string {
	return fmt.Sprintf(trustedRow, "TRUSTED FOR", "FROM", "UNTIL", "TODAY", "WHO")
}

// Lines are the two lines for people.
func (t Trusted) Lines() []string {
	details := "log " + t.ID + ", " + t.Algorithm
	if t.Name != "" {
		details = t.Name + ", root certificate sha256:" + t.ID
	}
	if t.Operator != "" {
		details += ", operator " + t.Operator
	}
	return []string{
		fmt.Sprintf(trustedRow, trustedFor[t.Kind], day(t.From, "any time"), day(t.Until, "no end"), t.Status, t.label),
		fmt.Sprintf("%24s %s", "", details),
	}
}

func day(t *time.Time, unbounded string) string {
	if t == nil {
		return unbounded
	}
	return t.Format(time.RFC3339)
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
