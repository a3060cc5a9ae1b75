// Command conformance speaks the client protocol of sigstore-conformance, as far as it is about verifying:
//
//	conformance verify-bundle [--staging] --bundle FILE
//	    (--certificate-identity ID --certificate-oidc-issuer URL | --key FILE)
//	    [--trusted-root FILE] FILE_OR_DIGEST
//
// It is a test tool, not a command for users. It takes any Sigstore bundle with a DSSE envelope, whatever the
// predicate, and checks it with the code by which runattest decides which signers to trust (attest.ParseBundle,
// Bundle.CheckTrust, sigstore.NewTrust); it checks nothing about runs. Then the artifact must be among the subjects of
// the signed in-toto Statement. The exit status is 0 if all checks pass, and otherwise 1, with the reason on standard
// error.
//
// FILE_OR_DIGEST is sha256:HEX, or as an extension sha384:HEX or sha512:HEX, unless there is a file of that
// name; else it is a file. Without --trusted-root the public service's is fetched through TUF, with --staging
// the staging service's. Bundles with the signature of a file (messageSignature) are refused: runattest reads
// none. So is sign-bundle.
//
// # What has been run
//
// The suite's own bundles are not in this repository. The cases that the bundles which sigstore-go ships can
// tell were made from those, each with the name of the suite's case that it stands for: conformance_test.go.
// Those with intoto entries are made in package sigstore's tests, TestIntotoEntries and TestIntotoWithoutProof.
package main
