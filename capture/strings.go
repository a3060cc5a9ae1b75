package capture

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/mediatype"
	"github.com/runattest/runattest/internal/secrets"
)

// withheld stands in the place of a secret.
const (
	withheld     = `"` + withheldText + `"`
	withheldText = "[secret]"
)

// sealedMediaType is that of sealed content, which no source may bring along.
const sealedMediaType = "application/vnd.runattest.sealed.v1+json"

// A resource is what stands in a request as text for bytes.
type resource struct {
	role   string
	digest [sha256.Size]byte
	size   int64
	media  string // or ""
}

func (w *walker) str(dst []byte, v jsontree.Value, s *shape, m mode) []byte {
	if t := w.table.transient; t != "" && strings.Contains(v.Text(), t) {
		w.failWith("leave it out, or capture what is written before the run", "is an object's address in memory, which is another one in each run")
		return dst
	}
	if m.hidden {
		w.elsewhere(s, withheldText)
		w.note(Withheld, "")
		return append(dst, withheld...)
	}
	if s.names != "" {
		w.note(LeftOpen, "").hides = s.names
	}
	if s.files != "" && namesFile(v.Text()) {
		w.note(LeftOpen, "").hides = s.files
	}
	if s.bytes != 0 {
		return w.binary(dst, v, s, "")
	}
	if s.pairs {
		if !w.search(v.Text(), false) {
			return dst
		}
		return w.cleaned(dst, v, secrets.List(v.Text()))
	}
	if a := cmp.Or(s.address, m.address); a != notURL {
		return w.url(dst, v, a)
	}
	if m.secrets != nothingSecret {
		return w.element(dst, v, m)
	}
	return append(dst, v.Raw()...)
}

// namesFile tells a string that is a path, or has one among names with commas between: with a slash, or the ending of a file of YAML
// or JSON. JSON text is none. What is withheld may be one.
func namesFile(s string) bool {
	if strings.HasPrefix(strings.TrimSpace(s), "{") && json.Valid([]byte(s)) {
		return false
	}
	return slices.ContainsFunc(strings.Split(s, ","), func(name string) bool {
		name = strings.TrimSpace(name)
		return strings.Contains(name, withheldText) || strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".json") || name == "." || name == ".."
	})
}

// binary appends the name of the bytes that the string v stands for, or the string where it stands for none. media is
// the media type that the member beside it says.
func (w *walker) binary(dst []byte, v jsontree.Value, s *shape, media string) []byte {
	text := v.Bytes()
	if bytes.HasPrefix(text, []byte("ni:")) {
		w.fail("begins with ni:, which stands for bytes that are not in the request")
		return dst
	}
	query, encoded, ok := "", text, s.bytes&^dataURL != 0
	if isData := len(text) >= 5 && strings.EqualFold(string(text[:5]), "data:"); isData {
		head, payload, comma := bytes.Cut(text, []byte(","))
		kind, is64 := bytes.CutSuffix(head[min(5, len(head)):], []byte(";base64"))
		if ok = s.bytes&dataURL != 0 && comma && is64 && bytes.HasPrefix(text, []byte("data:")); ok {
			encoded, query = payload, "?ct="+percentEncode(kind)
			before, _, _ := bytes.Cut(kind, []byte(";"))
			media = string(before)
		}
	} else if s.address != notURL && !ok {
		return w.url(dst, v, s.address)
	}
	var decoded []byte
	if ok {
		decoded, ok = w.decode(encoded, s.bytes&base64Either != 0)
	}
	if !ok {
		w.note(NotDecoded, "")
		return append(dst, v.Raw()...)
	}
	r := resource{role: s.role, digest: sha256.Sum256(decoded), size: int64(len(decoded))}
	if mediatype.Valid(media) {
		r.media = media
	}
	if strings.EqualFold(media, sealedMediaType) {
		w.fail("has the media type of sealed content, which a request must not hold")
		return dst
	}
	w.note(Hashed, "").bytes = &r
	dst = append(dst, `"ni:///sha-256;`...)
	dst = base64.RawURLEncoding.AppendEncode(dst, r.digest[:])
	return append(append(dst, query...), '"')
}

// decode reads strict base64 of at least one byte: padded, without line breaks, zero bits at the end.
func (w *walker) decode(text []byte, either bool) ([]byte, bool) {
	if len(text) == 0 || bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0 {
		return nil, false
	}
	encoding := base64.StdEncoding.Strict()
	if either && bytes.ContainsAny(text, "-_") {
		encoding = base64.URLEncoding.Strict()
	}
	var err error
	w.decoded, err = encoding.AppendDecode(w.decoded[:0], text)
	return w.decoded, err == nil
}

// percentEncode encodes every byte but letters, digits, - . _ ~ and /.
func percentEncode(s []byte) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range s {
		if 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~/", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
