package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/recapture"
	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/gate/filedigest"
	"github.com/runattest/runattest/gateway"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/shell"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/signer"
)

// The rules for messages. Standard output is for results: text for people, or with
// --format json one JSON object a line. Standard error is for everything else, each line
// "runattest: " and a sentence in lower case without a full stop, naming the thing first;
// what to do about it follows on a line "hint: ". What comes out of a file is printed with
// its control and invisible characters escaped, in JSON as JSON does, and cut where it is long. Colours and progress go to terminals only,
// and not where NO_COLOR is set, or TERM is dumb or not set.

// output prints what a command has to say.
type output struct {
	cli.Printer
	status   int  // the worst so far
	byPolicy bool // a policy names the trusted signers, and no flag of the command
	hasKey   bool // the command has a flag --key
}

func newOutput(cmd *cobra.Command) *output {
	o := &output{Printer: cli.Printer{Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()}}
	if f := cmd.Flags().Lookup("format"); f != nil {
		o.JSON = f.Value.String() == "json" && strings.HasPrefix(f.Value.Type(), "text") // capture's results are JSON anyway
	}
	o.hasKey = cmd.Flags().Lookup("key") != nil
	if f := cmd.Flags().Lookup("policy"); f != nil {
		o.byPolicy = f.Changed || !o.hasKey
	}
	return o
}

// fail prints err, unless it was printed already, and gives the exit status that it means.
func (o *output) fail(err error) int {
	status := exitStatus(err)
	if lost, ok := errors.AsType[*cli.LostOutput](err); ok && lost.Tell() {
		return status
	}
	if text := reason(err); text != "" {
		hint := secrets.Shown(o.hintOf(err))
		fmt.Fprintf(o.Err, "runattest: %s\n", visible.Escape(visible.Cut(text)))
		if hint != "" {
			fmt.Fprintf(o.Err, "hint: %s\n", visible.Escape(hint))
		}
		if out, ok := o.Out.(*cli.CheckedOutput); ok {
			out.Fail(cli.Failure{Error: visible.Cut(text), Hint: hint})
		}
	}
	return status
}

// reason is the error's text without secrets that it quotes. An interrupt is called that.
func reason(err error) string {
	text := secrets.Shown(err.Error())
	if errors.Is(err, context.Canceled) {
		return strings.ReplaceAll(text, context.Canceled.Error(), "interrupted")
	}
	return text
}

// note prints err about one of several inputs and lets the command go on.
func (o *output) note(name string, err error) {
	o.status = max(o.status, o.fail(named(name, err)))
}

// noteNo notes err and, if results are JSON, prints a negative result there too: a reader of standard output alone
// would see only the other, positive results. no makes that object of the error's text.
func (o *output) noteNo(name string, err error, no func(why string) any) {
	o.note(name, err)
	if !o.JSON {
		return
	}
	if err := o.Object(no(visible.Cut(reason(err)))); err != nil {
		o.note("standard output", err)
	}
}

// named says in an error what it is about, unless it begins with that, or with the repository that it is in.
func named(name string, err error) error {
	name = input.Name(name)
	if failed, ok := err.(*fs.PathError); ok && failed.Path == name { // says what was tried before it says on what
		err = failed.Err
	}
	if name == "" || strings.HasPrefix(err.Error(), name) {
		return err
	}
	if ref, bad := registry.ParseReference(name); bad == nil && strings.HasPrefix(err.Error(), ref.Repository()) {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// done is the command's result: the worst of what was noted.
func (o *output) done() error {
	if o.status != exitYes {
		return statusError(o.status)
	}
	return nil
}

// mendable is an error about a file that a command may make text of: one that is packed, or in another encoding.
type mendable interface {
	error
	Mending() string
}

// hintOf is what to do about an error, in the words of the command; "" where that is not known.
func (o *output) hintOf(err error) string {
	if other, ok := errors.AsType[mendable](err); ok && other.Mending() != "" {
		return other.Mending()
	}
	if hint, ok := cli.Hint(err); ok {
		return hint
	}
	if captured, ok := errors.AsType[*capture.Error](err); ok && captured.Hint != "" {
		return captured.Hint
	}
	if undetected, ok := errors.AsType[*files.UndetectedError](err); ok {
		return undetectedHint(undetected)
	}
	if errors.Is(err, boundedfile.ErrFolder) {
		return "name the files in it"
	}
	if large, ok := errors.AsType[*boundedfile.TooLargeError](err); ok && large.Limit == limits.Declaration {
		return "put large content into the declaration by digest"
	}
	if errors.Is(err, answer.ErrNotRun) || errors.Is(err, answer.ErrNotStatement) {
		return "--statement writes the payload as it is"
	}
	if invalid, ok := errors.AsType[*identity.InvalidError](err); ok {
		return allShown(invalid.Hint(), len(invalid.Problems), "lint FILE shows all %d problems")
	}
	if invalid, ok := errors.AsType[*policy.InvalidError](err); ok {
		if invalid.Noun != "policy" { // no command shows all that is wrong with cases
			return string(o.phrased(evidence.Hint(invalid.Hint())))
		}
		return allShown(invalid.Hint(), len(invalid.Problems), "policy check FILE shows all %d problems")
	}
	if no, ok := errors.AsType[*attest.VerificationError](err); ok {
		for _, c := range no.Report.Failed() {
			if c.Hint != "" {
				return string(o.phrased(c.Hint))
			}
		}
	}
	if format, ok := errors.AsType[*signer.FormatError](err); ok {
		return format.Convert("FILE")
	}
	if hint := signingHint(err); hint != "" {
		return hint
	}
	if is[*cli.SecretError](err) {
		return "name the key's file, or put the key into a variable and name that: env://NAME"
	}
	special, ok := errors.AsType[*filedigest.SpecialFileError](err)
	switch {
	case errors.Is(err, gate.ErrLoader):
		return "CGO_ENABLED=0 go install github.com/runattest/runattest/cmd/runattest@latest makes a static one"
	case ok && special.Mode&fs.ModeSymlink != 0 && special.Dead() != "":
		return "a link leads to nothing, or to a folder that it lies in; remove it: rm " + shell.Path(special.Dead())
	case ok && special.Mode&fs.ModeSymlink != 0:
		return fmt.Sprintf("bind a copy that has files in place of links: cp -RL %s COPY", shell.Path(special.Folder))
	case is[*atomicfile.MissingFolderError](err):
		missing, _ := errors.AsType[*atomicfile.MissingFolderError](err)
		return "mkdir -p " + shell.Path(missing.Folder)
	case is[*overwrite.ExistsError](err):
		return "choose another name with -o; keys are never overwritten"
	case is[*overwrite.OtherKindError](err):
		return "choose another name, or remove this file first if it may be lost"
	case is[*journal.ModeError](err):
		open, _ := errors.AsType[*journal.ModeError](err)
		return "chmod 700 " + shell.Path(open.Dir)
	case is[*signing.SeveralError](err):
		return "name the file .sigstore.jsonl"
	case is[*subjects.SameError](err):
		return "leave one of the two out"
	case is[*overwrite.NoPlaceError](err):
		return "name the bundle's file with --bundle FILE"
	case errors.Is(err, atomicfile.ErrMounted) && !is[*registry.Error](err):
		return "mount the folder that it is in, or have it written to standard output (-) and redirect that into it"
	case is[*input.ForeignError](err):
		foreign, _ := errors.AsType[*input.ForeignError](err)
		return o.foreignHint(foreign)
	case is[*files.NotBundleError](err):
		other, _ := errors.AsType[*files.NotBundleError](err)
		return notBundleHint(other)
	case is[*gateway.NotConfigError](err):
		return "a gateway configuration has schema: " + gateway.Schema + ", and upstreams"
	case is[*recapture.NoFormatError](err):
		return "name the format with --capture FORMAT/N; runattest capture --list prints the formats"
	case errors.Is(err, files.ErrNotSet):
		return "runattest sign --set FILE writes one, whose first line is its header"
	case errors.Is(err, input.ErrRunSet):
		return "runattest set prove --identity ID FILE writes the proof of one run; verify, inspect and graph take the set"
	case errors.Is(err, input.ErrSet):
		return "runattest set list shows its runs; set prove writes the proof of one, whose declaration inspect --declaration writes"
	case errors.Is(err, input.ErrBundle):
		return "give the declaration that it signs; inspect --declaration writes it"
	case is[*gate.MissingRunError](err):
		return "runattest push stores it, so that its approvals have a place"
	case is[*gate.NotRunsError](err):
		return "runattest push makes one"
	}
	return registryHint(err)
}

// foreignHint is what to do with a text that was given for a declaration.
func (o *output) foreignHint(e *input.ForeignError) string {
	switch {
	case e.IsKey && !o.hasKey:
		return "name the declaration here, and not a key"
	case e.IsKey:
		return "a key is named by --key; name the declaration here"
	case e.IsPrompt:
		return "if it is the prompt, write its SHA-256 into the declaration's prompt: digest: {sha256: HEX}; sha256sum FILE prints it"
	}
	return ""
}

// allShown adds to a hint which command shows all problems, and their number, where an error shows the first.
func allShown(hint string, problems int, command string) string {
	if problems < 2 {
		return hint
	}
	if hint != "" {
		hint += "; "
	}
	return hint + "runattest " + fmt.Sprintf(command, problems)
}

// paintAnswer colours on a terminal a word that is a good answer, or is not.
func (o *output) paintAnswer(good bool, word string) string {
	if good {
		return terminal.Paint(o.Out, terminal.Green, word)
	}
	return terminal.Paint(o.Out, terminal.Red, word)
}

// progress shows a count on a terminal, once something takes longer than a second.
func (o *output) progress(verb string) *terminal.Progress { return terminal.NewProgress(o.Err, verb) }

// transfer shows a count, also while a registry keeps us waiting.
func (o *output) transfer(ctx context.Context, verb string) *terminal.Transfer {
	return terminal.NewTransfer(ctx, o.Err, verb)
}
