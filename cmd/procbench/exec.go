//go:build unix

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// gateGoal is what the gate may cost before the command runs: the whole process of exec, from its start
// to the end of the command "true".
const gateGoal = 25 * time.Millisecond

// tenRules is a realistic policy for the declaration that is measured.
const tenRules = `schema: https://github.com/runattest/runattest/policy/v1
name: ten-rules
signers: {keys: [{name: ci, key: runattest.pub}]}
kinds: [inference, evaluation]
rules:
  - name: model-pinned
    expr: has(declaration.model.digest) || has(declaration.model.version) && declaration.model.version.matches('^[0-9a-f]{40}$')
    message: "model {{declaration.model.name}}: give its digest, or a commit as its version"
  - name: provider
    expr: declaration.model.?provider.orValue('') in ['vllm', 'anthropic', 'openai', 'bedrock']
  - name: temperature
    expr: declaration.parameters.?temperature.orValue(1) <= 0.7
    message: "temperature is {{declaration.parameters.?temperature.orValue('not set')}}, want 0.7 at most"
  - name: tokens
    expr: has(declaration.parameters.max_tokens) && declaration.parameters.max_tokens <= 4096
  - name: tools
    expr: declaration.context.filter(r, r.role == 'tool').all(r, r.name in ['get_current_weather', 'search'])
  - name: data-by-digest
    expr: declaration.context.filter(r, r.role == 'dataset').all(r, has(r.digest))
  - name: no-secrets
    expr: "!has(declaration.prompt.messages) || declaration.prompt.messages.all(m, !string(m.?content.orValue('')).matches('(?i)(AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|password *[:=])'))"
  - name: network
    expr: declaration.constraints.?network.orValue('none') != 'any'
  - name: signer
    expr: signer.kind == 'key' && signer.algorithm == 'ecdsa-p256'
  - name: ticket
    expr: "'ticket' in annotations && annotations.ticket.matches('^ML-[0-9]+$') && annotations.?team.orValue('') != ''"
`

// measureExec measures the gate in front of a command that does nothing, and that command alone.
func measureExec(dir, binary string) error {
	nothing, err := exec.LookPath("true")
	if err != nil {
		return err
	}
	if _, err := once(dir, binary, "sign", "--key", "runattest.key", "--annotation", "ticket=ML-1234", "--annotation", "team=search",
		"--bundle", "annotated.sigstore.json", "run.json"); err != nil {
		return err
	}
	gate := []string{"exec", "--bundle", "annotated.sigstore.json", "--policy", "policy.yaml", "--", nothing}
	unticketed := append([]string{"exec", "--bundle", "run.json.sigstore.json"}, gate[3:]...) // no ticket
	if _, err := once(dir, binary, unticketed...); err == nil {
		return errors.New("the policy allows a run without a ticket: its rules are not evaluated")
	}
	if _, err := report(dir, "", "true, alone", nothing); err != nil {
		return err
	}
	took, err := report(dir, "runattest", "exec, ten rules", binary, gate...)
	if err != nil {
		return err
	}
	answer := "met"
	switch {
	case took.least > gateGoal:
		answer = "MISSED"
	case took.median > gateGoal:
		answer = "met by the least and not by the median: is this machine busy?"
	}
	fmt.Printf("%-10s goal for exec, ten rules: %s, %s\n", "", gateGoal, answer)
	return nil
}
