// Package nilargs calls everything that the public packages export with nil and zero arguments: the answer is an error or a
// zero value, and never a panic.
package nilargs

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/answer"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/attest/files"
	"github.com/runattest/runattest/attest/recapture"
	"github.com/runattest/runattest/attest/runset"
	"github.com/runattest/runattest/attest/signing"
	"github.com/runattest/runattest/attest/subjects"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/gate"
	"github.com/runattest/runattest/gate/filedigest"
	"github.com/runattest/runattest/gate/verdicts"
	"github.com/runattest/runattest/gateway"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/gateway/journal/report"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/lineage"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/registry"
	"github.com/runattest/runattest/registry/folder"
	"github.com/runattest/runattest/registry/listing"
	"github.com/runattest/runattest/registry/upload"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/signer/idtoken"
	"github.com/runattest/runattest/signer/kms"
	"github.com/runattest/runattest/sigstore"
)

// packages are the public ones.
var packages = []string{
	"canonical", "identity", "signer", "signer/kms", "attest", "attest/evidence", "attest/authority", "attest/answer", "attest/subjects", "attest/recapture", "attest/files", "attest/runset", "attest/signing", "registry/folder", "registry/listing", "registry/upload", "sigstore", "signer/idtoken", "policy", "gate", "gate/filedigest", "gate/verdicts", "gateway", "gateway/journal", "gateway/journal/report", "lineage", "registry", "capture",
}

// exported are all functions and methods that they export.
var exported = map[string]any{
	"sigstore.LogAlgorithmError.Error": (*sigstore.LogAlgorithmError).Error,
	"evidence.TrustedTime.Latest":      evidence.TrustedTime.Latest,
	"evidence.TrustedTime.Earliest":    evidence.TrustedTime.Earliest,

	"attest.Bundle.UnverifiedSetHead": (*attest.Bundle).UnverifiedSetHead,
	"attest.Verified.InSet":           (*attest.Verified).InSet,
	"attest.VerifiedHead.Head":        (*attest.VerifiedHead).Head,
	"attest.VerifiedHead.Report":      (*attest.VerifiedHead).Report,
	"attest.VerifiedHead.VerifyAll":   (*attest.VerifiedHead).VerifyAll,
	"attest.VerifiedHead.VerifyRuns":  (*attest.VerifiedHead).VerifyRuns,
	"attest.Verifier.VerifySetHead":   (*attest.Verifier).VerifySetHead,
	"evidence.InSet.Clone":            (*evidence.InSet).Clone,
	"evidence.InSet.MarshalJSON":      evidence.InSet.MarshalJSON,
	"evidence.InSet.String":           evidence.InSet.String,
	"evidence.SetHead.Bytes":          evidence.SetHead.Bytes,
	"evidence.SetHead.MarshalJSON":    evidence.SetHead.MarshalJSON,
	"signing.Beside":                  signing.Beside,
	"signing.Signed.Line":             signing.Signed.Line,
	"signing.Batch.Check":             (*signing.Batch).Check,
	"signing.Batch.Close":             (*signing.Batch).Close,
	"signing.Batch.Lines":             (*signing.Batch).Lines,
	"signing.Batch.Plan":              (*signing.Batch).Plan,
	"signing.Batch.Sign":              (*signing.Batch).Sign,
	"signing.Batch.Statements":        (*signing.Batch).Statements,
	"signing.SeveralError.Error":      (*signing.SeveralError).Error,
	"signing.TwiceError.Error":        (*signing.TwiceError).Error,

	"runset.LineError.Error":    (*runset.LineError).Error,
	"runset.LineError.Unwrap":   (*runset.LineError).Unwrap,
	"runset.Open":               runset.Open,
	"runset.Set.Bundle":         (*runset.Set).Bundle,
	"runset.Set.Find":           (*runset.Set).Find,
	"runset.Set.Proofs":         (*runset.Set).Proofs,
	"runset.Set.Prove":          (*runset.Set).Prove,
	"runset.Set.Runs":           (*runset.Set).Runs,
	"runset.Set.UnverifiedHead": (*runset.Set).UnverifiedHead,
	"runset.Set.UnverifiedRuns": (*runset.Set).UnverifiedRuns,
	"runset.Verify":             runset.Verify,
	"runset.Write":              runset.Write,

	"canonical.Append":                canonical.Append,
	"canonical.Compare":               canonical.Compare,
	"canonical.Error.Error":           (*canonical.Error).Error,
	"canonical.Locate":                canonical.Locate,
	"canonical.Options.Append":        canonical.Options.Append,
	"canonical.Options.AppendCompact": canonical.Options.AppendCompact,
	"canonical.Options.Form":          canonical.Options.Form,
	"canonical.Options.Hash":          canonical.Options.Hash,
	"canonical.Transform":             canonical.Transform,

	"identity.Compute":                     identity.Compute,
	"identity.Declaration.AppendCanonical": (*identity.Declaration).AppendCanonical,
	"identity.Declaration.Canonical":       (*identity.Declaration).Canonical,
	"identity.Declaration.Context":         (*identity.Declaration).Context,
	"identity.Declaration.ID":              (*identity.Declaration).ID,
	"identity.Declaration.Kind":            (*identity.Declaration).Kind,
	"identity.Declaration.YAML":            (*identity.Declaration).YAML,
	"identity.Declaration.MarshalJSON":     (*identity.Declaration).MarshalJSON,
	"identity.Declaration.Model":           (*identity.Declaration).Model,
	"identity.Declaration.ModelName":       (*identity.Declaration).ModelName,
	"identity.Declaration.Parents":         (*identity.Declaration).Parents,
	"identity.Declaration.Prompt":          (*identity.Declaration).Prompt,
	"identity.Declaration.Run":             (*identity.Declaration).Run,
	"identity.Declaration.Constraints":     (*identity.Declaration).Constraints,
	"identity.Declaration.Extensions":      (*identity.Declaration).Extensions,
	"identity.Declaration.Parameters":      (*identity.Declaration).Parameters,
	"identity.Build":                       identity.Build,
	"identity.Digests.All":                 identity.Digests.All,
	"identity.Prompt.Digests":              identity.Prompt.Digests,
	"identity.Prompt.IsNone":               identity.Prompt.IsNone,
	"identity.Prompt.MediaType":            identity.Prompt.MediaType,
	"identity.Prompt.Messages":             identity.Prompt.Messages,
	"identity.Prompt.Size":                 identity.Prompt.Size,
	"identity.Prompt.Text":                 identity.Prompt.Text,
	"identity.PromptDigest":                identity.PromptDigest,
	"identity.PromptMessages":              identity.PromptMessages,
	"identity.PromptText":                  identity.PromptText,
	"identity.Declaration.Size":            (*identity.Declaration).Size,
	"identity.ID.AppendText":               identity.ID.AppendText,
	"identity.ID.Digest":                   identity.ID.Digest,
	"identity.ID.Hex":                      identity.ID.Hex,
	"identity.ID.IsZero":                   identity.ID.IsZero,
	"identity.ID.MarshalText":              identity.ID.MarshalText,
	"identity.ID.String":                   identity.ID.String,
	"identity.ID.UnmarshalText":            (*identity.ID).UnmarshalText,
	"identity.InvalidError.Error":          (*identity.InvalidError).Error,
	"identity.InvalidError.Hint":           (*identity.InvalidError).Hint,
	"identity.JSONSchema":                  identity.JSONSchema,
	"identity.Lint":                        identity.Lint,
	"identity.LintYAML":                    identity.LintYAML,
	"identity.FromTree":                    identity.FromTree,
	"identity.Parse":                       identity.Parse,
	"identity.ParseID":                     identity.ParseID,
	"identity.ParseYAML":                   identity.ParseYAML,
	"identity.Problem.IsForeign":           identity.Problem.IsForeign,
	"identity.Problem.String":              identity.Problem.String,

	"signer.Algorithm.Hash":              signer.Algorithm.Hash,
	"signer.CheckKey":                    signer.CheckKey,
	"signer.Algorithms":                  signer.Algorithms,
	"signer.FormatError.Convert":         (*signer.FormatError).Convert,
	"signer.FormatError.ConvertVariable": (*signer.FormatError).ConvertVariable,
	"signer.FormatError.Error":           (*signer.FormatError).Error,
	"signer.FormatError.Known":           (*signer.FormatError).Known,
	"signer.PrivateKeyIn":                signer.PrivateKeyIn,
	"signer.Generate":                    signer.Generate,
	"signer.Load":                        signer.Load,
	"signer.LoadPublicKey":               signer.LoadPublicKey,
	"signer.New":                         signer.New,
	"signer.NewPublicKey":                signer.NewPublicKey,
	"signer.NewCertifiedKey":             signer.NewCertifiedKey,
	"signer.Parse":                       signer.Parse,
	"signer.ParsePublicKey":              signer.ParsePublicKey,
	"signer.PublicKey.Algorithm":         (*signer.PublicKey).Algorithm,
	"signer.PublicKey.Hint":              (*signer.PublicKey).Hint,
	"signer.NewSchemes":                  signer.NewSchemes,
	"signer.NewWork":                     signer.NewWork,
	"signer.Schemes.Of":                  (*signer.Schemes).Of,
	"signer.Schemes.Verify":              (*signer.Schemes).Verify,
	"signer.Work.Done":                   (*signer.Work).Done,
	"signer.Work.Exhausted":              (*signer.Work).Exhausted,
	"signer.Work.Over":                   (*signer.Work).Over,
	"signer.Work.Recall":                 (*signer.Work).Recall,
	"signer.Work.Spend":                  (*signer.Work).Spend,
	"signer.PublicKey.IsNamedBy":         (*signer.PublicKey).IsNamedBy,
	"signer.PublicKey.OtherScheme":       (*signer.PublicKey).OtherScheme,
	"signer.PublicKey.PEM":               (*signer.PublicKey).PEM,
	"signer.PublicKey.Public":            (*signer.PublicKey).Public,
	"signer.PublicKey.Scheme":            (*signer.PublicKey).Scheme,
	"signer.PublicKey.Verify":            (*signer.PublicKey).Verify,
	"signer.UnknownSchemeError.Error":    (*signer.UnknownSchemeError).Error,
	"signer.WeakKeyError.Error":          (*signer.WeakKeyError).Error,

	"kms.Error.Error":         (*kms.Error).Error,
	"kms.Error.Unwrap":        (*kms.Error).Unwrap,
	"kms.IsReference":         kms.IsReference,
	"kms.Load":                kms.Load,
	"kms.LoadAny":             kms.LoadAny,
	"kms.Messages":            kms.Messages,
	"kms.MissingError.Error":  (*kms.MissingError).Error,
	"kms.MissingError.Hint":   (*kms.MissingError).Hint,
	"kms.MissingError.Unwrap": (*kms.MissingError).Unwrap,
	"kms.Names":               kms.Names,
	"kms.PublicKey":           kms.PublicKey,
	"kms.PublicKeyOfAny":      kms.PublicKeyOfAny,
	"kms.Timeout":             kms.Timeout,

	"attest.Bundle.CheckSignatureCount":     (*attest.Bundle).CheckSignatureCount,
	"attest.Bundle.CheckTrust":              (*attest.Bundle).CheckTrust,
	"attest.Bundle.Format":                  (*attest.Bundle).Format,
	"attest.Bundle.Marshal":                 (*attest.Bundle).Marshal,
	"attest.Bundle.PossibleSigner":          (*attest.Bundle).PossibleSigner,
	"attest.Bundle.UnverifiedCertificate":   (*attest.Bundle).UnverifiedCertificate,
	"attest.Bundle.UnverifiedClaim":         (*attest.Bundle).UnverifiedClaim,
	"attest.Bundle.UnverifiedEnvelope":      (*attest.Bundle).UnverifiedEnvelope,
	"attest.Bundle.UnverifiedKeyHint":       (*attest.Bundle).UnverifiedKeyHint,
	"attest.Bundle.UnverifiedPayload":       (*attest.Bundle).UnverifiedPayload,
	"attest.Bundle.UnverifiedPredicateType": (*attest.Bundle).UnverifiedPredicateType,
	"attest.Bundle.UnverifiedStatement":     (*attest.Bundle).UnverifiedStatement,
	"attest.Bundle.UnverifiedSubjects":      (*attest.Bundle).UnverifiedSubjects,
	"evidence.Check.WithHint":               evidence.Check.WithHint,
	"attest.CheckKeys":                      attest.CheckKeys,
	"attest.Claim.Bytes":                    (*attest.Claim).Bytes,
	"evidence.Envelope.AppendMessage":       evidence.Envelope.AppendMessage,
	"evidence.Envelope.Message":             evidence.Envelope.Message,
	"evidence.Failed":                       evidence.Failed,
	"attest.New":                            attest.New,
	"attest.NewClaim":                       attest.NewClaim,
	"attest.NewVerifier":                    attest.NewVerifier,
	"attest.ParseBundle":                    attest.ParseBundle,
	"attest.ParseStatement":                 attest.ParseStatement,
	"attest.ParseSubject":                   attest.ParseSubject,
	"evidence.Passed":                       evidence.Passed,
	"attest.Report.Failed":                  (*attest.Report).Failed,
	"attest.Sign":                           attest.Sign,
	"evidence.Envelope.FindMistake":         evidence.Envelope.FindMistake,
	"evidence.Mistake.Check":                evidence.Mistake.Check,
	"evidence.Envelope.Mistaken":            evidence.Envelope.Mistaken,
	"evidence.SignerIdentity.Names":         evidence.SignerIdentity.Names,
	"evidence.Skipped":                      evidence.Skipped,
	"attest.Bundle.WriteFile":               (*attest.Bundle).WriteFile,
	"attest.SignFile":                       attest.SignFile,
	"attest.TrustKeyFiles":                  attest.TrustKeyFiles,
	"attest.VerifyFile":                     attest.VerifyFile,
	"identity.ParseFile":                    identity.ParseFile,
	"registry.AttachFile":                   registry.AttachFile,
	"attest.Statement.Bytes":                (*attest.Statement).Bytes,
	"attest.Statement.ID":                   (*attest.Statement).ID,
	"attest.Subject.MarshalJSON":            attest.Subject.MarshalJSON,
	"attest.Subject.String":                 attest.Subject.String,
	"attest.Subject.UnmarshalJSON":          (*attest.Subject).UnmarshalJSON,
	"attest.TrustKeys":                      attest.TrustKeys,
	"attest.TrustedKey.Bounded":             attest.TrustedKey.Bounded,
	"attest.TrustedKey.ValidAt":             attest.TrustedKey.ValidAt,
	"attest.UnverifiedSubject.String":       attest.UnverifiedSubject.String,
	"evidence.SignatureCountError.Error":    (*evidence.SignatureCountError).Error,
	"attest.VerificationError.Error":        (*attest.VerificationError).Error,
	"attest.VerificationError.Is":           (*attest.VerificationError).Is,
	"attest.Verified.Annotations":           (*attest.Verified).Annotations,
	"attest.Verified.Declaration":           (*attest.Verified).Declaration,
	"attest.Verified.ID":                    (*attest.Verified).ID,
	"attest.Verified.Report":                (*attest.Verified).Report,
	"attest.Verified.Signer":                (*attest.Verified).Signer,
	"attest.Verified.Statement":             (*attest.Verified).Statement,
	"attest.Verified.Subjects":              (*attest.Verified).Subjects,
	"attest.Verified.Times":                 (*attest.Verified).Times,
	"attest.Verified.VerifiedBy":            (*attest.Verified).VerifiedBy,
	"attest.VerifiedClaim.Checks":           (*attest.VerifiedClaim).Checks,
	"attest.VerifiedClaim.Predicate":        (*attest.VerifiedClaim).Predicate,
	"attest.VerifiedClaim.Signer":           (*attest.VerifiedClaim).Signer,
	"attest.VerifiedClaim.Subjects":         (*attest.VerifiedClaim).Subjects,
	"attest.VerifiedClaim.Times":            (*attest.VerifiedClaim).Times,
	"attest.Verifier.Verify":                (*attest.Verifier).Verify,
	"attest.Verifier.VerifyClaim":           (*attest.Verifier).VerifyClaim,

	"authority.Authority.Label":              authority.Authority.Label,
	"authority.Authority.Status":             authority.Authority.Status,
	"authority.CertificateIdentity.Match":    authority.CertificateIdentity.Match,
	"authority.CertificateIdentity.Each":     authority.CertificateIdentity.Each,
	"authority.CertificateIdentity.MayCover": authority.CertificateIdentity.MayCover,
	"authority.CertificateIdentity.MayMatch": authority.CertificateIdentity.MayMatch,
	"authority.CheckKeysAtAnyTime":           authority.CheckKeysAtAnyTime,
	"authority.Exactly":                      authority.Exactly,
	"authority.Matcher.IsRegexp":             authority.Matcher.IsRegexp,
	"authority.Matcher.Match":                authority.Matcher.Match,
	"authority.Matcher.String":               authority.Matcher.String,
	"authority.Matcher.Text":                 authority.Matcher.Text,
	"authority.Matching":                     authority.Matching,
	"authority.UnsafeKeysAtAnyTime":          authority.UnsafeKeysAtAnyTime,

	"sigstore.CreateTrustedRoot":       sigstore.CreateTrustedRoot,
	"sigstore.EveryIdentity":           sigstore.EveryIdentity,
	"sigstore.Exactly":                 sigstore.Exactly,
	"sigstore.FetchOptions.URL":        sigstore.FetchOptions.URL,
	"sigstore.FetchTrustedRoot":        sigstore.FetchTrustedRoot,
	"sigstore.IdentityOf":              sigstore.IdentityOf,
	"sigstore.Matching":                sigstore.Matching,
	"sigstore.NewSession":              sigstore.NewSession,
	"sigstore.NewTrust":                sigstore.NewTrust,
	"sigstore.ParseSigningConfig":      sigstore.ParseSigningConfig,
	"sigstore.ParseTrustedRoot":        sigstore.ParseTrustedRoot,
	"sigstore.RepositoryError.Error":   (*sigstore.RepositoryError).Error,
	"sigstore.RepositoryError.Expired": (*sigstore.RepositoryError).Expired,
	"sigstore.RepositoryError.Unwrap":  (*sigstore.RepositoryError).Unwrap,
	"sigstore.RequestCertificate":      sigstore.RequestCertificate,
	"sigstore.RootSpec.Warnings":       sigstore.RootSpec.Warnings,
	"sigstore.ServiceError.Error":      (*sigstore.ServiceError).Error,
	"sigstore.ServiceError.Unwrap":     (*sigstore.ServiceError).Unwrap,
	"sigstore.Services.Check":          sigstore.Services.Check,
	"sigstore.Services.Witness":        sigstore.Services.Witness,
	"sigstore.Session.Open":            (*sigstore.Session).Open,
	"sigstore.Session.Sign":            (*sigstore.Session).Sign,
	"sigstore.Session.Witnessed":       (*sigstore.Session).Witnessed,
	"sigstore.Endpoints.With":          sigstore.Endpoints.With,
	"sigstore.SigningConfig.Select":    (*sigstore.SigningConfig).Select,
	"sigstore.Authorities":             sigstore.Authorities,
	"sigstore.TrustedRoot.Trust":       (*sigstore.TrustedRoot).Trust,
	"sigstore.TrustedRoot.JSON":        (*sigstore.TrustedRoot).JSON,
	"sigstore.TrustedRoot.NamesLogs":   (*sigstore.TrustedRoot).NamesLogs,
	"sigstore.TrustedRoot.Trusted":     (*sigstore.TrustedRoot).Trusted,

	"idtoken.Ambient":                idtoken.Ambient,
	"idtoken.Browser":                idtoken.Browser,
	"idtoken.Device":                 idtoken.Device,
	"idtoken.First":                  idtoken.First,
	"idtoken.Parse":                  idtoken.Parse,
	"idtoken.Token.Check":            idtoken.Token.Check,
	"idtoken.Token.Format":           idtoken.Token.Format,
	"idtoken.Token.Raw":              idtoken.Token.Raw,
	"idtoken.Token.UnverifiedClaims": idtoken.Token.UnverifiedClaims,

	"policy.ApprovalResult.String": policy.ApprovalResult.String,
	"policy.Cases.Run":             (*policy.Cases).Run,
	"answer.NewProblems":           answer.NewProblems,
	"answer.Problems.Lines":        answer.Problems.Lines,
	"answer.NewSet":                answer.NewSet,
	"answer.Set.Verdict":           answer.Set.Verdict,
	"answer.Why":                   answer.Why,
	"answer.Bundle.Verdict":        answer.Bundle.Verdict,
	"answer.Verdict.Text":          answer.Verdict.Text,
	"answer.Signer":                answer.Signer,
	"answer.VerifyLink":            answer.VerifyLink,
	"answer.Link.Verdict":          answer.Link.Verdict,
	"answer.Inspect":               answer.Inspect,
	"answer.Statement":             answer.Statement,
	"answer.ClaimedSigner":         answer.ClaimedSigner,
	"answer.NewTrusted":            answer.NewTrusted,
	"answer.TrustedHeading":        answer.TrustedHeading,
	"answer.Trusted.Lines":         answer.Trusted.Lines,

	"subjects.List.AddAll":     (*subjects.List).AddAll,
	"subjects.List.Add":        (*subjects.List).Add,
	"subjects.List.All":        (*subjects.List).All,
	"subjects.HashFiles":       subjects.HashFiles,
	"subjects.SameError.Error": (*subjects.SameError).Error,

	"folder.CheckFolder":             folder.CheckFolder,
	"folder.CheckPath":               folder.CheckPath,
	"folder.Fetch.Declaration":       (*folder.Fetch).Declaration,
	"folder.Fetch.Files":             (*folder.Fetch).Files,
	"folder.Fetch.Lines":             (*folder.Fetch).Lines,
	"folder.Fetch.LinesFile":         (*folder.Fetch).LinesFile,
	"folder.Fetch.Listing":           (*folder.Fetch).Listing,
	"folder.Fetch.Mirror":            (*folder.Fetch).Mirror,
	"folder.IsLines":                 folder.IsLines,
	"folder.New":                     folder.New,
	"folder.Folder.WriteDeclaration": (*folder.Folder).WriteDeclaration,
	"folder.Folder.WriteBundle":      (*folder.Folder).WriteBundle,
	"folder.Folder.WriteTrustedRoot": (*folder.Folder).WriteTrustedRoot,
	"folder.Folder.Missing":          (*folder.Folder).Missing,
	"folder.Line":                    folder.Line,
	"folder.NewMirror":               folder.NewMirror,
	"folder.Mirror.Add":              (*folder.Mirror).Add,
	"folder.Mirror.AddUnread":        (*folder.Mirror).AddUnread,
	"folder.Mirror.Close":            (*folder.Mirror).Close,

	"upload.Attach":           upload.Attach,
	"upload.FileError.Error":  (*upload.FileError).Error,
	"upload.FileError.Unwrap": (*upload.FileError).Unwrap,
	"upload.Parts":            upload.Parts,
	"upload.Store":            upload.Store,
	"upload.Pusher.Push":      (*upload.Pusher).Push,
	"upload.Waiting.Add":      (*upload.Waiting).Add,
	"upload.Waiting.Close":    (*upload.Waiting).Close,
	"upload.Waiting.Drop":     (*upload.Waiting).Drop,
	"upload.Waiting.Empty":    (*upload.Waiting).Empty,
	"upload.Waiting.Keep":     (*upload.Waiting).Keep,
	"upload.Waiting.Parts":    (*upload.Waiting).Parts,

	"listing.NewRow":          listing.NewRow,
	"listing.Sort":            listing.Sort,
	"listing.WriteTable":      listing.WriteTable,
	"listing.ShortType":       listing.ShortType,
	"listing.LongTypes":       listing.LongTypes,
	"listing.Attached.String": listing.Attached.String,
	"listing.NewAttached":     listing.NewAttached,
	"listing.NewFetched":      listing.NewFetched,
	"listing.Reference.Lines": listing.Reference.Lines,
	"listing.NewReference":    listing.NewReference,

	"policy.Decision.Lines":         (*policy.Decision).Lines,
	"policy.Decision.Unheeded":      (*policy.Decision).Unheeded,
	"gate.Places.Approvals":         gate.Places.Approvals,
	"gate.IsFile":                   gate.IsFile,
	"gate.Places.Artifact":          gate.Places.Artifact,
	"gate.Places.Judge":             gate.Places.Judge,
	"gate.Places.Lineage":           gate.Places.Lineage,
	"policy.Denial.String":          policy.Denial.String,
	"policy.DeniedError.Error":      (*policy.DeniedError).Error,
	"policy.DeniedError.Unwrap":     (*policy.DeniedError).Unwrap,
	"policy.InvalidError.Error":     (*policy.InvalidError).Error,
	"policy.New":                    policy.New,
	"policy.Policy.Decide":          (*policy.Policy).Decide,
	"policy.Policy.CheckProposals":  (*policy.Policy).CheckProposals,
	"policy.Spec.JSON":              policy.Spec.JSON,
	"policy.InvalidError.Is":        (*policy.InvalidError).Is,
	"policy.InvalidError.Hint":      (*policy.InvalidError).Hint,
	"policy.JSONSchema":             policy.JSONSchema,
	"policy.Load":                   policy.Load,
	"policy.LoadSigned":             policy.LoadSigned,
	"policy.UnsignedError.Error":    (*policy.UnsignedError).Error,
	"policy.UnsignedError.Unwrap":   (*policy.UnsignedError).Unwrap,
	"policy.SignatureError.Error":   (*policy.SignatureError).Error,
	"policy.LoadCases":              policy.LoadCases,
	"policy.NewApproval":            policy.NewApproval,
	"policy.Parse":                  policy.Parse,
	"policy.Policy.Digest":          (*policy.Policy).Digest,
	"policy.Policy.Evaluate":        (*policy.Policy).Evaluate,
	"policy.Policy.Explain":         (*policy.Policy).Explain,
	"policy.Policy.Files":           (*policy.Policy).Files,
	"policy.Policy.Judge":           (*policy.Policy).Judge,
	"policy.Policy.Name":            (*policy.Policy).Name,
	"policy.Policy.NamesApprovers":  (*policy.Policy).NamesApprovers,
	"policy.Policy.NeedsLineage":    (*policy.Policy).NeedsLineage,
	"policy.Policy.Warnings":        (*policy.Policy).Warnings,
	"policy.Policy.Paths":           (*policy.Policy).Paths,
	"policy.Policy.Rehearse":        (*policy.Policy).Rehearse,
	"policy.Policy.Rejections":      (*policy.Policy).Rejections,
	"policy.Policy.RuleNames":       (*policy.Policy).RuleNames,
	"policy.Policy.Statement":       (*policy.Policy).Statement,
	"policy.Policy.Verifier":        (*policy.Policy).Verifier,
	"policy.Policy.Verify":          (*policy.Policy).Verify,
	"policy.Policy.VerifySignature": (*policy.Policy).VerifySignature,
	"policy.Policy.VerifyWith":      (*policy.Policy).VerifyWith,

	"filedigest.Hasher.Digests":         (*filedigest.Hasher).Digests,
	"filedigest.Match":                  filedigest.Match,
	"filedigest.SpecialFileError.Dead":  (*filedigest.SpecialFileError).Dead,
	"filedigest.SpecialFileError.Error": (*filedigest.SpecialFileError).Error,

	"verdicts.OneRunError.Error": (*verdicts.OneRunError).Error,
	"verdicts.Verifier.All":      (*verdicts.Verifier).All,
	"verdicts.Verifier.Attached": (*verdicts.Verifier).Attached,
	"verdicts.Verifier.Bundle":   (*verdicts.Verifier).Bundle,
	"verdicts.Verifier.Journal":  (*verdicts.Verifier).Journal,
	"verdicts.Verifier.Lines":    (*verdicts.Verifier).Lines,
	"verdicts.Verifier.Set":      (*verdicts.Verifier).Set,
	"verdicts.Verifier.Text":     (*verdicts.Verifier).Text,

	"gate.Admission.Allowed":      (*gate.Admission).Allowed,
	"gate.Admission.Decision":     (*gate.Admission).Decision,
	"gate.Admission.Err":          (*gate.Admission).Err,
	"gate.Admission.Exec":         (*gate.Admission).Exec,
	"gate.Admission.Files":        (*gate.Admission).Files,
	"gate.Admission.Reasons":      (*gate.Admission).Reasons,
	"gate.Admission.Record":       (*gate.Admission).Record,
	"gate.Admission.Report":       (*gate.Admission).Report,
	"gate.Admission.Unchecked":    (*gate.Admission).Unchecked,
	"gate.Admission.Verified":     (*gate.Admission).Verified,
	"gate.Admission.Warnings":     (*gate.Admission).Warnings,
	"gate.Admit":                  gate.Admit,
	"gate.ApprovalList.Add":       (*gate.ApprovalList).Add,
	"gate.ApprovalList.Approvals": (*gate.ApprovalList).Approvals,
	"gate.CheckFiles":             gate.CheckFiles,
	"gate.CheckLoader":            gate.CheckLoader,
	"gate.Evidence.Gather":        gate.Evidence.Gather,
	"gate.Evidence.Rejections":    gate.Evidence.Rejections,
	"gate.Judge.ExplainRun":       (*gate.Judge).ExplainRun,
	"gate.Judge.Gather":           (*gate.Judge).Gather,
	"gate.Judge.JudgeRun":         (*gate.Judge).JudgeRun,
	"gate.Judge.RejectedRuns":     (*gate.Judge).RejectedRuns,
	"gate.Judge.VerifyRun":        (*gate.Judge).VerifyRun,
	"gate.JoinApprovals":          gate.JoinApprovals,
	"gate.JoinLineage":            gate.JoinLineage,
	"gate.LineageList.Lineage":    gate.LineageList.Lineage,
	"gate.LogFile.Append":         gate.LogFile.Append,
	"gate.LogFile.Check":          gate.LogFile.Check,
	"gate.MissingRunError.Error":  (*gate.MissingRunError).Error,
	"gate.NewRepository":          gate.NewRepository,
	"gate.NotRunsError.Error":     (*gate.NotRunsError).Error,
	"gate.ParseBind":              gate.ParseBind,
	"gate.ReadApprovals":          gate.ReadApprovals,
	"gate.Repository.Approvals":   (*gate.Repository).Approvals,
	"gate.Repository.Lineage":     (*gate.Repository).Lineage,
	"gate.Request.CheckLog":       gate.Request.CheckLog,
	"gate.Request.Refuse":         gate.Request.Refuse,
	"gate.Request.With":           gate.Request.With,
	"gate.Unchecked":              gate.Unchecked,

	"gateway.Config.With":            gateway.Config.With,
	"gateway.Gateway.Reload":         (*gateway.Gateway).Reload,
	"gateway.Config.WindowEvery":     gateway.Config.WindowEvery,
	"signing.Batch.WriteSet":         (*signing.Batch).WriteSet,
	"sigstore.Session.PublicKey":     (*sigstore.Session).PublicKey,
	"signer.KeyPair.Create":          (*signer.KeyPair).Create,
	"files.Captures.FolderOf":        files.Captures.FolderOf,
	"files.Snapshot":                 files.Snapshot,
	"upload.Pusher.Check":            (*upload.Pusher).Check,
	"gateway.Config.InWindows":       gateway.Config.InWindows,
	"gateway.ConflictError.Error":    (*gateway.ConflictError).Error,
	"gateway.NotConfigError.Error":   (*gateway.NotConfigError).Error,
	"gateway.NotConfigError.Mending": (*gateway.NotConfigError).Mending,
	"gateway.NotConfigError.Unwrap":  (*gateway.NotConfigError).Unwrap,
	"gateway.Gateway.Check":          (*gateway.Gateway).Check,
	"gateway.Gateway.CheckListener":  (*gateway.Gateway).CheckListener,
	"gateway.Gateway.Operations":     (*gateway.Gateway).Operations,
	"gateway.Gateway.Serve":          (*gateway.Gateway).Serve,
	"gateway.Gateway.ServeHTTP":      (*gateway.Gateway).ServeHTTP,
	"gateway.Gateway.SetPolicy":      (*gateway.Gateway).SetPolicy,
	"gateway.JSONSchema":             gateway.JSONSchema,
	"gateway.Gateway.Run":            (*gateway.Gateway).Run,
	"gateway.Ready.String":           gateway.Ready.String,
	"gateway.AddressError.Error":     (*gateway.AddressError).Error,
	"gateway.AddressError.Unwrap":    (*gateway.AddressError).Unwrap,
	"gateway.JournalError.Error":     (*gateway.JournalError).Error,
	"gateway.JournalError.Unwrap":    (*gateway.JournalError).Unwrap,
	"gateway.Listen":                 gateway.Listen,
	"gateway.LoadConfig":             gateway.LoadConfig,
	"gateway.New":                    gateway.New,
	"gateway.ParseConfig":            gateway.ParseConfig,
	"answer.Fact":                    answer.Fact,
	"journal.Check":                  journal.Check,
	"journal.Damage":                 journal.Damage,
	"journal.Erase":                  journal.Erase,
	"journal.DamageError.Error":      (*journal.DamageError).Error,
	"journal.DamageError.Unwrap":     (*journal.DamageError).Unwrap,
	"journal.Is":                     journal.Is,
	"journal.Journal.Append":         (*journal.Journal).Append,
	"journal.Journal.Close":          (*journal.Journal).Close,
	"journal.Journal.Cuts":           (*journal.Journal).Cuts,
	"journal.Journal.Holds":          (*journal.Journal).Holds,
	"journal.Journal.Ready":          (*journal.Journal).Ready,
	"journal.LineResult.OK":          journal.LineResult.OK,
	"journal.LineResult.Unsigned":    journal.LineResult.Unsigned,
	"journal.ModeError.Error":        (*journal.ModeError).Error,
	"journal.Open":                   journal.Open,
	"journal.ParseReceipt":           journal.ParseReceipt,
	"journal.Receipt.MarshalText":    journal.Receipt.MarshalText,
	"journal.Receipt.String":         journal.Receipt.String,
	"journal.UnverifiedLine.Receipt": journal.UnverifiedLine.Receipt,
	"journal.UnverifiedLines":        journal.UnverifiedLines,
	"journal.Verify":                 journal.Verify,
	"journal.WitnessFolder.Bundle":   journal.WitnessFolder.Bundle,
	"journal.WitnessFolder.Check":    journal.WitnessFolder.Check,
	"journal.WitnessFolder.Keep":     journal.WitnessFolder.Keep,
	"journal.WitnessFolder.Last":     journal.WitnessFolder.Last,

	"report.Dispatches.Plus":   report.Dispatches.Plus,
	"report.Dispatches.String": report.Dispatches.String,
	"report.Journal.Verdict":   report.Journal.Verdict,
	"report.Name":              report.Name,
	"report.NewJournal":        report.NewJournal,
	"report.NewLine":           report.NewLine,
	"report.NewSegment":        report.NewSegment,
	"report.NewUnverified":     report.NewUnverified,
	"report.Remark":            report.Remark,
	"report.Segment.Tells":     report.Segment.Tells,
	"report.Segment.Verdict":   report.Segment.Verdict,
	"report.UnverifiedText":    report.UnverifiedText,

	"lineage.Build":                 lineage.Build,
	"lineage.Graph.AllVerified":     (*lineage.Graph).AllVerified,
	"lineage.Graph.Summary":         (*lineage.Graph).Summary,
	"lineage.Link.String":           lineage.Link.String,
	"lineage.Graph.Ancestors":       (*lineage.Graph).Ancestors,
	"lineage.Graph.Ancestry":        (*lineage.Graph).Ancestry,
	"lineage.Graph.Complete":        (*lineage.Graph).Complete,
	"lineage.Graph.Counts":          (*lineage.Graph).Counts,
	"lineage.Graph.Gaps":            (*lineage.Graph).Gaps,
	"lineage.Graph.Len":             (*lineage.Graph).Len,
	"lineage.Graph.Malformed":       (*lineage.Graph).Malformed,
	"lineage.Graph.Node":            (*lineage.Graph).Node,
	"lineage.Graph.Roots":           (*lineage.Graph).Roots,
	"lineage.Graph.VerifiedBy":      (*lineage.Graph).VerifiedBy,
	"lineage.Graph.Walk":            (*lineage.Graph).Walk,
	"lineage.Graph.WriteDOT":        (*lineage.Graph).WriteDOT,
	"lineage.Graph.WriteJSON":       (*lineage.Graph).WriteJSON,
	"lineage.Graph.WriteMermaid":    (*lineage.Graph).WriteMermaid,
	"lineage.Graph.WriteText":       (*lineage.Graph).WriteText,
	"lineage.IncompleteError.Error": (*lineage.IncompleteError).Error,
	"lineage.Node.Bundles":          lineage.Node.Bundles,
	"lineage.Node.DeclaredBy":       lineage.Node.DeclaredBy,
	"lineage.Node.EarlierThan":      lineage.Node.EarlierThan,
	"lineage.Node.Gap":              lineage.Node.Gap,
	"lineage.Node.ID":               lineage.Node.ID,
	"lineage.Node.Kind":             lineage.Node.Kind,
	"lineage.Node.Known":            lineage.Node.Known,
	"lineage.Node.Parents":          lineage.Node.Parents,
	"lineage.Node.Rejected":         lineage.Node.Rejected,
	"lineage.Node.Signers":          lineage.Node.Signers,
	"lineage.Node.State":            lineage.Node.State,
	"lineage.State.MarshalText":     lineage.State.MarshalText,
	"lineage.State.String":          lineage.State.String,

	"lineage.NewLink":             lineage.NewLink,
	"lineage.ParseRelation":       lineage.ParseRelation,
	"lineage.Relations":           lineage.Relations,
	"lineage.UnverifiedRun":       lineage.UnverifiedRun,
	"lineage.VerifiedLink.Checks": (*lineage.VerifiedLink).Checks,
	"lineage.VerifiedLink.Link":   (*lineage.VerifiedLink).Link,
	"lineage.VerifiedLink.Signer": (*lineage.VerifiedLink).Signer,
	"lineage.VerifiedLink.Times":  (*lineage.VerifiedLink).Times,
	"lineage.VerifyLink":          lineage.VerifyLink,

	"registry.Artifact.Digest":          (*registry.Artifact).Digest,
	"registry.Artifact.Expect":          (*registry.Artifact).Expect,
	"registry.Artifact.Manifest":        (*registry.Artifact).Manifest,
	"registry.Artifact.Run":             (*registry.Artifact).Run,
	"registry.Artifact.Subject":         (*registry.Artifact).Subject,
	"registry.BundleError.Error":        (*registry.BundleError).Error,
	"registry.BundleError.Unwrap":       (*registry.BundleError).Unwrap,
	"registry.CreateLayout":             registry.CreateLayout,
	"registry.Error.Error":              (*registry.Error).Error,
	"registry.Error.Unwrap":             (*registry.Error).Unwrap,
	"registry.IsOfOne":                  registry.IsOfOne,
	"registry.IsReference":              registry.IsReference,
	"registry.Listing.Bundles":          (*registry.Listing).Bundles,
	"registry.Listing.Filtered":         (*registry.Listing).Filtered,
	"registry.Listing.Foreign":          (*registry.Listing).Foreign,
	"registry.Listing.Len":              (*registry.Listing).Len,
	"registry.Listing.Unread":           (*registry.Listing).Unread,
	"registry.Listing.Repeated":         (*registry.Listing).Repeated,
	"registry.MalformedError.Error":     (*registry.MalformedError).Error,
	"registry.MalformedError.Unwrap":    (*registry.MalformedError).Unwrap,
	"registry.NoDeclarationError.Error": (*registry.NoDeclarationError).Error,
	"registry.NoDeclarationError.Is":    (*registry.NoDeclarationError).Is,
	"registry.NotSubjectError.Error":    (*registry.NotSubjectError).Error,
	"registry.NotSubjectError.Unwrap":   (*registry.NotSubjectError).Unwrap,
	"registry.Open":                     registry.Open,
	"registry.ParseReference":           registry.ParseReference,
	"registry.Reference.IsLayout":       registry.Reference.IsLayout,
	"registry.Reference.Located":        registry.Reference.Located,
	"registry.Reference.IsRepository":   registry.Reference.IsRepository,
	"registry.Reference.Path":           registry.Reference.Path,
	"registry.Reference.Repository":     registry.Reference.Repository,
	"registry.Reference.Run":            registry.Reference.Run,
	"registry.Reference.String":         registry.Reference.String,
	"registry.Reference.WithRun":        registry.Reference.WithRun,
	"registry.SkippedError.Error":       (*registry.SkippedError).Error,
	"registry.SkippedError.Unwrap":      (*registry.SkippedError).Unwrap,
	"registry.Target.Attach":            (*registry.Target).Attach,
	"registry.Target.AttestedPlatforms": (*registry.Target).AttestedPlatforms,
	"registry.Target.Declaration":       (*registry.Target).Declaration,
	"registry.Target.FetchRun":          (*registry.Target).FetchRun,
	"registry.Target.List":              (*registry.Target).List,
	"registry.Target.ListAll":           (*registry.Target).ListAll,
	"registry.Target.ListByContent":     (*registry.Target).ListByContent,
	"registry.Target.ListForMirror":     (*registry.Target).ListForMirror,
	"registry.Target.MirrorPart":        (*registry.Target).MirrorPart,
	"registry.Target.Mirror":            (*registry.Target).Mirror,
	"registry.Target.PushRun":           (*registry.Target).PushRun,
	"registry.Target.PushRuns":          (*registry.Target).PushRuns,
	"registry.Target.Reference":         (*registry.Target).Reference,
	"registry.Target.Resolve":           (*registry.Target).Resolve,
	"registry.Target.Runs":              (*registry.Target).Runs,
	"registry.Target.Verify":            (*registry.Target).Verify,
	"registry.TooLargeError.Error":      (*registry.TooLargeError).Error,
	"registry.BareEnvelopeError.Error":  (*registry.BareEnvelopeError).Error,
	"registry.CheckWith":                registry.CheckWith,
	"registry.GroupByRun":               registry.GroupByRun,
	"registry.Summary.Passed":           registry.Summary.Passed,
	"registry.Summary.Total":            registry.Summary.Total,
	"registry.Verification.Results":     (*registry.Verification).Results,
	"registry.Verification.Summary":     (*registry.Verification).Summary,

	"capture.Captured.Annotations":       (*capture.Captured).Annotations,
	"capture.Captured.Remarks":           (*capture.Captured).Remarks,
	"capture.ParseHeader":                capture.ParseHeader,
	"capture.Captured.SourceDigest":      (*capture.Captured).SourceDigest,
	"capture.Format.Recompute":           capture.Format.Recompute,
	"capture.Format.RecomputeFolder":     capture.Format.RecomputeFolder,
	"capture.Lint":                       capture.Lint,
	"capture.Open":                       capture.Open,
	"capture.Captured.Withholds":         (*capture.Captured).Withholds,
	"capture.Captured.Withheld":          (*capture.Captured).Withheld,
	"capture.Error.Error":                (*capture.Error).Error,
	"capture.Error.Unwrap":               (*capture.Error).Unwrap,
	"capture.Format.Capture":             capture.Format.Capture,
	"capture.Format.CaptureEach":         capture.Format.CaptureEach,
	"capture.Format.CaptureFolder":       capture.Format.CaptureFolder,
	"capture.Format.Name":                capture.Format.Name,
	"capture.Format.ReadsFile":           capture.Format.ReadsFile,
	"capture.Format.ReadsFolder":         capture.Format.ReadsFolder,
	"capture.Format.TakesFolder":         capture.Format.TakesFolder,
	"capture.Format.Title":               capture.Format.Title,
	"capture.Formats":                    capture.Formats,
	"capture.Detect":                     capture.Detect,
	"capture.DetectFolder":               capture.DetectFolder,
	"capture.Lookup":                     capture.Lookup,
	"capture.NamesUnknown":               capture.NamesUnknown,
	"capture.WrittenAfterStart":          capture.WrittenAfterStart,
	"capture.Warning.String":             capture.Warning.String,
	"files.Bundles":                      files.Bundles,
	"files.Declarations.All":             (*files.Declarations).All,
	"files.Declarations.Find":            (*files.Declarations).Find,
	"files.Declarations.Len":             (*files.Declarations).Len,
	"files.Declarations.Only":            (*files.Declarations).Only,
	"files.Explain":                      files.Explain,
	"files.ExplainJSON":                  files.ExplainJSON,
	"files.ExplainKey":                   files.ExplainKey,
	"files.JSONError.Error":              (*files.JSONError).Error,
	"files.JSONError.Unwrap":             (*files.JSONError).Unwrap,
	"files.NotKeyError.Error":            (*files.NotKeyError).Error,
	"files.NotKeyError.Unwrap":           (*files.NotKeyError).Unwrap,
	"files.WithoutBundles":               files.WithoutBundles,
	"files.ExplainBundle":                files.ExplainBundle,
	"files.IsKey":                        files.IsKey,
	"files.Kind":                         files.Kind,
	"files.Likeness":                     files.Likeness,
	"files.Lint":                         files.Lint,
	"files.NotBundle":                    files.NotBundle,
	"files.NotBundleError.Error":         (*files.NotBundleError).Error,
	"files.NotBundleError.IsDeclaration": (*files.NotBundleError).IsDeclaration,
	"files.NotBundleError.Mending":       (*files.NotBundleError).Mending,
	"files.OtherKindError.Error":         (*files.OtherKindError).Error,
	"files.OtherKindError.Mending":       (*files.OtherKindError).Mending,
	"files.NotBundleError.Unwrap":        (*files.NotBundleError).Unwrap,
	"files.NamesFormat":                  files.NamesFormat,
	"files.OneBundle":                    files.OneBundle,
	"files.OneDeclaration":               files.OneDeclaration,
	"files.OpenSet":                      files.OpenSet,
	"files.ParseBundle":                  files.ParseBundle,
	"files.AnnotationError.Error":        (*files.AnnotationError).Error,
	"files.Captured.Options":             files.Captured.Options,
	"files.Captures.In":                  files.Captures.In,
	"files.Captures.InFolder":            files.Captures.InFolder,
	"files.DetectCapture":                files.DetectCapture,
	"files.LocateCapture":                files.LocateCapture,
	"files.UndetectedError.Error":        (*files.UndetectedError).Error,
	"files.WriteProofs":                  files.WriteProofs,
	"files.ProofsError.Error":            (*files.ProofsError).Error,
	"files.ParseDeclaration":             files.ParseDeclaration,
	"files.ReadDeclarations":             files.ReadDeclarations,
	"files.NewDeclarations":              files.NewDeclarations,
	"subjects.PrivateKeys":               subjects.PrivateKeys,
	"registry.Target.CheckWritable":      (*registry.Target).CheckWritable,
	"registry.Target.CheckAttach":        (*registry.Target).CheckAttach,
	"subjects.List.AddOnce":              (*subjects.List).AddOnce,
	"recapture.NoFormatError.Error":      (*recapture.NoFormatError).Error,
	"recapture.Source.Verify":            recapture.Source.Verify,
	"recapture.Source.Check":             recapture.Source.Check,
	"recapture.SourceError.Error":        (*recapture.SourceError).Error,
	"recapture.SourceError.Unwrap":       (*recapture.SourceError).Unwrap,
	"idtoken.Given":                      idtoken.Given,
	"files.Captures.Line":                files.Captures.Line,
	"recapture.Source.Read":              (*recapture.Source).Read,

	"policy.ApprovalStatement.CheckExpires": policy.ApprovalStatement.CheckExpires,
}

// optional are the arguments for which nil is documented, by function and position; the receiver counts.
var optional = map[string][]int{
	"files.LocateCapture": {0, 1}, // of no error there is no place
	"files.ExplainBundle": {0},    // no error is explained by none
	"files.Explain":       {0},
	"files.ExplainJSON":   {0},
	"files.ExplainKey":    {0},
}

// TestComplete holds that no exported function or method is missing from the table.
func TestComplete(t *testing.T) {
	var want []string
	for _, name := range packages {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", filepath.FromSlash(name), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range parsed.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() {
					if of := receiver(f); of == "" {
						want = append(want, parsed.Name.Name+"."+f.Name.Name)
					} else if ast.IsExported(of) {
						want = append(want, parsed.Name.Name+"."+of+"."+f.Name.Name)
					}
				}
			}
		}
	}
	slices.Sort(want)
	want = slices.Compact(want) // files for different systems
	if len(want) < 200 {
		t.Fatalf("%d functions found", len(want))
	}
	for _, name := range want {
		if exported[name] == nil {
			t.Errorf("%s is exported and not in the table: add it, and see what it does with nil", name)
		}
	}
	for name := range exported {
		if !slices.Contains(want, name) {
			t.Errorf("%s is in the table and not exported", name)
		}
	}
}

// TestPackages holds that no public package is missing: what other modules can import, and not a command.
func TestPackages(t *testing.T) {
	top := filepath.Join("..", "..", "..")
	found := map[string]bool{}
	if err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != top && (slices.Contains([]string{"internal", "testdata", "examples", "e2e"}, d.Name()) || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() && path != top:
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil { // of another module
				return fs.SkipDir
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(top, filepath.Dir(path))
			if err != nil {
				return err
			}
			found[filepath.ToSlash(name)] = found[filepath.ToSlash(name)] || parsed.Name.Name != "main"
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for name, public := range found {
		if public && !slices.Contains(packages, name) {
			t.Errorf("%s is public and not in the list: add it", name)
		}
	}
	for _, name := range packages {
		if !found[name] {
			t.Errorf("%s is in the list and not a package", name)
		}
	}
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	name, _ := of.(*ast.Ident)
	return name.Name
}

// zeroSigner and zeroTrust answer with nothing.
type zeroSigner struct{}

func (zeroSigner) Sign(context.Context, []byte) ([]byte, error) { return nil, nil }
func (zeroSigner) PublicKey() *signer.PublicKey                 { return nil }

type zeroTrust struct{}

func (zeroTrust) CheckEnvelope(context.Context, evidence.Envelope) evidence.Result {
	return evidence.Result{}
}

type zeroWitness struct{}

func (zeroWitness) Witness(context.Context, evidence.Envelope) (evidence.Material, error) {
	return evidence.Material{}, nil
}

// values are what arguments are tried with, by type: what is nil or zero in the first, what is good in the second.
type values struct {
	bad, good map[reflect.Type][]reflect.Value
}

func add[T any](to map[reflect.Type][]reflect.Value, list ...T) {
	t := reflect.TypeFor[T]()
	for i := range list {
		to[t] = append(to[t], reflect.ValueOf(&list[i]).Elem())
	}
}

func newValues(t *testing.T) values {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	v := values{map[reflect.Type][]reflect.Value{}, map[reflect.Type][]reflect.Value{}}
	ctx := context.Background()
	d, err := identity.Parse([]byte(`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`))
	must(err)
	pair, err := signer.Generate(signer.ECDSAP256, nil)
	must(err)
	by, err := signer.Parse(pair.Private, nil)
	must(err)
	statement, err := attest.New(d, attest.StatementOptions{})
	must(err)
	bundle, err := attest.Sign(ctx, statement, by, attest.SignOptions{})
	must(err)
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "k", Key: pair.Key})
	must(err)
	verifier, err := attest.NewVerifier(trust)
	must(err)
	verified, err := verifier.Verify(ctx, bundle, attest.Expect{})
	must(err)
	p, err := policy.Parse(fmt.Appendf(nil, "schema: https://github.com/runattest/runattest/policy/v1\nsigners: {keys: [{name: k, key: %q}]}\n", pair.Public), policy.Options{})
	must(err)
	layout := filepath.Join(t.TempDir(), "layout")
	must(registry.CreateLayout(layout))
	ref, err := registry.ParseReference("oci-layout://" + layout)
	must(err)
	target, err := registry.Open(ref, registry.Options{})
	must(err)
	artifact, _, err := target.PushRun(ctx, d, mustMarshal(t, bundle))
	must(err)
	listed, err := target.List(ctx, artifact)
	must(err)
	inputs := func(yield func(lineage.Input) bool) { yield(lineage.Input{Name: "b", Data: mustMarshal(t, bundle)}) }
	g, err := lineage.Build(ctx, verifier, inputs, lineage.Options{})
	must(err)
	root, err := sigstore.ParseTrustedRoot([]byte(`{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`))
	must(err)

	add(v.good, d)
	add(v.good, pair.Key)
	add[signer.Signer](v.good, by)
	add[attest.Signable](v.good, statement)
	add(v.good, statement)
	add(v.good, bundle)
	add(v.good, trust)
	add(v.good, verifier)
	add(v.good, verified)
	add(v.good, p)
	add(v.good, ref)
	add(v.good, target)
	add(v.good, artifact)
	add(v.good, listed)
	add(v.good, g)
	add(v.good, g.Roots()...)
	add(v.good, root)
	session, err := sigstore.NewSession(sigstore.SessionOptions{Signer: by})
	must(err)
	add(v.good, session)
	for _, f := range capture.Formats() {
		add(v.good, f)
	}
	add(v.bad, capture.Source{}, capture.Source{Model: "m"})
	add(v.good, d.ID())
	add[io.Writer](v.good, io.Discard)
	add[hash.Hash](v.good, sha256.New())
	add(v.good, mustMarshal(t, bundle))
	add(v.good, attest.Subject{Name: "a", SHA256: sha256.Sum256(nil)})

	add(v.bad, sigstore.TrustOptions{}, sigstore.TrustOptions{Root: new(sigstore.TrustedRoot), Keys: []attest.TrustedKey{{Name: "k", Key: pair.Key}}},
		sigstore.TrustOptions{Root: root, Keys: []attest.TrustedKey{{}}}, sigstore.TrustOptions{Root: root, Identities: []sigstore.CertificateIdentity{{}}})
	add(v.bad, sigstore.SessionOptions{}, sigstore.SessionOptions{Signer: zeroSigner{}}, sigstore.SessionOptions{Signer: by, Root: new(sigstore.TrustedRoot)},
		sigstore.SessionOptions{Endpoints: sigstore.Endpoints{Fulcio: "https://fulcio.acme.example"}})
	add(v.bad, attest.SignOptions{}, attest.SignOptions{Trust: zeroTrust{}}, attest.SignOptions{Witness: zeroWitness{}})
	add(v.bad, attest.Expect{}, attest.Expect{Declaration: new(identity.Declaration)}, attest.Expect{Identity: new(identity.ID)}, attest.Expect{Artifacts: []attest.Subject{{}}})
	add(v.bad, policy.Given{}, policy.Given{Approvals: []policy.Approval{{}}})
	add[attest.Signable](v.bad, nil, (*attest.Statement)(nil), (*attest.Claim)(nil), new(attest.Statement), new(attest.Claim))
	add[signer.Signer](v.bad, nil, zeroSigner{})
	add[attest.Trust](v.bad, nil, zeroTrust{})
	add[crypto.Signer](v.bad, nil, (*ecdsa.PrivateKey)(nil), new(ecdsa.PrivateKey), (*rsa.PrivateKey)(nil), new(rsa.PrivateKey),
		ed25519.PrivateKey(nil), ed25519.PrivateKey(make([]byte, ed25519.SeedSize)), (*ed25519.PrivateKey)(nil))
	add[crypto.PublicKey](v.bad, nil, (*ecdsa.PublicKey)(nil), new(ecdsa.PublicKey), (*rsa.PublicKey)(nil), new(rsa.PublicKey),
		ed25519.PublicKey(nil), ed25519.PublicKey(make([]byte, 31)))
	v.addNilPointers()
	return v
}

// addNilPointers adds, to what is nil of each interface of the public packages, the nil pointers to types of theirs that implement it.
func (v values) addNilPointers() {
	types := map[reflect.Type]bool{}
	for _, f := range exported {
		addTypes(types, reflect.TypeOf(f))
	}
	for _, of := range []any{zeroSigner{}, zeroTrust{}, zeroWitness{}} { // as a user's types may be
		types[reflect.TypeOf(of)] = true
	}
	all := slices.SortedFunc(maps.Keys(types), func(a, b reflect.Type) int { return strings.Compare(a.String(), b.String()) })
	for _, of := range all {
		if of.Kind() != reflect.Interface || !isOurs(of) {
			continue
		}
		if len(v.bad[of]) == 0 {
			v.bad[of] = append(v.bad[of], reflect.Zero(of))
		}
		for _, t := range all {
			if pointer := reflect.PointerTo(t); t.Kind() != reflect.Interface && isOurs(t) && pointer.Implements(of) {
				v.bad[of] = append(v.bad[of], reflect.Zero(pointer).Convert(of))
			}
		}
	}
}

func isOurs(t reflect.Type) bool {
	return strings.HasPrefix(t.PkgPath(), "github.com/runattest/runattest/")
}

// addTypes adds a type, and those that it is made of.
func addTypes(to map[reflect.Type]bool, t reflect.Type) {
	if to[t] {
		return
	}
	to[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		addTypes(to, t.Elem())
	case reflect.Map:
		addTypes(to, t.Key())
		addTypes(to, t.Elem())
	case reflect.Func:
		for i := range t.NumIn() {
			addTypes(to, t.In(i))
		}
		for i := range t.NumOut() {
			addTypes(to, t.Out(i))
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && isOurs(t) {
				addTypes(to, t.Field(i).Type)
			}
		}
	}
}

func mustMarshal(t *testing.T, b *attest.Bundle) []byte {
	t.Helper()
	data, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// of are the nil and zero values of a type, and the good ones.
func (v values) of(t reflect.Type) (bad, good []reflect.Value) {
	if t == reflect.TypeFor[context.Context]() { // which is never nil
		return []reflect.Value{reflect.ValueOf(context.Background())}, nil
	}
	bad = slices.Clone(v.bad[t])
	if len(bad) == 0 {
		bad = append(bad, reflect.Zero(t))
	}
	switch t.Kind() {
	case reflect.Pointer:
		for _, one := range v.withInterfaces(t.Elem()) {
			pointer := reflect.New(t.Elem())
			pointer.Elem().Set(one)
			bad = append(bad, pointer)
		}
		bad = append(bad, reflect.New(t.Elem()))
	case reflect.Struct:
		bad = append(bad, v.partly(t)...)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			break
		}
		one := reflect.MakeSlice(t, 1, 1)
		bad = append(bad, one)
		for _, good := range v.good[t.Elem()] {
			one := reflect.MakeSlice(t, 1, 1)
			one.Index(0).Set(good)
			return bad, append(v.good[t], one)
		}
	}
	return bad, v.good[t]
}

// partly are structs whose members are good, as far as there are good values, but for one that is nil or zero in turn.
func (v values) partly(t reflect.Type) (all []reflect.Value) {
	good := reflect.New(t).Elem()
	for i := range t.NumField() {
		if values := v.good[t.Field(i).Type]; t.Field(i).IsExported() && len(values) > 0 {
			good.Field(i).Set(values[0])
		}
	}
	for i := range t.NumField() {
		f := t.Field(i).Type
		if !t.Field(i).IsExported() {
			continue
		}
		with := func(x reflect.Value) {
			one := reflect.New(t).Elem()
			one.Set(good)
			one.Field(i).Set(x)
			all = append(all, one)
		}
		for _, x := range v.bad[f] {
			with(x)
		}
		switch f.Kind() {
		case reflect.Pointer:
			with(reflect.Zero(f))
			with(reflect.New(f.Elem()))
		case reflect.Slice:
			with(reflect.MakeSlice(f, 1, 1))
		case reflect.Interface, reflect.Func, reflect.Map:
			with(reflect.Zero(f))
		}
	}
	return all
}

// withInterfaces is partly of a struct that has interfaces of the public packages.
func (v values) withInterfaces(t reflect.Type) []reflect.Value {
	if t.Kind() != reflect.Struct || !isOurs(t) {
		return nil
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Type.Kind() == reflect.Interface && isOurs(f.Type) {
			return v.partly(t)
		}
	}
	return nil
}

// TestNoYes: no nil or zero value passes a check that a good value would pass.
func TestNoYes(t *testing.T) {
	v := newValues(t)
	good := func(t reflect.Type) any { return v.good[t][0].Interface() }
	verifier := good(reflect.TypeFor[*attest.Verifier]()).(*attest.Verifier)
	bundle := good(reflect.TypeFor[*attest.Bundle]()).(*attest.Bundle)
	verified := good(reflect.TypeFor[*attest.Verified]()).(*attest.Verified)
	g := good(reflect.TypeFor[*lineage.Graph]()).(*lineage.Graph)
	ctx := context.Background()
	var none *policy.Policy
	for name, p := range map[string]*policy.Policy{"nil": none, "zero": new(policy.Policy)} {
		if result, err := p.Verify(ctx, bundle, attest.Expect{}, policy.Given{}); err == nil || result != nil {
			t.Errorf("allowed by a %s policy", name)
		}
	}
	zeroVerifier, err := attest.NewVerifier(zeroTrust{})
	if err == nil {
		_, err = zeroVerifier.Verify(ctx, bundle, attest.Expect{})
	}
	if err == nil {
		t.Error("verified by a trust check that says nothing")
	}
	for name, want := range map[string]attest.Expect{"declaration": {Declaration: new(identity.Declaration)}, "identity": {Identity: new(identity.ID)}, "artifact": {Artifacts: []attest.Subject{{}}}} {
		if _, err := verifier.Verify(ctx, bundle, want); err == nil {
			t.Errorf("verified with a zero %s", name)
		}
	}
	if a := new(gate.Admission); a.Allowed() || (*gate.Admission)(nil).Allowed() || a.Exec(ctx, gate.Start{}) == nil {
		t.Error("a zero admission admits")
	}
	if d, err := none.Evaluate(ctx, verified, policy.Given{}); err == nil {
		t.Errorf("a nil policy decides: %v", d)
	}
	if g.Complete(lineage.Node{}) || g.VerifiedBy(nil) || new(lineage.Graph).VerifiedBy(nil) || new(attest.Verified).VerifiedBy(nil) {
		t.Error("a zero node is complete, or nil has verified")
	}
	zeroKey := attest.TrustedKey{Name: "k", Key: new(signer.PublicKey)}
	if trust, err := attest.TrustKeys(zeroKey); !errors.Is(err, attest.ErrNoTrust) {
		t.Errorf("a zero key is trusted: %v, %v", trust, err)
	}
	if p, err := policy.New(policy.Spec{Keys: []attest.TrustedKey{zeroKey}}, policy.Options{}); err == nil {
		t.Errorf("a policy of a zero key: %v", p)
	}
	statement, by := good(reflect.TypeFor[*attest.Statement]()).(*attest.Statement), good(reflect.TypeFor[signer.Signer]()).(signer.Signer)
	for _, o := range []attest.SignOptions{{Witness: (*sigstore.Services)(nil)}, {Witness: (*zeroWitness)(nil)}, {Trust: (*zeroTrust)(nil)}} {
		if b, err := attest.Sign(ctx, statement, by, o); err == nil {
			t.Errorf("signed without what %+v asks for: %v", o, b)
		}
	}
	if v, err := attest.NewVerifier((*zeroTrust)(nil)); !errors.Is(err, attest.ErrNoTrust) {
		t.Errorf("a verifier by a nil pointer: %v, %v", v, err)
	}
	if key := new(signer.PublicKey); key.Verify(nil, nil) == nil || !errors.Is(key.Verify(nil, nil), signer.ErrSignature) {
		t.Error("a zero key verifies")
	}
}

// TestNil calls each function with each choice of nil, zero and good arguments.
func TestNil(t *testing.T) {
	v := newValues(t)
	t.Chdir(t.TempDir()) // what is named "" or "." is made there
	for _, name := range slices.Sorted(maps.Keys(exported)) {
		t.Run(name, func(t *testing.T) {
			f := reflect.ValueOf(exported[name])
			var bad, all [][]reflect.Value
			for i := range f.Type().NumIn() {
				b, g := v.of(f.Type().In(i))
				if i == 0 && isErrorMethod(name, f.Type()) {
					b = b[1:] // a nil error is none
				}
				bad, all = append(bad, b), append(all, append(b, g...))
			}
			for args := range product(all) {
				call(t, name, f, args)
			}
			for i := range bad {
				if i > 0 || !isErrorMethod(name, f.Type()) {
					holdError(t, name, f, bad, all, i)
				}
			}
		})
	}
}

// isErrorMethod says that the function is a method of an error.
func isErrorMethod(name string, f reflect.Type) bool {
	return strings.Count(name, ".") == 2 && f.In(0).Kind() == reflect.Pointer && f.In(0).Implements(reflect.TypeFor[error]())
}

// holdError wants an error where one argument is nil and all others are as good as can be.
func holdError(t *testing.T, name string, f reflect.Value, bad, all [][]reflect.Value, i int) {
	t.Helper()
	n := f.Type().NumOut()
	in := f.Type().In(i)
	canBeNil := in.Kind() == reflect.Pointer || in.Kind() == reflect.Interface || in.Kind() == reflect.Func
	if n == 0 || f.Type().Out(n-1) != reflect.TypeFor[error]() || !canBeNil || in == reflect.TypeFor[context.Context]() ||
		slices.Contains(optional[name], i) {
		return
	}
	args := make([]reflect.Value, len(all))
	for j := range all {
		args[j] = all[j][len(all[j])-1]
	}
	args[i] = bad[i][0]
	if out := call(t, name, f, args); out != nil && out[n-1].IsNil() {
		t.Errorf("argument %d of %s is nil, and there is no error", i, name)
	}
}

// product are all choices of one of each.
func product(of [][]reflect.Value) func(yield func([]reflect.Value) bool) {
	return func(yield func([]reflect.Value) bool) {
		n := 1
		for _, list := range of {
			n *= len(list)
		}
		for i := range n {
			args := make([]reflect.Value, len(of))
			for j, list := range of {
				args[j] = list[i%len(list)]
				i /= len(list)
			}
			if !yield(args) {
				return
			}
		}
	}
}

// call reports a panic, and goes through what a function gives to go through.
func call(t *testing.T, name string, f reflect.Value, args []reflect.Value) (out []reflect.Value) {
	t.Helper()
	defer func() {
		t.Helper()
		if p := recover(); p != nil && !t.Failed() {
			t.Errorf("%s(%s): %v\n%s", name, describe(args), p, debug.Stack())
		}
	}()
	if f.Type().IsVariadic() {
		out = f.CallSlice(args)
	} else {
		out = f.Call(args)
	}
	for _, v := range out {
		if v.Kind() == reflect.Func && v.Type().NumIn() == 1 && v.Type().In(0).Kind() == reflect.Func && !v.IsNil() {
			more := 3
			yield := reflect.MakeFunc(v.Type().In(0), func([]reflect.Value) []reflect.Value {
				more--
				return []reflect.Value{reflect.ValueOf(more > 0)}
			})
			v.Call([]reflect.Value{yield})
		}
	}
	return out
}

func describe(args []reflect.Value) string {
	var parts []string
	for _, a := range args {
		if a.Kind() == reflect.Pointer && !a.IsNil() {
			parts = append(parts, "new("+a.Type().Elem().String()+")")
			continue
		}
		parts = append(parts, fmt.Sprintf("%.60v", a))
	}
	return strings.Join(parts, ", ")
}
