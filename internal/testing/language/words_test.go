package language

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A rule lists words and phrases that must not occur, says what to write instead, and lists the longer phrases
// that are allowed. Bars separate the phrases of a list.
type rule struct {
	phrases, instead, except string
}

var rules = []rule{
	{"whoever|whom|whomever", "name the role: a signer, a client, the verifier", ""},
	{"nobody|somebody|anybody|everybody", "name the role, or use the passive voice", ""},
	{"is no|are no", "is not a, are not", "there is no|there are no|answer is no|is no longer|are no longer"},
	{"a yes|no yes|is a no|no no", "say what passes or fails, is allowed or refused", ""},
	{"the world|the world's", "operational failure (I/O, network, KMS)", ""},
	{"kin|kinship", "lineage, ancestors", ""},
	{"haul|pile|piles|shelf|shelves", "name what it holds: bundles, approvals, repositories", ""},
	{"hear|hears|heard", "take, count, consider", ""},
	{"signatory|signatories", "signer, signer identity", ""},
	{"opinion|opinions|doubt|doubts", "result, warning", ""},
	{"certify a|certify it|certify who|certifies a", "issue a certificate for", ""},
	{"from ever|whose run is it|more than nothing|worth what|seldom meant", "say it plainly", ""},
}

// A phrase is a phrase of a rule, split into words.
type phrase struct {
	words []string
	rule  *rule
}

// phrases holds the phrases of all rules by their first words.
var phrases = func() map[string][]phrase {
	all := map[string][]phrase{}
	for i := range rules {
		for _, p := range strings.Split(rules[i].phrases, "|") {
			words := strings.Fields(p)
			all[words[0]] = append(all[words[0]], phrase{words, &rules[i]})
		}
	}
	return all
}()

// findWords lists the phrases in a text that a rule forbids, also where a comment breaks one over two lines.
func findWords(text string) []finding {
	var found []finding
	words, lines := split(text)
	for i, first := range words {
		for _, p := range phrases[first] {
			if matches(words[i:], p.words) && !p.rule.allows(words[max(0, i-1):min(len(words), i+len(p.words)+1)]) {
				found = append(found, finding{lines[i], fmt.Sprintf("%q: %s", strings.Join(p.words, " "), p.rule.instead)})
			}
		}
	}
	return found
}

func matches(words, want []string) bool {
	if len(words) < len(want) {
		return false
	}
	for i := range want {
		if words[i] != want[i] {
			return false
		}
	}
	return true
}

func (r *rule) allows(around []string) bool {
	if r.except == "" {
		return false
	}
	text := strings.Join(around, " ")
	for _, e := range strings.Split(r.except, "|") {
		if strings.Contains(text, e) {
			return true
		}
	}
	return false
}

// split returns the words of a text in lower case, and the line of each. A punctuation mark is a word of its own,
// so that no phrase spans it; the marks that begin a comment are skipped.
func split(text string) (words []string, lines []int) {
	line := 1
	for at := 0; at < len(text); {
		end := at
		for end < len(text) {
			r, size := utf8.DecodeRuneInString(text[end:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '\'' {
				break
			}
			end += size
		}
		if end > at {
			words, lines = append(words, strings.ToLower(strings.Trim(text[at:end], "'"))), append(lines, line)
			at = end
			continue
		}
		switch c := text[at]; {
		case c == '\n':
			line++
		case c == ' ' || c == '\t' || c == '#' || c == '/':
		default:
			words, lines = append(words, text[at:at+1]), append(lines, line)
		}
		at++
	}
	return words, lines
}
