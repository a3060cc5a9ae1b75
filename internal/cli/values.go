package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ParseTime reads a time as RFC 3339 has it, from 1970 to 9999.
func ParseTime(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q: want a time as 2026-01-31T12:00:00Z", text)
	}
	if at.Year() < 1970 { // the zero time of some program, which is never meant
		return at, fmt.Errorf("%q: is before 1970: it looks like an unset time", text)
	}
	if at.UTC().Year() > 9999 { // which RFC 3339 cannot say in UTC
		return at, fmt.Errorf("%q: is after the year 9999 in UTC", text)
	}
	return at, nil
}

// ParseInterval reads FROM/UNTIL, an ISO 8601 interval of RFC 3339 times of which one may be missing: the zero time.
func ParseInterval(text string) (from, until time.Time, err error) {
	begin, end, ok := strings.Cut(text, "/")
	if !ok || begin+end == "" {
		return from, until, fmt.Errorf("%q: want FROM/UNTIL", text)
	}
	if begin != "" {
		if from, err = ParseTime(begin); err != nil {
			return from, until, err
		}
	}
	if end != "" {
		until, err = ParseTime(end)
	}
	return from, until, err
}

// ParsePairs reads NAME=VALUE pairs with commas between them. The required names must be there, the optional may.
func ParsePairs(text string, required, optional []string) (map[string]string, error) {
	names := slices.Concat(required, optional)
	pairs := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || !slices.Contains(names, name):
			return nil, fmt.Errorf("%q: want NAME=VALUE pairs of %s", pair, strings.Join(names, ", "))
		case value == "":
			return nil, fmt.Errorf("%s is empty", name)
		case pairs[name] != "":
			return nil, fmt.Errorf("%s stands twice", name)
		}
		pairs[name] = value
	}
	for _, name := range required {
		if pairs[name] == "" {
			return nil, fmt.Errorf("%s is missing", name)
		}
	}
	return pairs, nil
}

// ParseNamed reads texts NAME=VALUE, each name once. An error begins with the name that is wrong, or a text
// without one: a value may be secret.
func ParseNamed(texts []string) (map[string]string, error) {
	all := map[string]string{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q: want NAME=VALUE", text)
		}
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("%q: the name stands twice", name)
		}
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("%q: is not valid UTF-8", name)
		}
		all[name] = value
	}
	return all, nil
}
