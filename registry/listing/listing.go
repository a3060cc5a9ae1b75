// Package listing has the rows of a list of what is attached to an artifact, as JSON and as a table, and what is said of bundles
// that are attached, fetched, or verified together. Nothing in a list is verified.
package listing

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry"
)

// A Row is one referrer: an attestation, or what claims to be one and is malformed.
type Row struct {
	Artifact      string     `json:"artifact"`
	Referrer      string     `json:"referrer"`
	Unverified    bool       `json:"unverified"`
	MediaType     string     `json:"mediaType,omitempty"`
	PredicateType string     `json:"predicateType,omitempty"`
	Signer        string     `json:"claimedSigner,omitempty"`
	Size          int        `json:"size,omitempty"` // in bytes
	Created       *time.Time `json:"created,omitempty"`
	Malformed     string     `json:"malformed,omitempty"`
}

// NewRow makes a row of one step of registry.Listing.Bundles, also of what is malformed; other errors are returned. signer
// is who the bundle claims has signed it. The row does not keep the bundle.
func NewRow(artifact *registry.Artifact, found *registry.Found, err error, signer func(*registry.Found) string) (Row, error) {
	row := Row{Artifact: zero.IfNil(artifact).Reference.String(), Unverified: true}
	if malformed, ok := errors.AsType[*registry.MalformedError](err); ok {
		row.Referrer, row.Malformed = malformed.Referrer, cut(malformed.Err.Error())
		return row, nil
	}
	if err != nil {
		return row, err
	}
	if found == nil || signer == nil {
		return row, errors.New("no attestation to list, or no way to read its signer: it is nil")
	}
	row.MediaType = found.MediaType
	row.Referrer, row.PredicateType, row.Size = found.Referrer, strings.Clone(found.PredicateType), len(found.Data)
	row.Signer = cut(signer(found))
	if created := found.Created; !created.IsZero() {
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

// Sort sorts rows by time, and by digest where there is none: registries list in no order.
func Sort(rows []Row) {
	when := func(r Row) string {
		if r.Created == nil {
			return r.Referrer
		}
		return r.Created.UTC().Format(time.RFC3339) + r.Referrer
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(when(a), when(b)) })
}

// WriteTable writes rows for people.
func WriteTable(to io.Writer, rows []Row) error {
	if to == nil {
		return errors.New("nothing to write the table to: it is nil")
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PREDICATE TYPE\tCLAIMED SIGNER (UNVERIFIED)\tSIZE\tCREATED\tREFERRER")
	for _, r := range rows {
		created := "-"
		if r.Created != nil {
			created = r.Created.UTC().Format(time.RFC3339)
		}
		if r.Malformed != "" {
			fmt.Fprintf(w, "(malformed)\t%s\t-\t-\t%s\n", visible.Escape(r.Malformed), visible.Escape(r.Referrer))
			continue
		}
		what := visible.Escape(ShortType(r.PredicateType))
		if r.MediaType == attest.RunProofMediaType {
			what += " (proof)"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", what, visible.Escape(r.Signer), r.Size, created, r.Referrer)
	}
	return w.Flush()
}

const ownTypes = "https://github.com/runattest/runattest/"

// ShortType shortens the names of our own predicate types, as a table shows them.
func ShortType(predicateType string) string { return strings.TrimPrefix(predicateType, ownTypes) }

// LongTypes takes back what ShortType did.
func LongTypes(types []string) []string {
	var long []string
	for _, t := range types {
		if !strings.Contains(t, "://") {
			t = ownTypes + t
		}
		long = append(long, t)
	}
	return long
}
