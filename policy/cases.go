package policy

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/lineage"
)

// clockOfCases is whose the time of a case is.
const clockOfCases = "as the case says"

// Cases are runs with the answers that a policy must give about them.
type Cases struct {
	policy *Policy
	list   []*testCase
}

// testCase is one run with the expected answer.
type testCase struct {
	Name string

	declaration *identity.Declaration
	bundle      *attest.Bundle
	given       []Approval      // with a bundle
	lineage     []lineage.Input // with a bundle; the member is "family", a name that the format keeps
	rehearsal   Rehearsal       // with a declaration
	allow       bool
	rules       []string // of which each must deny, and no other
	warnings    []string
}

// CaseResult is what became of a case.
type CaseResult struct {
	Name     string    `json:"name"`
	Passed   bool      `json:"passed"`
	Problem  string    `json:"problem,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
}

// LoadCases reads a file of cases, the policy that it names, and the files of its cases; all
// paths start from its folder.
func LoadCases(path string, o Options) (*Cases, error) {
	data, err := boundedfile.ReadRegular(path, limits.Policy)
	if err != nil {
		return nil, err
	}
	t, err := readText(data, "cases")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &reader{text: t}
	files := &folder{dir: pathname.Start(path)}
	c := &Cases{}
	var schema, policyPath string
	r.members(r.root, []string{"schema", "policy", "cases"}, map[string]field{
		"schema": r.word(&schema, CasesSchema),
		"policy": r.string(&policyPath),
		"cases": func(v jsontree.Value) {
			r.list(v, 1, limits.PolicyValues, func(_ int, v jsontree.Value) { c.list = append(c.list, readCase(r, files, v)) })
		},
	})
	r.refuseAmbiguous()
	if len(r.problems) > 0 {
		sortProblems(r.problems)
		return nil, fmt.Errorf("%s: %w", path, (&InvalidError{Noun: "cases", Problems: r.problems}).explained(data))
	}
	path = pathname.In(files.dir, policyPath)
	if c.policy, err = load(path, o, boundedfile.ReadRegular); err != nil {
		return nil, err
	}
	return c, nil
}

func readCase(r *reader, files *folder, v jsontree.Value) *testCase {
	c := &testCase{rehearsal: Rehearsal{Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	var expect string
	r.members(v, []string{"name", "expect"}, map[string]field{
		"name":     r.string(&c.Name),
		"expect":   r.word(&expect, "allow", "deny"),
		"rules":    r.names(&c.rules),
		"warnings": r.names(&c.warnings),
		"declaration": func(v jsontree.Value) {
			c.declaration = r.declaration(files, v)
			c.rehearsal.Declaration = c.declaration
		},
		"bundle":      func(v jsontree.Value) { c.readBundle(r, files, v) },
		"signer":      r.label(&c.rehearsal.Signer),
		"issuer":      r.label(&c.rehearsal.Issuer),
		"signed":      r.time(&c.rehearsal.Signed),
		"now":         r.time(&c.rehearsal.Now),
		"annotations": func(v jsontree.Value) { c.rehearsal.Annotations = r.texts(v) },
		"approvals":   func(v jsontree.Value) { c.readApprovals(r, files, v) },
		"family": func(m jsontree.Value) {
			c.readLineage(r, files, m, v.Get("bundle").Kind() != jsontree.Absent)
		},
	})
	c.allow = expect == "allow"
	if v.Get("bundle").Kind() != jsontree.Absent {
		c.refuseRehearsal(r, v)
	}
	if (v.Get("declaration").Kind() == jsontree.Absent) == (v.Get("bundle").Kind() == jsontree.Absent) {
		r.fail(identity.CodeRequired, "", "want exactly one of declaration and bundle")
	}
	if c.allow && len(c.rules) > 0 {
		r.fail(identity.CodeValue, "", "rules that deny, where allow is expected")
	}
	return c
}

// refuseRehearsal refuses what is said beside a bundle, of which a verification finds it out: it would decide nothing.
func (c *testCase) refuseRehearsal(r *reader, v jsontree.Value) {
	for _, name := range []string{"signer", "issuer", "signed", "annotations"} {
		if v.Get(name).Kind() != jsontree.Absent {
			r.in(name, func() { r.fail(identity.CodeValue, "leave the member out", "a bundle is verified, and says it itself") })
		}
	}
	if len(c.rehearsal.Approvals) > 0 {
		r.in("approvals", func() {
			r.fail(identity.CodeValue, "", "beside a bundle approvals are verified, too: give their bundles by their paths")
		})
	}
}

func (r *reader) names(into *[]string) field {
	return func(v jsontree.Value) {
		*into = []string{} // none at all is an expectation, too
		r.list(v, 0, limits.Rules, func(_ int, v jsontree.Value) {
			var name string
			r.string(&name)(v)
			*into = append(*into, name)
		})
	}
}

func (r *reader) texts(v jsontree.Value) map[string]string {
	texts := map[string]string{}
	if r.want(v, jsontree.Object) {
		for name, m := range v.Members() {
			r.in(string(name), func() {
				if r.want(m, jsontree.String) {
					texts[string(name)] = m.Text()
				}
			})
		}
	}
	return texts
}

// declaration takes a path, or the declaration itself.
func (r *reader) declaration(files *folder, v jsontree.Value) *identity.Declaration {
	data := v.Raw()
	parse := identity.Parse
	if v.Kind() != jsontree.Object {
		var path string
		if r.string(&path)(v); path == "" {
			return nil
		}
		var err error
		if data, err = files.read(path, limits.Declaration); err != nil {
			r.fail(identity.CodeValue, "", "%s", err)
			return nil
		}
		if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
			parse = identity.ParseYAML
		}
	}
	d, err := parse(data)
	if err != nil {
		r.fail(identity.CodeValue, "", "%s", err)
	}
	return d
}

// readLineage takes what the run's own member takes: declarations beside a declaration, bundles beside a bundle.
func (c *testCase) readLineage(r *reader, files *folder, v jsontree.Value, signed bool) {
	r.list(v, 1, limits.PolicyValues, func(_ int, v jsontree.Value) {
		if !signed {
			if d := r.declaration(files, v); d != nil {
				c.rehearsal.Lineage = append(c.rehearsal.Lineage, d)
			}
			return
		}
		var path string
		if r.string(&path)(v); path == "" {
			return
		}
		data, err := files.read(path, limits.Bundle)
		if err != nil {
			r.fail(identity.CodeValue, "", "%s", err)
		}
		c.lineage = append(c.lineage, lineage.Input{Name: path, Data: data})
	})
}

func (c *testCase) readBundle(r *reader, files *folder, v jsontree.Value) {
	c.bundle = r.bundle(files, v)
}

func (r *reader) bundle(files *folder, v jsontree.Value) *attest.Bundle {
	var path string
	if r.string(&path)(v); path == "" {
		return nil
	}
	data, err := files.read(path, limits.Bundle)
	var b *attest.Bundle
	if err == nil {
		b, err = attest.ParseBundle(data)
	}
	if err != nil {
		r.fail(identity.CodeValue, "", "%s", err)
	}
	return b
}

// readApprovals takes bundles by their paths, or what approvers would say.
func (c *testCase) readApprovals(r *reader, files *folder, v jsontree.Value) {
	r.list(v, 0, limits.Approvals, func(_ int, v jsontree.Value) {
		if v.Kind() == jsontree.String {
			c.given = append(c.given, Approval{v.Text(), r.bundle(files, v)})
			return
		}
		var a RehearsedApproval
		var decision string
		r.members(v, []string{"approver", "decision"}, map[string]field{
			"approver":   r.label(&a.Approver),
			"decision":   r.word(&decision, string(Approved), string(Rejected)),
			"reason":     r.string(&a.Reason),
			"conditions": r.names(&a.Conditions),
			"expires":    r.time(&a.Expires),
			"signed":     r.time(&a.Signed),
			"run":        r.run(&a.Run),
		})
		a.Decision = Verdict(decision)
		c.rehearsal.Approvals = append(c.rehearsal.Approvals, a)
	})
}

// run reads the identity of a run.
func (r *reader) run(into *identity.ID) field {
	return func(v jsontree.Value) {
		if !r.want(v, jsontree.String) {
			return
		}
		id, err := identity.ParseID(v.Text())
		if err != nil {
			r.fail(identity.CodeValue, "runattest id prints it", "%s", err)
		}
		*into = id
	}
}

// Run asks the policy about every case. A declaration is rehearsed, a bundle verified.
func (c *Cases) Run(ctx context.Context) ([]CaseResult, error) {
	if c == nil || len(c.list) == 0 {
		return nil, errors.New("no cases: they are nil or a zero value")
	}
	var results []CaseResult
	for _, one := range c.list {
		result := CaseResult{Name: one.Name}
		d, err := c.decide(ctx, one)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			result.Problem = visible.OneLine(err.Error())
		default:
			result.Decision, result.Problem = d, one.compare(d)
		}
		result.Passed = result.Problem == ""
		results = append(results, result)
	}
	return results, nil
}

func (c *Cases) decide(ctx context.Context, one *testCase) (*Decision, error) {
	if one.bundle == nil {
		if len(one.given) > 0 {
			return nil, errors.New("approvals of a declaration that is not signed: write them out, or give a bundle")
		}
		return c.policy.Rehearse(ctx, one.rehearsal)
	}
	v, err := c.policy.Verifier().Verify(ctx, one.bundle, attest.Expect{})
	if err != nil {
		return nil, err
	}
	given := Given{Approvals: one.given, Now: one.rehearsal.Now, Clock: clockOfCases}
	if one.lineage != nil {
		if given.Lineage, err = lineage.Build(ctx, c.policy.Verifier(), slices.Values(one.lineage), lineage.Options{}); err != nil {
			return nil, err
		}
	}
	return c.policy.Evaluate(ctx, v, given)
}

// compare is "" where the decision is the one that is expected.
func (c *testCase) compare(d *Decision) string {
	answer := map[bool]string{true: "allow", false: "deny"}
	if d.Allowed != c.allow {
		var why []string
		for _, denial := range d.Denials {
			why = append(why, denial.String())
		}
		return visible.OneLine(fmt.Sprintf("want %s, got %s %s", answer[c.allow], answer[d.Allowed], strings.Join(why, "; ")))
	}
	if got := ruleNames(d.Denials); c.rules != nil && !slices.Equal(got, sortedNames(c.rules)) {
		return fmt.Sprintf("want denials by %v, got %v", sortedNames(c.rules), got)
	}
	if got := ruleNames(d.Warnings); c.warnings != nil && !slices.Equal(got, sortedNames(c.warnings)) {
		return fmt.Sprintf("want warnings by %v, got %v", sortedNames(c.warnings), got)
	}
	return ""
}

func ruleNames(denials []Denial) []string {
	var names []string
	for _, d := range denials {
		names = append(names, d.Rule)
	}
	return sortedNames(names)
}

func sortedNames(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}
