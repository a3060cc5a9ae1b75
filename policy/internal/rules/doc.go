// Package rules compiles and evaluates the rules of a policy: conditions in CEL, and messages with expressions in {{ }}.
//
//	var rule rules.Rule
//	problems := rule.ReadCondition(rules.Source{Text: `declaration.constraints.budget.usd <= 100`})()
//	problems = append(problems, rule.ReadMessage(rules.Source{Text: "budget is {{declaration.constraints.budget.usd}}"})()...)
//	problems = append(problems, rule.Check(scope)...)
//
//	var set rules.Set
//	set.Add(&rule)
//	evaluation, err := set.Evaluate(ctx, values)
//	met, err := evaluation.Met(&rule)
//	reason := evaluation.Reason(&rule)
//
// What is wrong with a rule is returned as Problems, with their places in the text: the caller knows where the text
// stands in a file. What rules see is given as Values, of plain types: this package knows neither policies nor
// verification. The documentation of package policy describes the variables and functions that rules have.
//
// An evaluation ends when its context does, and costs no more than internal/limits allows (see meter). A rule that
// cannot be evaluated is not met.
package rules
