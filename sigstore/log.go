package sigstore

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/signer"
)

// entrySigner is the signer of the signature that a log entry must be about: one of the two.
type entrySigner struct {
	key         *attest.TrustedKey
	certificate *leafCertificate
}

func (s entrySigner) publicKey() *signer.PublicKey {
	if s.certificate != nil {
		return s.certificate.key
	}
	return s.key.Key
}

// checkLogEntry adds to found what one entry proves. An entry of a log that the trusted root
// does not name proves nothing; one of a log that it names must be about this signature.
func (r *TrustedRoot) checkLogEntry(name string, text []byte, e evidence.Envelope, by entrySigner, found *findings) {
	var entry protorekor.TransparencyLogEntry
	err := readProto(text, &entry)
	if err == nil {
		err = checkProof(entry.GetInclusionProof())
	}
	var body *logBody
	if err == nil {
		body, err = openBody(&entry, e)
	}
	if err != nil {
		found.wrong = append(found.wrong, fmt.Errorf("%s: %w", name, err))
		return
	}
	id := entry.GetLogId().GetKeyId()
	log, ok := r.root.RekorLogs()[hex.EncodeToString(id)]
	if !ok { // which may have kinds of entries that are not known here
		why := fmt.Errorf("%s: the trusted root names no log %x", name, id)
		if len(id) == 0 {
			why = fmt.Errorf("%s: it does not say of which log it is: logId is missing or empty", name)
		}
		found.ignored = append(found.ignored, why)
		found.unknown++
		return
	}
	var integrated []root.Timestamp
	if err = body.read(); err == nil {
		err = body.checkLog(&entry, log)
	}
	if err == nil {
		err = body.about(e, by)
	}
	if err == nil {
		err = guard(func() (err error) { integrated, err = r.verifyEntry(&entry, body, log, e, by); return err })
	}
	for _, t := range integrated {
		err = cmp.Or(err, inSeconds(t.Time))
	}
	in := inLog{evidence.LogEntry{Log: logName(log), Index: provedIndex(&entry, body)}, log, body.sum, entry.GetInclusionProof() != nil, nil}
	for _, t := range integrated { // only Rekor v1 signs a time
		in.times = append(in.times, evidence.TrustedTime{Kind: logKind, Authority: in.at.Log, Time: t.Time.UTC()})
	}
	if err == nil && slices.ContainsFunc(found.entries, in.same) { // as sigstore-go: it would count twice
		err = errors.New("stands twice")
	}
	if err != nil {
		found.wrong = append(found.wrong, fmt.Errorf("%s: %w", name, err))
		return
	}
	found.entries = append(found.entries, in)
}

// inSeconds refuses the time of a promise that RFC 3339 has no text for, as a log states that counts in milliseconds: no report
// could have it.
func inSeconds(promised time.Time) error {
	if promised.UTC().Year() > 9999 {
		return fmt.Errorf("its promise states the time %d, want seconds since 1970, before the year 10000", promised.Unix())
	}
	return nil
}

func logName(l *root.TransparencyLog) string { return cmp.Or(l.BaseURL, hex.EncodeToString(l.ID)) }

// inLog says that the signature is in a log, or, where it is not proved, that the log has promised to put
// it there. A log that got a new key is another one at the same URL.
type inLog struct {
	at     evidence.LogEntry
	log    *root.TransparencyLog
	body   [sha256.Size]byte // its hash
	proved bool
	times  []evidence.TrustedTime // that the log has signed
}

// same says that two entries of one log are one. One entry may state two indices: in the log, and in a shard of it.
func (l inLog) same(other inLog) bool {
	return l.log == other.log && (l.at == other.at || l.body == other.body)
}

// judgeLogs takes for true what is by logs that are believed at the time of the signature: who
// got hold of a retired log's key could prove entries ever after. Nor is the time that another one has signed taken for true.
func (f *findings) judgeLogs() {
	all := slices.Clone(f.times)
	for _, e := range f.entries {
		all = append(all, e.times...)
	}
	for _, e := range f.entries {
		switch {
		case !believedAt(e.log, all):
			when := "at the time of the signature"
			if len(all) == 0 {
				when = "after " + bound(e.log.ValidityPeriodEnd) + ", and no trusted time proves that the signature is older"
			}
			f.ignored = append(f.ignored, fmt.Errorf("the log %s is not believed %s", e.at.Log, when))
			f.unbelieved = append(f.unbelieved, e.times...)
			continue
		case e.proved:
			f.logs = append(f.logs, e.at)
		default:
			f.promises = append(f.promises, e.at)
		}
		f.times = append(f.times, e.times...)
	}
}

// believedAt says whether each trusted time is inside the log's validity; a log that is retired
// needs one.
func believedAt(l *root.TransparencyLog, times []evidence.TrustedTime) bool {
	for _, t := range times {
		if t.Time.Before(l.ValidityPeriodStart) || !l.ValidityPeriodEnd.IsZero() && t.Latest().After(l.ValidityPeriodEnd) {
			return false
		}
	}
	return len(times) > 0 || l.ValidityPeriodEnd.IsZero()
}

// differentLogs counts the logs in which the signature is proved to be. A promise proves nothing of the kind: the log
// may never have kept it.
func (f findings) differentLogs() int {
	return f.oneLog.different(func(yield func(string) bool) {
		for _, l := range f.logs {
			if !yield(l.Log) {
				return
			}
		}
	})
}

// provedIndex is the index that a verified entry's promise or proof is about. The proof of
// Rekor v1 has one of its own, in a shard of the log; that of the entry is then anybody's word, unless it was promised.
func provedIndex(entry *protorekor.TransparencyLogEntry, body *logBody) int64 {
	if body.kind != hashedRekord && len(entry.GetInclusionPromise().GetSignedEntryTimestamp()) == 0 {
		return entry.GetInclusionProof().GetLogIndex()
	}
	return entry.GetLogIndex()
}

// checkLog wants the proof to be of the version of Rekor that writes entries of this kind. sigstore-go goes by the origin of
// the checkpoint: of a proof by Rekor v2 it verifies neither the body, which it makes up from the envelope, nor the index
// in the proof. An entry of Rekor v1 may have the origin of Rekor v2, the log's host: see verifyUnderHost.
func (b *logBody) checkLog(entry *protorekor.TransparencyLogEntry, log *root.TransparencyLog) error {
	proof := entry.GetInclusionProof()
	if i := entry.GetLogIndex(); i < 0 {
		return fmt.Errorf("has the index %d, want 0 or more", i)
	}
	if i := proof.GetLogIndex(); i < 0 {
		return fmt.Errorf("its inclusion proof has the index %d, want 0 or more", i)
	}
	if proof == nil {
		return nil
	}
	v1, v2 := rekorV1Origin.MatchString(origin(proof)), b.kind == hashedRekord
	switch {
	case v1 && v2:
		return fmt.Errorf("an entry of kind %q, which Rekor v2 writes, with a checkpoint of Rekor v1", b.kind)
	case !v1 && !v2 && !isHostOf(log, origin(proof)):
		return fmt.Errorf("an entry of kind %q, which Rekor v1 writes, with a checkpoint whose origin %.100q is neither of Rekor v1 nor the log's host", b.kind, origin(proof))
	case v2 && proof.GetLogIndex() != entry.GetLogIndex():
		return fmt.Errorf("has the index %d, but its inclusion proof is of the index %d", entry.GetLogIndex(), proof.GetLogIndex())
	}
	return nil
}

// verifyEntry has sigstore-go check inclusion, checkpoint and promise of one entry, and once more that it
// is about this envelope and signer. What the body says has been compared before.
func (r *TrustedRoot) verifyEntry(entry *protorekor.TransparencyLogEntry, body *logBody, log *root.TransparencyLog, e evidence.Envelope, by entrySigner) ([]root.Timestamp, error) {
	material, err := r.materialFor(by)
	if err != nil {
		return nil, err
	}
	v2 := body.kind == hashedRekord
	if entry.InclusionProof != nil {
		if err := readProof(entry.InclusionProof, v2, log.PublicKey); err != nil {
			return nil, err
		}
	}
	if p := entry.GetInclusionProof(); p != nil && !v2 && !rekorV1Origin.MatchString(origin(p)) {
		return r.verifyUnderHost(entry, log)
	}
	one, err := bundle.NewBundle(entity(e, by, entry))
	if err != nil {
		return nil, err
	}
	integrated, err := verify.VerifyTlogEntry(one, material, 1, true)
	if err != nil {
		return nil, r.explain(err, entry)
	}
	if v2 { // by now with a proof
		err = checkIncluded(entry)
	}
	return integrated, err
}

// verifyUnderHost verifies the proof, and the promise if there is one, of an entry of Rekor v1 under a checkpoint whose origin does not
// end with the ID of a tree. Rekor writes the ID, to tell its trees apart; other clients do not look at it, and all of the
// proof is there: the log's key has signed the root of a tree that has this body. sigstore-go would take it for an entry of Rekor v2,
// and not look at the body.
func (r *TrustedRoot) verifyUnderHost(entry *protorekor.TransparencyLogEntry, log *root.TransparencyLog) ([]root.Timestamp, error) {
	parsed, err := tlog.ParseTransparencyLogEntry(entry)
	if err != nil {
		return nil, err
	}
	verifier, err := signature.LoadVerifier(log.PublicKey, log.SignatureHashFunc)
	if err != nil {
		return nil, err
	}
	if err := tlog.VerifyInclusion(parsed, verifier); err != nil {
		return nil, r.explain(err, entry)
	}
	if !parsed.HasInclusionPromise() { // which alone signs a time
		return nil, nil
	}
	if err := tlog.VerifySET(parsed, r.root.RekorLogs()); err != nil {
		return nil, fmt.Errorf("its inclusion promise does not hold: %w", err)
	}
	return []root.Timestamp{{Time: parsed.IntegratedTime(), URI: log.BaseURL}}, nil
}

// isHostOf says whether an origin is the host of the log's URL.
func isHostOf(log *root.TransparencyLog, origin string) bool {
	u, err := url.Parse(log.BaseURL)
	return err == nil && u.Hostname() != "" && u.Hostname() == origin
}

// explain says what sigstore-go does not say in words: it prints two hashes as decimal numbers, and counts no
// entries where a promise is not kept.
func (r *TrustedRoot) explain(err error, entry *protorekor.TransparencyLogEntry) error {
	if strings.Contains(err.Error(), "does not match expected root") {
		return errNotIncluded
	}
	if parsed, failed := tlog.ParseTransparencyLogEntry(entry); failed == nil && parsed.HasInclusionPromise() {
		if failed := tlog.VerifySET(parsed, r.root.RekorLogs()); failed != nil {
			return fmt.Errorf("its inclusion promise does not hold: %w", failed)
		}
	}
	return err
}

// entity is a bundle as sigstore-go knows it, with one log entry or none.
func entity(e evidence.Envelope, by entrySigner, entry *protorekor.TransparencyLogEntry) *protobundle.Bundle {
	m := &protobundle.VerificationMaterial{}
	if entry != nil {
		m.TlogEntries = []*protorekor.TransparencyLogEntry{entry}
	}
	if by.certificate != nil {
		m.Content = &protobundle.VerificationMaterial_Certificate{Certificate: &protocommon.X509Certificate{RawBytes: by.certificate.leaf.Raw}}
	} else {
		m.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: by.key.Key.Hint()}}
	}
	return &protobundle.Bundle{
		MediaType:            e.MediaType,
		VerificationMaterial: m,
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: &protodsse.Envelope{
			Payload: e.Payload, PayloadType: e.PayloadType,
			Signatures: []*protodsse.Signature{{Sig: e.Signature}},
		}},
	}
}

// materialFor is the trusted root with the one key that signed, if it was a key.
func (r *TrustedRoot) materialFor(by entrySigner) (root.TrustedMaterial, error) {
	if by.key == nil {
		return r.root, nil
	}
	verifier, err := signature.LoadDefaultVerifier(by.key.Key.Public())
	if err != nil {
		return nil, err
	}
	key := root.NewExpiringKey(verifier, by.key.NotBefore, by.key.NotAfter)
	return root.TrustedMaterialCollection{
		r.root,
		root.NewTrustedPublicKeyMaterialFromMapping(map[string]*root.ExpiringKey{by.key.Key.Hint(): key}),
	}, nil
}
