// Command sigstore-kms-azurekms lets runattest and cosign sign with keys azurekms://...
package main

import (
	"context"
	"crypto"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/kms/azure"

	"github.com/runattest/runattest/plugins/internal/plugin"
)

func main() {
	plugin.Main("azurekms", func(ctx context.Context, ref string, _ crypto.Hash, _ ...signature.RPCOption) (kms.SignerVerifier, error) {
		return azure.LoadSignerVerifier(ctx, ref)
	})
}
