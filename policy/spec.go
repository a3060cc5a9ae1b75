package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/visible"
)

// Spec is a policy in values, for programs that have keys in memory and no files. Each member is the member of the file
// that it is named after; a zero value leaves it out.
type Spec struct {
	Name, Description string
	// TrustedRoot is the text of a trusted root, a JSON object; sigstore.TrustedRoot.JSON gives one.
	TrustedRoot []byte
	Keys        []attest.TrustedKey // who signs runs, with the identities
	Identities  []authority.CertificateIdentity

	Evidence    string // of time: "none" (the zero value, too), "timestamp" or "log"
	Count       int    // from how many authorities or logs; zero is one
	StartWithin time.Duration

	Kinds     []identity.Kind
	Approvals ApprovalDemand
	Rules     []Rule
	Capture   CaptureTerms
}

// CaptureTerms say how rules see what a captured declaration leaves open. The zero value says nothing: they see it by the newest tables.
type CaptureTerms struct {
	Tables []string // names of tables of package capture, such as "openai-chat/1"
	Known  []string // what the tables do not know and the policy does, by the names of capture.Unknown: it hides nothing
}

// ApprovalDemand is which approvals a Spec demands of a run; the zero value demands none.
type ApprovalDemand struct {
	Required  int
	Roles     map[string]int // how many of each role
	Evidence  string         // of the time of approvals, as Spec.Evidence
	Approvers []Approver
}

// Approver is one person of a Spec, with all of their keys and certificate identities.
type Approver struct {
	Name, Role string
	Keys       []attest.TrustedKey // each without a name has that of the approver
	Identities []authority.CertificateIdentity
}

// Rule is a rule of a Spec.
type Rule struct {
	Name, Expr, Message string
	Severity            Severity // "" is Deny
}

// New makes a policy of values: that which Parse makes of s.JSON, with the same checks. Its Digest is that of s.JSON.
// It opens no file, whatever o.Dir is.
func New(s Spec, o Options) (*Policy, error) {
	data, err := s.JSON()
	if err != nil {
		return nil, err
	}
	o.Dir = ""
	return Parse(data, o)
}

// jsonObject is an object of a policy's text. Members without a value are left out.
type jsonObject map[string]any

func (m jsonObject) text(name, value string) {
	if value != "" {
		m[name] = value
	}
}

// JSON is the policy as a file has it. Equal values give equal bytes.
func (s Spec) JSON() ([]byte, error) {
	signers, err := signersText(s.Keys, s.Identities)
	if err != nil {
		return nil, err
	}
	all := jsonObject{"schema": Schema, "signers": signers}
	all.text("name", s.Name)
	all.text("description", s.Description)
	if len(s.TrustedRoot) > 0 {
		all["trustedRoot"] = json.RawMessage(s.TrustedRoot)
	}
	if s.Evidence != "" || s.Count != 0 || s.StartWithin != 0 {
		demand := jsonObject{"evidence": evidenceNone}
		demand.text("evidence", s.Evidence)
		if s.Count != 0 {
			demand["count"] = s.Count
		}
		if s.StartWithin != 0 {
			if demand["startWithin"], err = durationText(s.StartWithin); err != nil {
				return nil, fmt.Errorf("policy: StartWithin: %w", err)
			}
		}
		all["time"] = demand
	}
	if len(s.Kinds) > 0 {
		all["kinds"] = s.Kinds
	}
	if a := s.Approvals; len(a.Approvers) > 0 && a.Required == 0 && len(a.Roles) == 0 {
		return nil, errors.New("policy: there are approvers, and Required is 0 without Roles: a run would need no approval")
	}
	if a := s.Approvals; a.Required != 0 || a.Evidence != "" || len(a.Roles)+len(a.Approvers) > 0 {
		if all["approvals"], err = a.object(); err != nil {
			return nil, err
		}
	}
	if len(s.Rules) > 0 {
		var rules []jsonObject
		for _, r := range s.Rules {
			rule := jsonObject{"name": r.Name, "expr": r.Expr}
			rule.text("message", r.Message)
			rule.text("severity", string(r.Severity))
			rules = append(rules, rule)
		}
		all["rules"] = rules
	}
	if c := s.Capture; len(c.Tables)+len(c.Known) > 0 {
		terms := jsonObject{}
		if len(c.Tables) > 0 {
			terms["tables"] = c.Tables
		}
		if len(c.Known) > 0 {
			terms["known"] = c.Known
		}
		all["capture"] = terms
	}
	if err := checkUTF8(all); err != nil {
		return nil, err
	}
	data, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return data, nil
}

func (a ApprovalDemand) object() (jsonObject, error) {
	all := jsonObject{"required": a.Required}
	all.text("evidence", a.Evidence)
	if len(a.Roles) > 0 {
		all["roles"] = a.Roles
	}
	var people []jsonObject
	for _, p := range a.Approvers {
		one, err := signersText(p.Keys, p.Identities)
		if err != nil {
			return nil, fmt.Errorf("%w (of the approver %q)", err, p.Name)
		}
		one["name"] = p.Name
		one.text("role", p.Role)
		people = append(people, one)
	}
	if people != nil {
		all["approvers"] = people
	}
	return all, nil
}

func signersText(keys []attest.TrustedKey, identities []authority.CertificateIdentity) (jsonObject, error) {
	all := jsonObject{}
	var listed []jsonObject
	for _, k := range keys {
		text, err := k.Key.PEM()
		if err != nil {
			return nil, fmt.Errorf("policy: key %q: %w", k.Name, err)
		}
		key := jsonObject{"key": string(text)}
		key.text("name", k.Name)
		for name, at := range map[string]time.Time{"notBefore": k.NotBefore, "notAfter": k.NotAfter} {
			if !at.IsZero() {
				key[name] = visible.Time(at)
			}
		}
		listed = append(listed, key)
	}
	if listed != nil {
		all["keys"] = listed
	}
	var certificates []jsonObject
	for _, i := range identities {
		one := jsonObject{}
		for name, m := range map[string]authority.Matcher{"identity": i.SubjectAlternativeName, "issuer": i.Issuer} {
			if m.IsRegexp() {
				name += "Regexp"
			}
			one[name] = m.Text()
		}
		certificates = append(certificates, one)
	}
	if certificates != nil {
		all["certificates"] = certificates
	}
	return all, nil
}

// durationText is the inverse of how a policy reads a duration, which has up to six digits.
func durationText(d time.Duration) (string, error) {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / unit.of; d > 0 && d%unit.of == 0 {
			if n > 999_999 {
				return "", fmt.Errorf("%s: want a multiple of minutes, hours or days, of which a policy has up to 999999", d)
			}
			return fmt.Sprintf("%d%s", n, unit.name), nil
		}
	}
	return "", fmt.Errorf("%s: want a positive number of whole seconds", d)
}

// checkUTF8 refuses what json.Marshal would replace in silence.
func checkUTF8(v any) error {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return fmt.Errorf("policy: %+q is not valid UTF-8", strings.ToValidUTF8(v, "?"))
		}
	case jsonObject:
		for _, member := range v {
			if err := checkUTF8(member); err != nil {
				return err
			}
		}
	case []jsonObject:
		for _, element := range v {
			if err := checkUTF8(element); err != nil {
				return err
			}
		}
	case []string:
		for _, text := range v {
			if err := checkUTF8(text); err != nil {
				return err
			}
		}
	case map[string]int:
		for name := range v {
			if err := checkUTF8(name); err != nil {
				return err
			}
		}
	case []identity.Kind:
		for _, kind := range v {
			if err := checkUTF8(string(kind)); err != nil {
				return err
			}
		}
	}
	return nil
}
