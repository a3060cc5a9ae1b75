package policy

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
)

// valueOf is a JSON value as rules see it. A number is an int where it is integral and an
// int64 holds it, a double otherwise: 1, 1.0 and 1e3 are ints, 0.5 and 1e30 doubles.
func valueOf(v jsontree.Value) ref.Val {
	switch v.Kind() {
	case jsontree.Object:
		members := map[string]any{}
		for name, m := range v.Members() {
			members[string(name)] = valueOf(m)
		}
		return newObject(members)
	case jsontree.Array:
		elements, n := []ref.Val{}, uint64(1)
		for _, e := range v.Elements() {
			element := valueOf(e)
			elements, n = append(elements, element), n+weight(element)
		}
		return &array{types.NewRefValList(types.DefaultTypeAdapter, elements), n}
	case jsontree.String:
		return types.String(v.Text())
	case jsontree.Number:
		return numberOf(string(v.Raw()))
	case jsontree.Bool:
		return types.Bool(string(v.Raw()) == "true")
	}
	return types.NullValue
}

func numberOf(literal string) ref.Val {
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return types.Int(n)
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return types.Double(math.NaN()) // canonical wrote the literal: unreachable, and equal to nothing
	}
	return types.Double(f)
}

// ordered is a map whose keys come in the order of their bytes, so that a rule says the same each time.
type ordered struct {
	traits.Mapper
	keys   []ref.Val
	weight uint64
	label  string // what people know it by, instead of its members
}

// array is a list that knows its weight.
type array struct {
	traits.Lister
	weight uint64
}

func newObject(members map[string]any) *ordered {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	o := &ordered{Mapper: types.NewStringInterfaceMap(types.DefaultTypeAdapter, members), weight: 1}
	for _, name := range names {
		key := types.String(name)
		o.keys = append(o.keys, key)
		o.weight += weight(key) + weight(types.DefaultTypeAdapter.NativeToValue(members[name]))
	}
	return o
}

// Iterator gives the keys in order.
func (o *ordered) Iterator() traits.Iterator {
	return types.NewRefValList(types.DefaultTypeAdapter, o.keys).Iterator()
}

func stringsOf(all []string) ref.Val {
	return types.NewStringList(types.DefaultTypeAdapter, all)
}

func parentsOf(ids []identity.ID) ref.Val {
	all := []string{}
	for _, id := range ids {
		all = append(all, id.String())
	}
	return stringsOf(all)
}

func signerOf(s evidence.SignerIdentity) ref.Val {
	return newObject(map[string]any{"kind": s.Kind, "name": s.Name, "issuer": s.Issuer, "algorithm": s.Algorithm})
}

// timeOf has earliest and latest only where a time is proved.
func timeOf(times []evidence.TrustedTime) ref.Val {
	list := []ref.Val{}
	for _, t := range times {
		list = append(list, newObject(map[string]any{"kind": t.Kind, "authority": t.Authority, "time": types.Timestamp{Time: t.Time}, "accuracy": types.Duration{Duration: t.Accuracy}}))
	}
	members := map[string]any{
		"verified":   len(times) > 0,
		"timestamps": types.NewRefValList(types.DefaultTypeAdapter, list),
	}
	if len(times) > 0 {
		members["earliest"] = types.Timestamp{Time: earliest(times)}
		members["latest"] = types.Timestamp{Time: slices.MaxFunc(times, byTime).Latest()}
	}
	return newObject(members)
}

func byTime(a, b evidence.TrustedTime) int { return a.Latest().Compare(b.Latest()) }

// earliest is by when a signature is proved to have existed, as the first authority saw it, zero if none did.
func earliest(times []evidence.TrustedTime) time.Time {
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, byTime).Latest()
}

// first is the first of the instants that the function takes from the times, zero without any.
func first(times []evidence.TrustedTime, of func(evidence.TrustedTime) time.Time) time.Time {
	var found time.Time
	for _, t := range times {
		if at := of(t); found.IsZero() || at.Before(found) {
			found = at
		}
	}
	return found
}

func annotationsOf(annotations map[string]string) ref.Val {
	members := map[string]any{}
	for name, value := range annotations {
		members[name] = value
	}
	return newObject(members)
}

// approvalsOf are those that count, one for each approver and decision: who says the same twice is one person. All their
// conditions hold, until the first expires.
func approvalsOf(results []ApprovalResult) ref.Val {
	type said struct {
		by       string
		decision Verdict
	}
	var people []said
	all := map[said][]ApprovalResult{}
	for _, r := range results {
		if !r.Counted {
			continue
		}
		one := said{r.Approver, r.Decision}
		if all[one] == nil {
			people = append(people, one)
		}
		all[one] = append(all[one], r)
	}
	list, n := []ref.Val{}, uint64(1)
	for _, one := range people {
		approval := approvalOf(together(all[one]))
		list, n = append(list, approval), n+approval.weight
	}
	return &array{types.NewRefValList(types.DefaultTypeAdapter, list), n}
}

// together is what one approver says in several approvals, each reason and condition once, because an approval can be given any number of
// times.
func together(same []ApprovalResult) ApprovalResult {
	one := same[0]
	reasons, conditions := once{}, once{}
	one.Times = nil
	for _, r := range same {
		reasons.add(r.Reason)
		for _, c := range r.Conditions {
			conditions.add(c)
		}
		one.Times = append(one.Times, r.Times...)
		if one.Expires.IsZero() || !r.Expires.IsZero() && r.Expires.Before(one.Expires) {
			one.Expires = r.Expires
		}
	}
	one.Reason, one.Conditions = strings.Join(reasons.texts, "; "), conditions.texts
	return one
}

// once are texts in the order in which they were first said.
type once struct {
	texts []string
	said  map[string]bool
}

func (o *once) add(text string) {
	if o.said == nil {
		o.said = map[string]bool{}
	}
	if !o.said[text] {
		o.said[text], o.texts = true, append(o.texts, text)
	}
}

func approvalOf(r ApprovalResult) *ordered {
	members := map[string]any{
		"approver": r.Approver, "role": r.Role, "decision": string(r.Decision), "reason": r.Reason,
		"conditions": stringsOf(append([]string{}, r.Conditions...)),
	}
	if !r.Expires.IsZero() {
		members["expires"] = types.Timestamp{Time: r.Expires}
	}
	if first := earliest(r.Times); !first.IsZero() {
		members["time"] = types.Timestamp{Time: first}
	}
	return newObject(members)
}

func list(names []string) string { return strings.Join(names, ", ") }
