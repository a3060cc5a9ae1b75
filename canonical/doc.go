// Package canonical implements the JSON Canonicalization Scheme, RFC 8785.
package canonical
