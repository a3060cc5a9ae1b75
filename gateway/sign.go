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
	// issue gives a call's own bundle, or the proof of its run in a set.
	issue(ctx context.Context, s *attest.Statement) (*attest.Bundle, error)
	key() *signer.PublicKey // nil where a certificate signs
}

var _, _ issuer = (*signing)(nil), (*windows)(nil)

// A signing signs Statements with a key in memory, each of them once: equal Statements have one bundle for as long as it is
// kept.
type signing struct {
	by signer.Signer

	mu          sync.Mutex
	young, old  map[[sha256.Size]byte]*kept // by the digest of their Statements
	size, count int                         // of young
}

// kept is a bundle, and the size of its Statement.
type kept struct {
	bundle *attest.Bundle
	size   int
}

func (s *signing) key() *signer.PublicKey { return s.by.PublicKey() }

// issue gives the bundle of a Statement, with a signature that its own key has verified.
func (s *signing) issue(ctx context.Context, statement *attest.Statement) (*attest.Bundle, error) {
	text := statement.Bytes()
	key := sha256.Sum256(text)
	if k := s.find(key); k != nil {
		return k.bundle, nil
	}
	bundle, err := attest.Sign(ctx, statement, s.by, attest.SignOptions{})
	if err != nil {
		return nil, err
	}
	s.keep(key, &kept{bundle, len(text)})
	return bundle, nil
}

func (s *signing) find(key [sha256.Size]byte) *kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.young[key]; k != nil {
		return k
	}
	k := s.old[key]
	if k != nil {
		s.add(key, k)
	}
	return k
}

func (s *signing) keep(key [sha256.Size]byte, k *kept) {
	if k.size > limits.GatewayCached {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(key, k)
}

// add puts a bundle among the young ones. When they are many they become the old ones, and those are dropped.
func (s *signing) add(key [sha256.Size]byte, k *kept) {
	if s.young == nil || s.count >= limits.GatewayCacheCount || s.size+k.size > limits.GatewayCache {
		s.old, s.young, s.size, s.count = s.young, map[[sha256.Size]byte]*kept{}, 0, 0
	}
	if s.young[key] == nil {
		s.size, s.count = s.size+k.size, s.count+1
	}
	s.young[key] = k
}
