package remote

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
)

// sentence is what a refusal's body says, for people: the messages of a registry
// (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes) with their codes, what other
// services write as JSON, a page's title, or plain text.
func sentence(body []byte) (said string, codes []string) {
	var parts []string
	add := func(raw ...json.RawMessage) {
		for _, r := range raw {
			var text string
			if json.Unmarshal(r, &text) == nil && text != "" && !slices.Contains(parts, text) {
				parts = append(parts, text)
			}
		}
	}
	var said1 struct {
		Errors []struct{ Code, Message, Detail json.RawMessage }
		Error, Message, Detail, Details,
		Description json.RawMessage
		OAuth json.RawMessage `json:"error_description"`
	}
	if json.Unmarshal(body, &said1) != nil {
		return shown(plainText(body)), nil
	}
	for _, e := range said1.Errors {
		var code string
		if json.Unmarshal(e.Code, &code) == nil {
			codes = append(codes, code)
		}
		before := len(parts)
		add(e.Message, e.Detail)
		var inside struct{ Reason, Message, Error, Description json.RawMessage }
		if json.Unmarshal(e.Detail, &inside) == nil {
			add(inside.Reason, inside.Message, inside.Error, inside.Description)
		}
		if len(parts) == before && code != "" {
			parts = append(parts, strings.ToLower(strings.ReplaceAll(code, "_", " ")))
		}
	}
	add(said1.Error, said1.OAuth, said1.Message, said1.Description, said1.Detail, said1.Details)
	return shown(strings.Join(parts, ": ")), codes
}

// aboutForm is a page's title, and what an object store says in XML.
var aboutForm = lazyregexp.New(`(?is)<title[^>]*>(.*?)</title>|<message>(.*?)</message>`)

// plainText is a body that is not JSON: a page's title, an object store's message, or the text.
func plainText(body []byte) string {
	text := strings.TrimSpace(string(body))
	if !strings.HasPrefix(text, "<") {
		return text
	}
	if about := aboutForm.FindStringSubmatch(text); about != nil {
		return about[1] + about[2]
	}
	return ""
}

// shown makes one visible line of a text, and cuts it.
func shown(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\ufffd")), " ")
	if len(text) > limits.RegistrySentence {
		text = strings.ToValidUTF8(text[:limits.RegistrySentence], "") + "..."
	}
	return visible.Escape(text)
}
