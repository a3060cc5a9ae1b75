package rules

import (
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/runattest/runattest/internal/jsontree"
)

// Values are what rules see of one run.
type Values struct {
	Declaration func() []byte // gives its canonical form; called where a rule reads it
	Run         Run
	Signer      Signer
	Time        Time
	Annotations map[string]string
	Approvals   Approvals
	// Ancestors give one ancestor each, whenever a rule looks at it, so that there may be many. They are read where the Set
	// ReadsAncestors. NoAncestors is why they cannot be given: the error of the rules that read them.
	Ancestors   []func() Ancestor
	NoAncestors error
	Open        []Opening // where the Set ReadsOpen
	Now         time.Time
}

// Opening is one of `open`. Name is of what is not known.
type Opening struct {
	Pointer string
	Hides   []string
	Unknown bool
	Name    string
}

func (o Opening) value() ref.Val {
	return newObject(map[string]any{"pointer": o.Pointer, "hides": textsOf(o.Hides), "unknown": o.Unknown, "name": o.Name})
}

func openOf(all []Opening) ref.Val {
	elements := make([]ref.Val, len(all))
	for i, o := range all {
		elements[i] = o.value()
	}
	return newArray(elements)
}

// Run is `run`.
type Run struct {
	ID, Kind string
	Parents  []string
}

// Signer is `signer`, and one of an ancestor's.
type Signer struct{ Kind, Name, Issuer, Algorithm string }

// Time is `time`; it is verified if there is a timestamp. Earliest and Latest count where it is.
type Time struct {
	Timestamps       []Timestamp
	Earliest, Latest time.Time
}

// Timestamp is one of Time's.
type Timestamp struct {
	Kind, Authority string
	Time            time.Time
	Accuracy        time.Duration
}

// Approval is one of `approvals`, and of an ancestor's. Zero times are left out.
type Approval struct {
	Approver, Role, Decision, Reason string
	Conditions                       []string
	Expires, Time                    time.Time
}

// Approvals is a list of them. The zero value has none.
type Approvals struct{ list *array }

// Ancestor is one of `ancestors`. A zero time is left out.
type Ancestor struct {
	ID, Kind   string
	Parents    []string
	Signers    []Signer
	Approved   bool
	Approvals  Approvals
	DeclaredBy time.Time
}

// NewApprovals makes a list, which many evaluations, or ancestors, can have.
func NewApprovals(all []Approval) Approvals {
	elements := make([]ref.Val, len(all))
	for i, a := range all {
		elements[i] = a.value()
	}
	return Approvals{newArray(elements)}
}

var noApprovals = newArray(nil)

func (a Approvals) value() ref.Val {
	if a.list == nil {
		return noApprovals
	}
	return a.list
}

func (a Approval) value() ref.Val {
	members := map[string]any{
		"approver": a.Approver, "role": a.Role, "decision": a.Decision, "reason": a.Reason, "conditions": textsOf(a.Conditions),
	}
	addTime(members, "expires", a.Expires)
	addTime(members, "time", a.Time)
	return newObject(members)
}

func addTime(members map[string]any, name string, at time.Time) {
	if !at.IsZero() {
		members[name] = types.Timestamp{Time: at}
	}
}

func (r Run) value() ref.Val {
	return newObject(map[string]any{"id": r.ID, "kind": r.Kind, "parents": textsOf(r.Parents)})
}

func (s Signer) value() ref.Val {
	return newObject(map[string]any{"kind": s.Kind, "name": s.Name, "issuer": s.Issuer, "algorithm": s.Algorithm})
}

func (t Time) value() ref.Val {
	list := []ref.Val{}
	for _, one := range t.Timestamps {
		list = append(list, newObject(map[string]any{
			"kind": one.Kind, "authority": one.Authority, "time": types.Timestamp{Time: one.Time}, "accuracy": types.Duration{Duration: one.Accuracy},
		}))
	}
	members := map[string]any{"verified": len(list) > 0, "timestamps": types.NewRefValList(types.DefaultTypeAdapter, list)}
	if len(list) > 0 {
		members["earliest"] = types.Timestamp{Time: t.Earliest}
		members["latest"] = types.Timestamp{Time: t.Latest}
	}
	return newObject(members)
}

func textsOf(all []string) ref.Val {
	if all == nil {
		all = []string{}
	}
	return types.NewStringList(types.DefaultTypeAdapter, all)
}

func annotationsOf(annotations map[string]string) ref.Val {
	members := map[string]any{}
	for name, value := range annotations {
		members[name] = value
	}
	return newObject(members)
}

// variables are the values by the names that rules have for them. Of the declaration there is what is wanted: to make values
// of all of it can take longer than the rest of a decision.
func (v Values) variables(w *wanted) (map[string]any, error) {
	declaration := ref.Val(newObject(nil))
	if !w.nothing() {
		root, err := jsontree.Parse(v.Declaration())
		if err != nil {
			return nil, err
		}
		declaration = w.value(root)
	}
	return map[string]any{
		varDeclaration: declaration,
		varRun:         v.Run.value(),
		varSigner:      v.Signer.value(),
		varTime:        v.Time.value(),
		varAnnotations: annotationsOf(v.Annotations),
		varApprovals:   v.Approvals.value(),
		varOpen:        openOf(v.Open),
		varNow:         types.Timestamp{Time: v.Now.UTC()},
	}, nil
}
