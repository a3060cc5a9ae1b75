package sigstore

import (
	"context"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/runattest/runattest/attest/evidence"
)

// TestChains: of a chain the first certificate is the signer's, and nothing is trusted by the others, in every version.
func TestChains(t *testing.T) {
	w, stranger := newWorld(t), newWorld(t)
	issuers := func(w world) (chain []any) {
		ca := w.FulcioCertificateAuthorities()[0].(*root.FulcioCertificateAuthority)
		for _, c := range append(ca.Intermediates[:len(ca.Intermediates):len(ca.Intermediates)], ca.Root) {
			chain = append(chain, parts{"rawBytes": c.Raw})
		}
		return chain
	}
	chained := func(p parts, others ...any) parts {
		p.material()["x509CertificateChain"] = parts{"certificates": append([]any{p.material()["certificate"]}, others...)}
		delete(p.material(), "certificate")
		return p
	}
	trust := trusting(t, TrustOptions{Root: rootOf(t, nil, w), Identities: trustsAlice})
	for name, c := range map[string]struct {
		bundle parts
		want   bool
	}{
		"the leaf alone":               {chained(w.v2()), true},
		"with its issuers":             {chained(w.v2(), issuers(w)...), true},
		"with a stranger's":            {chained(w.v2(), issuers(stranger)...), true},
		"a stranger's with its root":   {chained(stranger.v2(), issuers(stranger)...), false},
		"a stranger's with our issuer": {chained(stranger.v2(), issuers(w)...), false},
	} {
		o := c.bundle.bundle(t).CheckTrust(context.Background(), trust)
		if got := o.By != nil && o.Time.Verdict == evidence.Pass; got != c.want {
			t.Errorf("%s: verified %v: %+v", name, got, o)
		}
	}
	p := chained(w.v2(), issuers(w)...)
	list := p.material()["x509CertificateChain"].(parts)["certificates"].([]any)
	list[0], list[len(list)-1] = list[len(list)-1], list[0]
	if o := p.bundle(t).CheckTrust(context.Background(), trust); o.By != nil || o.Signature.Verdict != evidence.Fail {
		t.Errorf("the root first: %+v", o)
	}
}
