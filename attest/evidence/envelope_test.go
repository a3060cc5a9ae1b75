package evidence

import (
	"bytes"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// TestMessage compares the text that is signed with that of the DSSE library.
func TestMessage(t *testing.T) {
	for _, payloadType := range []string{"", "application/vnd.in-toto+json", strings.Repeat("é", 600)} {
		for _, payload := range []string{"", "{}", strings.Repeat("x", 12_345)} {
			got, want := (Envelope{PayloadType: payloadType, Payload: []byte(payload)}).Message(), dsse.PAE(payloadType, []byte(payload))
			if !bytes.Equal(got, want) {
				t.Errorf("%.60q, want %.60q", got, want)
			}
		}
	}
}
