package attest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/limits"
)

// TestChainErrors: an error about a chain says what is wrong with the list.
func TestChainErrors(t *testing.T) {
	for chain, want := range map[string]string{
		`{"certificates":[]}`: "x509CertificateChain: want at least the certificate of the signer",
		`{}`:                  "x509CertificateChain: want at least the certificate of the signer",
		`{"certificates":5}`:  "x509CertificateChain.certificates: is of type number, want array",
		`{"certificates":[` + strings.Repeat(`{"rawBytes":"YQ=="},`, 1000) + `{"rawBytes":"YQ=="}]}`: fmt.Sprintf("x509CertificateChain.certificates: 1001 elements, want at most %d", limits.Certificates),
	} {
		text := `{"mediaType":"` + BundleMediaType + `","verificationMaterial":{"x509CertificateChain":` + chain + `,"tlogEntries":[]},` +
			`"dsseEnvelope":{"payload":"YQ==","payloadType":"` + PayloadType + `","signatures":[{"sig":"YQ=="}]}}`
		if _, err := ParseBundle([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: got %v, want %s", chain, err, want)
		}
	}
}
