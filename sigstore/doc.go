// Package sigstore trusts, and gathers, what Sigstore's services sign: certificates that say
// who signed (Fulcio), timestamps (RFC 3161) and transparency log entries (Rekor) that say when.
// It is the one package that imports sigstore-go; package attest meets it through the
// interfaces Trust and Witness.
//
// # Trusting
//
// A TrustedRoot is a file that names authorities, each with the time in which it is believed.
// NewTrust holds a bundle against it and answers three of attest's questions:
//
//	signature   the DSSE signature verifies under the certificate's key, or under a trusted key
//	signer      the certificate is by an authority of the root and valid at every trusted time;
//	            a log of the root has seen it (SCT), where the root names certificate
//	            transparency logs; its subject and OIDC issuer are a trusted CertificateIdentity
//	time        every log entry by a log of the root is about this very signature; the
//	            timestamps that authorities of the root made of it, and those entries, are as
//	            many as are required; all trusted times are inside the validity of certificate
//	            or key, and the earliest is not later than SignedBefore
//
// A certificate without a trusted time is refused: it lives for minutes, and only others can
// say which. What signs a time is an RFC 3161 authority or a Rekor v1 log; Rekor v2 signs none.
// Such a log signs it in a promise to add the entry, which does not prove that it did: only inclusion
// proofs count as log entries.
// Nothing here opens a file or a socket, or asks this machine's clock.
//
//	root, err := sigstore.ParseTrustedRoot(data)
//	trust, err := sigstore.NewTrust(sigstore.TrustOptions{
//		Root: root,
//		Identities: []sigstore.CertificateIdentity{{
//			SubjectAlternativeName: sigstore.Exactly("alice@example.com"),
//			Issuer:                 sigstore.Exactly("https://accounts.example.com"),
//		}},
//	})
//	verifier, err := attest.NewVerifier(trust)
//
// # Signing
//
// A Session signs statements with a key, or with a certificate that a certificate authority issues for a new key.
// NewSession checks everything that can be checked without publishing anything. Sign holds the statement against
// in-toto's own library, requests a certificate where one is needed, signs, has the services witness the signature,
// and verifies the bundle with the trusted root, if one is given, before it returns the bundle.
//
//	session, err := sigstore.NewSession(sigstore.SessionOptions{Signer: by, Endpoints: endpoints, Root: root})
//	bundle, err := session.Sign(ctx, statement)
//
// # Trusted roots
//
// CreateTrustedRoot makes the trusted root of a private Sigstore from certificates and public
// keys; FetchTrustedRoot gets the public one, or that of any TUF repository, and is the only call
// here besides signing that opens a socket. Trusted lists the authorities and logs of a trusted root.
package sigstore
