package cli

import "github.com/runattest/runattest/internal/atomicfile"

// Stdout is the name of standard output.
const Stdout = "-"

// OutputName is where a flag has a result written: every name of standard output becomes Stdout.
func OutputName(path string) string {
	if n, ok := atomicfile.Descriptor(path); path == "/dev/stdout" || ok && n == 1 {
		return Stdout
	}
	return path
}

// Put writes a result where a flag says: to standard output, or into a file, whole, in the place of one that was there.
func (p *Printer) Put(path string, data []byte) error {
	if OutputName(path) == Stdout {
		return p.WriteRaw(data)
	}
	return atomicfile.Write(path, data, 0o644)
}
