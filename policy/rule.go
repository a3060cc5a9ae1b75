package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/policy/internal/rules"
)

// Severity says what a rule that is not met does.
type Severity string

// The severities.
const (
	Deny Severity = "deny"
	Warn Severity = "warn"
)

// Denials that are not by a rule have these names, which no rule may have.
const (
	ruleKinds     = "kinds"
	ruleTime      = "time"
	ruleApprovals = "approvals"
	rulePolicy    = "policy"
)

// rule is a rule by the name that reports call it.
type rule struct {
	name     string
	severity Severity
	rules.Rule
}

// readRules reads the list of rules, and what they read together.
func (p *Policy) readRules(r *reader, v jsontree.Value) {
	names := map[string]bool{ruleKinds: true, ruleTime: true, ruleApprovals: true, rulePolicy: true}
	later := newChecks()
	defer later.end()
	r.list(v, 1, limits.Rules, func(_ int, v jsontree.Value) {
		one := &rule{severity: Deny}
		var severity, message string
		r.members(v, []string{"name", "expr"}, map[string]field{
			"name":     r.name(&one.name),
			"expr":     func(v jsontree.Value) { r.condition(one, v, later) },
			"message":  r.string(&message),
			"severity": r.word(&severity, string(Deny), string(Warn)),
		})
		if severity != "" {
			one.severity = Severity(severity)
		}
		if names[one.name] {
			r.in("name", func() { r.fail(identity.CodeUnique, "", "the name %q is taken", one.name) })
		}
		names[one.name] = true
		if message != "" {
			r.in("message", func() { later.add(r.pointer(), message, one.ReadMessage(r.source(message))) })
		}
		p.rules = append(p.rules, one)
	})
	for _, c := range later.end() { // behind what is wrong with other members of the rules
		r.place(c.pointer, c.text, c.found)
	}
	for _, one := range p.rules {
		p.set.Add(&one.Rule)
	}
}

// checks are what remains of reading rules once they are parsed, which takes longest. They run in their order, beside that.
type checks struct {
	queue    chan *check
	done     chan struct{}
	all      []*check
	panicked any
	ended    bool
}

// check is of the text of a rule at a pointer.
type check struct {
	pointer, text string
	run           func() []rules.Problem
	found         []rules.Problem
}

func newChecks() *checks {
	c := &checks{queue: make(chan *check, 100), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for one := range c.queue {
			c.do(one)
		}
	}()
	return c
}

func (c *checks) do(one *check) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked = p
		}
	}()
	if c.panicked == nil {
		one.found = one.run()
		c.all = append(c.all, one)
	}
}

func (c *checks) add(pointer, text string, run func() []rules.Problem) {
	c.queue <- &check{pointer: pointer, text: text, run: run}
}

// end waits for the checks that were added, and gives them. A panic in one is one of the caller.
func (c *checks) end() []*check {
	if !c.ended {
		c.ended = true
		close(c.queue)
		if <-c.done; c.panicked != nil {
			panic(c.panicked)
		}
	}
	return c.all
}

func (r *reader) condition(into *rule, v jsontree.Value, later *checks) {
	if k := v.Kind(); k != jsontree.String && k != jsontree.Null {
		r.fail(identity.CodeType, expressionHint, "is of type %s, want string", k)
		return
	}
	var expr string
	if r.expression(&expr)(v); expr != "" {
		source := r.source(expr)
		later.add(r.pointer(), expr, into.ReadCondition(source))
		for _, d := range rules.Suspects(source) {
			r.warn(r.pointer(), d.Message, d.Hint, func() (line, column int) { return r.locateIn(r.pointer(), expr, d.At) })
		}
	}
}

// source is the text at the path, as the file has it.
func (r *reader) source(text string) rules.Source {
	pointer := r.pointer()
	s := rules.Source{Text: text, Line: func(character int) int {
		line, _ := r.locateIn(pointer, text, character)
		return line
	}}
	switch {
	case r.yaml == nil:
		s.Form = rules.JSON
	case !r.yaml.IsLiteral(pointer):
		s.Form = rules.YAML
	}
	return s
}

// place notes what is wrong with the text at a pointer, each problem where it stands in the file.
func (r *reader) place(pointer, text string, found []rules.Problem) {
	for _, p := range found {
		if p.At == rules.Whole {
			r.failAt(pointer, identity.Code(p.Code), p.Hint, "%s", p.Message)
			continue
		}
		if r.full() {
			return
		}
		line, column := r.locateIn(pointer, text, p.At)
		r.note(identity.Problem{Code: identity.Code(p.Code), Pointer: pointer, Line: line, Column: column, Message: p.Message, Hint: p.Hint})
	}
}

// scope is what there is under this policy for its rules to read.
func (p *Policy) scope() rules.Scope {
	steps := limits.RegexParts
	s := rules.Scope{NoApprovals: p.approvals == nil, Steps: &steps, Words: map[string][]string{
		"Declaration.schema": {identity.Schema},
		"Declaration.kind":   kindWords,
		"Run.kind":           kindWords,
		"Ancestor.kind":      kindWords,
		"Resource.role":      roleWords,
		"Signer.kind":        {evidence.SignedByKey, evidence.SignedByCertificate},
		"Timestamp.kind":     {"timestamp", "log"}, // see [evidence.TrustedTime]
		"Approval.decision":  {string(Approved), string(Rejected)},
		"Opening.hides":      hidden,
	}}
	if p.approvals != nil {
		var names []string
		roles := []string{""} // of an approver without one
		for _, a := range p.approvals.approvers {
			names, roles = append(names, a.name), append(roles, a.role)
		}
		s.Words["Approval.approver"], s.Words["Approval.role"] = names, roles
	}
	if p.root == nil {
		s.Timeless = "the policy has no trustedRoot"
	} else if len(clocksOf(p.root)) == 0 {
		s.Timeless = noClock(p.root)
	}
	return s
}

// possible are the texts of a run that neither kinds nor signers deny.
func (p *Policy) possible() map[string][]string {
	all := map[string][]string{}
	if p.kinds != nil {
		var kinds []string
		for _, k := range p.kinds {
			kinds = append(kinds, string(k))
		}
		all["Declaration.kind"], all["Run.kind"] = kinds, kinds
	}
	var names, by, issuers, algorithms []string
	anyName, anyIssuer, anyAlgorithm := false, false, false
	for _, s := range p.signers.list() {
		if s.key != nil {
			names, by, issuers = append(names, s.key.Name), append(by, evidence.SignedByKey), append(issuers, "")
			algorithms = append(algorithms, string(s.key.Key.Algorithm()))
			continue
		}
		name, issuer := s.cert.SubjectAlternativeName, s.cert.Issuer
		names, by, issuers = append(names, name.Text()), append(by, evidence.SignedByCertificate), append(issuers, issuer.Text())
		anyName, anyIssuer, anyAlgorithm = anyName || name.IsRegexp(), anyIssuer || issuer.IsRegexp(), true
	}
	for member, texts := range map[string]struct {
		any bool
		are []string
	}{"Signer.kind": {false, by}, "Signer.name": {anyName, names}, "Signer.issuer": {anyIssuer, issuers}, "Signer.algorithm": {anyAlgorithm, algorithms}} {
		if !texts.any {
			slices.Sort(texts.are)
			all[member] = slices.Compact(texts.are)
		}
	}
	p.possibleTimes(all)
	return all
}

// possibleTimes adds what a trusted time may be by, of the trusted root.
func (p *Policy) possibleTimes(all map[string][]string) {
	if p.root == nil {
		return
	}
	var kinds, by []string
	isNamed := true // what has neither URL nor name is called otherwise in a bundle's evidence
	for _, a := range clocksOf(p.root) {
		kind := evidenceTimestamp
		if a.Kind == authority.TransparencyLog {
			kind = evidenceLog
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
		isNamed = isNamed && a.URL+a.Name != ""
		by = append(by, a.Label())
	}
	all["Timestamp.kind"] = kinds
	if isNamed {
		slices.Sort(by)
		all["Timestamp.authority"] = slices.Compact(by)
	}
}

// kindWords are the kinds of declarations.
var kindWords = []string{
	string(identity.Inference), string(identity.Agent), string(identity.Training),
	string(identity.Evaluation), string(identity.Batch), string(identity.Other),
}

// roleWords are the roles of resources.
var roleWords = []string{"tool", "dataset", "document", "code", "image", "adapter", "tokenizer", "template", "memory", "environment", "harness", "other"}

// checkRules refuses rules about what there never is under this policy: they cannot be met, or forbid nothing. Rules that may each be met,
// and never together, are refused as well.
func (p *Policy) checkRules(r *reader) {
	scope := p.scope()
	possible := p.possible()
	worlds := p.worlds(possible)
	var deny []*rules.Rule
	var places []int
	for i, rule := range p.rules {
		if rule.severity != Warn {
			deny, places = append(deny, &rule.Rule), append(places, i)
		}
	}
	worlds.Together(deny)
	for i, rule := range p.rules {
		if scope.Possible, scope.Worlds = possible, worlds; rule.severity == Warn { // a warning of every run is one
			scope.Possible, scope.Worlds = nil, nil
		}
		for _, found := range rule.Check(scope) {
			r.failAt(fmt.Sprintf("/rules/%d/expr", i), identity.Code(found.Code), found.Hint, "%s", found.Message)
		}
	}
	if len(deny) < 2 || len(r.problems) > 0 {
		return
	}
	if no := rules.Exclusive(deny, worlds); no != nil {
		var names []string
		for _, i := range no {
			names = append(names, fmt.Sprintf("%q", p.rules[places[i]].name))
		}
		if n := len(names) - 10; n > 1 {
			names = append(names[:10], fmt.Sprintf("%d more", n))
		}
		at := places[no[len(no)-1]]
		r.failAt(fmt.Sprintf("/rules/%d/expr", at), identity.CodeValue, "join alternatives with || in one rule: a run must meet all rules",
			"no run that this policy allows meets the rules %s together", listed(names))
	}
}

// listed joins names as a sentence does.
func listed(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
