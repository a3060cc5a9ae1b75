package lineage

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/visible"
)

type jsonHead struct {
	Complete bool          `json:"complete"`
	Roots    []identity.ID `json:"roots"`
	Counts   Counts        `json:"counts"`
}

type jsonRun struct {
	Identity    identity.ID    `json:"identity"`
	State       State          `json:"state"`
	Kind        identity.Kind  `json:"kind,omitempty"`
	Parents     *[]identity.ID `json:"parents,omitempty"` // absent where they are not known
	DeclaredBy  *time.Time     `json:"declaredBy,omitempty"`
	EarlierThan identity.ID    `json:"earlierThan,omitzero"`
	Rejected    string         `json:"rejected,omitempty"`
	Gap         string         `json:"gap,omitempty"`
	Bundles     []jsonBundle   `json:"bundles"`
}

type jsonBundle struct {
	Bundle   string                   `json:"bundle"`
	Verified bool                     `json:"verified"`
	Signer   *evidence.SignerIdentity `json:"signer,omitempty"`
	Time     *evidence.TrustedTime    `json:"time,omitempty"`
	Failed   []evidence.Check         `json:"failed,omitempty"`
}

// WriteJSON writes the roots' ancestry as one JSON object on a line, as docs/output.md has it. It is
// written run by run and never held.
func (g *Graph) WriteJSON(w io.Writer, roots ...Node) error {
	if err := g.canWrite(w); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	head := jsonHead{g.Complete(roots...), make([]identity.ID, len(roots)), g.Counts()}
	for i, r := range roots {
		head.Roots[i] = r.ID()
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	out.Write(text[:len(text)-1]) // the object goes on
	out.WriteString(`,"runs":[`)
	first := true
	for n := range g.Ancestry(roots...) {
		if text, err = visible.JSON(n.json()); err != nil {
			return err
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.Write(text)
	}
	out.WriteString("]}\n")
	return out.Flush()
}

func (n Node) json() jsonRun {
	r := jsonRun{Identity: n.ID(), State: n.State(), Kind: n.Kind(), Rejected: n.Rejected(), Gap: n.Gap(), Bundles: []jsonBundle{}}
	if n.Known() {
		parents := []identity.ID{}
		for p := range n.Parents() {
			parents = append(parents, p.ID())
		}
		r.Parents = &parents
	}
	if t, ok := n.DeclaredBy(); ok {
		r.DeclaredBy = &t
	}
	if p, earlier := n.EarlierThan(); earlier {
		r.EarlierThan = p.ID()
	}
	for b := range n.Bundles() {
		made := jsonBundle{Bundle: b.Name, Verified: b.Verified, Failed: b.Failed}
		if b.Verified {
			made.Signer = &b.Signer
		}
		if !b.Time.Time.IsZero() {
			made.Time = &b.Time
		}
		r.Bundles = append(r.Bundles, made)
	}
	return r
}
