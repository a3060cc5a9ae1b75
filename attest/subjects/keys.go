package subjects

import (
	"iter"
	"os"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// PrivateKeys gives those of the files that are private keys, each with what it is: their digests do not belong in a
// statement. Files that cannot be read are passed over.
func PrivateKeys(paths ...string) iter.Seq2[string, string] {
	return func(yield func(path, what string) bool) {
		for _, path := range paths {
			if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() > limits.Key {
				continue
			}
			data, err := boundedfile.Read(path, limits.Key)
			if what := signer.PrivateKeyIn(data); err == nil && what != "" && !yield(path, what) {
				return
			}
		}
	}
}
