// Command sigstore-kms-gcpkms lets runattest and cosign sign with keys gcpkms://...
package main

import (
	"context"
	"crypto"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/kms/gcp"

	"github.com/runattest/runattest/plugins/internal/plugin"
)

func main() {
	plugin.Main("gcpkms", func(ctx context.Context, ref string, _ crypto.Hash, _ ...signature.RPCOption) (kms.SignerVerifier, error) {
		return gcp.LoadSignerVerifier(ctx, ref)
	})
}
