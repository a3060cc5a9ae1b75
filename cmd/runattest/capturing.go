package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/internal/yamljson"
)

// sourceFlags say what a source is beside its bytes.
type sourceFlags struct {
	cmd                             *cobra.Command
	provider, path, model, revision *string
	folder                          *string // beside a file
	headers, parents                *[]string
	fromCache                       *bool
}

func newSourceFlags(cmd *cobra.Command) *sourceFlags {
	f := cmd.Flags()
	s := &sourceFlags{
		cmd:       cmd,
		provider:  f.String("provider", "", "`NAME` of who runs the model, such as openai or azure:RESOURCE (default: the format's)"),
		path:      f.String("path", "", "the request's `TARGET`, path and query, such as '/v1/messages?beta=true'"),
		model:     f.String("model", "", "the model's `NAME`, for hf-model, hf-trainer and mcp, which do not hold it"),
		revision:  f.String("revision", "", "the model's `VERSION`, such as a commit"),
		headers:   f.StringArray("header", nil, "a `LINE` of the request's header, 'name: value' (repeatable)"),
		fromCache: f.Bool("from-cache-path", false, "take the model's name and version from the path of a snapshot in Hugging Face's cache"),
		folder:    f.String("folder", "", "the `FOLDER` of the tasks that an evaluation includes, for lm-eval: its files are declared by their digests"),
		parents:   f.StringArray("parent", nil, "`ID` of a run that this one descends from (repeatable)"),
	}
	return s
}

// source is what the flags say, without a body.
func (f *sourceFlags) source() (capture.Source, error) {
	src := capture.Source{Provider: *f.provider, Target: *f.path, Model: *f.model, Revision: *f.revision}
	err := errors.Join(cli.Exclusive(f.cmd, "from-cache-path", "model"), cli.Exclusive(f.cmd, "from-cache-path", "revision"))
	if err != nil {
		return src, err
	}
	if src.Header, err = headerLines(*f.headers); err != nil {
		return src, err
	}
	src.Parents, err = parentIDs(*f.parents)
	return src, err
}

// cachePath takes the model's name and revision from the path of a folder, if the flag for it is given.
func (f *sourceFlags) cachePath(src *capture.Source, folder string) error {
	if !*f.fromCache {
		return nil
	}
	var err error
	if src.Model, src.Revision, err = input.Snapshot(folder); err != nil {
		return cli.WithHint(err, "name the model with --model, and its commit with --revision")
	}
	return nil
}

// without is an error if one of the flags is given, since they go with another.
func (f *sourceFlags) without(other string) error {
	for _, name := range []string{"provider", "path", "header", "parent", "model", "revision", "folder", "from-cache-path"} {
		if f.cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s goes with --%s", name, other)
		}
	}
	return nil
}

func parentIDs(given []string) ([]identity.ID, error) {
	var ids []identity.ID
	for _, p := range given {
		id, err := identity.ParseID(p)
		if err != nil {
			return nil, fmt.Errorf("--parent: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// headerLines are lines "name: value" by their names.
func headerLines(lines []string) (map[string][]string, error) {
	header := map[string][]string{}
	for i, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, cli.WithHint(fmt.Errorf("--header: line %d has no name and colon, want a line of a header", i+1), "--header 'anthropic-version: 2023-06-01'")
		}
		header[name] = append(header[name], strings.TrimSpace(value))
	}
	return header, nil
}

// lookupFormat is the capture format of that name.
func lookupFormat(name string) (capture.Format, error) {
	f, err := capture.Lookup(name)
	if err != nil {
		return f, cli.WithHint(err, "runattest capture --list prints the formats")
	}
	return f, nil
}

// A capturing captures sources by one format.
type capturing struct {
	format capture.Format
	source capture.Source // what they have in common
	flags  *sourceFlags
}

// capturing captures sources by the format of that name.
func (f *sourceFlags) capturing(name string) (*capturing, error) {
	x := &capturing{flags: f}
	var err error
	if x.format, err = lookupFormat(name); err != nil {
		return nil, err
	}
	if err := f.fits(x.format); err != nil {
		return nil, err
	}
	x.source, err = f.source()
	return x, err
}

// fits is an error if a flag is given that says nothing to the format.
func (f *sourceFlags) fits(format capture.Format) error {
	switch {
	case *f.fromCache && !format.ReadsFolder():
		return cli.WithHint(fmt.Errorf("--from-cache-path: %s reads no folder", format.Name()), "leave out --from-cache-path")
	case *f.folder != "" && !format.TakesFolder():
		return cli.WithHint(fmt.Errorf("--folder: %s takes no folder beside its source", format.Name()), "leave out --folder")
	}
	return nil
}

// captured is one capture, the text that it is of, and whether there may be several in the file.
type captured struct {
	text    input.Text
	several bool
	*capture.Captured
}

// each captures every source in a file, or the folder of that name. It goes on after a bad one.
func (x *capturing) each(ctx context.Context, files *input.Files, path string) iter.Seq2[captured, error] {
	return func(yield func(captured, error) bool) {
		if x.format.ReadsFolder() {
			src := x.source
			err := x.flags.cachePath(&src, path)
			var c *capture.Captured
			if err == nil {
				c, err = x.folder(ctx, path, src)
			}
			yield(captured{text: input.Text{Name: path}, Captured: c}, err)
			return
		}
		for t, err := range files.In(path) {
			if err != nil {
				if !yield(captured{text: t}, err) {
					return
				}
				continue
			}
			for c, err := range x.text(ctx, t) {
				if !yield(c, err) {
					return
				}
			}
		}
	}
}

// text captures every request in a text.
func (x *capturing) text(ctx context.Context, t input.Text) iter.Seq2[captured, error] {
	src := x.source
	src.Body = t.Data
	return func(yield func(captured, error) bool) {
		if *x.flags.folder != "" {
			c, err := x.folder(ctx, *x.flags.folder, src)
			yield(captured{t, t.Lines, c}, err)
			return
		}
		for c, err := range x.format.CaptureEach(src) {
			if kind := files.Kind(t.Data); err != nil && files.IsKey(kind) {
				err = fmt.Errorf("is %s, want a request's body", kind)
			}
			if !yield(captured{t, t.Lines || c != nil && c.CustomID != "", c}, locate(t.Data, err)) {
				return
			}
		}
	}
}

// folder captures a folder, and what stands beside it in src.
func (x *capturing) folder(ctx context.Context, dir string, src capture.Source) (*capture.Captured, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s: is a file, want a model's folder", dir)
	}
	fsys, closeFolder, err := x.flags.open(dir)
	if err != nil {
		return nil, err
	}
	defer closeFolder()
	c, err := x.format.CaptureFolder(ctx, fsys, src)
	return c, locate(nil, err)
}

// open opens a folder, and counts on a terminal what is read of its files.
func (f *sourceFlags) open(dir string) (fsys fs.FS, closeFolder func(), err error) {
	folder, closeIt, err := input.Folder(dir)
	if err != nil {
		return nil, nil, err
	}
	progress := terminal.NewProgress(f.cmd.ErrOrStderr(), "bytes read of "+visible.Cut(dir))
	return input.Counted(folder, progress), func() { progress.End(); closeIt() }, nil
}

// newRequests reads the requests in files.
func (x *capturing) newRequests(cmd *cobra.Command, paths []string) *input.Files {
	return input.NewRequestFiles(paths, cmd.InOrStdin(), x.format.ReadsFile())
}

// noteCaptured tells what a person should know of a declaration that was captured.
func noteCaptured(o *output, name string, c *capture.Captured) {
	for _, w := range c.Warnings {
		o.Info("warning: %s: %s", name, w)
	}
	if len(c.Unread) > 0 {
		o.Info("note: %s: not in the declaration, since %s does not read it: header %s", name, c.Format.Name(), strings.Join(c.Unread, ", "))
	}
	for _, w := range c.Open {
		o.Info("note: %s: %s is open: the declaration does not say what it stands for, which may be %s", name, w.Pointer, w.Hides)
	}
	for _, p := range identity.Lint(c.Declaration.Canonical()) {
		if p.Code == identity.CodeSecret {
			o.Info("warning: %s: the declaration's %s %s", name, p.Pointer, p.Message)
		}
	}
}

// locate says on which line of a request an error is, where it knows.
func locate(data []byte, err error) error {
	var e *capture.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Offset >= 0 {
		line, column := yamljson.LineColumn(data, e.Offset)
		err = fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	if e.Hint != "" {
		return cli.WithHint(err, e.Hint)
	}
	return err
}

// completeFormats completes the name of a capture format.
func completeFormats(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, f := range capture.Formats() {
		names = append(names, cobra.CompletionWithDesc(f.Name(), f.Title()))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
