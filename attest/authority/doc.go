// Package authority is what the packages sigstore and policy share about certificates, timestamps and logs: which
// certificate identities a verifier trusts, which authorities and logs a trusted root lists, and which evidence it demands.
//
// Package policy verifies with keys by itself. For certificates and times it needs a [Root], which it meets through the
// interface here, so that a program that trusts keys alone links no implementation. Package sigstore has one:
//
//	p, err := policy.Load("policy.yaml", policy.Options{TrustedRoots: sigstore.Authorities})
//
// Programs that only sign and verify need the packages attest and sigstore alone. Nothing here opens a file or a socket.
package authority
