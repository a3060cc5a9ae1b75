package lineage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

var ctx = context.Background()

func newSigner(t testing.TB, a signer.Algorithm) signer.Signer {
	t.Helper()
	return keytest.New(t, a)
}

// clock trusts one key, and a time where one is set for the payload.
type clock struct {
	key      attest.TrustedKey
	times    map[string][]time.Time
	accuracy map[time.Time]time.Duration
}

func (c *clock) CheckEnvelope(_ context.Context, e evidence.Envelope) evidence.Result {
	o, _ := attest.CheckKeys([]attest.TrustedKey{c.key}, e)
	o.Time = evidence.Check{Name: evidence.CheckTime, Verdict: evidence.NotChecked, Reason: "none was required"}
	for i, at := range c.times[string(e.Payload)] {
		o.Times = append(o.Times, evidence.TrustedTime{Kind: "timestamp", Authority: fmt.Sprintf("tsa %d", i), Time: at, Accuracy: c.accuracy[at]})
	}
	return o
}

// lineage makes runs by hand, much faster than signing them properly does, and with what a
// proper signer would refuse to say.
type lineage struct {
	t        testing.TB
	by       signer.Signer
	clock    *clock
	verifier *attest.Verifier
	inputs   []Input
}

func newLineage(t testing.TB, keyName string) *lineage {
	t.Helper()
	f := &lineage{t: t, by: newSigner(t, signer.Ed25519)}
	f.clock = &clock{attest.TrustedKey{Name: keyName, Key: f.by.PublicKey()}, map[string][]time.Time{}, nil}
	var err error
	if f.verifier, err = attest.NewVerifier(f.clock); err != nil {
		t.Fatal(err)
	}
	return f
}

// declare is a declaration in canonical form, and its identity.
func (f *lineage) declare(n int, parents ...identity.ID) (string, identity.ID) {
	f.t.Helper()
	list := ""
	if len(parents) > 0 {
		text, err := json.Marshal(parents)
		if err != nil {
			f.t.Fatal(err)
		}
		list = `"parents":` + string(text) + ","
	}
	text := fmt.Sprintf(`{"constraints":{},"context":[],"kind":"agent","model":{"name":"m"},"parameters":{"seed":%d},%s"prompt":{},"schema":"%s"}`,
		n, list, identity.Schema)
	id, err := identity.ParseID(fmt.Sprintf("airun:1:sha256:%x", sha256.Sum256([]byte(text))))
	if err != nil {
		f.t.Fatal(err)
	}
	return text, id
}

// statement is one that claims this identity, whatever the declaration's is.
func statement(id identity.ID, declaration string) string {
	return fmt.Sprintf(`{"_type":"%s","predicate":{"declaration":%s,"identity":"%s"},"predicateType":"%s","subject":[{"digest":{"sha256":"%s"},"name":"%s"}]}`,
		attest.StatementType, declaration, id, attest.PredicateType, id.Hex(), id)
}

// sign makes a bare envelope.
func (f *lineage) sign(by signer.Signer, payload string) []byte {
	f.t.Helper()
	sig, err := by.Sign(ctx, evidence.Envelope{PayloadType: attest.PayloadType, Payload: []byte(payload)}.Message())
	if err != nil {
		f.t.Fatal(err)
	}
	return fmt.Appendf(nil, `{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}`,
		base64.StdEncoding.EncodeToString([]byte(payload)), attest.PayloadType, by.PublicKey().Hint(), base64.StdEncoding.EncodeToString(sig))
}

// run adds a run signed by a trusted signer, with trusted times.
func (f *lineage) run(n int, parents []identity.ID, times ...time.Time) identity.ID {
	f.t.Helper()
	declaration, id := f.declare(n, parents...)
	payload := statement(id, declaration)
	f.clock.times[payload] = times
	f.add(fmt.Sprintf("run%d", n), f.sign(f.by, payload))
	return id
}

func (f *lineage) add(name string, data []byte) {
	f.inputs = append(f.inputs, Input{Name: name, Data: data})
}

func (f *lineage) build(o Options) *Graph {
	f.t.Helper()
	g, err := Build(ctx, f.verifier, slices.Values(f.inputs), o)
	if err != nil {
		f.t.Fatal(err)
	}
	return g
}

func (f *lineage) node(g *Graph, id identity.ID) Node {
	f.t.Helper()
	n, ok := g.Node(id)
	if !ok {
		f.t.Fatalf("%s is not in the graph", id)
	}
	return n
}

func ids(nodes iter.Seq[Node]) []identity.ID {
	var all []identity.ID
	for n := range nodes {
		all = append(all, n.ID())
	}
	return all
}

func text(t testing.TB, write func(w io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
