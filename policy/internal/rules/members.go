package rules

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"

	"github.com/runattest/runattest/internal/lazyregexp"
)

var (
	chainBefore = lazyregexp.New(`[A-Za-z_]\w*(?:\.\w+|\[\d+\])*$`)
	chainPart   = lazyregexp.New(`\w+|\[\d+\]`)
	loopOver    = lazyregexp.New(`([A-Za-z_]\w*(?:\.\w+|\[\d+\])*)\.(?:all|exists|exists_one|filter|map)\(\s*(\w+)\s*,`)
)

// ownerOf is the type of what stands before the offset, in characters, of an expression: "Run" before .model in run.model. It is "" of
// what is not a variable with its members, or a variable of a list's macro.
func ownerOf(expr string, offset int) string {
	code := []rune(expr)
	before := string(code[:min(max(offset, 0), len(code))])
	env, err := environment()
	if err != nil {
		return ""
	}
	known := map[string]*types.Type{}
	for _, v := range env.Variables() {
		known[v.Name()] = v.Type()
	}
	for _, loop := range loopOver.FindAllStringSubmatch(before, -1) {
		if t := typeOfChain(loop[1], known); t != nil && t.Kind() == types.ListKind {
			known[loop[2]] = t.Parameters()[0]
		}
	}
	if t := typeOfChain(chainBefore.FindString(before), known); t != nil {
		return t.TypeName()
	}
	return ""
}

// typeOfChain is the type of a variable, or of a member of it, nil if it is not known.
func typeOfChain(chain string, known map[string]*types.Type) *types.Type {
	var t *types.Type
	for i, part := range chainPart.FindAllString(chain, -1) {
		switch {
		case i == 0:
			t = known[part]
		case part[0] == '[' && t.Kind() == types.ListKind:
			t = t.Parameters()[0]
		default:
			t = objects()[t.TypeName()][part]
		}
		if t == nil {
			return nil
		}
	}
	return t
}

// otherMembers are names that other formats have for a member, or for what is elsewhere, by the object.
var otherMembers = map[string]string{
	"Approval.name": "write approver", "Approval.by": "write approver", "Approval.signer": "write approver", "Approval.verdict": "write decision",
	"Approval.date": "write time", "Approval.signed": "write time", "Approval.expiry": "write expires",
	"Time.now": "write now", "Time.signed": "write time.earliest, or time.latest", "Time.time": "write time.earliest, or time.latest",
	"Time.timestamp": "write time.earliest, or time.timestamps",
	"Signer.email":   "write name: it is that of the key, or the identity of the certificate", "Signer.identity": "write name: it is that of the key, or the identity of the certificate",
	"Signer.subject":       "write name: it is that of the key, or the identity of the certificate",
	"Declaration.messages": "write declaration.prompt.messages", "Declaration.params": "write declaration.parameters",
	"Declaration.tools": `write declaration.context.exists(c, c.role == "tool" && c.name == "...")`,
	"Declaration.id":    "write run.id", "Declaration.identity": "write run.id", "Declaration.digest": "write run.id, or declaration.model.digest.sha256",
	"Declaration.name": "write declaration.model.name", "Declaration.version": "write declaration.model.version", "Declaration.provider": "write declaration.model.provider",
	"Model.sha256": "write digest.sha256", "Resource.sha256": "write digest.sha256",
	"Run.signer": "write signer", "Run.time": "write time.earliest", "Run.declaration": "write declaration", "Run.approvals": "write approvals",
	"Run.approved": `write approvals.exists(a, a.decision == "approved")`,
	"Run.identity": "write run.id", "Ancestor.identity": "write id", "Ancestor.signer": "write signers.exists(s, s.name == ...)",
	"Ancestor.time": "write declaredBy", "Digest.sha": "write sha256, sha384 or sha512",
}

// memberHint is for a member that objects of that type cannot have.
func memberHint(owner, name string) string {
	members := slices.Sorted(maps.Keys(objects()[owner]))
	if hint := otherMembers[owner+"."+name]; hint != "" {
		return hint
	}
	switch name {
	case "len", "length", "count":
		return "write " + elsewhere[name]
	}
	if alike := alikeNames(name, members); len(alike) > 0 {
		return "did you mean " + strings.Join(alike, ", or ") + "?"
	}
	_, isDeclared := objects()["Declaration"][name]
	switch {
	case owner == "Declaration" && (name == "run" || name == "id" || name == "identity"):
		return "write run.id: it is not in the declaration, of which it is the digest"
	case owner == "Declaration":
		return "what a declaration sets by names of its own stands in parameters or constraints: declaration.parameters." + name
	case owner == "Run" && isDeclared:
		return "write declaration." + name
	case len(members) > 0:
		return "its members are " + strings.Join(members, ", ")
	}
	return ""
}
