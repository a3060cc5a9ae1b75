package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/registry"
)

func newList() *cobra.Command {
	cmd := newCommand("list")
	cmd.Args = cli.OneArg("reference")
	types := predicateTypesFlag(cmd)
	reach := newRegistryFlags(cmd)
	formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := newOutput(cmd)
		moving := o.transfer(cmd.Context(), "attestations fetched")
		defer moving.End()
		target, artifact, err := reach.resolve(o, args[0], moving)
		if err != nil {
			return err
		}
		listing, err := target.List(cmd.Context(), artifact, longTypes(*types)...)
		if err != nil {
			return err
		}
		var rows []listed
		for found, err := range listing.Bundles(cmd.Context()) {
			row, err := newListed(artifact, found, err)
			if registry.IsOfOne(err) {
				moving.Say(func() { o.note("", err) })
				continue
			}
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		moving.End()
		slices.SortStableFunc(rows, func(a, b listed) int { return strings.Compare(a.when(), b.when()) })
		if err := o.printList(rows); err != nil {
			return err
		}
		o.sayLeftOut(listing)
		if len(rows) == 0 {
			o.sayPlatforms(cmd.Context(), target, artifact)
		}
		return o.done()
	}
	return cmd
}

// listed is the JSON result of one referrer.
type listed struct {
	Artifact      string     `json:"artifact"`
	Referrer      string     `json:"referrer"`
	Unverified    bool       `json:"unverified"`
	PredicateType string     `json:"predicateType,omitempty"`
	Signer        string     `json:"claimedSigner,omitempty"`
	Size          int        `json:"size,omitempty"`
	Created       *time.Time `json:"created,omitempty"`
	Malformed     string     `json:"malformed,omitempty"`
}

// when sorts rows by time, and by digest where registries list in no order.
func (l *listed) when() string {
	if l.Created == nil {
		return l.Referrer
	}
	return l.Created.UTC().Format(time.RFC3339) + l.Referrer
}

// newListed makes a row of what is malformed, too; other errors are for the caller.
func newListed(artifact *registry.Artifact, found *registry.Found, err error) (listed, error) {
	row := listed{Artifact: artifact.Reference.String(), Unverified: true}
	var malformed *registry.MalformedError
	if errors.As(err, &malformed) {
		row.Referrer, row.Malformed = malformed.Referrer, cut(malformed.Err.Error())
		return row, nil
	}
	if err != nil {
		return row, err
	}
	row.Referrer, row.PredicateType, row.Size = found.Referrer, strings.Clone(found.PredicateType), len(found.Data)
	row.Signer = cut(claimedSigner(found.Bundle.UnverifiedKeyHint(), found.Bundle.UnverifiedCertificate()))
	if created := found.Created; !created.IsZero() { // a copy: the row must not keep the bundle
		row.Created = &created
	}
	return row, nil
}

// cut keeps of what a bundle says as much as fits into a row; rows are sorted, and so all in memory.
func cut(text string) string {
	if len(text) <= limits.ListedText {
		return strings.Clone(text)
	}
	return strings.ToValidUTF8(text[:limits.ListedText], "") + "..."
}

func (o *output) printList(rows []listed) error {
	if o.JSON {
		for _, row := range rows {
			if err := o.Object(row); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 0 {
		if o.status == exitYes {
			o.Info("no attestations")
		}
		return nil
	}
	w := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PREDICATE TYPE\tCLAIMED SIGNER (UNVERIFIED)\tSIZE\tCREATED\tREFERRER")
	for _, r := range rows {
		created := "-"
		if r.Created != nil {
			created = r.Created.UTC().Format(time.RFC3339)
		}
		if r.Malformed != "" {
			fmt.Fprintf(w, "(malformed)\t%s\t-\t-\t%s\n", clean(r.Malformed), clean(r.Referrer))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", clean(shortType(r.PredicateType)), clean(r.Signer), r.Size, created, r.Referrer)
	}
	return w.Flush()
}

// sayLeftOut says what a listing did not show.
func (o *output) sayLeftOut(l *registry.Listing) {
	if n := l.Foreign(); n > 0 {
		o.Info("%d referrers of other artifact types were skipped", n)
	}
	if n := l.Filtered(); n > 0 {
		o.Info("%d attestations of other predicate types were skipped", n)
	}
	if n := l.Repeated(); n > 0 {
		o.Info("%d referrers that hold a bundle again were skipped", n)
	}
}
