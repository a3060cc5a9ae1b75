// Package zero lets methods treat a nil receiver as the zero value of its type. A caller that ignores the error of a
// failed call then gets an empty answer or an error instead of a panic.
package zero

import "reflect"

// IsNil says that an interface holds nothing, or a nil pointer: a caller that has set an option from a variable that is nil gets an
// error instead of a panic.
func IsNil(v any) bool {
	of := reflect.ValueOf(v)
	return v == nil || of.Kind() == reflect.Pointer && of.IsNil()
}

// IfNil returns p, or a pointer to a zero value if p is nil.
func IfNil[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}
