package sigstore

import (
	"cmp"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
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
}

// Log is a Rekor transparency log.
type Log struct {
	URL     string
	Version int // of its API: 1 or 2
}

var _ attest.Witness = Services{}

// Check refuses services that could not be asked.
func (s Services) Check() error {
	for _, url := range s.TimestampAuthorities {
		if err := checkURL(url, false); err != nil {
			return fmt.Errorf("timestamp authority: %w", err)
		}
	}
	for _, l := range s.Logs {
		if err := checkURL(l.URL, false); err != nil {
			return fmt.Errorf("transparency log: %w", err)
		}
		if l.Version != 1 && l.Version != 2 {
			return fmt.Errorf("transparency log %s: version %d, want 1 or 2", l.URL, l.Version)
		}
		if l.Version == 2 && s.Key != nil && s.Key.Algorithm() == signer.Ed25519 {
			return fmt.Errorf("transparency log %s: Rekor v2 takes no Ed25519 signatures; sign with an ECDSA key", l.URL)
		}
	}
	return nil
}

// Witness asks all services at once. It gives all evidence or
// an error, a *ServiceError where a service failed; each piece is about this signature, whoever
// signed it.
func (s Services) Witness(ctx context.Context, e attest.Envelope) (attest.Evidence, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Timeout, DefaultTimeout))
	defer cancel()
	evidence := attest.Evidence{
		Timestamps: make([][]byte, len(s.TimestampAuthorities)),
		LogEntries: make([][]byte, len(s.Logs)),
	}
	errs := make([]error, len(s.TimestampAuthorities)+len(s.Logs))
	var all sync.WaitGroup
	for i, url := range s.TimestampAuthorities {
		all.Go(func() {
			var err error
			if evidence.Timestamps[i], err = requestTimestamp(ctx, url, e.Signature); err != nil {
				errs[i] = &ServiceError{"timestamp authority", url, err}
				cancel()
			}
		})
	}
	for i, l := range s.Logs {
		all.Go(func() {
			var err error
			if evidence.LogEntries[i], err = s.requestEntry(ctx, l, e); err != nil {
				errs[len(s.TimestampAuthorities)+i] = &ServiceError{"transparency log", l.URL, err}
				cancel()
			}
		})
	}
	all.Wait()
	if err := firstCause(errs); err != nil {
		return attest.Evidence{}, err
	}
	return evidence, nil
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
func (s Services) requestEntry(ctx context.Context, l Log, e attest.Envelope) ([]byte, error) {
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
	if err := guard(func() error { return aboutThis(entries[0], e) }); err != nil {
		return nil, fmt.Errorf("the entry %w", err)
	}
	text, err := protojson.Marshal(entries[0])
	if err != nil {
		return nil, err
	}
	return canonical.Transform(text)
}

// verifierOf is who signed, as the logs take it: a certificate or a public key in PEM.
func (s Services) verifierOf(e attest.Envelope) ([]byte, signatory, error) {
	if len(e.Certificates) > 0 {
		c, err := parseCertificate(e.Certificates[0])
		if err != nil {
			return nil, signatory{}, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificates[0]}), signatory{certificate: c}, nil
	}
	if s.Key == nil {
		return nil, signatory{}, errors.New("nobody was named who signs")
	}
	text, err := s.Key.PEM()
	return text, signatory{key: &attest.TrustedKey{Key: s.Key}}, err
}
