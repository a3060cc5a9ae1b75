//go:build !unix

package boundedfile

// OpenAtOnce is nothing here.
const OpenAtOnce = 0
