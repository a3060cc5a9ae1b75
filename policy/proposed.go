package policy

import (
	"errors"
	"slices"
	"strings"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// CheckProposals says why Decide would deny every run of these kinds that a key would sign, as far as that is known before there is one:
// an *InvalidError if the signers do not have the key, kinds has none of the kinds, or rules are met by no such run. A rule that is
// false denies every run on purpose, and is none. Other errors are misuse, as of Decide.
func (p *Policy) CheckProposals(by *signer.PublicKey, kinds ...identity.Kind) error {
	switch {
	case p == nil || p.verifier == nil:
		return errNoPolicy
	case !p.beforeSigning:
		return ErrAfterSigning
	case by == nil:
		return errors.New("policy: no key that would sign")
	case len(kinds) == 0:
		return errors.New("policy: no kinds of runs")
	}
	r := &reader{text: p.text}
	narrow := &Policy{root: p.root, time: p.time, rules: p.rules, capture: p.capture}
	for _, k := range p.signers.keys {
		if k.Key.Hint() == by.Hint() {
			narrow.signers.keys = append(narrow.signers.keys, k)
		}
	}
	for _, kind := range kinds {
		if p.kinds == nil || slices.Contains(p.kinds, kind) {
			narrow.kinds = append(narrow.kinds, kind)
		}
	}
	if len(narrow.signers.keys) == 0 {
		r.failAt("/signers", identity.CodeValue, "add the public half of the key, or sign with a key that is there: runattest public-key prints it",
			"the key that would sign (%.64q) is not among the keys of the policy's signers", by.Hint())
	}
	if len(narrow.kinds) == 0 {
		r.failAt("/kinds", identity.CodeValue, "add one of them, or leave kinds out", "has none of the kinds of these runs: %s", joinKinds(kinds))
	}
	if len(r.problems) == 0 {
		narrow.checkRules(r)
	}
	if len(r.problems) == 0 {
		return nil
	}
	sortProblems(r.problems)
	return &InvalidError{Noun: "policy for these runs", Path: p.path, Problems: r.problems}
}

func joinKinds(kinds []identity.Kind) string {
	var words []string
	for _, k := range kinds {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}
