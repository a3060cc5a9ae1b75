// Command sigstore-kms-hashivault lets runattest and cosign sign with keys hashivault://...
// of the transit engine of Vault or OpenBao.
package main

import (
	"context"
	"crypto"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/kms/hashivault"

	"github.com/runattest/runattest/plugins/internal/plugin"
)

func main() {
	plugin.Main("hashivault", func(_ context.Context, ref string, hash crypto.Hash, options ...signature.RPCOption) (kms.SignerVerifier, error) {
		return hashivault.LoadSignerVerifier(ref, hash, options...)
	})
}
