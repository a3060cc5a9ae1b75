package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/atomicfile"
)

func newTrustedRoot() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "trusted-root",
		Short: "Make, fetch and show the file that says who vouches for signers and times",
		Long: `A trusted root names the certificate authorities, timestamp authorities and logs that a verifier
believes, each with the time in which it is believed: Sigstore's TrustedRoot, one JSON file. With it
verify --trusted-root needs no network.

create makes one for services of your own; fetch gets that of Sigstore's public services, or of a TUF
repository of your own; show lists what a file says, before you carry it somewhere and rely on it.`,
		Example: `  runattest trusted-root fetch --out trusted_root.json
  runattest trusted-root show trusted_root.json`,
	})
	cmd.AddCommand(newTrustedRootCreate(), newTrustedRootFetch(), newTrustedRootShow())
	return cmd
}

// outFlag is where a file goes: standard output unless it says otherwise.
func outFlag(cmd *cobra.Command) *string {
	out := cmd.Flags().String("out", stdout, "the `FILE` to write, whole or not at all; - is standard output")
	_ = cmd.MarkFlagFilename("out", "json")
	return out
}

// writeOut puts data where --out says. A file that was there is replaced.
func writeOut(o *output, out string, data []byte) error {
	if outputName(out) == stdout {
		return o.writeRaw(data)
	}
	return atomicfile.Write(out, data, 0o644)
}

// outIsNoInput keeps a result from being written over what it is made from.
func outIsNoInput(out string, inputs ...string) error {
	info, err := os.Stat(out)
	if out == stdout || err != nil {
		return nil // nothing there to lose; writing says the rest
	}
	for _, input := range inputs {
		if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
			return fmt.Errorf("%s would be overwritten, and is an input", input)
		}
	}
	return nil
}
