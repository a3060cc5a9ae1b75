package sigstore

import (
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
)

// Services witness a signature: timestamp authorities say when it existed, transparency logs
// publish it. The zero value witnesses nothing.
type Services struct {
	TimestampAuthorities []string // URLs that RFC 3161 requests are posted to
	Logs                 []Log
	// Key is who signs, unless it is a certificate: logs want to know.
	Key *signer.PublicKey
	// Timeout is how long all of them together have for one signature; DefaultTimeout if zero.
	Timeout time.Duration
	// Ahead, if it is given, is called with the URL of an authority or log and the time that it has signed where that is more than
	// a minute ahead of this machine's clock: one of the two clocks is wrong. The timestamp or entry is taken. Calls may overlap.
	Ahead func(url string, at time.Time)
}

// mostAhead is how far a time that a service has signed may be ahead of this machine's clock before it is reported.
const mostAhead = time.Minute

// Log is a Rekor transparency log.
type Log struct {
	URL     string
	Version int // of its API: 1 or 2
}

var _ evidence.Witness = Services{}

// Check refuses services that could not be asked, and a URL that is there twice: two answers of one service prove no more than one.
func (s Services) Check() error {
	authorities, logs := map[string]bool{}, map[string]bool{}
	for _, url := range s.TimestampAuthorities {
		if err := cmp.Or(checkURL(url, false), oneEach(authorities, url)); err != nil {
			return fmt.Errorf("timestamp authority: %w", err)
		}
	}
	for _, l := range s.Logs {
		if err := cmp.Or(checkURL(l.URL, false), oneEach(logs, l.URL)); err != nil {
			return fmt.Errorf("transparency log: %w", err)
		}
		if l.Version != 1 && l.Version != 2 {
			return fmt.Errorf("transparency log %s: version %d, want 1 or 2", l.URL, l.Version)
		}
		if err := l.takes(s.Key); err != nil {
			return err
		}
	}
	return nil
}

// oneEach refuses a URL that was there before, also in another spelling.
func oneEach(before map[string]bool, url string) error {
	_, query, _ := strings.Cut(url, "?")
	if at := place(url) + "?" + query; !before[at] {
		before[at] = true
		return nil
	}
	shown, _, _ := secrets.URL(url, false)
	return fmt.Errorf("%q is given twice, which counts once: want another one", shown)
}

// any says whether a signature is witnessed at all.
func (s Services) any() bool { return len(s.TimestampAuthorities)+len(s.Logs) > 0 }

// time says whether one of the services signs the time: a timestamp authority, or a log of version 1 with its promise.
func (s Services) time() bool {
	return len(s.TimestampAuthorities) > 0 || slices.ContainsFunc(s.Logs, func(l Log) bool { return l.Version == 1 })
}

// LogAlgorithmError says that a log takes no signatures by keys of an algorithm. A log of the other version does.
type LogAlgorithmError struct {
	Log       Log
	Algorithm signer.Algorithm
}

func (e *LogAlgorithmError) Error() string {
	if e.Log.Version == 2 {
		return fmt.Sprintf("transparency log %s: Rekor v2 takes no Ed25519 signatures", e.Log.URL)
	}
	return fmt.Sprintf("transparency log %s: Rekor v1 verifies signatures with SHA-256 alone, and a key of %s signs with %s",
		e.Log.URL, e.Algorithm, e.Algorithm.Hash())
}

// takes refuses a key whose signatures the log would refuse.
func (l Log) takes(key *signer.PublicKey) error {
	if key == nil {
		return nil
	}
	hash := key.Algorithm().Hash()
	if l.Version == 1 && hash != crypto.SHA256 && hash != 0 || l.Version == 2 && hash == 0 {
		return &LogAlgorithmError{l, key.Algorithm()}
	}
	return nil
}

// Witness asks the timestamp authorities, all at once, and then the logs: an entry that a log has
// published cannot be withdrawn, so logs are asked only when the rest is there. It returns all evidence
// or an error, a *ServiceError if a service failed. Each piece is about this signature; its signer is not
// checked.
func (s Services) Witness(ctx context.Context, e evidence.Envelope) (evidence.Material, error) {
	if len(s.Logs) > 0 {
		_, by, err := s.verifierOf(e)
		if err != nil {
			return evidence.Material{}, err
		}
		for _, l := range s.Logs {
			if err := l.takes(by.publicKey()); err != nil {
				return evidence.Material{}, err
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Timeout, DefaultTimeout))
	defer cancel()
	timestamps, err := askAll(ctx, s.TimestampAuthorities, func(ctx context.Context, url string) ([]byte, error) {
		stamped, err := requestTimestamp(ctx, url, e.Signature)
		if err == nil {
			err = stampedInside(stamped, e)
		}
		if err != nil {
			return nil, &ServiceError{"timestamp authority", url, err}
		}
		return stamped, nil
	})
	if err != nil {
		return evidence.Material{}, err
	}
	for i, response := range timestamps {
		if t, err := readToken(response); err == nil {
			s.sayAhead(s.TimestampAuthorities[i], t.at, t.accuracy)
		}
	}
	entries, err := askAll(ctx, s.Logs, func(ctx context.Context, l Log) ([]byte, error) {
		entry, err := s.requestEntry(ctx, l, e)
		if err != nil {
			return nil, &ServiceError{"transparency log", l.URL, err}
		}
		return entry, nil
	})
	if err != nil {
		return evidence.Material{}, err
	}
	return evidence.Material{Timestamps: timestamps, LogEntries: entries}, nil
}

// sayAhead reports a time that is ahead of this machine's clock.
func (s Services) sayAhead(url string, at time.Time, accuracy time.Duration) {
	if s.Ahead != nil && at.Add(-accuracy).After(time.Now().Add(mostAhead)) {
		s.Ahead(url, at)
	}
}

// stampedInside wants a timestamp inside the validity of the certificate that signs: any other makes a bundle that no verifier takes.
func stampedInside(response []byte, e evidence.Envelope) error {
	if len(e.Certificates) == 0 {
		return nil
	}
	c, err := parseCertificate(e.Certificates[0])
	if err != nil {
		return err
	}
	t, err := readToken(response)
	if err != nil {
		return err
	}
	at, d := evidence.TrustedTime{Time: t.at, Accuracy: t.accuracy}, demand{notBefore: c.leaf.NotBefore, notAfter: c.leaf.NotAfter, issued: true}
	if !d.includes(at) {
		return fmt.Errorf("%s is outside the validity of the certificate (%s to %s): one of their clocks is wrong",
			describeTime(at), visible.Time(c.leaf.NotBefore), visible.Time(c.leaf.NotAfter))
	}
	return nil
}

// askAll asks several services at once, and gives all answers or what went wrong.
func askAll[S any](ctx context.Context, services []S, ask func(context.Context, S) ([]byte, error)) ([][]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers, errs := make([][]byte, len(services)), make([]error, len(services))
	var all sync.WaitGroup
	for i, service := range services {
		all.Go(func() {
			if answers[i], errs[i] = ask(ctx, service); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return answers, firstCause(errs)
}

// firstCause is what went wrong, rather than what was given up because of it.
func firstCause(errs []error) error {
	var first error
	for _, err := range errs {
		if err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = err
		}
	}
	return first
}

// requestEntry publishes a signature and gives the proof as protobuf JSON.
func (s Services) requestEntry(ctx context.Context, l Log, e evidence.Envelope) ([]byte, error) {
	options := &sign.RekorOptions{BaseURL: l.URL, Version: uint32(l.Version), Timeout: cmp.Or(s.Timeout, DefaultTimeout)} // #nosec G115 -- 1 or 2
	var err error
	if l.Version == 2 {
		options.ClientV2 = rekorV2{newClient(ctx), strings.TrimRight(l.URL, "/")}
	} else if options.Client, err = newRekorV1(newClient(ctx), l.URL); err != nil {
		return nil, err
	}
	pemBytes, by, err := s.verifierOf(e)
	if err != nil {
		return nil, err
	}
	b := entity(e, by, nil)
	// a log that answers with an empty object makes sigstore-go v1.3.0 panic
	err = guard(func() error { return sign.NewRekor(options).GetTransparencyLogEntry(ctx, pemBytes, b) })
	if err != nil {
		return nil, err
	}
	entries := b.GetVerificationMaterial().GetTlogEntries()
	if len(entries) != 1 {
		return nil, errors.New("gave no entry")
	}
	if entries[0].GetInclusionProof() == nil {
		return nil, errors.New("gave an entry without an inclusion proof")
	}
	body, err := readBody(entries[0], e)
	if err != nil {
		return nil, fmt.Errorf("the entry has %w", err)
	}
	if err := body.about(e, by); err != nil {
		return nil, fmt.Errorf("the entry %w", err)
	}
	if len(entries[0].GetInclusionPromise().GetSignedEntryTimestamp()) > 0 { // which alone signs a time
		at := time.Unix(entries[0].GetIntegratedTime(), 0).UTC()
		if err := inSeconds(at); err != nil {
			return nil, fmt.Errorf("the entry has no usable time: %w", err)
		}
		s.sayAhead(l.URL, at, 0)
	}
	return entryText(entries[0])
}

// entryText writes an entry with the defaults that protobuf JSON may leave out, a log index of 0 and
// an empty list of hashes, because sigstore-python does not read an entry without them. An
// integrated time of 0 is left out: it is not a time, and a client could take it for 1970.
func entryText(entry *protorekor.TransparencyLogEntry) ([]byte, error) {
	text, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(entry)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if entry.GetIntegratedTime() == 0 {
		delete(members, "integratedTime")
	}
	if text, err = json.Marshal(members); err != nil {
		return nil, err
	}
	return canonical.Transform(text)
}

// verifierOf returns the signer in the form that logs take: a certificate or a public key in PEM.
func (s Services) verifierOf(e evidence.Envelope) ([]byte, entrySigner, error) {
	if len(e.Certificates) > 0 {
		c, err := parseCertificate(e.Certificates[0])
		if err != nil {
			return nil, entrySigner{}, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificates[0]}), entrySigner{certificate: c}, nil
	}
	if s.Key == nil {
		return nil, entrySigner{}, errors.New("no signer is given")
	}
	text, err := s.Key.PEM()
	return text, entrySigner{key: &attest.TrustedKey{Key: s.Key}}, err
}
