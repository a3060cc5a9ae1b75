// Command sigstore-kms-pkcs11 lets runattest and cosign sign with keys in hardware modules:
// pkcs11://token=TOKEN;object=KEY. It needs cgo.
package main

import (
	"context"
	"crypto"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"

	"github.com/runattest/runattest/plugins/internal/pkcs11"
	"github.com/runattest/runattest/plugins/internal/plugin"
)

func main() {
	plugin.Main("pkcs11", func(_ context.Context, ref string, hash crypto.Hash, _ ...signature.RPCOption) (kms.SignerVerifier, error) {
		return pkcs11.Load(ref, hash)
	})
}
