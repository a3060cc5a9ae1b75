//go:build !unix

package boundedfile

// OpenAtOnce has no effect on this platform.
const OpenAtOnce = 0
