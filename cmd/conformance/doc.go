// Command conformance speaks the client protocol of sigstore-conformance, as far as it is about verifying:
//
//	conformance verify-bundle [--staging] --bundle FILE
//	    (--certificate-identity ID --certificate-oidc-issuer URL | --key FILE)
//	    [--trusted-root FILE] FILE_OR_DIGEST
//
// It is a test tool and no command for users: it puts any Sigstore bundle with a DSSE envelope, whatever the
// predicate, through the code by which runattest decides whom to believe (attest.ParseBundle, Bundle.CheckTrust,
// sigstore.NewTrust), and asks nothing about runs. Then the artifact must be among the subjects of the in-toto
// Statement that was signed. Exit status 0 is yes; 1 is everything else, with the reason on standard error.
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
