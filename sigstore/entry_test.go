package sigstore

import (
	"testing"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// TestEntryText: the first entry of a log has the index 0 and a proof without hashes, which
// protobuf JSON leaves out and sigstore-python wants.
func TestEntryText(t *testing.T) {
	first := func() *protorekor.TransparencyLogEntry {
		return &protorekor.TransparencyLogEntry{
			LogId:             &protocommon.LogId{KeyId: []byte("id")},
			KindVersion:       &protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.2"},
			InclusionProof:    &protorekor.InclusionProof{TreeSize: 1, RootHash: []byte("root"), Checkpoint: &protorekor.Checkpoint{Envelope: "log\n"}},
			CanonicalizedBody: []byte("body"),
		}
	}
	logged := first() // by Rekor v1
	logged.IntegratedTime, logged.InclusionPromise = 1_700_000_000, &protorekor.InclusionPromise{SignedEntryTimestamp: []byte("set")}
	const rest = `"kindVersion":{"kind":"hashedrekord","version":"0.0.2"},"logId":{"keyId":"aWQ="},"logIndex":"0"}`
	const proof = `"inclusionProof":{"checkpoint":{"envelope":"log\n"},"hashes":[],"logIndex":"0","rootHash":"cm9vdA==","treeSize":"1"},`
	for want, entry := range map[string]*protorekor.TransparencyLogEntry{
		`{"canonicalizedBody":"Ym9keQ==",` + proof + rest: first(),
		`{"canonicalizedBody":"Ym9keQ==","inclusionPromise":{"signedEntryTimestamp":"c2V0"},` + proof + `"integratedTime":"1700000000",` + rest: logged,
	} {
		text, err := entryText(entry)
		if err != nil {
			t.Fatal(err)
		}
		if string(text) != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
		var again protorekor.TransparencyLogEntry
		if err := protojson.Unmarshal(text, &again); err != nil || !proto.Equal(&again, entry) {
			t.Errorf("read again: %v, %v", &again, err)
		}
	}
}
