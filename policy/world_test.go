package policy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

var (
	ctx = context.Background()
	now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

const declarationText = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"training",` +
	`"model":{"name":"llama","provider":"meta","version":"3.1"},"prompt":{"text":"hello"},` +
	`"parameters":{"temperature":0,"topP":0.5,"steps":1e3,"list":[1,2,3]},` +
	`"context":[{"role":"dataset","name":"d","digest":{"sha256":"` + zeros + `1"}},{"role":"tool","name":"shell","uri":"https://example.com/shell"}],` +
	`"constraints":{"budget":50,"network":"none"}}`

const zeros = "000000000000000000000000000000000000000000000000000000000000000"

func newSigner(t testing.TB) signer.Signer {
	t.Helper()
	return keytest.New(t, signer.Ed25519)
}

// pemOf is a signer's public key for a policy, indented as a block scalar behind `key: `.
func pemOf(t testing.TB, s signer.Signer) string {
	t.Helper()
	text, err := s.PublicKey().PEM()
	if err != nil {
		t.Fatal(err)
	}
	return `"` + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", `\n`) + `"`
}

// policyOf is a policy that trusts the signer of runs, and what else it says.
func policyOf(t testing.TB, by signer.Signer, rest string) *Policy {
	t.Helper()
	p, err := Parse([]byte(header(t, by)+rest), options)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// someApprover is a policy's member approvals that demands nothing, so that rules may read of approvals.
func someApprover(t testing.TB) string {
	return "approvals: {required: 0, approvers: [{name: alice, keys: [{key: " + pemOf(t, newSigner(t)) + "}]}]}\n"
}

func header(t testing.TB, by signer.Signer) string {
	return "schema: " + Schema + "\nname: test\nsigners:\n  keys:\n    - {name: ci, key: " + pemOf(t, by) + "}\n"
}

func parse(t testing.TB, text string) *identity.Declaration {
	t.Helper()
	d, err := identity.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func signRun(t testing.TB, text string, by signer.Signer) *attest.Bundle {
	t.Helper()
	statement, err := attest.New(parse(t, text), attest.StatementOptions{Annotations: map[string]string{"ticket": "ML-1"}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := attest.Sign(ctx, statement, by, attest.SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decide signs the declaration and asks the policy about it.
func decide(t testing.TB, p *Policy, text string, by signer.Signer, given ...Approval) *Decision {
	t.Helper()
	v, err := p.Verifier().Verify(ctx, signRun(t, text, by), attest.Expect{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.Evaluate(ctx, v, Given{Approvals: given, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// told is a decision in few words: the denials, or "allowed".
func told(d *Decision) string {
	if d.Allowed {
		return "allowed"
	}
	var all []string
	for _, denial := range d.Denials {
		all = append(all, denial.String())
	}
	return strings.Join(all, " | ")
}

// options are what tests read policies with.
var options = Options{TrustedRoots: sigstore.Authorities}

// problems are those of a policy that is refused.
func problems(t testing.TB, text string, o Options) []identity.Problem {
	t.Helper()
	p, err := Parse([]byte(text), o)
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, %v; want it refused:\n%s", p, err, text)
	}
	return invalid.Problems
}
