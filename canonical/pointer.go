package canonical

import (
	"strconv"
	"strings"
)

// A step is an array or object that is open at the place of an error.
type step struct {
	array     bool
	within    bool // a value in it is expected or has begun
	index     int  // of an array's element, from 0
	name, end int  // an object's member: src[name:end] is its name's string
}

// pointerAt names the innermost value that has begun, or is due, where an error with this
// code stands. Up to there src is valid, so that the way there need not be kept by scan.
func pointerAt(src []byte, offset int, code Code) string {
	var path []step
	top := &step{}
	i := skipSpace(src, 0)
	for i < offset {
		end := tokenEnd(src, i)
		if end > offset {
			break
		}
		switch c := src[i]; {
		case c == '{' || c == '[':
			path = append(path, step{array: c == '[', within: c == '['})
			top = &path[len(path)-1]
		case c == ',':
			top.within = top.array
			top.index++
		case c == ':':
		case c == '"' && !top.array && !top.within && len(path) > 0:
			top.name, top.end, top.within = i, end, true
		default:
			if c == '}' || c == ']' {
				path = path[:len(path)-1]
				top = &step{}
				if len(path) > 0 {
					top = &path[len(path)-1]
				}
			}
			top.within = false
		}
		i = skipSpace(src, end)
	}
	if (code == codeDuplicate || code == codeCount) && !top.within && len(path) > 0 {
		top.name, top.end, top.within = offset, tokenEnd(src, offset), true
	}
	return spell(src, path)
}

// tokenEnd is the position after the token at i, beyond len(src) if it is not whole.
func tokenEnd(src []byte, i int) int {
	switch src[i] {
	case '{', '}', '[', ']', ',', ':':
		return i + 1
	case '"':
		return skipString(src, i)
	}
	end := skipScalar(src, i)
	switch s := string(src[i:end]); s {
	case "true", "false", "null":
		return end
	default:
		if !isDigit(s[len(s)-1]) {
			return len(src) + 1
		}
		return end
	}
}

func spell(src []byte, path []step) string {
	var b strings.Builder
	for _, s := range path {
		switch {
		case !s.within:
		case s.array:
			b.WriteByte('/')
			b.WriteString(strconv.Itoa(s.index))
		default:
			b.WriteByte('/')
			b.WriteString(escapePointer.Replace(string(appendUnescaped(nil, src[s.name+1:s.end-1]))))
		}
	}
	return b.String()
}
