package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/policy"
)

// The annotations of the gateway's own, besides capture's.
const (
	annotationClient = "client"
	annotationPolicy = "policy"
)

// A call is one request on its way.
type call struct {
	r      *http.Request
	client string
	route  route
	share  *share
	body   []byte         // as it is sent
	read   bool           // all of the body
	size   int            // of it, in bytes
	policy *policy.Policy // that was asked about it; nil for none

	// What the answer says.
	id      identity.ID
	receipt string
}

// admit gives the call an identity and a line in the journal, or refuses it.
func (g *Gateway) admit(w http.ResponseWriter, c *call) *refusal {
	if no := checkMediaType(c.r, c.route.endpoint); no != nil {
		return no
	}
	coded, no := codings(c.r)
	if no != nil {
		return no
	}
	if c.body, no = g.readBody(w, c.r, c.share); no != nil {
		return no
	}
	c.read, c.size = true, len(c.body)
	if len(c.r.Trailer) > 0 { // net/http adds those that were not announced when it finds the end of the body
		return refuse(trailerRefused, "the request has trailers")
	}
	entry := journal.Entry{Client: c.client, Headers: slices.Collect(maps.Keys(c.r.Header)), Attempt: attempt(c.r)}
	if c.route.endpoint.does == undeclared {
		if len(c.body) == 0 { // a transport may send a request without a body twice, for one line
			return refuse(bodyInvalid, "the body is empty")
		}
		entry.Fate, entry.Body = journal.Undeclared, bodyOf(c.body)
		return g.journalCall(c, entry)
	}
	decoded := c.body
	if len(coded) > 0 {
		if decoded, no = g.decode(c.body, coded, c.share); no != nil {
			return no
		}
	}
	captured, no := g.capture(c, decoded)
	if no != nil {
		return no
	}
	if entry.Body = (journal.Body{SHA256: hex.EncodeToString(captured.Digest[:]), Size: int64(len(c.body))}); len(coded) > 0 {
		entry.Body = bodyOf(c.body)
		entry.Body.Decoded = hex.EncodeToString(captured.Digest[:])
	}
	c.id = captured.Declaration.ID()
	signed, no := g.decideAndSign(c, captured, entry)
	for no == nil && g.policy.Load() != c.policy { // replaced while the call waited for its signature
		signed, no = g.decideAndSign(c, captured, entry)
	}
	if no != nil {
		return no
	}
	return g.journalCall(c, signed)
}

// decideAndSign asks the policy in force about the run, and gives the entry with the signed bundle.
func (g *Gateway) decideAndSign(c *call, captured *capture.Captured, entry journal.Entry) (journal.Entry, *refusal) {
	c.policy = g.policy.Load()
	annotations, no := g.annotations(c, captured)
	if no != nil {
		return entry, no
	}
	if no := g.decide(c, captured.Declaration, annotations); no != nil {
		if no.kind == policyDenied {
			g.logDenied(c, entry, annotations[annotationPolicy])
		}
		return entry, no
	}
	entry.Fate, entry.Identity, entry.Policy = journal.Admitted, c.id, annotations[annotationPolicy]
	no = g.sign(c, captured.Declaration, annotations, &entry)
	return entry, no
}

// bodyOf is what a line says of a body as it is sent.
func bodyOf(data []byte) journal.Body {
	sum := sha256.Sum256(data)
	return journal.Body{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
}

// attempt is how often the client says that it sent the call before.
func attempt(r *http.Request) int {
	n, err := strconv.Atoi(r.Header.Get("X-Stainless-Retry-Count"))
	if err != nil || n < 0 || n > limits.JournalAttempts {
		return 0
	}
	return n
}

// capture makes the declaration of a call.
func (g *Gateway) capture(c *call, decoded []byte) (*capture.Captured, *refusal) {
	parents, no := g.parents(c.r, c.client)
	if no != nil {
		return nil, no
	}
	captured, err := g.formats[c.route.endpoint.table].Capture(capture.Source{
		Body: decoded, Provider: c.route.up.Provider, Target: c.route.target(), Header: c.r.Header, Parents: parents,
	})
	if err != nil {
		hint := ""
		if e, ok := errors.AsType[*capture.Error](err); ok && e.Hint != "" {
			hint = " (" + e.Hint + ")"
		}
		return nil, refuse(captureRefused, "%v%s", err, hint)
	}
	return captured, nil
}

// annotations are what is signed beside the declaration.
func (g *Gateway) annotations(c *call, captured *capture.Captured) (map[string]string, *refusal) {
	all, no := annotations(c.r)
	if no != nil {
		return nil, no
	}
	maps.Copy(all, captured.Annotations())
	all[annotationClient] = c.client
	if p := c.policy; p != nil {
		sum := p.Digest()
		all[annotationPolicy] = hex.EncodeToString(sum[:])
	}
	return all, nil
}

// decide asks the policy, where there is one, before anything is signed.
func (g *Gateway) decide(c *call, d *identity.Declaration, annotations map[string]string) *refusal {
	if c.policy == nil {
		return nil
	}
	decision, err := c.policy.Decide(c.r.Context(), policy.Proposal{Declaration: d, Annotations: annotations, Signer: g.issuer.key(), Now: g.clock(), Clock: "the gateway's clock"})
	switch {
	case err != nil:
		return refuse(policyFailed, "the policy could not be asked: %v", err)
	case !decision.Allowed:
		var reasons []string
		for _, denial := range decision.Denials {
			reasons = append(reasons, denial.String())
		}
		return refuse(policyDenied, "the policy denies the run: %s", strings.Join(reasons, "; "))
	}
	return nil
}

// sign puts the signed bundle into the entry, and the declaration beside it where it is detached.
func (g *Gateway) sign(c *call, d *identity.Declaration, annotations map[string]string, entry *journal.Entry) *refusal {
	o := attest.StatementOptions{Annotations: annotations}
	if g.config.Content == ContentDetach || d.Size() > limits.GatewayEmbedded {
		o.Detached = &attest.DeclarationRef{}
		entry.Declaration = d
	}
	statement, err := attest.New(d, o)
	if err == nil {
		entry.Bundle, err = g.issuer.issue(c.r.Context(), statement)
	}
	if err != nil && c.r.Context().Err() == nil {
		g.log.Error("a run could not be signed", "error", err)
	}
	if err != nil {
		return refuse(signingFailed, "the run could not be signed%s", c.tryAgain())
	}
	return nil
}

// tryAgain says what to do of a call that broke off.
func (c *call) tryAgain() string {
	if c.r.Context().Err() != nil {
		return ": the client closed its side of the connection before the answer"
	}
	return "; try again"
}

// journalCall writes the entry, and waits until it is on disk.
func (g *Gateway) journalCall(c *call, entry journal.Entry) *refusal {
	receipt, err := g.journal.Append(c.r.Context(), entry)
	if err != nil {
		if c.r.Context().Err() == nil {
			g.log.Error("the journal did not take a call", "error", err)
		}
		return refuse(journalFailed, "the journal could not take the call, so that it is not forwarded%s", c.tryAgain())
	}
	c.receipt = receipt.String()
	return nil
}

// logDenied writes a line about a denied call, where the configuration says so. It has no content.
func (g *Gateway) logDenied(c *call, entry journal.Entry, policyDigest string) {
	if !g.config.LogDenied {
		return
	}
	entry.Fate, entry.Policy, entry.Body = journal.Denied, policyDigest, journal.Body{}
	ctx := context.WithoutCancel(c.r.Context())
	receipt, err := g.journal.Append(ctx, entry)
	if err != nil {
		g.log.Error("the journal did not take a denied call", "error", err)
		return
	}
	c.receipt = receipt.String()
}

var errZero = fmt.Errorf("gateway: no gateway: it is nil or a zero value")
