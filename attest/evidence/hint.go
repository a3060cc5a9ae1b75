package evidence

// Hint says what there is to do about a check, or about an error of another package, in words that fit every program. The
// hints that have a constant are values to switch on: a program replaces them with the name of its own flag or button, and
// prints all others as they are.
type Hint string

// The hints about checks that name something which the program's user can give.
const (
	HintTrustedRoot    Hint = "give the trusted root of the timestamp authority"
	HintRootChecks     Hint = "a trusted root checks them"
	HintTrustIssuer    Hint = "if you trust its issuer: trust the identity in the certificate, with the OIDC issuer and a trusted root"
	HintTrustKey       Hint = "if you trust the signer: add its public key to the trusted keys"
	HintTrustIdentity  Hint = "if you trust this signer: add the certificate identity and its OIDC issuer to those that are trusted"
	HintDeclaration    Hint = "give the declaration"
	HintInclusionProof Hint = "have it signed again with a proof of inclusion, or require no transparency log"
	HintLogEntry       Hint = "have signatures published in a transparency log, or require none"
	HintTimestamp      Hint = "sign with a timestamp authority"
	HintOtherRoot      Hint = "if you trust that log, use a trusted root that names it"
)
