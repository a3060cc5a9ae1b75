package jsontree

import (
	"fmt"
	"strconv"
)

// Texts reads an object of strings, of which there are 1 to most. what is what its members are called in errors.
func Texts(v Value, most int, what string) (map[string]string, error) {
	if v.Kind() != Object {
		return nil, fmt.Errorf("is of type %s, want object", v.Kind())
	}
	if n := v.Len(); n == 0 || n > most {
		return nil, fmt.Errorf("%d %s, want 1 to %d", n, what, most)
	}
	texts := map[string]string{}
	for name, m := range v.Members() {
		if len(name) == 0 || m.Kind() != String {
			return nil, fmt.Errorf("%s: want a name and a string", strconv.Quote(string(name)))
		}
		texts[string(name)] = m.Text()
	}
	return texts, nil
}
