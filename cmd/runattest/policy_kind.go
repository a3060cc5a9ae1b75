package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/gateway"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/policy"
)

// policyHints say what a file has that is to be a policy, or cases.
var policyHints = map[string]struct{ member, hint string }{
	"policy": {"signers", "a policy has schema: " + policy.Schema + ", and signers"},
	"cases":  {"cases", "cases are a file of their own, which names the policy: runattest policy test --help shows one"},
}

// orKind is why a policy, or cases, could not be read, in which a file of another kind that was given for one is called
// that, in one problem. A file that has the member without which there are none is meant as what it should be.
func orKind(path string, err error) error {
	invalid, ok := errors.AsType[*policy.InvalidError](err)
	if !ok {
		return err
	}
	path = cmp.Or(invalid.Path, path)
	want := policyHints[invalid.Noun]
	data, readErr := boundedfile.Read(path, limits.Policy)
	kind := files.Kind(data)
	if strings.HasPrefix(kind, "text in ") && len(invalid.Problems) == 1 { // the error says how to convert it
		return err
	}
	if readErr != nil || kind == "" || kind == input.KindPolicy && invalid.Noun == "policy" || bytes.Contains(data, []byte(want.member)) {
		return err
	}
	return fmt.Errorf("%s: %w", path, &policy.InvalidError{Noun: invalid.Noun, Problems: []identity.Problem{{
		Severity: identity.Error, Code: identity.CodeType, Message: "it is " + kind + " and no " + invalid.Noun, Hint: want.hint,
	}}})
}

// orGateway is why a gateway configuration could not be read: a file of another kind is called that.
func orGateway(path string, err error) error {
	data, readErr := boundedfile.Read(path, limits.GatewayConfig)
	kind := files.Kind(data)
	if readErr != nil || kind == "" || kind == input.KindGateway || strings.HasPrefix(kind, "text in ") || bytes.Contains(data, []byte("upstreams")) {
		return err
	}
	return cli.WithHint(fmt.Errorf("%s: it is %s and no gateway configuration", path, kind), "a gateway configuration has schema: "+gateway.Schema+", and upstreams")
}
