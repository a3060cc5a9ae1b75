// Package signer says who: the keys that sign statements, and those that a verifier
// trusts.
//
// A private key is PEM, PKCS#8, plain or encrypted as Sigstore does (a key made by
// `cosign generate-key-pair` works as it is). It is named by a reference that Load
// takes: a file's path, or env://NAME for the content of an environment variable.
//
// Load is the function to start with for signing, ParsePublicKey for verifying; Generate makes both keys, and package kms,
// below this one, loads keys that stay in a key management service.
//
//	key, err := signer.Load(ctx, "prod.key", nil)          // a Signer, for attest.Sign
//	public, err := signer.ParsePublicKey(data)             // for attest.TrustKeys
//	pair, err := signer.Generate(signer.ECDSAP256, nil)    // PEM, without a password
//	key, err = signer.Parse(pair.Private, nil)             // a Signer, of a key in memory
//
// The algorithm follows from the key, as in Sigstore's algorithm registry:
//
//	ECDSA P-256   SHA-256, ASN.1 DER signature   (the default of Generate)
//	ECDSA P-384   SHA-384, ASN.1 DER signature
//	ECDSA P-521   SHA-512, ASN.1 DER signature
//	Ed25519       RFC 8032, over the message itself
//	RSA           2048 to 8192 bits, SHA-256, PKCS #1 v1.5
//
// A key under which others than its holder can sign is refused, whichever way it comes: the
// error is a *WeakKeyError.
//
// A public key's hint, which a Sigstore bundle carries so that a verifier finds the key,
// is base64(SHA-256(DER SubjectPublicKeyInfo)), as cosign computes it. A hint is a claim
// of the bundle's author: it helps to find a key, and never decides.
package signer
