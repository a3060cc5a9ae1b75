package lineage

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
)

// Input is a bundle's text with the name that reports call it by.
type Input struct {
	Name string
	Data []byte // not kept
	// Declaration is the run's, where the caller has it: of a detached attestation, or without Data
	// of a run that has no bundle, whose parents are known nevertheless. It is not kept.
	Declaration *identity.Declaration
}

// size is how much text there is to hold.
func (in Input) size() int64 {
	if in.Declaration == nil {
		return int64(len(in.Data))
	}
	return int64(len(in.Data)) + in.Declaration.Size()
}

// Options are the optional parts of Build; the zero value has none.
type Options struct {
	// Roots are the runs whose ancestry is asked for; without any, all that no other descends from.
	Roots []identity.ID
	// Declaration finds the declaration of a detached attestation, nil if it does not know it;
	// it is called from several goroutines. Nothing that it says is believed unverified.
	Declaration func(identity.ID) *identity.Declaration
	// Rejected returns which of the runs are rejected, each with the approver and the reason on one line. It is
	// called once, with the runs of which there are bundles.
	Rejected func(ctx context.Context, runs []identity.ID) (map[identity.ID]string, error)
	// Phrase says a hint of a failed check in the caller's words; nil keeps the hints as they are. It is called from several
	// goroutines.
	Phrase func(evidence.Hint) evidence.Hint
}

// Build verifies every bundle and resolves parents by identity. The answers are in the graph;
// the error is ErrNoTrust, ErrTooLarge, the context's or that of Options.Rejected. bundles is read by the caller's
// goroutine; no more than a few of them are held at once.
func Build(ctx context.Context, verifier *attest.Verifier, bundles iter.Seq[Input], o Options) (*Graph, error) {
	if verifier == nil {
		return nil, attest.ErrNoTrust
	}
	if bundles == nil {
		return nil, errors.New("graph: no bundles to read")
	}
	g := &Graph{verifier: verifier, index: map[identity.ID]int32{}, rejected: map[int32]string{}}
	for _, id := range o.Roots {
		if id.IsZero() {
			return nil, errors.New("the zero ID is not a root: no run has it")
		}
		g.roots = append(g.roots, g.at(id))
	}
	if err := g.read(ctx, bundles, o); err != nil {
		return nil, err
	}
	if err := g.askRejected(ctx, o); err != nil {
		return nil, err
	}
	g.finish(len(o.Roots) > 0)
	return g, nil
}

func (g *Graph) askRejected(ctx context.Context, o Options) error {
	if o.Rejected == nil {
		return nil
	}
	var runs []identity.ID
	for _, n := range g.nodes {
		if n.state != Missing {
			runs = append(runs, n.id)
		}
	}
	rejected, err := o.Rejected(ctx, runs)
	for id, why := range rejected {
		if i, ok := g.index[id]; ok {
			g.rejected[i] = cut(why)
		}
	}
	return err
}

// finish works out what takes the whole lineage: order of time, roots, counts.
func (g *Graph) finish(rooted bool) {
	g.orderTimes()
	for i := range g.nodes {
		n := Node{g, int32(i)}
		switch n.State() {
		case Verified:
			g.counts.Verified++
		case Unverified:
			g.counts.Unverified++
		default:
			g.counts.Missing++
		}
		if _, earlier := n.EarlierThan(); earlier {
			g.counts.Earlier++
		}
		if n.Rejected() != "" {
			g.counts.Rejected++
		}
		if !rooted && !g.nodes[i].named {
			g.roots = append(g.roots, int32(i))
		}
	}
}

// job is a bundle on its way through a worker.
type job struct {
	Input
	heavy bool
	found chan finding // holds one
}

// read has workers judge the bundles, and takes the findings in in the order of the input.
func (g *Graph) read(ctx context.Context, bundles iter.Seq[Input], o Options) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan *job), make(chan *job, 4*workers)
	heavy := make(chan struct{}, 1)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for j := range work {
				j.found <- judge(ctx, g.verifier, j.Input, o)
				if j.Data, j.Declaration = nil, nil; j.heavy {
					<-heavy
				}
			}
		})
	}
	running.Go(func() {
		for j := range order {
			f := <-j.found
			if err := f.err; err == nil && ctx.Err() == nil {
				if err = g.add(f); err != nil {
					stop(err)
				}
			}
		}
	})
	func() {
		defer close(order) // also where the input panics
		defer close(work)
		count := 0
		for in := range bundles {
			if count++; count > limits.Lineage {
				stop(fmt.Errorf("%w: more than %d bundles", ErrTooLarge, limits.Lineage))
			}
			if ctx.Err() != nil {
				return
			}
			j := &job{in, in.size() > limits.LineageHeavy, make(chan finding, 1)}
			if j.heavy { // one at a time: reading a bundle takes several times its size
				heavy <- struct{}{}
			}
			order <- j
			work <- j
		}
	}()
	running.Wait()
	return context.Cause(ctx)
}

// finding is what was found out about one bundle.
type finding struct {
	name      string
	err       error // the context's
	malformed error
	other     bool
	bare      bool // a declaration without a bundle

	id      identity.ID
	known   bool // the identity recomputes: kind and parents are the run's, by any signer
	kind    identity.Kind
	parents []identity.ID

	failed  []evidence.Check // nil if the bundle is verified
	signer  evidence.SignerIdentity
	sight   sight
	witness evidence.TrustedTime // by which the signature is proved to have existed: the time whose latest is the first
}

// detached finds the declaration of a detached attestation; nil if it is unknown.
func (in Input) detached(o Options) func(identity.ID) *identity.Declaration {
	return func(id identity.ID) *identity.Declaration {
		if in.Declaration != nil && in.Declaration.ID() == id {
			return in.Declaration
		}
		if o.Declaration != nil {
			return o.Declaration(id)
		}
		return nil
	}
}

// judge verifies one bundle.
func judge(ctx context.Context, verifier *attest.Verifier, in Input, o Options) finding {
	f := finding{name: in.Name, sight: unseen}
	if in.Data == nil && in.Declaration != nil {
		f.id, f.bare = in.Declaration.ID(), true
		f.declare(in.Declaration)
		return f
	}
	b, err := attest.ParseBundle(in.Data)
	if err != nil {
		f.malformed = shorten(err)
		return f
	}
	var no *attest.VerificationError
	verified, err := verifier.Verify(ctx, b, attest.Expect{})
	if errors.As(err, &no) {
		return refused(ctx, verifier, b, no, f, in.detached(o), o.Phrase)
	}
	if err != nil {
		f.err = err
		return f
	}
	return f.accept(verified)
}

func (f finding) accept(v *attest.Verified) finding {
	f.id, f.signer = v.ID(), v.Signer()
	f.declare(v.Declaration())
	if times := v.Times(); len(times) > 0 {
		f.sight = sightOf(times...)
		f.witness = slices.MinFunc(times, func(a, b evidence.TrustedTime) int { return a.Latest().Compare(b.Latest()) })
	}
	return f
}

func (f *finding) declare(d *identity.Declaration) {
	f.known, f.kind, f.parents = true, d.Kind(), d.Parents()
}

// refused finds out which run it is that a bundle fails to attest.
func refused(ctx context.Context, verifier *attest.Verifier, b *attest.Bundle, no *attest.VerificationError, f finding, detached func(identity.ID) *identity.Declaration, phrase func(evidence.Hint) evidence.Hint) finding {
	if t := b.UnverifiedPredicateType(); t != "" && t != attest.PredicateType {
		f.other = true
		return f
	}
	claimed, err := b.UnverifiedStatement()
	if err != nil {
		f.malformed = shorten(fmt.Errorf("not a run identity statement: %w", err))
		return f
	}
	var given *identity.Declaration
	if claimed.Ref != nil {
		given = detached(claimed.Identity)
	}
	if given != nil {
		verified, err := verifier.Verify(ctx, b, attest.Expect{Declaration: given})
		if err == nil {
			return f.accept(verified)
		}
		if !errors.As(err, &no) {
			f.err = err
			return f
		}
	}
	f.id = claimed.Identity
	f.failed = keep(no.Report.Failed(), phrase)
	if !passed(no.Report, evidence.CheckIdentity) || !passed(no.Report, evidence.CheckDeclaration) {
		return f
	}
	if given == nil {
		given, _ = identity.Parse(claimed.Declaration)
	}
	if given != nil && given.ID() == f.id { // as the checks say already
		f.declare(given)
	}
	return f
}

func passed(r attest.Report, name evidence.CheckName) bool {
	for _, c := range r.Checks {
		if c.Name == name {
			return c.Verdict == evidence.Pass
		}
	}
	return false
}

// keep copies what failed without what a hostile bundle could make it hold; never nil.
func keep(failed []evidence.Check, phrase func(evidence.Hint) evidence.Hint) []evidence.Check {
	kept := make([]evidence.Check, 0, max(1, len(failed)))
	for _, c := range failed {
		if phrase != nil {
			c.Hint = phrase(c.Hint)
		}
		kept = append(kept, evidence.Check{Name: c.Name, Verdict: c.Verdict, Code: c.Code, Reason: cut(c.Reason), Hint: evidence.Hint(cut(string(c.Hint)))})
	}
	if len(kept) == 0 {
		kept = append(kept, evidence.Skipped(evidence.CheckSignature, evidence.CodeNotReached, "not verified"))
	}
	return kept
}

func cut(s string) string {
	if len(s) <= limits.LineageReason {
		return s
	}
	return strings.ToValidUTF8(s[:limits.LineageReason], "") + "..."
}

// shorten is err with a text of bounded length.
func shorten(err error) error {
	if text := err.Error(); len(text) > limits.LineageReason {
		return errors.New(cut(text))
	}
	return err
}
