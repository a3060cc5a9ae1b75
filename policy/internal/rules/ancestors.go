package rules

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// ancestorList are a run's ancestors as rules see them. A value is made each time one is looked at, and not
// kept, so that there may be many.
type ancestorList struct {
	signers map[Signer]ref.Val
	meter   *meter
}

var _ types.Adapter = (*ancestorList)(nil)

// ancestorWeight is what an ancestor weighs when the list is looked at. What a rule then looks at in it
// is counted as any other value is.
const ancestorWeight = 8

func ancestorsOf(all []func() Ancestor, m *meter) ref.Val {
	k := &ancestorList{map[Signer]ref.Val{}, m}
	return &array{types.NewDynamicList(k, all), 1 + ancestorWeight*uint64(len(all))}
}

// NativeToValue is an ancestor as an object; the list's adapter is asked for nothing else. To make one costs,
// too, since a rule may have the same one made again and again.
func (k *ancestorList) NativeToValue(v any) ref.Val {
	of, ok := v.(func() Ancestor)
	if !ok {
		return types.DefaultTypeAdapter.NativeToValue(v)
	}
	a := of()
	k.meter.work(4 + len(a.Parents) + len(a.Signers))
	signers := make([]ref.Val, len(a.Signers))
	for i, s := range a.Signers {
		if k.signers[s] == nil {
			k.signers[s] = s.value()
		}
		signers[i] = k.signers[s]
	}
	members := map[string]any{
		"id": a.ID, "kind": a.Kind, "parents": textsOf(a.Parents), "signers": newArray(signers), "approved": a.Approved, "approvals": a.Approvals.value(),
	}
	addTime(members, "declaredBy", a.DeclaredBy)
	object := newObject(members)
	object.label = a.ID
	return object
}
