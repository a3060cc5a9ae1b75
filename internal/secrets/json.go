package secrets

import (
	"encoding/json"
	"strings"
)

// JSON text inside an argument.

// jsonIn is the object or list that a string has, perhaps behind NAME=: as JSON, as a string of JSON that has it, or with a backslash
// before each quotation mark.
func jsonIn(s string) (v any, ok bool) {
	if !isObject(s) {
		return nil, false
	}
	s = s[len(assignment.FindString(s)):]
	for _, text := range []string{s, strings.ReplaceAll(s, `\"`, `"`)} {
		if v, ok = parsed(text); !ok {
			continue
		}
		if inner, isString := v.(string); isString {
			v, _ = parsed(inner)
		}
		switch v.(type) {
		case []any, map[string]any:
			return v, true
		}
	}
	return nil, false
}

func parsed(text string) (v any, ok bool) {
	if !json.Valid([]byte(text)) {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	ok = d.Decode(&v) == nil
	return v, ok
}

// hasPlaced tells whether something in a JSON value is secret by what stands beside it: the value of a name, or a string behind an option.
// What stands below secret names is withheld as it is.
func hasPlaced(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		isNamed, hasValue := false, false
		for name, e := range v {
			switch strings.ToLower(name) {
			case "name", "key", "header", "variable":
				text, _ := e.(string)
				isNamed = isNamed || IsWithheld(text)
			case "value", "values":
				hasValue = true
			}
			if !IsWithheld(name) && hasPlaced(e) {
				return true
			}
		}
		return isNamed && hasValue
	case []any:
		before := ""
		for i, e := range v {
			text, _ := e.(string)
			if i > 0 && element(before, text, len(v) == 2, prose) != element("", text, false, prose) || hasPlaced(e) {
				return true
			}
			before = text
		}
	}
	return false
}
