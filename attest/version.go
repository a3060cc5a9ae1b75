package attest

import (
	"fmt"
	"strings"

	"github.com/runattest/runattest/internal/jsontree"
)

// The versions of Sigstore bundles that are read. The media type, which states it, is not signed.
const (
	version01 = "0.1"
	version02 = "0.2"
	version03 = "0.3"
)

// versionOf is the version that one of readMediaTypes states.
func versionOf(mediaType string) string {
	for _, old := range []string{version01, version02} {
		if strings.HasSuffix(mediaType, "="+old) {
			return old
		}
	}
	return version03
}

// checkVersion refuses verification material that bundles of a version do not have, and material
// without what they demand (protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto):
//
//	v0.1  x509CertificateChain, not certificate; each log entry has an inclusion promise
//	v0.2  x509CertificateChain, not certificate; each log entry has an inclusion proof
//	v0.3  each log entry has an inclusion proof
func checkVersion(material jsontree.Value, version string) error {
	if version != version03 && optional(material, "certificate").Kind() != jsontree.Absent {
		return fmt.Errorf("certificate: a bundle v%s carries x509CertificateChain", version)
	}
	demanded := "inclusionProof"
	if version == version01 {
		demanded = "inclusionPromise"
	}
	for i, entry := range optional(material, "tlogEntries").Elements() {
		if optional(entry, demanded).Kind() == jsontree.Absent {
			return fmt.Errorf("tlogEntries[%d]: has no %s, which a bundle v%s demands", i, demanded, version)
		}
	}
	return nil
}
