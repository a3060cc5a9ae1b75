package attest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/runattest/runattest/signer"
)

// certified signs with a certificate that this package does not look into.
type certified struct{ signer.Signer }

func (certified) Certificate() []byte { return []byte("certificate") }

// evidenceOf is a Witness with evidence made before.
type evidenceOf Evidence

func (e evidenceOf) Witness(context.Context, Envelope) (Evidence, error) { return Evidence(e), nil }

// TestWrittenForOtherClients: bundle.proto wants one hint in the two places for it, sigstore-python
// the list of log entries even if it is empty, and securesystemslib a keyid.
func TestWrittenForOtherClients(t *testing.T) {
	key := newSigner(t, signer.ECDSAP256)
	hint := key.PublicKey().Hint()
	evidence := evidenceOf{Timestamps: [][]byte{[]byte("t")}, LogEntries: [][]byte{[]byte(`{"logIndex":"7"}`)}}
	for name, c := range map[string]struct {
		by       signer.Signer
		options  SignOptions
		keyid    any // nil where it is left out
		material map[string]any
	}{
		"key": {key, SignOptions{}, hint, map[string]any{
			"publicKey": map[string]any{"hint": hint}, "tlogEntries": []any{},
		}},
		"bare": {key, SignOptions{Format: DSSE}, hint, nil},
		"certificate": {certified{key}, SignOptions{}, nil, map[string]any{
			"certificate": map[string]any{"rawBytes": "Y2VydGlmaWNhdGU="}, "tlogEntries": []any{},
		}},
		"evidence": {key, SignOptions{Witness: evidence}, hint, map[string]any{
			"publicKey": map[string]any{"hint": hint}, "tlogEntries": []any{map[string]any{"logIndex": "7"}},
			"timestampVerificationData": map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": "dA=="}}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Sign(ctx, newStatement(t, StatementOptions{}), c.by, c.options)
			if err != nil {
				t.Fatal(err)
			}
			text, err := b.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			var written map[string]any
			if err := json.Unmarshal(text, &written); err != nil {
				t.Fatal(err)
			}
			envelope := written
			if c.material != nil {
				envelope = written["dsseEnvelope"].(map[string]any)
				if diff := cmp.Diff(c.material, written["verificationMaterial"]); diff != "" {
					t.Error(diff)
				}
			}
			if keyid := envelope["signatures"].([]any)[0].(map[string]any)["keyid"]; keyid != c.keyid {
				t.Errorf("keyid is %v, want %v", keyid, c.keyid)
			}
		})
	}
}
