package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/yamljson"
)

func newCapture() *cobra.Command {
	cmd := newCommand("capture")
	cmd.ValidArgsFunction = completeCapture
	provider := cmd.Flags().String("provider", "", "`NAME` of who runs the model, such as openai or azure:RESOURCE (default: the format's)")
	path := cmd.Flags().String("path", "", "the request's `TARGET`, path and query, such as '/v1/messages?beta=true'")
	headers := cmd.Flags().StringArray("header", nil, "a `LINE` of the request's header, 'name: value' (repeatable)")
	model := cmd.Flags().String("model", "", "the model's `NAME`, for hf-model, hf-trainer and mcp, which do not hold it")
	revision := cmd.Flags().String("revision", "", "the model's `VERSION`, such as a commit")
	folder := cmd.Flags().String("folder", "", "the `FOLDER` of the tasks that an evaluation includes, for lm-eval: its files are declared by their digests")
	fromCache := cmd.Flags().Bool("from-cache-path", false, "take the model's name and version from the path of a snapshot in Hugging Face's cache")
	parents := cmd.Flags().StringArray("parent", nil, "`ID` of a run that this one descends from (repeatable)")
	explain := cmd.Flags().Bool("explain", false, "print where each member of the request goes, instead of the declaration")
	list := cmd.Flags().Bool("list", false, "print the formats")
	format := cli.WordFlag(cmd, "format", "how the declaration is written: one line of JSON, or YAML", "json", "yaml")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case *list:
			return cli.NoArgs("--list goes alone")(cmd, args)
		case len(args) == 0:
			return cli.WithHint(errors.New("no format given"), "runattest capture --list prints the formats")
		case len(args) > 2:
			return cli.WithHint(fmt.Errorf("want one format and one file, and got %d arguments", len(args)), "usage: "+cmd.UseLine())
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		o.JSON = false
		if err := errors.Join(exclusive(cmd, "explain", "list"), exclusive(cmd, "from-cache-path", "model"), exclusive(cmd, "from-cache-path", "revision")); err != nil {
			return err
		}
		if *list {
			return listFormats(o)
		}
		f, err := capture.Lookup(args[0])
		if err != nil {
			return cli.WithHint(err, "runattest capture --list prints the formats")
		}
		src := capture.Source{Provider: *provider, Target: *path, Model: *model, Revision: *revision}
		if src.Header, err = headerLines(*headers); err != nil {
			return err
		}
		if src.Parents, err = parentIDs(*parents); err != nil {
			return err
		}
		file := append(args, input.Stdin)[1]
		if f.ReadsFolder() && file == input.Stdin {
			return cli.WithHint(fmt.Errorf("%s reads a folder, and none is given", f.Name()), "runattest capture --model org/name "+args[0]+" FOLDER")
		}
		if *fromCache {
			if src.Model, src.Revision, err = input.Snapshot(file); err != nil {
				return cli.WithHint(err, "name the model with --model, and its commit with --revision")
			}
		}
		do := func(name string, c *capture.Captured) error {
			return printCaptured(o, name, c, *explain, format.String() == "yaml")
		}
		if *folder != "" && !f.TakesFolder() {
			return cli.WithHint(fmt.Errorf("%s takes no folder beside its source", f.Name()), "leave out --folder")
		}
		if f.ReadsFolder() {
			captureFolder(cmd, o, file, file, f, src, do)
		} else {
			captureRequests(cmd, o, file, *folder, f, src, do)
		}
		return o.done()
	}
	return cmd
}

// captureRequests captures every request in a file and goes on after a bad one. src is what they have in common, and folder what
// stands beside a file, or "".
func captureRequests(cmd *cobra.Command, o *output, file, folder string, f capture.Format, src capture.Source, do func(string, *capture.Captured) error) {
	read := input.Requests
	if f.ReadsFile() {
		read = input.Whole
	}
	for request, err := range read(file, cmd.InOrStdin()) {
		src.Body = request.Data
		if err != nil {
			o.note(request.Name, err)
			continue
		}
		if folder != "" {
			captureFolder(cmd, o, request.Name, folder, f, src, do)
			continue
		}
		for c, err := range f.CaptureEach(src) {
			if err == nil {
				err = do(request.Name, c)
			}
			if err == nil {
				continue
			}
			if kind := kindOf(request.Data); isKeyFile(kind) {
				err = fmt.Errorf("is %s, want a request's body", kind)
			}
			o.note(request.Name, locate(request.Data, err))
		}
	}
}

// captureFolder captures a folder, and what stands beside it in src. name is the source's.
func captureFolder(cmd *cobra.Command, o *output, name, dir string, f capture.Format, src capture.Source, do func(string, *capture.Captured) error) {
	fsys, closeFolder, err := input.Folder(dir)
	if info, wrong := os.Stat(dir); wrong == nil && !info.IsDir() {
		err = fmt.Errorf("%s: is a file, want a model's folder", dir)
	}
	var c *capture.Captured
	if err == nil {
		defer closeFolder()
		c, err = f.CaptureFolder(cmd.Context(), fsys, src)
	}
	if err == nil {
		err = do(name, c)
	}
	if err != nil {
		o.note(name, locate(nil, err))
	}
}

func listFormats(o *output) error {
	for _, f := range capture.Formats() {
		if err := o.Line("%-26s %s", f.Name(), f.Title()); err != nil {
			return err
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
	for _, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, cli.WithHint(fmt.Errorf("--header: %q is not a line of a header", l), "--header 'anthropic-version: 2023-06-01'")
		}
		header[name] = append(header[name], strings.TrimSpace(value))
	}
	return header, nil
}

func printCaptured(o *output, name string, c *capture.Captured, explain, yaml bool) error {
	if explain {
		if c.CustomID != "" {
			if err := o.Line("%-32s %-12s %s", "custom_id", capture.LeftOut, c.CustomID); err != nil {
				return err
			}
		}
		for _, f := range c.Fates {
			if err := o.Line("%-32s %-12s %s", f.Pointer, f.Outcome, f.To+f.Detail); err != nil {
				return err
			}
		}
		return nil
	}
	if c.CustomID != "" {
		o.Info("note: %s: %s is the request with the custom_id %q", name, c.Declaration.ID(), c.CustomID)
	}
	for _, w := range c.Warnings {
		o.Info("warning: %s: %s", name, w)
	}
	for _, w := range c.Open {
		o.Info("note: %s: %s is open: the declaration does not say what it stands for, which may be %s", name, w.Pointer, w.Hides)
	}
	text := c.Declaration.Canonical()
	for _, p := range identity.Lint(text) {
		if p.Code == identity.CodeSecret {
			o.Info("warning: %s: the declaration's %s %s", name, p.Pointer, p.Message)
		}
	}
	if !yaml {
		return o.WriteRaw(append(text, '\n'))
	}
	root, err := jsontree.Parse(text)
	if err != nil {
		return err
	}
	return o.WriteRaw(yamljson.Append(nil, root))
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

func completeCapture(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []cobra.Completion
	for _, f := range capture.Formats() {
		names = append(names, cobra.CompletionWithDesc(f.Name(), f.Title()))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
