package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/gate/filedigest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
)

func newExec() *cobra.Command {
	cmd := newCommand("exec")
	cmd.DisableFlagsInUseLine = true
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cli.WithHint(errors.New("no command to execute"), "put it behind --")
		}
		return nil
	}
	var e execution
	f := cmd.Flags()
	f.SetInterspersed(false) // what follows the command is the command's
	f.StringVar(&e.bundle, "bundle", "", "the `FILE` with the run's bundle")
	e.declaration = declarationFlag(cmd)
	e.policies = newPolicyFlags(cmd)
	f.Lookup("at").Usage = "with --dry-run: " + f.Lookup("at").Usage
	f.StringArrayVar(&e.binds, "bind", nil, "`NAME=PATH`: where something lies that the declaration names by digest (repeatable)")
	f.StringSliceVar(&e.envAllow, "env-allow", nil, "pass on only these variables, `NAMES` with commas between (repeatable; default: all)")
	f.StringVar(&e.log, "decision-log", "", "append the decision to this `FILE` as one JSON line")
	f.BoolVar(&e.dryRun, "dry-run", false, "decide, and start nothing")
	formatFlag(cmd)
	_ = cmd.MarkFlagFilename("bundle", "json", "jsonl")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		r, err := e.request(cmd, o, args[0])
		if err == nil {
			err = r.CheckLog()
		}
		if err != nil {
			return err
		}
		return e.run(cmd, o, r, args)
	}
	return cmd
}

// execution is one call of the gate.
type execution struct {
	bundle      string
	declaration func() (*identity.Declaration, error) // that is expected
	policies    *policyFlags
	binds       []string
	envAllow    []string
	log         string
	dryRun      bool
}

// request is what the flags say of it, before anything is read.
func (e *execution) request(cmd *cobra.Command, o *output, program string) (r gate.Request, err error) {
	switch {
	case e.bundle == "":
		return r, errors.New("--bundle is required")
	case e.log == cli.Stdout:
		return r, errors.New("--decision-log -: want a file, which keeps decisions")
	case e.policies.path == "":
		return r, cli.WithHint(errors.New("--policy is missing: every execution needs a policy that allows it"), "runattest policy check looks at one")
	case e.policies.at != "" && !e.dryRun:
		return r, errors.New("--at goes with --dry-run: what is executed is decided at the time it is")
	}
	r = gate.Request{Name: e.bundle, Clock: clock, ReadsLineage: e.policies.lineage, Phrase: o.phrased}
	for _, text := range e.binds {
		b, err := gate.ParseBind(text)
		if err != nil {
			return r, fmt.Errorf("--bind %w", err)
		}
		r.Bindings = append(r.Bindings, b)
	}
	if e.log != "" {
		r.Log = decisionLog{gate.LogFile(e.log)}
	}
	r.Reads = slices.Concat([]string{e.bundle, cmd.Flag("declaration").Value.String(), cmd.Flag("registry-ca").Value.String(), e.policies.path,
		e.policies.path + signatureSuffix, e.policies.signers.root}, e.policies.approvals, e.policies.signers.keys)
	if path, err := e.program(program); err == nil {
		r.Reads = append(r.Reads, path)
	}
	return r, nil
}

// usageError is wrong usage that shows only when the policy or the run is read.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// run asks the gate, reports the answer, and executes. If anything fails, nothing is executed and the status is 1, or 2 for
// wrong usage.
func (e *execution) run(cmd *cobra.Command, o *output, r gate.Request, args []string) error {
	start := gate.Start{Args: args, Environ: os.Environ(), EnvAllow: e.envAllow, DryRun: e.dryRun}
	var err error
	var admission *gate.Admission
	if start.Program, err = e.program(args[0]); err == nil {
		err = gate.CheckLoader()
	}
	if err == nil {
		r, admission, err = e.admitOrEnd(cmd, o, r)
	}
	if err != nil {
		admission = r.Refuse(err)
	}
	if admission.Allowed() {
		e.sayUnchecked(o, admission)
	}
	err = admission.Exec(cmd.Context(), start)
	record := admission.Record(start, err)
	if err != nil {
		return e.refuse(o, record, err)
	}
	if o.JSON {
		return o.Object(record)
	}
	return o.Line("%s  allowed: nothing was executed", admission.Verified().ID())
}

// decisionLog says in errors which flag named the file.
type decisionLog struct{ gate.LogFile }

func (l decisionLog) Check(reads ...string) error {
	if err := l.LogFile.Check(reads...); err != nil {
		return &usageError{fmt.Errorf("--decision-log: %w", err)}
	}
	return nil
}

func (l decisionLog) Append(r gate.Record) error {
	if err := l.LogFile.Append(r); err != nil {
		return fmt.Errorf("--decision-log: %w", err)
	}
	return nil
}

// sayUnchecked says which statements did not count, what the policy warns of, and what was not held against its digest.
func (e *execution) sayUnchecked(o *output, a *gate.Admission) {
	const shown = 10
	unheeded := a.Decision().Unheeded()
	for _, approval := range unheeded[:min(len(unheeded), shown)] {
		o.Info("note: %s", approval)
	}
	if more := len(unheeded) - shown; more > 0 {
		o.Info("note: %d more approvals do not count; runattest policy explain lists them", more)
	}
	for _, w := range a.Warnings() {
		o.Info("warning: %s", w)
	}
	if left := a.Unchecked(); len(left) > 0 {
		o.Info("note: declared by digest, and not checked on this machine: %s; --bind NAME=PATH says where it is", strings.Join(left, ", "))
	}
}

// program is where the command is, whichever folder is the current one.
func (e *execution) program(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// admitOrEnd is admit, unless the command is interrupted while that waits for something that cannot be: a pipe without a writer. A refusal
// is recorded and has its status then, too.
func (e *execution) admitOrEnd(cmd *cobra.Command, o *output, r gate.Request) (gate.Request, *gate.Admission, error) {
	type answer struct {
		request   gate.Request
		admission *gate.Admission
		err       error
	}
	given := make(chan answer, 1)
	go func() {
		asked, admission, err := e.admit(cmd, o, r)
		given <- answer{asked, admission, err}
	}()
	ctx := cmd.Context()
	var waited <-chan time.Time
	for interrupted := ctx.Done(); ; {
		select {
		case a := <-given:
			return a.request, a.admission, a.err
		case <-interrupted:
			interrupted, waited = nil, time.After(grace/3) // it may have a better answer
		case <-waited:
			return r, nil, ctx.Err()
		}
	}
}

// admit reads the inputs that the flags name, and asks the gate, with a request that has them. With an error, nothing is executed.
func (e *execution) admit(cmd *cobra.Command, o *output, r gate.Request) (gate.Request, *gate.Admission, error) {
	applied, err := e.policies.load(cmd, true)
	if err != nil {
		return r, nil, err
	}
	hashed := o.progress("bytes hashed")
	defer hashed.End()
	applied.before = hashed.End
	r = r.With(applied.Judge)
	r.Hasher = &filedigest.Hasher{Progress: hashed}
	if r.Bundle, err = oneBundle(cmd, e.bundle); err != nil {
		return r, nil, err
	}
	if r.Declaration, err = e.declaration(); err != nil {
		return r, nil, err
	}
	admission, err := gate.Admit(cmd.Context(), r)
	return r, admission, err
}

func (e *execution) refuse(o *output, d gate.Record, err error) error {
	if o.JSON {
		if printed := o.Object(d); printed != nil {
			o.note("standard output", printed)
		}
	}
	if d.Decision != nil {
		for _, approval := range d.Decision.Approvals {
			o.Info("%s", approval)
		}
	}
	for _, reason := range d.Reasons {
		o.note("not executed", errors.New(reason))
	}
	if hint := o.hintOf(err); hint != "" {
		o.Info("hint: %s", hint)
	}
	if errors.As(err, new(*usageError)) {
		return statusError(exitMalformed)
	}
	return statusError(exitNo)
}
