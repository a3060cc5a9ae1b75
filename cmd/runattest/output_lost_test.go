package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/signer"
)

// fullDisk is an output that takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// lostArgs are calls of each command that print a result, in the order in which one makes what the next reads.
var lostArgs = []struct{ command, args string }{
	{"id", "a.json"},
	{"id", "--schema"},
	{"lint", "a.json"},
	{"canonicalize", "a.json"},
	{"capture", "openai-chat request.json"},
	{"capture", "--list"},
	{"gateway", "--key k.key --journal journal --upstream https://api.openai.com --check"},
	{"keygen", "--no-password --format json -o other"},
	{"public-key", "--key k.key"},
	{"sign", "--key k.key a.json"},
	{"sign", "--key k.key --bundle - a.json"},
	{"link", "--key k.key --run a.json.sigstore.json --artifact a.json --relation consumed"},
	{"link verify", "--key k.pub --artifact a.json --relation consumed a.json.link.sigstore.json"},
	{"verify", "--key k.pub a.json.sigstore.json"},
	{"inspect", "a.json.sigstore.json"},
	{"graph", "--key k.pub a.json.sigstore.json"},
	{"push", "oci-layout://runs a.json.sigstore.json"},
	{"attach", "oci-layout://image@ID a.json.sigstore.json"},
	{"list", "oci-layout://image@ID"},
	{"fetch", "oci-layout://image@ID"},
	{"approve", "--key k.key --decision approved --reason r a.json.sigstore.json"},
	{"policy check", "policy.yaml"},
	{"policy sign", "--key k.key policy.yaml"},
	{"policy explain", "--policy policy.yaml a.json.sigstore.json"},
	{"policy test", "cases.yaml"},
	{"trusted-root create", "--rekor url=https://rekor.acme.example,public-key=k.pub,origin=rekor.acme.example"},
	{"trusted-root show", "root.json"},
	{"sign", "--key k.key --set other.runset.jsonl a.json"},
	{"set list", "a.runset.jsonl"},
	{"set head", "a.runset.jsonl"},
	{"set prove", "--index 0 a.runset.jsonl"},
	{"verify", "--key k.pub a.runset.jsonl"},
	{"journal verify", "--key k.pub journal"},
	{"journal show", "journal"},
	{"journal erase", "--identity ID journal"},
	{"verify", "--key k.pub journal"},
	{"version", ""},
	{"completion bash", ""}, {"completion zsh", ""}, {"completion fish", ""}, {"completion powershell", ""},
	{"help", "sign"},
}

// notLost are the commands whose output is tried elsewhere: exec's status says whether the command was started
// (output_lost.txtar), and a trusted root is fetched from a server (TestScripts/trusted_root_fetch).
var notLost = []string{"exec", "trusted-root fetch"}

// TestOutputLost: whatever command loses its output, or its help, says so and fails.
func TestOutputLost(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"a.json":       smallest,
		"request.json": `{"model":"m","messages":[{"role":"user","content":"a"}]}`,
		"policy.yaml":  "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: k, key: k.pub}]}\n",
		"cases.yaml":   "schema: https://github.com/runattest/runattest/policy-cases/v1\npolicy: policy.yaml\ncases: [{name: a, declaration: a.json, expect: allow}]\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	makeLost(t)
	_, id, _ := inProcess(t, "id", "a.json")
	lost := func(args ...string) {
		root := newRoot(args...)
		var stderr bytes.Buffer
		root.SetOut(fullDisk{})
		root.SetErr(&stderr)
		if status := run(t.Context(), root, args); status != exitFailed || !strings.Contains(stderr.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%q: status %d, %s", args, status, &stderr)
		}
	}
	tried := slices.Clone(notLost)
	for _, c := range lostArgs {
		tried = append(tried, c.command)
		lost(append(strings.Fields(c.command), strings.Fields(strings.ReplaceAll(c.args, "ID", id))...)...)
	}
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		for _, sub := range cmd.Commands() {
			walk(sub, append(slices.Clip(path), sub.Name()))
		}
		lost(append(slices.Clip(path), "--help")...)
		if len(path) == 0 || cmd.HasSubCommands() && cmd.Name() != "link" { // a group prints its help
			return
		}
		if name := strings.Join(path, " "); !slices.Contains(tried, name) {
			t.Errorf("%s: add to lostArgs a call that prints a result", name)
		}
	}
	root := newRoot()
	root.InitDefaultCompletionCmd()
	walk(root, nil)
}

// makeLost makes what the calls of lostArgs read.
func makeLost(t *testing.T) {
	t.Helper()
	for _, args := range []string{
		"keygen --no-password -o k",
		"trusted-root create --rekor url=https://rekor.acme.example,public-key=k.pub,origin=rekor.acme.example --out root.json",
		"sign --key k.key a.json",
		"sign --key k.key --set a.runset.jsonl a.json",
		"push oci-layout://image a.json.sigstore.json",
	} {
		if status, _, stderr := inProcess(t, strings.Fields(args)...); status != exitYes {
			t.Fatal(args, stderr)
		}
	}
	makeJournal(t)
}

// makeJournal makes a journal with one line, the run of a.json, whose declaration is detached.
func makeJournal(t *testing.T) {
	t.Helper()
	key, err := signer.Load(t.Context(), "k.key", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
		return attest.Sign(ctx, s, key, attest.SignOptions{})
	}
	j, err := journal.Open("journal", journal.Options{Sign: sign})
	if err != nil {
		t.Fatal(err)
	}
	d, err := identity.Parse([]byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	s, err := attest.New(d, attest.StatementOptions{Detached: &attest.DeclarationRef{}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := sign(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	body := journal.Body{SHA256: strings.Repeat("0", 64)}
	_, err = j.Append(t.Context(), journal.Entry{Identity: d.ID(), Bundle: b, Declaration: d, Body: body, Fate: journal.Admitted})
	if err := errors.Join(err, j.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}
