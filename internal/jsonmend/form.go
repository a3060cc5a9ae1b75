package jsonmend

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Form explains text that is not UTF-8, or data that is not text at all, and what to do; ok is false if it may be
// JSON or YAML. Commands in hints take FILE, and write NEW.
func Form(text []byte) (message, hint string, ok bool) {
	if name := encoding(text); name != "" {
		return "text in " + name[:6], convertFrom(name), true
	}
	for _, f := range forms {
		if bytes.HasPrefix(text, []byte(f.start)) {
			return "not text: " + f.what, f.hint, true
		}
	}
	body := bytes.TrimRight(text, "\x00\r\n")
	switch start := body[:min(len(body), 4096)]; {
	case len(bytes.TrimSpace(body)) == 0 && bytes.IndexByte(text, 0) >= 0:
		return "not text: NUL bytes alone", "what was in it is lost: write it again", true
	case bytes.IndexByte(start, 0) >= 0:
		return "not text: a file with NUL bytes in it", byDigest, true
	case len(body) < len(text) && bytes.IndexByte(text, 0) >= 0:
		return "NUL bytes follow the text", `remove them: tr -d '\000' < FILE > NEW`, true
	}
	return "", "", false
}

// Mend is a hint with a command that makes text of such data: it converts or unpacks it; "" if there is none.
func Mend(text []byte) string {
	message, hint, _ := Form(text)
	if !strings.HasPrefix(message, "text in ") && !strings.HasPrefix(hint, "unpack it") {
		return ""
	}
	return hint
}

const byDigest = "a declaration names such a file by its digest: sha256sum FILE"

// forms are files by how they begin.
var forms = []struct{ start, what, hint string }{
	{"\x1f\x8b", "a gzip file", "unpack it: gzip -dc < FILE > NEW"},
	{"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it: zstd -dc < FILE > NEW"},
	{"\xfd7zXZ\x00", "an xz file", "unpack it: xz -dc < FILE > NEW"},
	{"BZh91AY&SY", "a bzip2 file", "unpack it: bzip2 -dc < FILE > NEW"},
	{"PK\x03\x04", "a ZIP file", "unpack it: unzip FILE"},
	{"%PDF-", "a PDF file", byDigest},
	{"\x89PNG\r\n", "a PNG image", byDigest},
	{"\xff\xd8\xff", "a JPEG image", byDigest},
	{"\x7fELF", "a program", byDigest},
	{"GGUF\x03\x00", "a GGUF model", byDigest},
	{"\x80\x04\x95", "a Python pickle", byDigest},
}

// encoding is the name that iconv has for UTF-16 or UTF-32, by a byte order mark or by the zero bytes of ASCII text; else "".
func encoding(text []byte) string {
	if len(text) < 4 {
		return ""
	}
	zeros := ""
	for _, c := range text[:4] {
		if c == 0 {
			zeros += "0"
		} else {
			zeros += "x"
		}
	}
	switch {
	case bytes.HasPrefix(text, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(text, []byte("\x00\x00\xfe\xff")):
		return "UTF-32"
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return "UTF-16"
	case len(text)%4 == 0 && zeros == "x000":
		return "UTF-32LE"
	case len(text)%4 == 0 && zeros == "000x":
		return "UTF-32BE"
	case zeros == "x0x0":
		return "UTF-16LE"
	case zeros == "0x0x":
		return "UTF-16BE"
	}
	return ""
}

func convertFrom(encoding string) string {
	return "convert it: iconv -f " + encoding + " -t UTF-8 FILE > NEW"
}

// notUTF8 says which byte is not UTF-8, and the most likely encoding.
func notUTF8(text []byte, at int) (message, hint string) {
	message, hint = messages["utf8"][0], messages["utf8"][1]
	if at < len(text) && text[at] >= utf8.RuneSelf {
		message += fmt.Sprintf(", byte 0x%02X", text[at])
		hint += "; if it is in Windows-1252: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
	}
	return message, hint
}

// NotUTF8 returns the offset at which text is not UTF-8, and what to do; -1 if all of it is.
func NotUTF8(text []byte) (at int, message, hint string) {
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			message, hint = notUTF8(text, at)
			return at, message, hint
		}
		at += size
	}
	return -1, "", ""
}

// Wrapped says in what a value is wrapped, JSON or YAML that was copied out of a page, a program or a merge; at is where its
// reader stopped.
func Wrapped(text []byte, at int) (message, hint string, ok bool) {
	start := bytes.TrimLeft(text, " \t\r\n")
	for _, w := range wrappings {
		if bytes.HasPrefix(start, []byte(w.start)) {
			return w.what, w.hint, true
		}
	}
	at = min(max(at, 0), len(text))
	line := text[bytes.LastIndexByte(text[:at], '\n')+1:]
	for _, fence := range []string{"```", "~~~"} {
		isInside := at <= len(text)-len(start) && bytes.Contains(text, []byte("\n"+fence)) // other text stands before it
		if isInside || bytes.HasPrefix(start, []byte(fence)) || bytes.HasPrefix(line, []byte(fence)) {
			return "a Markdown fence", "remove the lines that begin with " + fence + ", and what is outside them", true
		}
	}
	return "", "", false
}

var wrappings = []struct{ start, what, hint string }{
	{"<<<<<<< ", "a conflict that a merge left", "resolve it: remove the lines <<<<<<<, ======= and >>>>>>>, and one of the two sides"},
	{"<!DOCTYPE", "a web page", "download the file itself"},
	{"<!doctype", "a web page", "download the file itself"},
	{"<html", "a web page", "download the file itself"},
	{"<?xml", "XML", "write it as JSON or YAML"},
}
