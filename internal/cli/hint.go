package cli

import "errors"

// hinted is an error that knows what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// WithHint is the error with what to do about it: a command or an edit.
func WithHint(err error, hint string) error { return &hinted{err, hint} }

// Hint is what WithHint has added last, and whether it has.
func Hint(err error) (hint string, ok bool) {
	h, ok := errors.AsType[*hinted](err)
	if !ok {
		return "", false
	}
	return h.hint, true
}
