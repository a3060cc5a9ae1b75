// Package journal writes, reads and verifies the journal of a gateway: a folder in which each model call has a line, on disk,
// before it is forwarded. docs/spec/predicate-journal-segment-v1.md defines the format.
//
// A journal is a folder:
//
//	journal.json                   the journal's random id
//	NNNNNNNN.jsonl                 a segment: one line a dispatch, in RFC 8785 form
//	NNNNNNNN.declarations.jsonl    the detached declarations of the segment's lines, one a line, in their order
//	NNNNNNNN.sigstore.json         the bundle that signs the segment, once it is closed
//	lock, spare.*                  of the gateway that is running
//
// Each line has the SHA-256 of the line before it, across segments, and its number in its segment:
//
//	{"body":{"sha256":"<64 hex>","size":215},"bundle":{...},"client":"local","fate":"admitted","group":1,"headers":["accept"],
//	 "identity":"airun:1:sha256:<64 hex>","n":1,"prev":"<64 hex>","time":"2026-11-27T12:00:00.000000000Z"}
//
// # Writing
//
//	j, err := journal.Open(dir, journal.Options{Sign: sign})
//	receipt, err := j.Append(ctx, journal.Entry{...}) // the line is on disk now: forward the call
//	err = j.Close(ctx)                                // signs the last segment
//
// Calls that wait at the same time share one write and one fdatasync. Append returns an error unless the line and its
// declaration are on disk: then the call must not be forwarded.
//
// # Verifying
//
//	result, err := journal.Verify(ctx, verifier, dir, journal.VerifyOptions{})
//
// # What is not seen
//
// A journal shows that a line was changed, put in or taken out between others, and that a segment is missing between others.
// Without something that is kept elsewhere (a Receipt, the bundle of a later segment, an entry in a transparency log) it does
// not show that lines at its end, or its last segments, were taken away, nor that the holder of the key wrote it anew.
package journal
