// Package zero lets methods take a nil receiver for the zero value of its type, so that what a failed call returned, and
// was not looked at, is an empty answer or an error instead of a panic.
package zero

// IfNil is p, or a zero value where p is nil.
func IfNil[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}
