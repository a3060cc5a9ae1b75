package signer

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"unicode/utf8"
)

// unreadable explains a text in which there is no key in a format that this package reads.
func unreadable(want string, data []byte) error { return recognize(want, data).err(want) }

// recognize guesses, to explain what was refused already.
func recognize(want string, data []byte) finding {
	if s, ok := recognizeWide(data); ok {
		return s
	}
	text := strings.TrimSpace(string(bytes.TrimPrefix(data, byteOrderMark)))
	if s, ok := recognizeText(want, text); ok {
		return plainly(data, s)
	}
	if s, ok := recognizeEncoded(want, text); ok {
		return plainly(data, s)
	}
	if !isText(data) {
		if s, ok := recognizeDER(want, data); ok {
			return s
		}
		if s, ok := recognizeRaw(want, data, ""); ok {
			return s
		}
	}
	if want == wantPrivate {
		return finding{found: unknownPrivate}
	}
	return finding{found: unknownPublic}
}

// What is said of what is not recognized.
const (
	unknownPrivate = "no PEM in it, want PKCS #8, SEC 1 or PKCS #1"
	unknownPublic  = "not PEM: want -----BEGIN PUBLIC KEY-----"
	unknownJSON    = "this is JSON, want PEM"
)

// isText tells text from binary data, which can begin with the same bytes.
func isText(data []byte) bool {
	return utf8.Valid(data) && !bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r\f\x1a", r) })
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// plainly has the command read a text without a byte order mark and with the line ends of Unix: the programs know no others.
func plainly(data []byte, s finding) finding {
	if s.way.text == mendLines || !utf8.Valid(data) {
		return s
	}
	without := ""
	switch {
	case bytes.Contains(data, []byte("\r\n")):
		without = `-d '\357\273\277\r'`
	case bytes.Contains(data, []byte("\r")):
		without = `'\r' '\n'` // a mark before it is left, and said next
	case bytes.HasPrefix(data, byteOrderMark):
		without = `-d '\357\273\277'`
	default:
		return s
	}
	return finding{s.found, s.way.after("LC_ALL=C tr " + without)}
}

// recognizeWide knows text whose characters have two or four bytes by its first, which is of ASCII in every format of a key: of
// ASCII that is text, since the point of a key may have such zero bytes, too.
func recognizeWide(data []byte) (finding, bool) {
	named := func(name, encoding string) (finding, bool) {
		return finding{"this is " + name + " text, want UTF-8", writing("iconv -f " + encoding + " -t UTF-8 FILE")}, true
	}
	if len(data) < 4 {
		return finding{}, false
	}
	asText := func(c byte) bool { return c >= ' ' && c < 0x7f || strings.IndexByte("\t\n\r", c) >= 0 }
	zero := [4]bool{data[0] == 0, data[1] == 0, data[2] == 0, data[3] == 0}
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(data, []byte("\x00\x00\xfe\xff")):
		return named("UTF-32", "UTF-32")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return named("UTF-16", "UTF-16")
	case zero == [4]bool{false, true, true, true} && asText(data[0]):
		return named("UTF-32", "UTF-32LE")
	case zero == [4]bool{true, true, true, false} && asText(data[3]):
		return named("UTF-32", "UTF-32BE")
	case zero == [4]bool{false, true, false, true} && asText(data[0]) && asText(data[2]):
		return named("UTF-16", "UTF-16LE")
	case zero == [4]bool{true, false, true, false} && asText(data[1]) && asText(data[3]):
		return named("UTF-16", "UTF-16BE")
	}
	return finding{}, false
}

// encodings are the ways to write bytes as text; read gives nil for another text. PEM is not among them.
var encodings = []struct {
	name, filter string
	read         func(text string) []byte
}{
	{"hex", `perl -0777 -ne 's/0x|[^0-9a-fA-F]//g; print pack("H*",$_)'`, readHex},
	// base64 -d wants padding and knows LF alone.
	{"base64", "base64 -d", func(text string) []byte { return readBase64(base64.StdEncoding, strings.ReplaceAll(text, "\r", " ")) }},
	{"base64", `perl -MMIME::Base64 -0777 -ne 's/\s//g; tr|-_|+/|; print decode_base64($_)'`, func(text string) []byte {
		return readBase64(base64.RawStdEncoding, strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(strings.Join(strings.Fields(text), "")))
	}},
}

func readHex(text string) []byte {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n\f\r:,", r) {
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "0x", ""))
	data, err := hex.DecodeString(digits)
	if err != nil {
		return nil
	}
	return data
}

func readBase64(encoding *base64.Encoding, text string) []byte {
	data, err := encoding.DecodeString(text) // ignores line ends
	if err != nil {
		return nil
	}
	return data
}

// inEncoding says of what is there, and not of what is wanted, how it is encoded.
func inEncoding(found, name string) string {
	at := strings.IndexAny(found, ",;")
	if at < 0 {
		at = len(found)
	}
	const der = " in DER" // of which more may be said
	if i := strings.Index(found[:at], der); i >= 0 {
		at = i + len(der)
	}
	return found[:at] + " in " + name + found[at:]
}

// recognizeEncoded tells what is in base64 or hex.
func recognizeEncoded(want, text string) (finding, bool) {
	for _, e := range encodings {
		data := e.read(text)
		if len(data) == 0 {
			continue
		}
		if block, _ := pem.Decode(data); block != nil {
			return finding{"this is PEM in " + e.name, writing("").after(e.filter)}, true
		}
		if isJavaStore(data) { // which keytool reads from a file alone
			return finding{javaStore + " in " + e.name, way{form: writes, suffix: ".jks"}.after(e.filter)}, true
		}
		s, ok := recognizeRaw(want, data, " in "+e.name)
		if !ok {
			if s, ok = recognizeDER(want, data); ok {
				s.found = inEncoding(s.found, e.name)
			}
		}
		if ok {
			return finding{s.found, s.way.after(e.filter)}, true
		}
	}
	return finding{}, false
}
