package input

import (
	"strings"
	"testing"
)

// TestForeign holds what is said of a text, and that texts which are meant as a declaration keep the error of their parser.
func TestForeign(t *testing.T) {
	const key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
	for text, want := range map[string]string{
		key: "is a key in PEM (PUBLIC KEY)",
		"\xef\xbb\xbf\r\n" + strings.ReplaceAll(key, "\n", "\r\n"): "is a key in PEM (PUBLIC KEY)",
		strings.ReplaceAll(key, "PUBLIC KEY", "CERTIFICATE"):       "is PEM (CERTIFICATE)",
		"---\nname: p\n---\nsystem:\nYou are\n":                    "such as a Prompty file",
		"# Title\n\nSome *text*.\n":                                "a text in Markdown",
		"# a comment\nkind: other\nmodel: [\n":                     "",
		"# a comment\n{\"kind\": \"other\",\n":                     "",
		"---\nkind: other\n":                                       "",
		"---\nkind: other\n---\n":                                  "",
		"kind: other\n":                                            "",
		"{":                                                        "",
		"":                                                         "",
	} {
		switch err := Foreign([]byte(text)); {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.HasSuffix(err.Error(), "and no declaration")):
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
