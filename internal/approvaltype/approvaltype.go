// Package approvaltype tells which statements may be approvals or rejections of runs.
package approvaltype

import (
	"net/url"
	"strings"
	"unicode"
)

// family is in the predicate types of all versions of approvals, however they are spelled: in their letters and digits, at
// their beginning or behind the name of the project.
const family, project = "runapproval", "runattest"

// MayBe says whether a statement of that predicate type may be an approval or a rejection, of whatever version, however the type is
// spelled: what an approver says in one that is not known may be a rejection, and so may what has no type.
func MayBe(predicateType string) bool {
	if plain, err := url.PathUnescape(predicateType); err == nil {
		predicateType = plain
	}
	letters := strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, predicateType)
	return letters == "" || strings.HasPrefix(letters, family) || strings.Contains(letters, project+family)
}
