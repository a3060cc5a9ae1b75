package capture

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/secrets"
)

// Capture maps a source into a declaration. The error is an *[Error]. The source is not kept.
func (f Format) Capture(src Source) (*Captured, error) {
	if f.batch != nil {
		return f.batch.one(src)
	}
	if f.folder != nil {
		return nil, f.folder.error("", "reads a folder, and a text is given")
	}
	if f.table == nil {
		return nil, &Error{Format: "capture", Offset: -1, Message: "no format: the zero value captures nothing"}
	}
	return f.capture(src, nil, nil)
}

// capture maps a body, and files that stand beside it, if there are any. more, if it is not nil, adds to what the source says
// beside its body.
func (f Format) capture(src Source, files []component, more func(*request, jsontree.Value)) (*Captured, error) {
	prepare()
	t := f.table
	r, warnings, unknown, err := t.read(src)
	if err != nil {
		return nil, err
	}
	d := declarers.Get().(*declarer)
	defer d.release(len(src.Body))
	root, err := t.tree(&d.source, src.Body)
	if err != nil {
		return nil, err
	}
	digest := digestOf(src.Body)
	defer digest.wait() // then the body is the caller's again
	if more != nil {
		more(&r, root)
	}
	d.table, d.request, d.files = t, r, files
	d.body(root)
	if d.err != nil {
		d.err.Format, d.err.Offset = t.name(), -1
		return nil, d.err
	}
	decl, err := d.declaration(src.Parents)
	if err != nil {
		return nil, t.invalid(err)
	}
	c := &Captured{Declaration: decl, Unknown: unknown, Unread: t.unread(src.Header), Warnings: warnings, Digest: digest.wait(), Format: f}
	d.report(c, root)
	return c, nil
}

// A bodyDigest is the SHA-256 of a body. That of a long one is made while the declaration is.
type bodyDigest struct {
	sum  [sha256.Size]byte
	done chan struct{} // nil of a short one
}

func digestOf(body []byte) *bodyDigest {
	if len(body) < limits.CaptureBeside {
		return &bodyDigest{sum: sha256.Sum256(body)}
	}
	d := &bodyDigest{done: make(chan struct{})}
	go func() {
		defer close(d.done)
		d.sum = sha256.Sum256(body)
	}()
	return d
}

// wait returns when the body is not read any more.
func (d *bodyDigest) wait() [sha256.Size]byte {
	if d.done != nil {
		<-d.done
	}
	return d.sum
}

// invalid is the error for a declaration that identity v1 refuses: its own limits are narrower than those of a source.
func (t *table) invalid(err error) error {
	var invalid *identity.InvalidError
	if errors.As(err, &invalid) {
		switch invalid.Problems[0].Code {
		case "size":
			return t.error("", fmt.Sprintf("the declaration would have more than %d bytes, the limit of identity v1", limits.Declaration), "")
		case "depth":
			return t.error("", fmt.Sprintf("the declaration would nest deeper than %d, the limit of identity v1", limits.DeclarationDepth), "")
		case "count":
			return t.error("", fmt.Sprintf("the declaration would have more than %d members and elements, the limit of identity v1", limits.DeclarationValues), "")
		}
	}
	return t.error("", "the declaration would be invalid: "+err.Error(), "")
}

// A declarer writes the declaration of one body, each part into memory of its own. That is used again, and nothing of it is in what
// a capture returns.
type declarer struct {
	walker
	request
	source jsontree.Memory
	files  []component // of the folder beside the body
	fates  []Fate      // of the body's members, where they are kept

	bodyModel   []byte // its string
	parameters  []byte // members, each with a comma behind it
	constraints []byte
	first       []group         // messages that are members
	messages    []byte          // elements
	tools       []group         // by member
	toolText    []byte          // of all of them
	contents    []jsontree.Span // of their contents in it
	head, rest  []byte          // of the declaration, and in its canonical form
	form        []byte
	seen        map[string]bool
}

// A group is what comes of one member of the body.
type group struct {
	name     string
	text     []byte        // of a message, with a comma behind it
	elements jsontree.Span // of toolText, each with a comma behind it
	contents jsontree.Span // of the list of that name
}

var declarers = sync.Pool{New: func() any { return &declarer{seen: map[string]bool{}} }}

// most is the length of a body whose memory is worth keeping.
const most = 1 << 20

// release gives the memory back that served a body of so many bytes.
func (d *declarer) release(size int) {
	if size > most {
		return
	}
	clear(d.seen)
	clear(d.events)
	clear(d.trail[:cap(d.trail)])
	d.source.Forget()
	*d = declarer{
		walker: walker{trail: d.trail[:0], events: d.events[:0], scribe: d.scribe[:0], decoded: d.decoded[:0]},
		source: d.source, fates: d.fates[:0], parameters: d.parameters[:0], constraints: d.constraints[:0], messages: d.messages[:0],
		toolText: d.toolText[:0], contents: d.contents[:0], head: d.head[:0], rest: d.rest[:0], form: d.form[:0], seen: d.seen,
	}
	declarers.Put(d)
}

// body reads the members of the body.
func (d *declarer) body(root jsontree.Value) {
	var names caseCheck
	s := d.table.body
	x := d.indexOf(root, s)
	for name, v := range root.Members() {
		k := d.find(x, s, root, name, &names)
		d.in(k.step(name, false))
		if k != nil {
			d.seen[k.name] = true
		}
		d.topLevel(k, name, root, v)
		d.back()
		if d.err != nil {
			return
		}
	}
	d.choice(root)
	for i := range s.members {
		k := &s.members[i]
		if k.to == toModel && d.model == "" && d.bodyModel == nil {
			d.seen[k.name] = d.standIn(root)
		}
		if k.required && !d.seen[k.name] && (k.to != toModel || d.model == "") {
			d.in([]byte(k.name))
			if k.to == toModel && d.table.modelHint != "" {
				d.fail("neither the path nor the body names the model")
				d.err.Hint = d.table.modelHint
			} else {
				d.failWith(d.table.missingHint, "the body has no %s: it is not of this format", k.name)
			}
			d.back()
		}
	}
	if d.table.modelArgs != nil {
		d.nameModel(root)
	}
}

// choice holds the body against the members of which exactly one must be there.
func (d *declarer) choice(root jsontree.Value) {
	var there []string
	for _, name := range d.table.oneOf {
		if k := root.Get(name).Kind(); k != jsontree.Absent && k != jsontree.Null {
			there = append(there, name)
		}
	}
	switch {
	case len(there) > 1:
		d.fail("the body has %s, want one of them", strings.Join(there, " and "))
	case len(there) == 0 && len(d.table.oneOf) > 0:
		d.failWith(d.table.missingHint, "the body has none of %s: it is not of this format", strings.Join(d.table.oneOf, ", "))
	}
}

// standIn takes the model from the member that names it where the body does not, and tells whether there is one.
func (d *declarer) standIn(root jsontree.Value) bool {
	if d.table.standIn == "" {
		return false
	}
	stored := root.Get(d.table.standIn)
	id, version := stored.Get("id"), stored.Get("version")
	if id.Kind() != jsontree.String || id.Text() == "" {
		return false
	}
	d.bodyModel = appendString(nil, []byte(d.table.standIn+"/"+id.Text()))
	if version.Kind() == jsontree.String {
		d.revision = version.Text()
	}
	return true
}

// topLevel reads one member of the body.
func (d *declarer) topLevel(k *member, name []byte, root, v jsontree.Value) {
	if d.err != nil {
		return
	}
	if strings.HasPrefix(string(name), "header:") || strings.HasPrefix(string(name), "query:") {
		d.fail("its name begins as those of headers and query members do")
		return
	}
	if strings.EqualFold(v.Get("mediaType").Text(), sealedMediaType) {
		d.fail("has the media type of sealed content, which a request must not hold")
		return
	}
	if k != nil {
		name = []byte(k.name)
	}
	if k == nil {
		d.put(&d.parameters, "parameters", name, func(dst []byte) []byte {
			return d.unknown(dst, root, v, d.table.body, name, mode{})
		})
		return
	}
	isList := k.to == toMessages || k.to == toTools
	switch {
	case d.files != nil && k.name == d.table.folder.replaces:
		d.note(LeftOut, "the folder beside it is declared")
	case k.to == out:
		d.note(LeftOut, k.note)
	case k.to == refused && v.Kind() == jsontree.Null:
		d.note(Absent, "null")
	case k.to == refused:
		d.fail("%s", k.note)
	case k.to == toModel && v.Kind() == jsontree.Null && d.table.standIn != "":
		d.note(Absent, "null")
	case k.to == toModel && (v.Kind() != jsontree.Null || d.model == ""):
		d.setModel(v)
	case v.Kind() == jsontree.Null, k.to == toParameters, k.empty && isEmpty(v), isList && string(v.Raw()) == "[]", k.to == toMessage && isEmpty(v):
		d.put(&d.parameters, "parameters", name, func(dst []byte) []byte { return d.member(dst, root, v, k, name, mode{}) })
	case k.to == toConstraints:
		d.put(&d.constraints, "constraints", name, func(dst []byte) []byte { return d.member(dst, root, v, k, name, mode{}) })
	case k.to == toMessages && (k.items == nil || v.Kind() == jsontree.Array):
		d.messageList(k, v)
	case k.to == toMessage, k.to == toMessages:
		d.memberMessage(k, root, v)
	case k.to == toTools:
		d.toolList(k, v)
	}
}

// put appends a member to an object of the declaration, unless write says that it is absent.
func (d *declarer) put(object *[]byte, where string, name []byte, write func([]byte) []byte) {
	dst := append(appendString(*object, name), ':')
	before := len(dst)
	if dst = write(dst); len(dst) == before {
		return
	}
	*object = append(dst, ',')
	d.keep("/" + where + "/" + jsontree.EscapePointer(string(name)))
}

// keep notes where the member of the body at hand stands in the declaration.
func (d *declarer) keep(to string) {
	pointer := d.trail[:1].String()
	d.fates = append(d.fates, Fate{Pointer: pointer, Outcome: Kept, To: to})
}

func (d *declarer) setModel(v jsontree.Value) {
	name := d.table.modelName(v.Text())
	switch {
	case v.Kind() != jsontree.String || name == "":
		d.fail("is not a name, want a string that is not empty")
	case d.table.standIn != "" && strings.HasPrefix(name, d.table.standIn+"/"):
		d.fail("begins with %s/, which stands for the model of a stored prompt", d.table.standIn)
	case d.model == "":
		d.bodyModel = appendString(nil, []byte(name))
		d.keep("/model/name")
	case name == d.model:
		d.keep("/model/name")
	case d.provider == "azure" || strings.HasPrefix(d.provider, "azure:"):
		d.parameters = append(append(append(d.parameters, `"model":`...), v.Raw()...), ',')
		d.keep("/parameters/model")
		d.note(TwoModels, v.Text())
	default:
		d.fail("is another model than the path's, %s: some servers take the one, some the other", quote(d.model))
	}
}

func (d *declarer) messageList(k *member, v jsontree.Value) {
	if v.Kind() != jsontree.Array {
		d.fail("is of type %s, want a list of messages", v.Kind())
		return
	}
	d.keep("/prompt/messages")
	d.messages = slices.Grow(d.messages, len(v.Raw())+len(v.Raw())/8)
	for i, e := range v.Elements() {
		d.at(i)
		if k.items != nil && isItem(e) {
			d.item(k.items, e)
		} else {
			d.message(k, e)
		}
		d.back()
	}
}

// message appends one element of the list of messages.
func (d *declarer) message(k *member, v jsontree.Value) {
	if v.Kind() != jsontree.Object {
		d.fail("is of type %s, want an object", v.Kind())
		return
	}
	role := v.Get("role")
	roleless := d.table.roleless && (role.Kind() == jsontree.Absent || role.Kind() == jsontree.Null)
	switch text := role.Text(); {
	case roleless:
	case role.Kind() != jsontree.String || text == "":
		d.fail("has no role: want a string that is not empty")
	case strings.HasPrefix(text, "member/") || strings.HasPrefix(text, "item/"):
		d.fail("has the role %s, which stands for what is not a message", quote(text))
	}
	d.checkContent(v.Get("content"))
	start := len(d.messages)
	d.messages = append(d.value(d.messages, v, k.value.elements, mode{}), ',')
	if roleless && d.err == nil {
		role := `{"role":"member/` + k.name + `",`
		if string(d.messages[start:]) == "{}," {
			role = role[:len(role)-1]
		}
		d.messages = slices.Replace(d.messages, start, start+1, []byte(role)...)
	}
}

// isItem tells an element of a list that is not a message: its type says so, or it has neither type nor role.
func isItem(v jsontree.Value) bool {
	kind, role := v.Get("type"), v.Get("role")
	isThere := func(v jsontree.Value) bool { return v.Kind() != jsontree.Absent && v.Kind() != jsontree.Null }
	return v.Kind() == jsontree.Object && (isThere(kind) && kind.Text() != "message" || !isThere(kind) && !isThere(role))
}

// item appends one element of the list that is not a message.
func (d *declarer) item(s *shape, v jsontree.Value) {
	if kind := v.Get("type").Kind(); kind != jsontree.String && kind != jsontree.Absent && kind != jsontree.Null {
		d.fail("type is of type %s, want a string", kind)
	}
	d.checkContent(v)
	d.messages = appendString(append(d.messages, `{"role":`...), []byte("item/"+v.Get("type").Text()))
	d.messages = append(d.value(append(d.messages, `,"content":`...), v, s, mode{}), "},"...)
}

// checkContent refuses content that a declaration's message cannot have.
func (d *declarer) checkContent(v jsontree.Value) {
	switch v.Kind() {
	case jsontree.Number, jsontree.Bool:
		d.fail("content is of type %s, want a string, an array or an object", v.Kind())
	}
	if strings.EqualFold(v.Get("mediaType").Text(), sealedMediaType) {
		d.fail("has the media type of sealed content, which a request must not hold")
	}
}

// memberMessage is the message that a member of the body becomes.
func (d *declarer) memberMessage(k *member, root, v jsontree.Value) {
	d.checkContent(v)
	text := append([]byte(`{"role":`), appendString(nil, []byte("member/"+k.name))...)
	text = append(text, `,"content":`...)
	text = append(d.member(text, root, v, k, []byte(k.name), mode{}), "},"...)
	d.first = append(d.first, group{name: k.name, text: text})
	d.keep("/prompt/messages")
}

// toolList is one resource for each element of a list.
func (d *declarer) toolList(k *member, v jsontree.Value) {
	if v.Kind() != jsontree.Array {
		d.fail("is of type %s, want a list", v.Kind())
		return
	}
	d.keep("/context")
	if k.hides != "" {
		d.note(LeftOpen, "").hides = k.hides
	}
	prefix := ""
	if k.name != "tools" {
		prefix = k.name + "/"
	}
	dst, contents := slices.Grow(d.toolText, len(v.Raw())*5/4), len(d.contents)
	for i, e := range v.Elements() {
		d.at(i)
		if e.Kind() != jsontree.Object {
			d.fail("is of type %s, want an object", e.Kind())
		}
		name := d.table.toolName(e, k.value.elements)
		if name == "" {
			d.fail("has no name, no type and no member: nothing to call it by")
		} else if d.search(name, false) && secrets.Text(name) != name {
			d.fail("has what looks like a secret in its name %s, want a name without", quote(secrets.Text(name)))
		}
		dst = append(dst, `{"content":`...)
		start := len(dst)
		dst = d.appendText(dst, e, k.value.elements, mode{})
		d.contents = append(d.contents, jsontree.Span{Start: start, End: len(dst)})
		dst = append(appendString(append(dst, `,"name":`...), []byte(prefix+name)), `,"role":"tool"},`...)
		d.back()
	}
	d.tools = append(d.tools, group{
		name: k.name, elements: jsontree.Span{Start: len(d.toolText), End: len(dst)}, contents: jsontree.Span{Start: contents, End: len(d.contents)},
	})
	d.toolText = dst
}

// toolName is what a tool is called: by the first of the table's places that holds a string, else by its type, else by
// its first member that is not out.
func (t *table) toolName(v jsontree.Value, s *shape) string {
	for _, place := range t.toolNames {
		at := v
		for _, name := range place {
			at = at.Get(name)
		}
		if at.Kind() == jsontree.String {
			return at.Text()
		}
	}
	if kind := v.Get("type"); kind.Kind() == jsontree.String {
		return kind.Text()
	}
	for name := range v.Members() {
		if k := s.index.byName[string(name)]; k == nil || k.to != out {
			return string(k.step(name, false))
		}
	}
	return ""
}
