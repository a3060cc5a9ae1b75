package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/gate/filedigest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
)

func newExec() *cobra.Command {
	cmd := &cobra.Command{
		Use: "exec --bundle BUNDLE --policy POLICY [flags] -- COMMAND [ARGUMENT...]",

		DisableFlagsInUseLine: true,
		Short:                 "Execute a command if the run is verified, allowed, and its files are those declared",
		Long: `Verify the bundle, apply the policy at this machine's time, hold local files against the
digests declared, and only then replace this process with COMMAND. No proof, no run. Where files take
longer than a second the policy is asked again after them, with the approvals that are then in registries, so
that the answer is about the start; approvals in files are read once.

Held against its digest is each resource and model whose URI is a file: URI, and each that --bind
names: --bind NAME=PATH says where on this machine something lies; NAME is its name, or its place in
the declaration as a JSON Pointer (/context/0, /model, /prompt). The digest of a folder is that of its sorted
listing of "SHA-256  path" lines: pkg.go.dev/github.com/runattest/runattest/gate/filedigest. A file that is changed
after it was checked is out of the guarantee: bind what only you can write.

COMMAND finds AIRUN_IDENTITY, AIRUN_DECLARATION (a file with the canonical declaration) and
AIRUN_BUNDLE (a file with the bundle) in its environment, and airun.identity among
OTEL_RESOURCE_ATTRIBUTES. --env-allow passes on only the variables that it names. The two files lie in a
private folder, which outlives this process: AIRUN_DECLARATION's, for COMMAND to remove. Whoever sets the
environment can have COMMAND load code (LD_PRELOAD, PYTHONPATH, BASH_ENV): --env-allow passes on what it names alone.

On Linux a build that is dynamically linked executes nothing: its environment could have it load other code
before it decides. make build, or CGO_ENABLED=0 go install, makes one that is not.

A detached attestation is executed with its --declaration.

No socket is opened, unless --approvals or --lineage begins with oci://: approvals that lie where the
runs are, and the bundles of ancestors for rules that ask for them. What cannot be read is no yes.

--decision-log appends what was decided, and why, as one JSON line that is on the disk before COMMAND
starts. It is refused where the file is an input, or holds something other than decisions. --dry-run decides and starts nothing.

Exit status: COMMAND's own; 1 if it was not started, whatever the reason; 2 wrong usage. Nothing is
monitored afterwards.`,
		Example: `  runattest exec --bundle run.json.sigstore.json --policy policy.yaml -- python train.py
  runattest exec --bundle run.sigstore.json --policy policy.yaml --approvals approvals.jsonl \
      --bind corpus=/data/corpus --bind weights=/models/m.safetensors --decision-log /var/log/airun.jsonl -- ./train.sh
  runattest exec --bundle evaluation.sigstore.json --policy policy.yaml --lineage oci://registry.acme.example/runs \
      --approvals oci://registry.acme.example/runs -- python evaluate.py
  runattest exec --dry-run --bundle run.sigstore.json --policy policy.yaml -- true`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return withHint(errors.New("no command to execute"), "put it behind --")
			}
			return nil
		},
	}
	var e execution
	f := cmd.Flags()
	f.SetInterspersed(false) // what follows the command is the command's
	f.StringVar(&e.bundle, "bundle", "", "the run's bundle")
	e.declaration = declarationFlag(cmd)
	e.policies = newPolicyFlags(cmd)
	f.Lookup("at").Usage = "with --dry-run: " + f.Lookup("at").Usage
	f.StringArrayVar(&e.binds, "bind", nil, "NAME=PATH: where something lies that the declaration names by digest (repeatable)")
	f.StringSliceVar(&e.envAllow, "env-allow", nil, "pass on only these variables, with commas between (repeatable; default: all)")
	f.StringVar(&e.log, "decision-log", "", "append the decision to this file as one JSON line")
	f.BoolVar(&e.dryRun, "dry-run", false, "decide, and start nothing")
	formatFlag(cmd)
	_ = cmd.MarkFlagFilename("bundle", "json", "jsonl")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := e.checkFlags(cmd, args); err != nil {
			return err
		}
		return e.run(cmd, args)
	}
	return cmd
}

// execution is one call of the gate.
type execution struct {
	bundle      string
	declaration func() (*identity.Declaration, error) // that is expected
	policies    *policyFlags
	binds       []string
	bound       []gate.Bind // what these say
	envAllow    []string
	log         string
	inputs      []string // of the call; those of the policy and of the run come with them
	dryRun      bool
}

func (e *execution) checkFlags(cmd *cobra.Command, args []string) error {
	if err := refuseEmpty(cmd, "bundle", "policy", "decision-log"); err != nil {
		return err
	}
	switch {
	case e.bundle == "":
		return errors.New("--bundle is missing: whose run is it?")
	case e.policies.path == "":
		return withHint(errors.New("--policy is missing: nothing is executed that no policy allows"), "runattest policy check looks at one")
	case e.policies.at != "" && !e.dryRun:
		return errors.New("--at goes with --dry-run: what is executed is decided at the time it is")
	}
	for _, text := range e.binds {
		b, err := gate.ParseBind(text)
		if err != nil {
			return fmt.Errorf("--bind %w", err)
		}
		e.bound = append(e.bound, b)
	}
	e.inputs = slices.Concat([]string{e.bundle, cmd.Flag("declaration").Value.String(), cmd.Flag("registry-ca").Value.String(), e.policies.path, e.policies.path + signatureSuffix},
		e.policies.approvals, e.policies.lineage, e.policies.signers.keys, []string{e.policies.signers.root})
	for _, b := range e.bound {
		e.inputs = append(e.inputs, b.Path)
	}
	if program, err := e.program(args[0]); err == nil {
		e.inputs = append(e.inputs, program)
	}
	return e.checkLog()
}

// checkLog refuses a decision log that is an input, or in one; nothing is appended to it then.
func (e *execution) checkLog() error {
	if e.log == "" {
		return nil
	}
	var inputs []string
	for _, input := range e.inputs {
		if ref, err := registry.ParseReference(input); registry.IsReference(input) && err == nil && ref.IsLayout() {
			input = ref.Path()
		} else if info, err := os.Stat(input); slices.Contains(e.policies.lineage, input) && err == nil && info.IsDir() {
			continue // of which the bundles alone are read
		}
		inputs = append(inputs, input)
	}
	if err := gate.CheckLog(e.log, inputs...); err != nil {
		e.log = ""
		return &usageError{fmt.Errorf("--decision-log: %w", err)}
	}
	return nil
}

// usageError is wrong usage that shows only when the policy or the run is read.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// gateDecision is what was decided, as --decision-log and --format json have it.
type gateDecision struct {
	Time      time.Time        `json:"time"` // of this machine
	Allowed   bool             `json:"allowed"`
	DryRun    bool             `json:"dryRun,omitempty"`
	Program   string           `json:"program"` // without its arguments, which may hold secrets
	Bundle    string           `json:"bundle"`
	Reasons   []string         `json:"reasons"` // why not; none if allowed
	Files     []gate.Checked   `json:"files"`
	Report    *attest.Report   `json:"report,omitempty"`
	Decision  *policy.Decision `json:"decision,omitempty"`
	verified  *attest.Verified
	bundleRaw []byte
}

// run decides, says so, and executes. Whatever goes wrong, nothing is executed and the status is 1, or 2 for wrong usage.
func (e *execution) run(cmd *cobra.Command, args []string) error {
	o := newOutput(cmd)
	d := &gateDecision{Time: time.Now().UTC(), Program: args[0], Bundle: e.bundle, DryRun: e.dryRun, Reasons: []string{}, Files: []gate.Checked{}}
	program, err := e.program(args[0])
	if err == nil {
		err = checkLoader()
	}
	if err == nil {
		err = e.decide(cmd, o, d)
	}
	var files gate.Files
	if err == nil && !e.dryRun {
		files, err = gate.WriteFiles("", d.verified.Declaration(), d.bundleRaw)
	}
	if err = e.settle(d, err); err == nil && e.dryRun {
		if o.json {
			return o.object(d)
		}
		return o.line("%s  allowed: nothing was executed", d.verified.ID())
	}
	if err == nil {
		if err = cmd.Context().Err(); err == nil { // whoever interrupts the gate means the command, too
			err = gate.Exec(program, args, gate.Environ(os.Environ(), e.envAllow, d.verified.ID(), files))
		}
		err = e.settle(d, err)
	}
	if left := files.Remove(); left != nil {
		o.note("", left)
	}
	return e.refuse(o, d, err)
}

// checkLoader is a variable for tests, whose program is often dynamically linked.
var checkLoader = gate.CheckLoader

// program is where the command is, whichever folder is the current one.
func (e *execution) program(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// settle notes in the decision, and in the log, what it has come to. What cannot be logged is a no.
func (e *execution) settle(d *gateDecision, err error) error {
	if d.Allowed = err == nil; !d.Allowed {
		d.Reasons = d.reasons(err)
	}
	if e.log == "" {
		return err
	}
	line, failed := visible.JSON(d)
	if failed == nil {
		failed = gate.AppendLine(e.log, line)
	}
	if failed == nil {
		return err
	}
	failed = fmt.Errorf("--decision-log: %w", failed)
	d.Allowed, d.Reasons = false, append(d.Reasons, failed.Error())
	return errors.Join(err, failed)
}

// stale is how long a decision is one about the start: what a policy says can end while large files are hashed.
var stale = time.Second

// decide is nil only if the run may be executed.
func (e *execution) decide(cmd *cobra.Command, o *output, d *gateDecision) error {
	applied, err := e.policies.load(cmd)
	if err != nil {
		return err
	}
	for _, f := range applied.Files() {
		e.inputs = append(e.inputs, filepath.Join(filepath.Dir(e.policies.path), filepath.FromSlash(f.Path)))
	}
	if err := e.checkLog(); err != nil {
		return err
	}
	bundle, err := oneBundle(e.bundle, cmd.InOrStdin())
	if err != nil {
		return err
	}
	if d.bundleRaw, err = bundle.Marshal(); err != nil {
		return err
	}
	var want attest.Expect
	if want.Declaration, err = e.declaration(); err != nil {
		return err
	}
	if err = d.ask(cmd.Context(), applied, bundle, want); err != nil {
		return err
	}
	progress := o.progress("bytes hashed")
	checked, err := gate.CheckFiles(cmd.Context(), &filedigest.Hasher{Progress: progress}, d.verified.Declaration(), e.bound)
	progress.end()
	d.Files = append(d.Files, checked...)
	for _, f := range checked {
		e.inputs = append(e.inputs, f.Path)
	}
	if err == nil {
		err = e.checkLog()
	}
	if now := clock(); err == nil && e.policies.at == "" && now.Sub(applied.now) > stale {
		if err = applied.again(e.policies.approvals, now); err == nil {
			err = d.ask(cmd.Context(), applied, bundle, want)
		}
	}
	if err != nil {
		return err
	}
	for _, w := range d.Decision.Warnings {
		o.info("warning: %s", w)
	}
	if left := gate.Unchecked(d.verified.Declaration(), checked); len(left) > 0 {
		o.info("note: declared by digest, and not checked on this machine: %s; --bind NAME=PATH says where it is", strings.Join(left, ", "))
	}
	return nil
}

// ask verifies the bundle, and has the policy decide.
func (d *gateDecision) ask(ctx context.Context, applied *appliedPolicy, bundle *attest.Bundle, want attest.Expect) error {
	d.verified, d.Report, d.Decision = nil, nil, nil
	result, err := applied.verify(ctx, bundle, want)
	if denied := (*policy.DeniedError)(nil); errors.As(err, &denied) {
		d.Decision = denied.Decision
	}
	if no := (*attest.VerificationError)(nil); errors.As(err, &no) {
		d.Report = &no.Report
	}
	if err == nil {
		d.verified, d.Report, d.Decision = result.Verified, &result.Report, result.Decision
	}
	return err
}

// reasons are one line each: the policy's denials, where it was asked and said no.
func (d *gateDecision) reasons(err error) []string {
	if d.Decision != nil && !d.Decision.Allowed {
		var all []string
		for _, denial := range d.Decision.Denials {
			all = append(all, "policy: denied by "+denial.String())
		}
		return all
	}
	var no *attest.VerificationError
	if !errors.As(err, &no) {
		return strings.Split(reason(err), "\n")
	}
	var all []string
	for _, c := range no.Report.Failed() {
		if len(c.Details) == 0 {
			all = append(all, string(c.Name)+": "+c.Reason)
		}
		for _, detail := range c.Details {
			all = append(all, string(c.Name)+": "+detail)
		}
	}
	return all
}

func (e *execution) refuse(o *output, d *gateDecision, err error) error {
	if o.json {
		if printed := o.object(d); printed != nil {
			o.note("standard output", printed)
		}
	}
	if d.Decision != nil {
		for _, approval := range d.Decision.Approvals {
			o.info("%s", approval)
		}
	}
	for _, reason := range d.Reasons {
		o.note("not executed", errors.New(reason))
	}
	if hint := hintOf(err); hint != "" {
		o.info("hint: %s", hint)
	}
	if errors.As(err, new(*usageError)) {
		return statusError(exitMalformed)
	}
	return statusError(exitNo)
}
