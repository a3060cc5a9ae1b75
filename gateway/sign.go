package gateway

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
)

// An issuer signs the Statements of calls.
type issuer interface {
	issue(ctx context.Context, s *attest.Statement) (signed, error)
	key() *signer.PublicKey // nil where a certificate signs
}

// signed is a call's own bundle, or the proof of its run in a set, as one line of JSON.
type signed struct{ bundle, proof []byte }

var _, _ issuer = (*signing)(nil), (*windows)(nil)

func (s *signing) key() *signer.PublicKey { return s.by.PublicKey() }

func (s *signing) issue(ctx context.Context, statement *attest.Statement) (signed, error) {
	bundle, err := s.sign(ctx, statement)
	return signed{bundle: bundle}, err
}

// A signing signs Statements with a key in memory, each of them once: equal Statements have one bundle for as long as it is
// kept.
type signing struct {
	by signer.Signer

	mu          sync.Mutex
	young, old  map[[sha256.Size]byte][]byte // bundles by the digest of their Statements
	size, count int                          // of young
}

// sign gives the bundle of a Statement as one line of JSON, with a signature that its own key has verified.
func (s *signing) sign(ctx context.Context, statement *attest.Statement) ([]byte, error) {
	key := sha256.Sum256(statement.Bytes())
	if bundle := s.find(key); bundle != nil {
		return bundle, nil
	}
	b, err := attest.Sign(ctx, statement, s.by, attest.SignOptions{})
	if err != nil {
		return nil, err
	}
	bundle, err := b.Marshal()
	if err != nil {
		return nil, err
	}
	s.keep(key, bundle)
	return bundle, nil
}

func (s *signing) find(key [sha256.Size]byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bundle := s.young[key]; bundle != nil {
		return bundle
	}
	bundle := s.old[key]
	if bundle != nil {
		s.add(key, bundle)
	}
	return bundle
}

func (s *signing) keep(key [sha256.Size]byte, bundle []byte) {
	if len(bundle) > limits.GatewayCached {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(key, bundle)
}

// add puts a bundle among the young ones. When they are many they become the old ones, and those are dropped.
func (s *signing) add(key [sha256.Size]byte, bundle []byte) {
	if s.young == nil || s.count >= limits.GatewayCacheCount || s.size+len(bundle) > limits.GatewayCache {
		s.old, s.young, s.size, s.count = s.young, map[[sha256.Size]byte][]byte{}, 0, 0
	}
	if s.young[key] == nil {
		s.size, s.count = s.size+len(bundle), s.count+1
	}
	s.young[key] = bundle
}
