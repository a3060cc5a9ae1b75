package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
)

// Fate is what a gateway does with a call.
type Fate string

const (
	// Admitted calls have an identity, and are forwarded.
	Admitted Fate = "admitted"
	// Undeclared calls are forwarded without an identity.
	Undeclared Fate = "undeclared"
	// Denied calls are not forwarded, and have no identity in the journal.
	Denied Fate = "denied"
)

// Body is the request's body, as it is forwarded.
type Body struct {
	SHA256  string `json:"sha256"`            // 64 lower-case hex digits; "" where Body is left out
	Size    int64  `json:"size"`              // in bytes
	Decoded string `json:"decoded,omitempty"` // the SHA-256 without its content codings; "" where it has none
}

// Entry is what a journal says of a call.
type Entry struct {
	Identity identity.ID // zero unless admitted
	// Bundle is the run's own Sigstore bundle, or the proof of the run in a set. It is required where Fate is Admitted, and nil
	// elsewhere.
	Bundle *attest.Bundle
	// Declaration is that of the run, where the bundle has a declarationRef; nil where the bundle has the declaration.
	Declaration *identity.Declaration
	Body        Body     // required unless denied
	Client      string   // the client's name
	Policy      string   // the SHA-256 of the policy that decided, 64 lower-case hex digits; "" without one
	Headers     []string // names of all headers of the request, without their values
	Attempt     int      // how often the client says that it sent the call before; 0 is left out
	Fate        Fate
}

// content is what a line has of a run. The same content in one segment is written once.
type content struct {
	name   string // bundle or proof; "" for none
	text   []byte // in RFC 8785 form
	digest [sha256.Size]byte
}

// prepared is an entry whose parts are written, but for what depends on its place.
type prepared struct {
	content     content
	declaration *identity.Declaration // nil for none
	id          identity.ID
	client      string
	// The members of a line in their order: head, the content if it is a bundle, upToFate, group, middle, n, policy, prev,
	// the content if it is a proof, same, time.
	head, upToFate, middle, policy []byte
}

// prepare checks an entry, and writes what does not depend on its place.
func (e Entry) prepare() (*prepared, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	p := &prepared{id: e.Identity, client: e.Client}
	if err := p.readContent(e); err != nil {
		return nil, err
	}
	p.head = []byte{'{'}
	if e.Attempt > 0 {
		p.head = append(strconv.AppendInt(append(p.head, `"attempt":`...), int64(e.Attempt), 10), ',')
	}
	if e.Body.SHA256 != "" {
		body, err := form(e.Body)
		if err != nil {
			return nil, err
		}
		p.head = append(append(append(p.head, `"body":`...), body...), ',')
	}
	client, err := form(e.Client)
	if err != nil {
		return nil, err
	}
	p.upToFate = append(append([]byte(`"client":`), client...), `,"fate":"`+string(e.Fate)+`","group":`...)
	headers, err := form(slices.Compact(slices.Sorted(slices.Values(e.Headers))))
	if err != nil {
		return nil, err
	}
	if len(e.Headers) == 0 {
		headers = []byte("[]")
	}
	p.middle = append(append([]byte(`,"headers":`), headers...), ',')
	if !e.Identity.IsZero() {
		p.middle = append(p.middle, `"identity":"`+e.Identity.String()+`",`...)
	}
	if e.Policy != "" {
		p.policy = []byte(`"policy":"` + e.Policy + `",`)
	}
	if n := p.lineMost(); n > limits.JournalLine {
		return nil, fmt.Errorf("journal entry: a line of %d bytes, want at most %d", n, limits.JournalLine)
	}
	return p, nil
}

func form(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return canonical.Append(nil, text)
}

func (e Entry) check() error {
	switch e.Fate {
	case Admitted:
		if e.Bundle == nil || e.Identity.IsZero() {
			return errors.New("journal entry: an admitted call has an identity and a bundle")
		}
	case Undeclared, Denied:
		if e.Bundle != nil || !e.Identity.IsZero() || e.Declaration != nil {
			return fmt.Errorf("journal entry: a call with the fate %s has neither identity nor bundle nor declaration", e.Fate)
		}
	default:
		return fmt.Errorf("journal entry: fate %q, want %s, %s or %s", e.Fate, Admitted, Undeclared, Denied)
	}
	if e.Fate != Denied && e.Body.SHA256 == "" {
		return errors.New("journal entry: body is missing")
	}
	return errors.Join(e.Body.check(), checkTexts(e.Client, e.Headers), checkPlace(e.Policy, e.Attempt))
}

func (b Body) check() error {
	switch {
	case b == Body{}:
		return nil
	case !isDigest(b.SHA256):
		return errors.New("body.sha256: want 64 lower-case hex digits")
	case b.Decoded != "" && !isDigest(b.Decoded):
		return errors.New("body.decoded: want 64 lower-case hex digits")
	case b.Size < 0 || b.Size > limits.JournalBody:
		return fmt.Errorf("body.size: want a whole number from 0 to %d", int64(limits.JournalBody))
	}
	return nil
}

// checkTexts checks what comes from clients.
func checkTexts(client string, headers []string) error {
	if !utf8.ValidString(client) || len(client) > limits.JournalText {
		return fmt.Errorf("client: want valid UTF-8 of at most %d bytes", limits.JournalText)
	}
	if len(headers) > limits.JournalHeaders {
		return fmt.Errorf("headers: %d names, want at most %d", len(headers), limits.JournalHeaders)
	}
	for _, h := range headers {
		if h == "" || !utf8.ValidString(h) || len(h) > limits.JournalText {
			return fmt.Errorf("headers: want names in valid UTF-8 of 1 to %d bytes", limits.JournalText)
		}
	}
	return nil
}

func checkPlace(policy string, attempt int) error {
	if policy != "" && !isDigest(policy) {
		return errors.New("policy: want 64 lower-case hex digits")
	}
	if attempt < 0 || attempt > limits.JournalAttempts {
		return fmt.Errorf("attempt: want a whole number from 0 to %d", limits.JournalAttempts)
	}
	return nil
}

func isDigest(s string) bool {
	_, err := parseDigest(s)
	return err == nil
}

func parseDigest(s string) (sum [sha256.Size]byte, err error) {
	data, err := hex.DecodeString(s)
	if err != nil || len(data) != len(sum) || hex.EncodeToString(data) != s {
		return sum, errors.New("want 64 lower-case hex digits")
	}
	return [sha256.Size]byte(data), nil
}

// readContent checks that the bundle is of the run that the entry names, and that its declaration is given where the bundle
// does not have it. Who signed is not checked.
func (p *prepared) readContent(e Entry) error {
	if e.Bundle == nil {
		return nil
	}
	name := "bundle"
	if e.Bundle.Format() == attest.RunProof {
		name = "proof"
	}
	detached, err := checkContent(name, e.Bundle, e.Identity)
	if err != nil {
		return fmt.Errorf("journal entry: %w", err)
	}
	form, err := e.Bundle.Marshal()
	if err != nil {
		return fmt.Errorf("journal entry: %s: %w", name, err)
	}
	if len(form) > limits.Bundle {
		return fmt.Errorf("journal entry: %s of %d bytes, want at most %d", name, len(form), limits.Bundle)
	}
	if again, err := lineRules.Append(make([]byte, 0, len(form)), form); err != nil || !bytes.Equal(again, form) {
		return fmt.Errorf("journal entry: %s: is not in RFC 8785 form with exact numbers", name)
	}
	switch {
	case detached == nil && e.Declaration != nil:
		return errors.New("journal entry: the bundle has the declaration, and it is given beside it, too")
	case detached != nil && (e.Declaration.Size() != detached.Size || e.Declaration.ID() != e.Identity):
		return errors.New("journal entry: declaration: is not that of the identity")
	}
	p.declaration = e.Declaration
	p.content = content{name, form, sha256.Sum256(form)}
	return nil
}

// checkContent holds a bundle against the member that it is in, and the identity beside it. It gives where the declaration is,
// if the bundle does not have it.
func checkContent(name string, b *attest.Bundle, id identity.ID) (*attest.DeclarationRef, error) {
	want := attest.SigstoreBundle
	if name == "proof" {
		want = attest.RunProof
	}
	if got := b.Format(); got != want {
		return nil, fmt.Errorf("%s: its format is %s, want %s", name, got, want)
	}
	claim, err := b.UnverifiedStatement()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if claim.Identity != id {
		return nil, fmt.Errorf("%s: is of %s, want %s", name, claim.Identity, id)
	}
	return claim.Ref, nil
}
