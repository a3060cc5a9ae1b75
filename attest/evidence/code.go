package evidence

// Code says in one word what a check found, for programs: a code keeps its meaning, and codes are added. docs/output.md
// has the table. Verdicts decide; a code explains a verdict.
type Code string

// The codes of checks that did not fail.
const (
	CodeOK         Code = "ok"
	CodeNotAsked   Code = "not-asked"   // nothing was required, or given to compare with
	CodeNotReached Code = "not-reached" // another check failed, which leaves nothing to check here
)

// The codes of checks that failed.
const (
	CodeUnspecified Code = "unspecified" // a check by code outside this module that gives no code

	CodeSignatureCount  Code = "signature-count"  // the envelope carries no signature, or several
	CodeSignature       Code = "signature"        // a trusted key, or the certificate, is named, and the signature does not verify under it
	CodeSignatureScheme Code = "signature-scheme" // a trusted key made it, in a scheme that is not accepted
	CodeSignerUnknown   Code = "signer-unknown"   // no trusted key verifies it, and the bundle names none of them
	CodeSignerKind      Code = "signer-kind"      // a certificate where keys alone are trusted, or the other way round

	CodeCertificate         Code = "certificate"          // the certificate cannot be read or used
	CodeCertificateIdentity Code = "certificate-identity" // it names a signer who is not trusted
	CodeCertificateIssuer   Code = "certificate-issuer"   // no authority of the trusted root issued it for that time
	CodeCertificateLog      Code = "certificate-log"      // no certificate transparency log of the trusted root has seen it

	CodeTimeMissing  Code = "time-missing"  // no trusted time, or from too few authorities
	CodeTimeValidity Code = "time-validity" // signed outside the validity of the key or certificate
	CodeTimeLate     Code = "time-late"     // not proved to be before the time required
	CodeLogMissing   Code = "log-missing"   // in too few transparency logs
	CodeEvidence     Code = "evidence"      // a timestamp or log entry by a trusted authority that is not true of this signature

	CodePayloadType   Code = "payload-type"   // the envelope holds no in-toto Statement
	CodePredicateType Code = "predicate-type" // a Statement of another type than the one asked for
	CodeStatement     Code = "statement"      // not a well-formed Statement of that type

	CodeIdentityMismatch   Code = "identity-mismatch"   // recomputed, subject and predicate disagree
	CodeIdentityUnexpected Code = "identity-unexpected" // they agree, and another run or declaration was expected
	CodeDeclaration        Code = "declaration"         // the declaration is invalid
	CodeDeclarationMissing Code = "declaration-missing" // the attestation is detached, and no declaration was given
	CodeSubjectMissing     Code = "subject-missing"     // an artifact given is not among the subjects
	CodeSourceDiffers      Code = "source-differs"      // the source given declares another run

	CodeInclusion Code = "inclusion" // of a run set: the tree that was signed does not have the run, or is not the tree of these runs

	CodePolicyDenied Code = "policy-denied" // the policy denies the run, or an approver rejects it
	CodePolicyFailed Code = "policy-failed" // the policy could not be asked; now an error, and found in older reports alone
)
