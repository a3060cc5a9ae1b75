package main

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
)

func newVersion() *cobra.Command {
	cmd := newCommand("version")
	cmd.Args = cli.NoArgs("")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o := newOutput(cmd)
		b := thisBuild()
		commit := ""
		if b.Commit != "" {
			commit = " (" + b.Commit + ")"
		}
		return o.Result(b, "runattest %s%s %s %s", b.Version, commit, b.Go, b.Platform)
	}
	return cmd
}

// build is what the program knows of how it was built.
type build struct {
	Commit   string `json:"commit"` // of a build in a checkout
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Sum      string `json:"sum"`     // of the module, as in go.sum; "" of a build in a checkout
	Version  string `json:"version"` // of the module, (devel) outside of a release
}

func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version, b.Sum = cmp.Or(info.Main.Version, b.Version), info.Main.Sum
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	return b
}
