package gateway

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/zero"
)

// A JournalError says that the journal cannot be opened.
type JournalError struct{ Err error }

func (e *JournalError) Error() string {
	if e = zero.IfNil(e); e.Err == nil {
		return "the journal cannot be opened"
	}
	return "journal: " + e.Err.Error()
}

func (e *JournalError) Unwrap() error { return zero.IfNil(e).Err }

// opening is a journal that Run opens, and how. Until then it takes no call.
type opening struct {
	options journal.Options
	open    atomic.Pointer[journal.Journal]
}

var _ Journal = (*opening)(nil)

var errUnopened = errors.New("the journal is not open: the gateway does not run")

func (o *opening) Append(ctx context.Context, e journal.Entry) (journal.Receipt, error) {
	if j := o.open.Load(); j != nil {
		return j.Append(ctx, e)
	}
	return journal.Receipt{}, errUnopened
}

func (o *opening) Holds(client string, id identity.ID) bool {
	j := o.open.Load()
	return j != nil && j.Holds(client, id)
}

func (o *opening) Ready() error {
	if j := o.open.Load(); j != nil {
		return j.Ready()
	}
	return errUnopened
}

// newOpening is a journal that is to be opened with options, and with what the configuration and the gateway say besides.
func (g *Gateway) newOpening(o journal.Options) *opening {
	if o.Witness == nil && g.config.Witness != "" {
		o.Witness = journal.WitnessFolder(g.config.Witness)
	}
	if o.Log == nil {
		o.Log = g.log
	}
	return &opening{options: o}
}

// checkJournal says why the journal could not be opened.
func (g *Gateway) checkJournal() error {
	o, ok := g.journal.(*opening)
	if !ok {
		return nil
	}
	if w, ok := o.options.Witness.(journal.WitnessFolder); ok {
		if err := w.Check(); err != nil {
			return err
		}
	}
	if err := journal.Check(g.config.Journal, o.options); err != nil {
		return &JournalError{err}
	}
	return nil
}

// withJournal opens the journal while do runs, if it is to be opened.
func (g *Gateway) withJournal(ctx context.Context, do func() error) error {
	o, ok := g.journal.(*opening)
	if !ok {
		return do()
	}
	j, err := journal.Open(g.config.Journal, o.options)
	if err != nil {
		return &JournalError{err}
	}
	o.open.Store(j)
	err = do()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalCloses)
	defer cancel()
	if unclosed := j.Close(end); unclosed != nil {
		err = errors.Join(err, unclosed)
	}
	return err
}

// journalCloses is how long the last segment may take to be signed when a gateway stops.
const journalCloses = 10 * time.Second
