package idtoken

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/runattest/runattest/internal/zero"
)

// A Source returns identity tokens that have passed [Token.Check].
type Source interface {
	// Name describes the source to people.
	Name() string
	// Token gets a token for an audience. Its errors name the source.
	Token(ctx context.Context, audience string) (Token, error)
}

// ErrNoIdentity is wrapped by a source's error if the source answers but has no identity for
// this program: a machine without a service account, a workload that is not registered.
var ErrNoIdentity = errors.New("no identity here")

// First asks the sources in turn, and returns the token of the first that has an identity,
// with the source's name. It skips a source whose error wraps [ErrNoIdentity]; any other error ends it,
// because another source means another identity. If all are skipped, the error wraps ErrNoIdentity.
func First(ctx context.Context, audience string, sources ...Source) (token Token, from string, err error) {
	var passed []string
	for _, source := range sources {
		if zero.IsNil(source) {
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
