package idtoken

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
)

// Given is a token that a person names: the token itself, or a file with it. It is for the audience and valid at that time, as
// (Token).Check says. No error contains the token.
func Given(text, audience string, at time.Time) (Token, error) {
	if strings.Count(text, ".") != 2 || strings.ContainsAny(text, `/\`) { // a JWT has neither
		data, err := boundedfile.Read(text, limits.Key)
		if _, missing := os.Stat(text); err != nil && missing == nil {
			return Token{}, err
		}
		if err != nil { // the text may be a token
			return Token{}, errors.New("neither a JWT nor a file that can be read")
		}
		text = strings.TrimSpace(string(data))
	}
	token, err := Parse(text)
	if err == nil {
		err = token.Check(audience, at)
	}
	if err != nil {
		return Token{}, err
	}
	return token, nil
}
