package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/terminal"
	"github.com/runattest/runattest/internal/visible"
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
	return &sourceFlags{
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
}

// source is what the flags say, without a body.
func (f *sourceFlags) source() (capture.Source, error) {
	src := capture.Source{Provider: *f.provider, Target: *f.path, Model: *f.model, Revision: *f.revision}
	err := errors.Join(cli.Exclusive(f.cmd, "from-cache-path", "model"), cli.Exclusive(f.cmd, "from-cache-path", "revision"))
	if err != nil {
		return src, err
	}
	if src.Header, err = capture.ParseHeader(*f.headers...); err != nil {
		return src, cli.WithHint(fmt.Errorf("--header: %w", err), "--header 'anthropic-version: 2023-06-01'")
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
	if src.Model, src.Revision, err = files.Snapshot(folder); err != nil {
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
	files.Captures
	flags *sourceFlags
}

// capturing captures sources by the format of that name.
func (f *sourceFlags) capturing(name string) (*capturing, error) {
	x := &capturing{Captures: files.Captures{Folder: *f.folder, Open: f.open}, flags: f}
	var err error
	if x.Format, err = lookupFormat(name); err != nil {
		return nil, err
	}
	if err := f.fits(x.Format); err != nil {
		return nil, err
	}
	x.Source, err = f.source()
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

// each captures every source in a file, or the folder of that name.
func (x *capturing) each(ctx context.Context, texts *input.Files, path string) iter.Seq2[files.Captured, error] {
	if !x.Format.ReadsFolder() {
		return x.In(ctx, texts.In(path))
	}
	return func(yield func(files.Captured, error) bool) {
		c, src := files.Captured{Name: path}, x.Source
		err := x.flags.cachePath(&src, path)
		if err == nil {
			c.Captured, err = x.InFolder(ctx, path, src)
		}
		yield(c, err)
	}
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
	return input.NewRequestFiles(paths, cmd.InOrStdin(), x.Format.ReadsFile())
}

// noteCaptured tells what a person should know of a declaration that was captured.
func noteCaptured(o *output, name string, c *capture.Captured) {
	for _, r := range c.Remarks() {
		o.Info("%s: %s: %s", r.Kind, name, r.Text)
	}
}

// completeFormats completes the name of a capture format.
func completeFormats(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, f := range capture.Formats() {
		names = append(names, cobra.CompletionWithDesc(f.Name(), f.Title()))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
