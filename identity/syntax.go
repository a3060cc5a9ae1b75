package identity

// The spellings below are those of the patterns in declaration.schema.json; a test
// compares the two.

// isAbsoluteURI tells a scheme, a colon and at least one more character that RFC 3986 allows.
func isAbsoluteURI[T ~string | ~[]byte](s T) bool {
	colon := 0
	for ; colon < len(s) && s[colon] != ':'; colon++ {
		if c := s[colon]; !isAlnum(c) && c != '+' && c != '.' && c != '-' {
			return false
		}
	}
	if colon == 0 || colon+1 >= len(s) || !isLetter(s[0]) {
		return false
	}
	for i := colon + 1; i < len(s); i++ {
		if !isURICharacter(s[i]) {
			return false
		}
	}
	return true
}

func isURICharacter(c byte) bool {
	switch c {
	case '-', '.', '_', '~', ':', '/', '?', '#', '[', ']', '@', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=', '%':
		return true
	}
	return isAlnum(c)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isAlnum(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

func allBytes(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}
