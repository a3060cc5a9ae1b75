package registry_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/registry"
)

// summaryOf verifies everything that is attached to a reference.
func summaryOf(t *testing.T, ref string, check registry.Check) (registry.Summary, []registry.Checked) {
	t.Helper()
	target, a := resolve(t, ref)
	v, err := target.Verify(t.Context(), a, attest.Expect{}, check)
	if err != nil {
		t.Fatal(err)
	}
	var all []registry.Checked
	for c := range v.Results(t.Context()) {
		all = append(all, c)
	}
	return v.Summary(), all
}

func trusted(t *testing.T) registry.Check {
	t.Helper()
	by, err := key()
	if err != nil {
		t.Fatal(err)
	}
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: by.PublicKey()})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	return registry.CheckWith(verifier)
}

func TestVerify(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	ref := s.host + "/app:v1"
	attached := attach(t, ref, 1, 2)
	good := trusted(t)
	failure := errors.New("approvals cannot be read")
	refuse := func(which string, err error) registry.Check {
		return func(ctx context.Context, b *attest.Bundle, want attest.Expect) (attest.Report, error) {
			r, goodErr := good(ctx, b, want)
			if which == "all" || strings.Contains(r.Identity.String(), which) {
				return r, err // a report that says yes beside an error is none
			}
			return r, goodErr
		}
	}
	second := declare(t, 2).ID().String()
	no := &attest.VerificationError{}
	for name, c := range map[string]struct {
		check            registry.Check
		want             registry.Summary
		passed, strictly bool
	}{
		"all verified":     {good, registry.Summary{Verified: 2}, true, true},
		"one not":          {refuse(second, no), registry.Summary{Verified: 1, NotVerified: 1}, true, false},
		"one unreadable":   {refuse(second, failure), registry.Summary{Verified: 1, Unreadable: 1}, true, false},
		"one malformed":    {refuse(second, &registry.MalformedError{}), registry.Summary{Verified: 1, Malformed: 1}, true, false},
		"none":             {refuse("all", no), registry.Summary{NotVerified: 2}, false, false},
		"none can be read": {refuse("all", failure), registry.Summary{Unreadable: 2}, false, false},
		"an empty report": {func(context.Context, *attest.Bundle, attest.Expect) (attest.Report, error) {
			return attest.Report{}, nil
		}, registry.Summary{NotVerified: 2}, false, false},
	} {
		got, all := summaryOf(t, ref, c.check)
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(registry.Summary{})); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
		if got.Passed(false) != c.passed || got.Passed(true) != c.strictly {
			t.Errorf("%s: passed %t, strictly %t, want %t and %t", name, got.Passed(false), got.Passed(true), c.passed, c.strictly)
		}
		for i, one := range all {
			if one.Referrer != attached[0].Referrer && one.Referrer != attached[1].Referrer {
				t.Errorf("%s: referrer %d is %q", name, i, one.Referrer)
			}
			if (one.Outcome == registry.Verified) != one.Report.Verified || (one.Err != nil) != (one.Outcome == registry.Malformed || one.Outcome == registry.Unreadable) {
				t.Errorf("%s: %s with report %t and error %v", name, one.Outcome, one.Report.Verified, one.Err)
			}
		}
	}
}

// TestVerifyOthers: a bundle that is about another artifact, or hangs there by mistake, does not count for this one.
func TestVerifyOthers(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	ref := s.host + "/app:v1"
	if got, _ := summaryOf(t, ref, trusted(t)); got.Total() != 0 || got.Passed(false) {
		t.Errorf("nothing is attached: %+v", got)
	}
	target, a := resolve(t, ref)
	declaration := declare(t, 7)
	run, _, err := target.PushRun(t.Context(), declaration, sign(t, 7, attest.StatementOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	other := declare(t, 8).ID()
	if _, err := target.Verify(t.Context(), run, attest.Expect{Identity: &other}, trusted(t)); err == nil {
		t.Error("another run than the one expected")
	}
	v, err := target.Verify(t.Context(), run, attest.Expect{}, func(_ context.Context, _ *attest.Bundle, want attest.Expect) (attest.Report, error) {
		if want.Identity == nil || *want.Identity != declaration.ID() || want.Declaration == nil || want.Declaration.ID() != declaration.ID() {
			t.Errorf("expected is %+v, want the run and its declaration", want)
		}
		return attest.Report{Verified: true}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range v.Results(t.Context()) {
		break
	}
	if got := v.Summary(); !got.Passed(false) || got.Passed(true) {
		t.Errorf("after one result: %+v, strictly passed before all were looked at", got)
	}
	if _, err := target.Verify(t.Context(), a, attest.Expect{}, nil); err == nil {
		t.Error("no check")
	}
}

// TestVerifyUnlisted: where it is not known what is attached, there is an error and no verification.
func TestVerifyUnlisted(t *testing.T) {
	s := newServer(t, true)
	s.artifact()
	target, a := resolve(t, s.host+"/app:v1")
	s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/referrers/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	if v, err := target.Verify(t.Context(), a, attest.Expect{}, trusted(t)); err == nil || v != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestGroupByRun(t *testing.T) {
	one, two, detached := declare(t, 1), declare(t, 2), declare(t, 3)
	bundles := [][]byte{
		sign(t, 2, attest.StatementOptions{}), sign(t, 1, attest.StatementOptions{}), sign(t, 2, attest.StatementOptions{}),
		sign(t, 3, attest.StatementOptions{Detached: &attest.DeclarationRef{}}),
	}
	got, err := registry.GroupByRun(bundles)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]int{one.ID().Hex(): {1}, two.ID().Hex(): {0, 2}, detached.ID().Hex(): {3}}
	last := ""
	for _, g := range got {
		if diff := cmp.Diff(want[g.ID.Hex()], g.Bundles); diff != "" || g.ID.Hex() <= last {
			t.Errorf("%s: %s", g.ID, diff)
		}
		if has := g.Declaration != nil; has != (g.ID != detached.ID()) || has && g.Declaration.ID() != g.ID {
			t.Errorf("%s: declaration %v", g.ID, g.Declaration)
		}
		last = g.ID.Hex()
	}
	if len(got) != len(want) {
		t.Errorf("%d runs, want %d", len(got), len(want))
	}
	if got, err = registry.GroupByRun(bundles[3:], detached); err != nil || len(got) != 1 || got[0].Declaration != detached {
		t.Errorf("with its declaration: %+v, %v", got, err)
	}
	var bad *registry.BundleError
	if _, err = registry.GroupByRun([][]byte{bundles[0], []byte("{}")}); !errors.As(err, &bad) || bad.Index != 1 {
		t.Errorf("malformed: %v", err)
	}
	if _, err = registry.GroupByRun(nil, nil); err == nil {
		t.Error("no declaration")
	}
}
