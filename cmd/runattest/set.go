package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/cli"
)

func newSet() *cobra.Command {
	cmd := cli.Group(newCommand("set"))
	cmd.AddCommand(newSetProve(), newSetList(), newSetHead())
	return cmd
}

var completeSets = cli.CompleteFiles("jsonl")

// setCommand is a command that reads one run set.
func setCommand(page string, run func(cmd *cobra.Command, o *output, set *runset.Set) error) *cobra.Command {
	cmd := newCommand(page)
	cmd.Args = cli.OneArg("run set")
	cmd.ValidArgsFunction = completeSets
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		set, closeSet, err := files.OpenSet(args[0], cmd.InOrStdin())
		if err != nil {
			return err
		}
		defer closeSet() // only read: nothing to lose
		if err := run(cmd, newOutput(cmd), set); err != nil {
			return named(args[0], err)
		}
		return nil
	}
	return cmd
}

func newSetProve() *cobra.Command {
	var id, all string
	var index uint64
	cmd := setCommand("set_prove", func(cmd *cobra.Command, o *output, set *runset.Set) error {
		changed := cmd.Flags().Changed
		switch {
		case changed("all"):
			return proveAll(cmd, o, set, all)
		case changed("identity"):
			run, err := identity.ParseID(id)
			if err != nil {
				return fmt.Errorf("--identity %q: %w", id, err)
			}
			if index, err = set.Find(cmd.Context(), run); err != nil {
				return hintList(err)
			}
		case !changed("index"):
			return cli.WithHint(errors.New("no run given"), "name it with --identity ID or --index I; --all DIR proves every run")
		}
		proof, err := set.Prove(cmd.Context(), index)
		if err != nil {
			return hintList(err)
		}
		text, err := proof.Marshal()
		if err != nil {
			return err
		}
		return o.WriteRaw(append(text, '\n'))
	})
	cmd.Flags().StringVar(&id, "identity", "", "the `IDENTITY` of the run (airun:1:sha256:...): the first that has it")
	cmd.Flags().Uint64Var(&index, "index", 0, "the `INDEX` of the run, from 0, as set list shows it")
	cmd.Flags().StringVar(&all, "all", "", "prove every run, as INDEX.runproof.json in the folder `DIR`, which is made if it is not there")
	cmd.MarkFlagsMutuallyExclusive("identity", "index", "all")
	return cmd
}

func hintList(err error) error {
	if errors.Is(err, runset.ErrNoRun) {
		return cli.WithHint(err, "runattest set list shows which runs are in the set")
	}
	return err
}

func proveAll(cmd *cobra.Command, o *output, set *runset.Set, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	progress := o.progress("runs proved")
	defer progress.End()
	n := 0
	for proof, err := range set.Proofs(cmd.Context()) {
		var text []byte
		if err == nil {
			text, err = proof.Marshal()
		}
		if err == nil {
			err = atomicfile.Write(filepath.Join(dir, fmt.Sprintf("%d.runproof.json", n)), append(text, '\n'), 0o644)
		}
		if err != nil {
			return err
		}
		n++
		progress.Step()
	}
	progress.End()
	o.Info("%d proofs in %s", n, dir)
	return nil
}

func newSetList() *cobra.Command {
	cmd := setCommand("set_list", func(cmd *cobra.Command, o *output, set *runset.Set) error {
		o.Info("note: unverified: runattest verify checks the signer and the runs")
		for run, err := range set.UnverifiedRuns() {
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
		return nil
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
