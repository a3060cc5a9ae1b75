package policy

import (
	"bytes"
	"cmp"
	"strings"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsonmend"
	"github.com/runattest/runattest/internal/limits"
)

// kinds are the members without which a text is neither a policy nor cases, a part of their schemas, and the hints for a text of
// another kind.
var kinds = map[string]struct{ what, member, schema, hint string }{
	"policy": {"a policy", "signers", "runattest/policy/", "a policy has schema: " + Schema + ", and signers"},
	"cases":  {"a cases file", "cases", "runattest/policy-cases/", string(HintCases)},
}

// explained calls a text of another kind, which was given for a policy or cases, what it is, in one problem. A text with the
// member that makes one is meant as what it should be, and one that is too long is not looked at.
func (e *InvalidError) explained(data []byte) *InvalidError {
	if len(data) > limits.Policy {
		return e
	}
	kind, of := files.Kind(data), kinds[e.Noun]
	message := "it is " + kind + " and no " + e.Noun
	if kind == "" && !bytes.Contains(data, []byte(of.schema)) {
		if kind = files.Likeness(data); kind != "" {
			message = "not " + of.what + ": " + kind
		}
	}
	switch {
	case kind == "", kind == input.KindPolicy && e.Noun == "policy", bytes.Contains(data, []byte(of.member)):
		return e
	case strings.HasPrefix(kind, "text in ") && len(e.Problems) == 1: // the problem says how to convert it
		return e
	}
	return &InvalidError{Noun: e.Noun, Problems: []identity.Problem{{
		Severity: identity.Error, Code: identity.CodeType, Message: message, Hint: cmp.Or(jsonmend.Mend(data), of.hint),
	}}}
}
