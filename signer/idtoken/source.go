package idtoken

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Source gives identity tokens. What Token returns has passed [Token.Check].
type Source interface {
	// Name says for people where tokens come from.
	Name() string
	// Token gets a token for an audience. Its errors name the source.
	Token(ctx context.Context, audience string) (Token, error)
}

// ErrNoIdentity is what a source's error wraps when the source answers, and has no identity
// for this program: a machine without a service account, a workload that nobody registered.
var ErrNoIdentity = errors.New("no identity here")

// First asks the sources in turn, and returns the token of the first that has an identity,
// with the source's name. A source whose error wraps [ErrNoIdentity] is passed over; any other error ends it,
// since another source means another identity. When all are passed over, the error wraps ErrNoIdentity.
func First(ctx context.Context, audience string, sources ...Source) (token Token, from string, err error) {
	var passed []string
	for _, source := range sources {
		if source == nil {
			return Token{}, "", errors.New("identity token: a source is nil")
		}
		token, err := source.Token(ctx, audience)
		if err == nil {
			err = token.Check(audience, time.Now())
		}
		if err == nil {
			return token, source.Name(), nil
		}
		if !errors.Is(err, ErrNoIdentity) {
			return Token{}, source.Name(), err
		}
		passed = append(passed, err.Error())
	}
	if len(passed) > 0 {
		return Token{}, "", &shownError{"identity token: " + strings.Join(passed, "; "), ErrNoIdentity}
	}
	return Token{}, "", &shownError{
		"identity token: no source of one; set SIGSTORE_ID_TOKEN, or on GitHub Actions give the job the permission `id-token: write`", ErrNoIdentity,
	}
}

// source is every Source here: one that fetches, and what is done to all that is fetched.
type source struct {
	name  string
	fetch func(ctx context.Context, audience string) (raw string, err error)
}

var _ Source = (*source)(nil)

func (s *source) Name() string { return s.name }

func (s *source) Token(ctx context.Context, audience string) (Token, error) {
	if err := ctx.Err(); err != nil {
		return Token{}, fmt.Errorf("%s: %w", s.name, err)
	}
	raw, err := s.fetch(ctx, audience)
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", s.name, safe(err))
	}
	token, err := Parse(strings.TrimSpace(raw)) // files and variables end in a line end
	if err == nil {
		err = token.Check(audience, time.Now())
	}
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", s.name, err)
	}
	return token, nil
}
