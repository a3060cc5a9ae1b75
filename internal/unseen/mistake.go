package unseen

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// mistakes are what makes a name another one than people read, and then what may be meant and reads as something else: each about one
// word. What people write in other languages is none: a word in another script beside Latin ones or together with them, a letter alone,
// superscripts, marks of fullwidth.
func mistakes(s string) []Finding {
	m := &mistaken{name: s}
	for i, r := range s {
		if what, inProse := senseless(r, s[:i]); what != "" && !strings.ContainsRune(m.senseless, r) && len(m.senseless) < 4*mostNamed {
			m.senseless += string(r)
			m.all = append(m.all, Finding{Senseless, i, string(r), fmt.Sprintf("%U %s", r, what), "remove it, or write what is meant", inProse})
		}
	}
	m.looks()
	m.mixedNumbers()
	m.marks()
	m.styled()
	certain := len(m.all)
	m.suspectWords()
	m.suspectStyles()
	slices.SortStableFunc(m.all[certain:], func(a, b Finding) int { return a.At - b.At })
	return m.all
}

type mistaken struct {
	name      string
	all       []Finding
	senseless string
	done      []span // words that are mistaken for certain
	suspects  int
}

type span struct{ start, end int }

// mostWords is how many words of one name there are findings about, certain ones and others.
const mostWords = 50

func (m *mistaken) certain(f Finding, start int, word string) {
	if len(m.done) == mostWords {
		return
	}
	f.Kind = LookAlike
	if f.Chars == "" {
		f.Chars = word
	}
	m.all = append(m.all, f)
	m.done = append(m.done, span{start, start + len(word)})
}

func (m *mistaken) suspect(at int, chars, what, fix string) {
	for _, d := range m.done {
		if at < d.end && d.start < at+len(chars) {
			return
		}
	}
	if m.suspects++; m.suspects <= mostWords {
		m.all = append(m.all, Finding{Kind: Suspect, At: at, Chars: chars, What: what, Fix: fix})
	}
}

// looks finds letters that look like ASCII ones beside which they stand: in a word with ASCII letters, or as a word beside an ASCII digit and
// without a blank between it and such letters, as the last letter of gpt-4o. It also finds words with ASCII letters and those of a script
// which looks like theirs, and of which no letters are written among them. Greek ones are, as in μTransfer.
func (m *mistaken) looks() {
	for start, part := range runs(m.name, func(r rune) bool { return !unicode.IsSpace(r) }) {
		if strings.IndexFunc(part, isASCIILetter) < 0 {
			continue
		}
		for n, word := range runs(part, unicode.IsLetter) {
			look, end := strings.IndexFunc(word, isLatinLook), n+len(word)
			isDigitBeside := n > 0 && isASCIIDigit(part[n-1]) || end < len(part) && isASCIIDigit(part[end])
			switch hasLatin := strings.IndexFunc(word, isASCIILetter) >= 0; {
			case hasLatin && strings.IndexFunc(word, isUnmixed) >= 0 && strings.IndexFunc(word, isOtherScript) >= 0:
				m.certain(mixedWord(start+n, word), start+n, word)
			case look < 0, isAlpha(word):
			case hasLatin:
				m.certain(lookAlike(start+n, word, "letters"), start+n, word)
			case isDigitBeside && strings.TrimFunc(word, isLatinLook) == "":
				m.certain(lookAlike(start+n, word, "digits"), start+n, word)
			}
		}
	}
}

// isUnmixed tells a letter of the scripts that are not written among Latin letters, and look like these.
func isUnmixed(r rune) bool {
	return unicode.In(r, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu)
}

// isOtherScript tells a letter that is not Latin and does not look so.
func isOtherScript(r rune) bool {
	return isBeyondASCII(r) && !unicode.Is(unicode.Latin, r) && !isLatinLook(r)
}

// mixedWord is about all letters of another script in a word with ASCII letters.
func mixedWord(at int, word string) Finding {
	others := lettersOf(word, isUnmixed)
	what := listed(others) + " is a letter of another script, in a word with ASCII letters"
	if utf8.RuneCountInString(others) > 1 {
		what = fmt.Sprintf("the letters %s are of another script, in a word with ASCII letters", others)
	}
	fix := "write the word in the letters of one script"
	if latin := read(word); isASCII(latin) {
		fix = "write " + latin + ", or the word in the letters of one script"
	} else if parts := parted(word); parts != "" {
		fix += ", or part it, as " + parts
	}
	return Finding{At: at + strings.IndexFunc(word, isUnmixed), What: what, Fix: fix, InProse: true}
}

// nearLooks are Greek letters that are taken for Latin ones beside which they stand, and are seen to be other ones.
const nearLooks = "κυι"

// lookAlike is about all letters of a word that look like ASCII ones.
func lookAlike(at int, word, beside string) Finding {
	looks := lettersOf(word, isLatinLook)
	latin := strings.Map(latinLooks, looks)
	f := Finding{At: at + strings.IndexFunc(word, isLatinLook), InProse: true}
	switch {
	case strings.Trim(looks, nearLooks) == "":
		f.What = listed(looks) + " can be taken for " + latin + ", in a word with ASCII " + beside
	case utf8.RuneCountInString(looks) == 1:
		f.What = listed(looks) + " looks like " + latin + " and is not, in a word with ASCII " + beside
	default:
		f.What = "the letters " + listed(looks) + " look like " + latin + " and are not, in a word with ASCII " + beside
	}
	f.Fix = "write " + latin
	if utf8.RuneCountInString(looks) > 1 {
		f.Fix = "write " + read(word)
	}
	f.Fix += ", or the word in the letters of one script"
	if parts := parted(word); parts != "" && strings.IndexFunc(word, isSmallGreek) >= 0 {
		f.Fix += ", or part it, as " + parts
	}
	return f
}

// lettersOf are the different letters of a word of that kind.
func lettersOf(word string, of func(rune) bool) string {
	letters := ""
	for _, r := range word {
		if of(r) && !strings.ContainsRune(letters, r) {
			letters += string(r)
		}
	}
	return letters
}

// read is a word as people who know Latin letters read it.
func read(word string) string {
	return strings.Map(func(r rune) rune {
		if latin := latinLooks(r); latin != 0 {
			return latin
		}
		if latin := roughLooks(r); latin != 0 {
			return latin
		}
		return r
	}, word)
}

// parted is a word of two parts, one of them of ASCII letters, with a hyphen between them, "" of another one. A part of one letter is a
// slip of the keyboard more often than a word.
func parted(word string) string {
	first, _ := utf8.DecodeRuneInString(word)
	at := strings.IndexFunc(word, func(r rune) bool { return isBeyondASCII(r) != isBeyondASCII(first) })
	if at < 0 || strings.IndexFunc(word[at:], func(r rune) bool { return isBeyondASCII(r) == isBeyondASCII(first) }) >= 0 {
		return ""
	}
	if areWords := utf8.RuneCountInString(word[at:]) > 1 && utf8.RuneCountInString(word[:at]) > 1; !areWords && !unicode.Is(unicode.Greek, first) {
		return ""
	}
	return word[:at] + "-" + word[at:]
}

func isSmallGreek(r rune) bool { return unicode.Is(unicode.Greek, r) && unicode.IsLower(r) }

// isAlpha tells a word with an alpha that is read as one: alone, or behind capitals, as in TNFα.
func isAlpha(word string) bool {
	rest := strings.ReplaceAll(word, "α", "")
	return rest != word && strings.ToUpper(rest) == rest && strings.IndexFunc(rest, isLatinLook) < 0
}

// mixedNumbers finds numbers of ASCII digits and those of another script.
func (m *mistaken) mixedNumbers() {
	for start, number := range runs(m.name, func(r rune) bool { return unicode.IsDigit(r) || r == '.' }) {
		if n := strings.IndexFunc(number, isOtherDigit); n >= 0 && strings.ContainsAny(number, "0123456789") {
			digits := lettersOf(number, isOtherDigit)
			verb := " stands"
			if utf8.RuneCountInString(digits) > 1 {
				verb = " stand"
			}
			m.certain(Finding{At: start + n, What: listed(digits) + verb + " in a number with digits of another script", Fix: "write the digits 0 to 9", InProse: true}, start, number)
		}
	}
}

// marks finds those that look like others, between two ASCII letters or digits.
func (m *mistaken) marks() {
	seen := ""
	for i, r := range m.name {
		plain, after := plainMarks[r], i+utf8.RuneLen(r)
		if plain != "" && i > 0 && after < len(m.name) && isAlnum(m.name[i-1]) && isAlnum(m.name[after]) && !strings.ContainsRune(seen, r) {
			seen += string(r)
			m.certain(Finding{At: i, What: fmt.Sprintf("%U looks like %s", r, plain), Fix: "write " + plain}, i, string(r))
		}
	}
}

// styled finds words with letters or digits in another style, which have ASCII ones, too, or stand in place of a word of those. One alone is
// right, and beside Chinese characters, kana and hangul so is a word of them.
func (m *mistaken) styled() {
	isPart := func(r rune) bool {
		return r < utf8.RuneSelf && (isAlnum(byte(r)) || strings.ContainsRune("-_./:@", r)) || styleOf(r) != ""
	}
	isCJK := strings.ContainsFunc(m.name, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
	})
	for start, word := range runs(m.name, isPart) {
		n := strings.IndexFunc(word, isBeyondASCII)
		if n < 0 {
			continue
		}
		isBeside := strings.ContainsFunc(word, func(r rune) bool { return r < utf8.RuneSelf && isAlnum(byte(r)) })
		if !isBeside && !isCJK {
			for from, letters := range runs(word, func(r rune) bool { return isBeyondASCII(r) && !unicode.IsDigit(r) }) {
				if utf8.RuneCountInString(letters) > 1 {
					isBeside, n = true, from
					break
				}
			}
		}
		if isBeside {
			m.certain(style(start+n, word), start, word)
		}
	}
}

// style is about the characters of a word in another style.
func style(at int, word string) Finding {
	chars := lettersOf(word, func(r rune) bool { return styleOf(r) != "" })
	plain := plainStyle(chars)
	verb := " looks like "
	if utf8.RuneCountInString(chars) > 1 {
		verb = " look like "
	}
	isLigature := strings.ContainsFunc(word, func(r rune) bool { return r >= 0xFB00 && r <= 0xFB06 || r >= 0x2170 && r <= 0x217F })
	return Finding{At: at, What: listed(chars) + verb + plain, Fix: "write " + plainStyle(word), InProse: isLigature}
}

func plainStyle(s string) string {
	var b strings.Builder
	for _, r := range s {
		if plain := styleOf(r); plain != "" {
			b.WriteString(plain)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// styleOf is the ASCII letter or digit that r is in another style: fullwidth, mathematical, a ligature of them, or a small Roman numeral of one
// letter. It is "" for all else, also for those that are seen to be other ones: superscripts, ordinals, in circles.
func styleOf(r rune) string {
	switch {
	case r >= 0xFF10 && r <= 0xFF5A, r >= 0x1D400 && r <= 0x1D7FF, r == 0x210E, r >= 0xFB00 && r <= 0xFB06, r >= 0x2170 && r <= 0x217F:
		plain := norm.NFKC.String(string(r))
		if r >= 0x2170 && r <= 0x217F && len(plain) > 1 || strings.ContainsFunc(plain, func(c rune) bool { return c >= utf8.RuneSelf || !isAlnum(byte(c)) }) {
			return ""
		}
		return plain
	}
	return ""
}

func isASCIIDigit(c byte) bool { return c >= '0' && c <= '9' }
