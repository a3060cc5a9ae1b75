package unseen

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Kind is a kind of what people do not see in a text.
type Kind byte

// The kinds, in the order in which In gives them.
const (
	Bidi      Kind = iota // characters that change the direction of text
	Invisible             // characters that are not seen
	Space                 // white space that looks like a blank
	Control               // control characters
	Blank                 // a blank in a name that is overlooked
	NotNFC                // text that is not in Unicode form NFC
	Senseless             // characters that say nothing to people
	LookAlike             // what certainly is not what it looks like
	Suspect               // what may be meant, and reads as something else
)

// Finding is one of them in a text.
type Finding struct {
	Kind    Kind
	At      int    // the byte at which it begins
	Chars   string // the characters that it is about: a word, or, of kinds that are not of words, each different one
	What    string
	Fix     string // what to do, beginning with a verb
	InProse bool   // not what people read in prose either
}

// IsCertain tells what a name never has by intention.
func (f Finding) IsCertain() bool { return f.Kind != Suspect }

// IsMistake tells what makes a name another one than people read, of what is seen of it.
func (f Finding) IsMistake() bool { return f.Kind >= NotNFC && f.IsCertain() }

// otherBlanks are those that names of people have between words: the one of Japanese keyboards, and one at which no line ends.
var otherBlanks = strings.NewReplacer("\u3000", " ", "\u00a0", " ")

// InLabel is In for the name of a person or of a client.
func InLabel(name string) []Finding { return In(otherBlanks.Replace(name), true) }

// In is what people do not see in a text, the kinds in their order. Prose is not looked through for what follows NotNFC.
func In(s string, isName bool) []Finding {
	all := NotShown(s, isName)
	all = addControls(all, s, isName)
	if f, ok := Overlooked(s); ok && isName {
		all = append(all, f)
	}
	if isASCII(s) {
		return all
	}
	if !norm.NFC.IsNormalString(s) {
		all = append(all, notNFC(s))
	}
	if isName {
		all = append(all, mistakes(s)...)
	}
	return all
}

// Overlooked is of a blank at the beginning or the end of a name, or behind another one.
func Overlooked(s string) (Finding, bool) {
	where := loneBlank(s)
	return Finding{Kind: Blank, What: "a blank " + where + " is easily overlooked", Fix: "remove it"}, where != ""
}

// Mistakes are what makes a text in a policy another one than people read: the findings of In from NotNFC on. What may be meant comes last.
func Mistakes(s string) []Finding {
	return slices.DeleteFunc(In(s, true), func(f Finding) bool { return f.Kind < NotNFC })
}

// NotShown is what is not shown in a text, or changes how it is shown: the first three kinds.
func NotShown(s string, isName bool) []Finding {
	if isASCII(s) {
		return nil
	}
	var all []Finding
	all = add(all, Bidi, turning(s, isName), "changes the direction of the text around it", "change the direction of the text around them", "remove it")
	all = add(all, Invisible, invisible(s, isName), "is not seen", "are not seen", "remove it")
	return add(all, Space, spaces(s, isName), "looks like a blank", "look like blanks", "write a blank, U+0020")
}

// Controls are the control characters of prose or code, in which line ends and tabs are none.
func Controls(s string) []Finding { return addControls(nil, s, false) }

func addControls(all []Finding, s string, isName bool) []Finding {
	return add(all, Control, controls(s, isName), "is a control character", "are control characters", "remove it")
}

// places are characters and the bytes at which they stand.
type places = iter.Seq2[int, rune]

// where are the characters that is accepts, which sees what stands before and behind them.
func where(s string, is func(r rune, before, after string) bool) places {
	return func(yield func(int, rune) bool) {
		for i, r := range s {
			if _, size := utf8.DecodeRuneInString(s[i:]); is(r, s[:i], s[i+size:]) && !yield(i, r) {
				return
			}
		}
	}
}

// mostNamed is how many different characters a finding names.
const mostNamed = 4

// add adds a finding about the different characters that stand there, if there are any.
func add(all []Finding, kind Kind, found places, one, many, fix string) []Finding {
	f := Finding{Kind: kind, Fix: fix, InProse: true}
	n := 0
	for at, r := range found {
		if n == 0 {
			f.At = at
		}
		if !strings.ContainsRune(f.Chars, r) {
			f.Chars += string(r)
			n++
		}
		if n == mostNamed {
			break
		}
	}
	switch n {
	case 0:
		return all
	case 1:
		f.What = listed(f.Chars) + " " + one
	default:
		f.What = listed(f.Chars) + " " + many
		f.Fix = strings.Replace(fix, "remove it", "remove them", 1)
	}
	return append(all, f)
}

// listed are the numbers of characters: U+0430, U+0440 and U+0441.
func listed(chars string) string {
	var all []string
	for _, r := range chars {
		all = append(all, fmt.Sprintf("%U", r))
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// notNFC is about the first character that has another form.
func notNFC(s string) Finding {
	at := norm.NFC.QuickSpanString(s)
	for at < len(s) && s[at] < utf8.RuneSelf {
		at++
	}
	if at == len(s) { // is not: what is not in NFC has a character beyond ASCII behind the span
		at = strings.IndexFunc(s, isBeyondASCII)
	}
	r, _ := utf8.DecodeRuneInString(s[at:])
	return Finding{
		Kind: NotNFC, At: at, Chars: string(r), InProse: true,
		What: fmt.Sprintf("%U is not in Unicode form NFC: the same text in NFC is another text", r), Fix: "save the text in NFC",
	}
}

func isASCII(s string) bool { return strings.IndexFunc(s, isBeyondASCII) < 0 }

func isBeyondASCII(r rune) bool { return r >= utf8.RuneSelf }

// runs are the longest parts of s of which each character is one of those, with where they begin.
func runs(s string, of func(rune) bool) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for at := 0; at < len(s); {
			n := strings.IndexFunc(s[at:], of)
			if n < 0 {
				return
			}
			at += n
			end := len(s)
			if n := strings.IndexFunc(s[at:], func(r rune) bool { return !of(r) }); n >= 0 {
				end = at + n
			}
			if !yield(at, s[at:end]) {
				return
			}
			at = end
		}
	}
}
