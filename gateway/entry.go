package gateway

import (
	"context"

	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
)

// Journal is where calls are written before they are forwarded: a *journal.Journal.
type Journal interface {
	// Append returns when the entry is on disk.
	Append(ctx context.Context, e journal.Entry) (journal.Receipt, error)
	// Holds tells whether the journal holds the run, of that client.
	Holds(client string, id identity.ID) bool
	// Ready is an error while entries cannot be taken.
	Ready() error
}

var _ Journal = (*journal.Journal)(nil)
