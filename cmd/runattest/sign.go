package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/overwrite"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/sigstore"
)

// signFlags are what the flags of sign say, besides who signs.
type signFlags struct {
	lines          bool
	set            string
	setAnnotations []string
	bundle         string
	format         *cli.Word
	detached       bool
	declarationURI string
	subjects       []string
	artifacts      *[]string
	annotations    []string
	subjectRefs    []string
	attach         string
	capture        string
	withSource     bool
	source         *sourceFlags
	reach          *registryFlags
}

func newSign() *cobra.Command {
	cmd := newCommand("sign")
	cmd.Args = cli.SomeArgs("declaration")
	cmd.ValidArgsFunction = completeDeclarations
	var s signFlags
	flags := cmd.Flags()
	who := newSignerFlags(cmd)
	flags.BoolVar(&s.lines, "jsonl", false, "with -: answer each line of standard input, a JSON declaration, before the next is read")
	flags.StringVar(&s.set, "set", "", "sign all declarations with one signature, as a run set: the `FILE` for it (*.runset.jsonl)")
	flags.StringArrayVar(&s.setAnnotations, "set-annotation", nil, "with --set: `NAME=VALUE` about the set, signed (repeatable)")
	flags.StringVar(&s.bundle, "bundle", "", "the `FILE` for the bundles (default: DECLARATION.sigstore.json)")
	s.format = cli.WordFlag(cmd, "bundle-format", "a Sigstore bundle, or a bare DSSE envelope", string(attest.SigstoreBundle), string(attest.DSSE))
	flags.BoolVar(&s.detached, "detached", false, "leave the declaration out of the bundle; a verifier must be given it")
	flags.StringVar(&s.declarationURI, "declaration-uri", "", "with --detached: the `URI` where the declaration can be found")
	flags.StringArrayVar(&s.subjects, "subject", nil, "an artifact that the run belongs to: `NAME@sha256:HEX` (repeatable)")
	s.artifacts = artifactFlag(cmd, "a `FILE` that the run belongs to, added as a subject by its SHA-256 (repeatable)")
	s.declareReferences(cmd)
	flags.StringArrayVar(&s.annotations, "annotation", nil, "`NAME=VALUE`, signed but no part of the identity (repeatable)")
	flags.StringVar(&s.capture, "capture", "", "the arguments are requests or folders of this `FORMAT`, such as openai-chat/1: sign what they declare")
	_ = cmd.RegisterFlagCompletionFunc("capture", completeFormats)
	flags.BoolVar(&s.withSource, "with-source", false, "with --capture: name the request's exact bytes as the subject source, by their SHA-256")
	s.source = newSourceFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		if err := s.checkLines(args); err != nil {
			return err
		}
		if err := s.checkSet(cmd); err != nil {
			return err
		}
		batch, err := s.prepare(cmd, o, who)
		if err != nil {
			return err
		}
		if s.lines {
			return batch.signLines(cmd)
		}
		if s.set != "" {
			return batch.signSet(cmd, args)
		}
		return batch.sign(cmd, args)
	}
	return cmd
}

// batch signs declarations and gathers their bundles by the file that they go to.
type batch struct {
	*output
	signFlags
	who     *signerFlags
	session *sigstore.Session
	options attest.StatementOptions
	made    []input.Blob // for --attach

	capturing *capturing // nil for declarations
}

// job is what goes into one file.
type job struct {
	target     string
	statements []prepared
}

// prepared is one declaration's Statement, before it is signed.
type prepared struct {
	name      string
	lines     bool   // from JSON Lines
	customID  string // of a request in a batch, or ""
	id        identity.ID
	statement *attest.Statement
}

// signed is one declaration's bundle.
type signed struct {
	prepared
	bundle []byte
}

func (s signFlags) prepare(cmd *cobra.Command, o *output, who *signerFlags) (*batch, error) {
	if s.declarationURI != "" && !s.detached {
		return nil, errors.New("--declaration-uri goes with --detached")
	}
	b := &batch{output: o, signFlags: s, who: who}
	if err := b.prepareCapture(); err != nil {
		return nil, err
	}
	artifacts, err := hashArtifacts(o, *s.artifacts)
	if err != nil {
		return nil, err
	}
	warnOfKeys(o, *s.artifacts)
	var once subjects.List
	for _, text := range s.subjects {
		subject, err := attest.ParseSubject(text)
		if err != nil {
			return nil, fmt.Errorf("--subject: %w", err)
		}
		if err := once.Add(text, subject); err != nil {
			return nil, err
		}
	}
	for i, artifact := range artifacts {
		if err := once.Add((*s.artifacts)[i], artifact); err != nil {
			return nil, err
		}
	}
	b.options.Subjects = once.All()
	if err := b.resolveSubjects(); err != nil {
		return nil, err
	}
	if b.options.Annotations, err = parseAnnotations(s.annotations); err != nil {
		return nil, err
	}
	warnOfSecrets(o, b.options.Annotations)
	b.session, err = who.session(cmd, attest.Format(s.format.String()))
	return b, err
}

func parseAnnotations(pairs []string) (map[string]string, error) {
	return parseFlagAnnotations("--annotation", pairs)
}

func parseFlagAnnotations(flag string, pairs []string) (map[string]string, error) {
	annotations, err := cli.ParseNamed(pairs)
	if err != nil {
		return nil, fmt.Errorf("%s %w", flag, err)
	}
	return annotations, nil
}

// sign reads and checks everything first: a certificate and a log entry are published for ever,
// and are asked for only where a bundle will come of them.
func (b *batch) sign(cmd *cobra.Command, paths []string) error {
	jobs := b.plan(cmd, paths)
	if len(jobs) == 0 {
		return b.done()
	}
	if err := b.session.Open(cmd.Context()); err != nil {
		return err
	}
	progress := b.progress("signed")
	defer progress.End()
	for _, j := range jobs {
		if made := b.signJob(cmd.Context(), j, progress); made != nil {
			progress.End()
			b.write(j.target, made)
		}
	}
	return b.attachMade(cmd)
}

// plan reads the declarations and says which file their bundles go to. What is wrong is noted, and
// keeps out everything that would have gone to the same file.
func (b *batch) plan(cmd *cobra.Command, paths []string) []job {
	b.bundle = cli.OutputName(b.bundle)
	groups := [][]string{paths}
	if b.bundle == "" {
		groups = nil
		for _, path := range paths {
			groups = append(groups, []string{path})
		}
	}
	files := b.files(cmd, paths)
	var planned []job
	for _, group := range groups {
		if j, err := b.planOne(cmd.Context(), files, group); err != nil {
			b.note(group[0], err)
		} else if len(j.statements) > 0 {
			planned = append(planned, j)
		}
	}
	b.passedOver(files, b.note)
	inputs := slices.Concat(files.Read(), *b.artifacts)
	var jobs []job
	for _, j := range planned {
		err := j.check(b.who, inputs)
		if err == nil {
			err = b.outsideFolders(j.target, paths)
		}
		if i := slices.IndexFunc(jobs, j.overwrites); err == nil && i >= 0 {
			err = fmt.Errorf("the bundle would overwrite that of %s, to which %s leads too", jobs[i].statements[0].name, jobs[i].target)
		}
		if err != nil {
			b.note(j.target, err)
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// planOne reads the declarations whose bundles go to one file. Without statements there is nothing to do for it.
func (b *batch) planOne(ctx context.Context, files *input.Files, paths []string) (job, error) {
	j := job{target: b.bundle}
	if j.target == "" {
		var err error
		if j.target, err = targetFor(paths[0]); err != nil {
			return j, err
		}
	}
	j.statements = b.readAll(ctx, files, paths)
	if b.bundle == "" && j.target != input.Stdin && len(j.statements) > 0 && j.statements[0].lines {
		j.target += "l"
	}
	return j, nil
}

// targetFor is where the bundle of one declaration goes; that of JSON Lines is a .jsonl.
func targetFor(path string) (string, error) {
	if isStdin(path) {
		return input.Stdin, nil
	}
	return overwrite.Beside(path, signatureSuffix)
}

func isStdin(path string) bool { return path == input.Stdin || path == "/dev/stdin" }

// check refuses a file that must not be written.
func (j job) check(who *signerFlags, inputs []string) error {
	if j.target == input.Stdin {
		return nil
	}
	if err := who.notOver(j.target, inputs...); err != nil {
		return err
	}
	if n := len(j.statements); n > 1 && strings.HasSuffix(j.target, ".json") {
		return cli.WithHint(fmt.Errorf("%d bundles are JSON Lines, and a .json file is one document", n), "name the file .sigstore.jsonl")
	}
	return nil
}

// overwrites says that two names lead to one file, as links do.
func (j job) overwrites(other job) bool {
	if overwrite.IsSameName(j.target, other.target) {
		return false // the declaration stands twice
	}
	return overwrite.IsSameFile(j.target, other.target)
}

// readAll makes the Statement of every declaration in the files, or gives nothing if one of them is
// bad: all of them are looked at, so that one run tells all that is wrong.
func (b *batch) readAll(ctx context.Context, files *input.Files, paths []string) []prepared {
	var all []prepared
	bad := false
	for _, path := range paths {
		for one, err := range b.readFile(ctx, files, path) {
			if err != nil {
				b.note(one.name, err)
				bad = true
				continue
			}
			all = append(all, one)
		}
	}
	if bad {
		return nil
	}
	return all
}

// readFile makes the Statement of every declaration in a file, or of what its requests declare. What it gives with an error has a
// name alone.
func (b *batch) readFile(ctx context.Context, files *input.Files, path string) iter.Seq2[prepared, error] {
	return func(yield func(prepared, error) bool) {
		if b.capturing != nil {
			for c, err := range b.capturing.each(ctx, files, path) {
				if !yield(b.readCaptured(c, err)) {
					return
				}
			}
			return
		}
		for t, err := range files.In(path) {
			if !yield(b.readOne(t, err)) {
				return
			}
		}
	}
}

// readOne makes the Statement of a declaration, unless it could not be read.
func (b *batch) readOne(t input.Text, err error) (prepared, error) {
	var d *identity.Declaration
	if err == nil {
		d, err = files.ParseDeclaration(t)
	}
	if err != nil {
		return prepared{name: t.Name}, err
	}
	return b.state(t.Name, t.Lines, d, b.options)
}

func (b *batch) state(name string, lines bool, d *identity.Declaration, options attest.StatementOptions) (prepared, error) {
	if b.detached {
		options.Detached = &attest.DeclarationRef{URI: b.declarationURI}
	}
	if secrets.HoldsPrivateKey(d.Canonical()) && !b.detached {
		b.Info("warning: %s: the declaration holds a private key, which is in the bundle: lint says where; --detached leaves the declaration out", name)
	}
	statement, err := attest.New(d, options)
	return prepared{name: name, lines: lines, id: d.ID(), statement: statement}, err
}

// signJob signs everything that goes into one file, or gives nothing.
func (b *batch) signJob(ctx context.Context, j job, progress *terminal.Progress) []signed {
	var made []signed
	for _, p := range j.statements {
		text, err := b.signOne(ctx, p)
		if err != nil {
			progress.End()
			b.note(p.name, err)
			return nil
		}
		made = append(made, signed{p, text})
		progress.Step()
	}
	return made
}

// write puts bundles into one file, whole, and prints their identities.
func (b *batch) write(target string, made []signed) {
	if target == cli.Stdout {
		if err := b.writeOut(made); err != nil {
			b.note("standard output", err)
			return
		}
		b.keep(target, made)
		return
	}
	if err := atomicfile.Write(target, joined(made), 0o644); err != nil {
		b.note(target, err)
		return
	}
	b.keep(target, made)
	for _, s := range made {
		if err := b.Result(writtenObject{target, s.customID, s.name, s.id}, "%s", s.line(made)); err != nil {
			b.note("standard output", err)
		}
	}
}

// line is the identity, with the file's name where it is one of several, and what a batch calls the request.
func (s signed) line(all []signed) string {
	switch {
	case s.customID != "":
		return fmt.Sprintf("%s  %s  %q", s.id, s.name, s.customID)
	case len(all) == 1:
		return s.id.String()
	}
	return s.id.String() + "  " + s.name
}

// writeOut writes bundles to standard output: with their identities in JSON, or else as they are, and the identities
// to standard error.
func (b *batch) writeOut(made []signed) error {
	if b.JSON {
		for _, s := range made {
			if err := b.Object(signedObject{Identity: &s.id, File: s.name, CustomID: s.customID, Bundle: s.bundle}); err != nil {
				return err
			}
		}
		return nil
	}
	if err := b.WriteRaw(joined(made)); err != nil {
		return err
	}
	for _, s := range made {
		b.Info("%s", s.line(made))
	}
	return nil
}

// writtenObject says which file a bundle is in.
type writtenObject struct {
	Bundle   string      `json:"bundle"`
	CustomID string      `json:"customId,omitempty"`
	File     string      `json:"file"`
	Identity identity.ID `json:"identity"`
}

// signedObject is a bundle on standard output, with what it is about, or why there is none.
type signedObject struct {
	Line     int             `json:"line,omitempty"` // of --jsonl
	Identity *identity.ID    `json:"identity,omitempty"`
	File     string          `json:"file,omitempty"`
	CustomID string          `json:"customId,omitempty"` // of a request in a batch
	Bundle   json.RawMessage `json:"bundle,omitempty"`
	Error    string          `json:"error,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Status   int             `json:"status,omitempty"` // of --jsonl: the exit status that the error means
}

// joined are bundles as JSON Lines.
func joined(made []signed) []byte {
	var all bytes.Buffer
	for _, s := range made {
		all.Write(s.bundle)
		all.WriteByte('\n')
	}
	return all.Bytes()
}
