package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/input"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/sigstore"
)

func newTrustedRootShow() *cobra.Command {
	cmd := newCommand("trusted-root_show")
	cmd.Args = cli.OneArg("trusted root")
	cmd.ValidArgsFunction = cli.CompleteFiles("json")
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		root, err := readTrustedRoot(cmd, args[0])
		if err != nil {
			return err
		}
		return showTrusted(newOutput(cmd), root.Trusted(), time.Now())
	}
	return cmd
}

func readTrustedRoot(cmd *cobra.Command, path string) (*sigstore.TrustedRoot, error) {
	if path != input.Stdin {
		return loadTrustedRoot(path)
	}
	data, err := boundedfile.ReadFrom(cmd.InOrStdin(), "standard input", limits.TrustedRoot)
	if err != nil {
		return nil, err
	}
	return parseTrustedRoot("standard input", data)
}

// trustedFor is what a verifier believes of each kind.
var trustedFor = map[string]string{
	authority.CertificateAuthority:       "who signed",
	authority.CertificateTransparencyLog: "certificates are logged",
	authority.TimestampAuthority:         "when it was signed",
	authority.TransparencyLog:            "signatures are logged",
}

// trustedObject is one authority or log as JSON.
type trustedObject struct {
	Kind      string     `json:"kind"`
	URL       string     `json:"url"`
	Name      string     `json:"name,omitempty"`
	ID        string     `json:"id"`
	Algorithm string     `json:"algorithm,omitempty"`
	From      *time.Time `json:"from,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	Status    string     `json:"status"`
}

func showTrusted(o *output, all []authority.Authority, now time.Time) error {
	if len(all) == 0 {
		o.Info("note: the trusted root lists no authority and no log")
	}
	const row = "%-24s %-22s %-22s %-8s %s"
	if !o.JSON && len(all) > 0 {
		if err := o.Line(row, "TRUSTED FOR", "FROM", "UNTIL", "TODAY", "WHO"); err != nil {
			return err
		}
	}
	for _, t := range all {
		if o.JSON {
			object := trustedObject{t.Kind, t.URL, t.Name, t.ID, t.Algorithm, orNil(t.From), orNil(t.Until), t.Status(now)}
			if err := o.Object(object); err != nil {
				return err
			}
			continue
		}
		if err := o.Line(row, trustedFor[t.Kind], day(t.From, "any time"), day(t.Until, "no end"), t.Status(now), t.Label()); err != nil {
			return err
		}
		details := "log " + t.ID + ", " + t.Algorithm
		if t.Name != "" {
			details = t.Name + ", root certificate sha256:" + t.ID
		}
		if err := o.Line("%24s %s", "", details); err != nil {
			return err
		}
	}
	return nil
}

func day(t time.Time, unbounded string) string {
	if t.IsZero() {
		return unbounded
	}
	return t.UTC().Format(time.RFC3339)
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
