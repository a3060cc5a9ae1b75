// Package build tells how this program was built.
package build

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// Info is what the program knows of how it was built.
type Info struct {
	Commit   string `json:"commit"` // of a build in a checkout
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Sum      string `json:"sum"`     // of the module, as in go.sum; "" of a build in a checkout
	Version  string `json:"version"` // of the module, (devel) outside of a release
}

// Read reads it from the program.
func Read() Info {
	b := Info{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
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
