package main

import (
	"github.com/spf13/cobra"
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
