package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/internal/cli"
)

func newSet() *cobra.Command {
	cmd := cli.Group(newCommand("set"))
	cmd.AddCommand(newSetProve(), newSetList(), newSetHead())
	return cmd
}

// setCommand is a command that reads one run set.
func setCommand(page string, run func(cmd *cobra.Command, o *output, set *runset.Set) error) *cobra.Command {
	cmd := newCommand(page)
	cmd.Args = cli.OneArg("run set")
	cmd.ValidArgsFunction = cli.CompleteFiles("jsonl")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		set, closeSet, err := files.OpenSet(args[0], cmd.InOrStdin())
		if err != nil {
			return err
		}
		defer closeSet() // only read: nothing to lose
		err = run(cmd, newOutput(cmd), set)
		if err == nil || is[statusError](err) {
			return err
		}
		return named(args[0], err)
	}
	return cmd
}

func newSetProve() *cobra.Command {
	var id, all string
	var index uint64
	cmd := setCommand("set_prove", func(cmd *cobra.Command, o *output, set *runset.Set) error {
		switch changed := cmd.Flags().Changed; {
		case changed("all"):
			return proveAll(cmd, o, set, all)
		case changed("identity"):
			run, err := parseID("--identity", id)
			if err != nil {
				return err
			}
			if index, err = set.Find(cmd.Context(), run); err != nil {
				return hintList(err)
			}
		}
		proof, err := set.Prove(cmd.Context(), index)
		if err != nil {
			return hintList(err)
		}
		return writeBundle(o, proof)
	})
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		changed := cmd.Flags().Changed
		if !changed("identity") && !changed("index") && !changed("all") {
			return cli.WithHint(errors.New("no run given"), "name it with --identity ID or --index I; --all DIR proves every run")
		}
		return cli.Exclusive(cmd, "identity", "index", "all")
	}
	cmd.Flags().StringVar(&id, "identity", "", "the `IDENTITY` of the run (airun:1:sha256:...): the first that has it")
	cmd.Flags().Uint64Var(&index, "index", 0, "the `INDEX` of the run, from 0, as set list shows it")
	cmd.Flags().StringVar(&all, "all", "", "prove every run, as INDEX.runproof.json in the folder `DIR`, which is made if it is not there")
	return cmd
}

func hintList(err error) error {
	if errors.Is(err, runset.ErrNoRun) {
		return cli.WithHint(err, "runattest set list shows which runs are in the set")
	}
	return err
}

// proveAll writes every proof under its index. A run that cannot be proved is noted, and the others are written.
func proveAll(cmd *cobra.Command, o *output, set *runset.Set, dir string) error {
	progress := o.progress("runs proved")
	defer progress.End()
	written, err := files.WriteProofs(cmd.Context(), set, dir, func(err error) {
		if err != nil {
			progress.End()
			o.note(cmd.Flags().Arg(0), err)
			return
		}
		progress.Step()
	})
	if is[*files.ProofsError](err) {
		return cli.WithHint(fmt.Errorf("--all %w", err), "name a new folder: the proofs of two sets would look like those of one")
	}
	if err != nil {
		return err
	}
	progress.End()
	o.Info("%d proofs in %s", written, dir)
	return o.done()
}

func newSetList() *cobra.Command {
	cmd := setCommand("set_list", func(cmd *cobra.Command, o *output, set *runset.Set) error {
		o.Info("note: unverified: runattest verify checks the signer and the runs")
		for run, err := range set.UnverifiedRuns() {
			if is[*runset.LineError](err) {
				o.note(cmd.Flags().Arg(0), err)
				continue
			}
			if err != nil {
				return err
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			object := map[string]any{"index": run.Index, "claimedIdentity": run.Identity, "unverified": true}
			if err := o.Result(object, "%d  %s", run.Index, run.Identity); err != nil {
				return err
			}
		}
		return o.done()
	})
	formatFlag(cmd)
	return cmd
}

func newSetHead() *cobra.Command {
	var bundle bool
	cmd := setCommand("set_head", func(cmd *cobra.Command, o *output, set *runset.Set) error {
		if bundle {
			return writeBundle(o, set.Bundle())
		}
		head, err := set.UnverifiedHead()
		if err != nil {
			return err
		}
		return o.WriteRaw(head.Bytes())
	})
	cmd.Flags().BoolVar(&bundle, "bundle", false, "write the set's bundle, which signs the head, and not the head")
	return cmd
}

func writeBundle(o *output, b *attest.Bundle) error {
	text, err := b.Marshal()
	if err != nil {
		return err
	}
	return o.WriteRaw(append(text, '\n'))
}
