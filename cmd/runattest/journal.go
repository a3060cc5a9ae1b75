package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/gate/verdicts"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/gateway/journal/report"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
)

func newJournal() *cobra.Command {
	cmd := cli.Group(newCommand("journal"))
	cmd.AddCommand(newJournalVerify(), newJournalShow(), newJournalErase())
	return cmd
}

// journalCommand is a command that reads one journal.
func journalCommand(page string) *cobra.Command {
	cmd := newCommand(page)
	cmd.Args = cli.OneArg("journal")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	formatFlag(cmd)
	return cmd
}

func newJournalVerify() *cobra.Command {
	cmd := journalCommand("journal_verify")
	trust := newTrustFlags(cmd)
	receipts := cmd.Flags().StringArray("receipt", nil, "a `RECEIPT`, SEGMENT/LINE/HEX as a response has it in Airun-Journal, of a line that must be there (repeatable)")
	closed := cmd.Flags().Bool("closed", false, "every segment must be closed and signed, as after the gateway has stopped")
	witness := cmd.Flags().String("witness", "", "the `FOLDER` of the gateway's witness: the journal must have what it has, and what is behind that is counted")
	first := cmd.Flags().Int("first", 1, "the `NUMBER` of the first segment that must be there: those before it are kept elsewhere")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *first < 1 {
			return fmt.Errorf("--first %d: want 1 or more", *first)
		}
		o := journal.VerifyOptions{Closed: *closed, First: *first}
		if cmd.Flags().Changed("witness") {
			o.Witness = journal.WitnessFolder(*witness)
		}
		for _, text := range *receipts {
			r, err := journal.ParseReceipt(text)
			if err != nil {
				return fmt.Errorf("--receipt %q: %w", text, err)
			}
			o.Receipts = append(o.Receipts, r)
		}
		verifier, err := trust.load(cmd)
		if err != nil {
			return err
		}
		out := newOutput(cmd)
		v := &journalVerifier{output: out, by: &verdicts.Verifier{Trust: verifier}, progress: out.progress("lines verified")}
		v.verify(cmd.Context(), args[0], o)
		return out.done()
	}
	return cmd
}

func newJournalShow() *cobra.Command {
	cmd := journalCommand("journal_show")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := checkJournal(args[0]); err != nil {
			return err
		}
		o := newOutput(cmd)
		o.Info("note: unverified: runattest journal verify checks signatures and runs")
		var c report.Dispatches
		for l, err := range journal.UnverifiedLines(args[0]) {
			if err == nil {
				err = cmd.Context().Err()
			}
			if err != nil {
				o.note(args[0], err)
				continue
			}
			c = c.Plus(l)
			if err := o.Result(report.NewUnverified(l), "%s", report.UnverifiedText(l)); err != nil {
				return err
			}
		}
		if o.JSON {
			if err := o.Object(c); err != nil {
				return err
			}
		}
		o.Info("%s", c)
		return o.done()
	}
	return cmd
}

func newJournalErase() *cobra.Command {
	cmd := journalCommand("journal_erase")
	id := cmd.Flags().String("identity", "", "the `IDENTITY` of the run whose declaration is erased (airun:1:sha256:...)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("identity") {
			return cli.WithHint(errors.New("no run given"), "name it with --identity ID; runattest journal show lists the runs")
		}
		run, err := parseID("--identity", *id)
		if err != nil {
			return err
		}
		if err := checkJournal(args[0]); err != nil {
			return err
		}
		o := newOutput(cmd)
		erased, err := journal.Erase(cmd.Context(), args[0], run)
		if err != nil && erased.Declarations == 0 {
			return named(args[0], err)
		}
		if err != nil {
			o.note(args[0], err)
		}
		if aside := erased.SetAside; len(aside) > 0 {
			o.Info("note: %s and %d more files that recovery has set aside may have it, too", aside[0], len(aside)-1)
		}
		if erased.Embedded > 0 {
			o.Info("the bundles of %d lines have the declaration in them, which cannot be erased", erased.Embedded)
			o.status = exitNo
		}
		object := map[string]any{"journal": args[0], "identity": run, "erased": erased.Declarations, "embedded": erased.Embedded}
		if err := o.Result(object, "%d declarations erased", erased.Declarations); err != nil {
			return err
		}
		if erased.Declarations+erased.Embedded == 0 {
			return cli.WithHint(fmt.Errorf("%s has no declaration of %s, or it was erased before", args[0], run), "runattest journal show lists the runs")
		}
		return o.done()
	}
	return cmd
}

// checkJournal calls what is not a journal what it is.
func checkJournal(dir string) error {
	if journal.Is(dir) {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil && dir == input.Stdin:
		err = named(dir, errors.New("is not a folder, as a journal is"))
	case err != nil:
		err = named(dir, err)
	case !info.IsDir():
		err = fmt.Errorf("%s: is not a folder, as a journal is", dir)
	case exists(filepath.Join(dir, "journal.json")):
		err = fmt.Errorf("%s: is not a journal: its journal.json is not a file", dir)
	default:
		err = fmt.Errorf("%s: is not a journal: there is no journal.json in it", dir)
	}
	return cli.WithHint(err, "name the folder to which a gateway writes its journal")
}
