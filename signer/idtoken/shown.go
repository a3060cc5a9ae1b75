package idtoken

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/runattest/runattest/internal/lazyregexp"
)

// shownError has a text that is safe to print, and the one cause that callers branch on.
type shownError struct {
	text  string
	cause error
}

func (e *shownError) Error() string { return e.text }
func (e *shownError) Unwrap() error { return e.cause }

// safe makes an error of a library or a server fit to print: no secrets, no tokens, no control characters, and
// short. Of what it wraps, only the causes that this package promises remain.
func safe(err error, secrets ...string) error {
	// The address is named where it matters; the query of this one may hold anything.
	if ue := (*url.Error)(nil); errors.As(err, &ue) && ue == err {
		err = ue.Err
	}
	e := &shownError{text: printable(err.Error(), secrets...)}
	for _, cause := range []error{ErrNoIdentity, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			e.cause = cause
			break
		}
	}
	return e
}

// tokenLike is what a JWT begins with, the base64 of {" or of { and a space, and all that is joined to
// it. It is compiled when there is an error to show, not at each start.
var tokenLike = lazyregexp.New(`ey[JA][A-Za-z0-9_-]{8,}[A-Za-z0-9_.+/=-]*`)

// printable is text without secrets, on one line, cut where it is long.
func printable(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[secret]")
		}
	}
	text = tokenLike.ReplaceAllString(text, "[token]")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	return cut(text, maxShown)
}

// isPrintable says whether text does nothing to a terminal but stand there.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// quoted is a list of names out of a token.
func quoted(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, strconv.Quote(printable(name)))
	}
	return cut(strings.Join(quoted, ", "), maxShown/3)
}
