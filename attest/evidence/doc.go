// Package evidence holds what a verification reads, and what it finds: the parts that package attest shares with
// implementations of attest.Trust and of Witness. Programs that only sign and verify need package attest alone.
//
// An attest.Trust is given an [Envelope]: the payload, its one signature, the key or the certificate that the bundle
// names, and the timestamps and log entries that it carries ([Material]). It answers with a [Result]: the three checks
// signature, signer and time, the identity of the signer, and the times and log entries that were verified.
//
// A [Check] is one question with a verdict, a reason in words and a [Code] for programs. [Passed], [Failed] and
// [Skipped] make them:
//
//	evidence.Passed(evidence.CheckSigner, "key %s is trusted", name)
//	evidence.Failed(evidence.CheckTime, evidence.CodeTimeMissing, "no trusted time").WithHint("sign with a timestamp authority")
//	evidence.Skipped(evidence.CheckTime, evidence.CodeNotAsked, "no time was required")
//
// Nothing here verifies anything, and nothing here opens a file or a socket.
package evidence
