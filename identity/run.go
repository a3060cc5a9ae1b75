package identity

import (
	"encoding/json"
	"slices"

	"github.com/runattest/runattest/internal/jsontree"
)

// Run is a declaration in Go values: what Build takes, and what (*Declaration).Run returns. Zero fields are absent
// from the declaration, except that Prompt, Parameters, Context and Constraints, which every declaration has, are then
// empty: the run uses none.
//
// Parameters, Constraints, Extensions and message contents hold JSON values. The accessors return them as
// map[string]any, []any, string, bool and json.Number; Build documents what it takes.
type Run struct {
	Kind        Kind
	Model       Model
	Prompt      Prompt
	Parameters  map[string]any
	Context     []Resource
	Constraints map[string]any
	Parents     []ID           // nil where the declaration has none
	Extensions  map[string]any // by absolute URI; nil where the declaration has none
}

// Prompt is what a run is asked: messages, a text, the digest of a text that is kept elsewhere, or, where it is zero,
// nothing. PromptMessages, PromptText and PromptDigest make one.
type Prompt struct {
	form      string // the member that holds the prompt: messages, text, digest; "" for none
	messages  []Message
	text      string
	digests   Digests
	size      *int64
	mediaType string
}

// Message is one message of a prompt. Content is a string, a []any or a map[string]any; nil where the message has none.
// Members are the others: name, tool_calls and what else the run will send.
type Message struct {
	Role    string
	Content any
	Members map[string]any
}

// PromptText is a prompt of one text, which may be empty.
func PromptText(text string) Prompt { return Prompt{form: "text", text: text} }

// PromptMessages is a prompt of messages, at least one.
func PromptMessages(messages ...Message) Prompt {
	return Prompt{form: "messages", messages: slices.Clone(messages)}
}

// PromptDigest is a prompt that is declared by the digests of its bytes, with their number and media type: nil and ""
// where they are not declared.
func PromptDigest(digests Digests, size *int64, mediaType string) Prompt {
	return Prompt{form: "digest", digests: digests, size: clone(size), mediaType: mediaType}
}

// IsNone says that the run has no prompt.
func (p Prompt) IsNone() bool { return p.form == "" }

// Text is the text of a prompt that is one text.
func (p Prompt) Text() (text string, ok bool) { return p.text, p.form == "text" }

// Messages are the messages of a prompt of messages; nil for any other.
func (p Prompt) Messages() []Message { return slices.Clone(p.messages) }

// Digests are those of a prompt that is declared by digest; zero for any other.
func (p Prompt) Digests() Digests { return p.digests }

// Size is the number of bytes of a prompt that is declared by digest; nil where it is not declared.
func (p Prompt) Size() *int64 { return clone(p.size) }

// MediaType is the media type of a prompt that is declared by digest; "" where it is not declared.
func (p Prompt) MediaType() string { return p.mediaType }

// Run is the declaration in Go values. The caller owns them: a changed copy goes to Build for another declaration.
func (d *Declaration) Run() Run {
	return Run{d.Kind(), d.Model(), d.Prompt(), d.Parameters(), d.Context(), d.Constraints(), d.Parents(), d.Extensions()}
}

// Prompt is what the run is asked.
func (d *Declaration) Prompt() Prompt {
	v := d.tree().Get("prompt")
	text, messages, digest := v.Get("text"), v.Get("messages"), v.Get("digest")
	switch {
	case text.Kind() != jsontree.Absent:
		return PromptText(text.Text())
	case digest.Kind() != jsontree.Absent:
		return PromptDigest(digestsOf(digest), sizeOf(v.Get("size")), v.Get("mediaType").Text())
	case messages.Kind() == jsontree.Absent:
		return Prompt{}
	}
	p := PromptMessages()
	for _, m := range messages.Elements() {
		members, _ := goValue(m).(map[string]any)
		message := Message{Role: m.Get("role").Text(), Content: members["content"]}
		delete(members, "role")
		delete(members, "content")
		if len(members) > 0 {
			message.Members = members
		}
		p.messages = append(p.messages, message)
	}
	return p
}

// Parameters are the settings that the run will use, as JSON values; numbers are json.Number. The caller owns the copy.
func (d *Declaration) Parameters() map[string]any { return d.object("parameters") }

// Constraints are the limits on the run, as JSON values; numbers are json.Number. The caller owns the copy.
func (d *Declaration) Constraints() map[string]any { return d.object("constraints") }

// Extensions are JSON values by absolute URI, nil where the declaration has none; numbers are json.Number. The caller owns
// the copy.
func (d *Declaration) Extensions() map[string]any { return d.object("extensions") }

func (d *Declaration) object(name string) map[string]any {
	members, _ := goValue(d.tree().Get(name)).(map[string]any)
	return members
}

// goValue is a JSON value in Go, as encoding/json decodes it with UseNumber; nil where it is absent.
func goValue(v jsontree.Value) any {
	switch v.Kind() {
	case jsontree.Object:
		members := make(map[string]any, v.Len())
		for name, m := range v.Members() {
			members[string(name)] = goValue(m)
		}
		return members
	case jsontree.Array:
		elements := make([]any, 0, v.Len())
		for _, e := range v.Elements() {
			elements = append(elements, goValue(e))
		}
		return elements
	case jsontree.String:
		return v.Text()
	case jsontree.Number:
		return json.Number(v.Raw())
	case jsontree.Bool:
		return string(v.Raw()) == "true"
	default:
		return nil
	}
}

func clone(n *int64) *int64 {
	if n == nil {
		return nil
	}
	return new(*n)
}
