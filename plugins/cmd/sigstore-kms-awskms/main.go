// Command sigstore-kms-awskms lets runattest and cosign sign with keys awskms://...
package main

import (
	"context"
	"crypto"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms"
	"github.com/sigstore/sigstore/pkg/signature/kms/aws"

	"github.com/runattest/runattest/plugins/internal/plugin"
)

func main() {
	plugin.Main("awskms", func(ctx context.Context, ref string, _ crypto.Hash, _ ...signature.RPCOption) (kms.SignerVerifier, error) {
		return aws.LoadSignerVerifier(ctx, ref)
	})
}
