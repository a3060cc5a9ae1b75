package signer

import (
	"crypto/rsa"
	"crypto/sha256"

	"github.com/runattest/runattest/internal/zero"
)

// Work bounds what is spent on signatures that a stranger may have made, and remembers which keys have not made them, so that
// a signature costs what it may however often it is asked about. What is counted is checks in vain, of a signature against a
// key in one scheme: a check that succeeds was made possible by the holder of the key. A check with a slow key counts as
// several, and each 64 KiB of a message that is hashed as one.
//
// Past the bound each further answer is no, and Exhausted says so: a caller that looks for
// signatures that can forbid something must ask, because one that was not found may be there all the same. A nil *Work bounds nothing. A Work is used by one goroutine.
type Work struct {
	most, done int
	exhausted  bool
	answers    map[[sha256.Size]byte]string // by message, key, signature and question
	over       *Schemes                     // the last message's
	recalled   struct {
		question [sha256.Size]byte
		answer   any // nil for none
	}
}

// NewWork is for so many checks in vain.
func NewWork(most int) *Work { return &Work{most: most} }

// Exhausted says that some check was not made, because the bound was reached.
func (w *Work) Exhausted() bool { return w != nil && w.exhausted }

// Done is how many checks in vain were counted.
func (w *Work) Done() int { return zero.IfNil(w).done }

// Spend counts other work as so many checks in vain, and says whether it may be done. A negative number takes back what was
// counted before it was known who made the work possible.
func (w *Work) Spend(checks int) bool {
	if w == nil {
		return true
	}
	if checks > w.most-w.done {
		w.exhausted = true
		return false
	}
	w.done += checks
	return true
}

// Over is NewSchemes whose work is counted. The message is not to be changed while w is used.
func (w *Work) Over(message []byte) *Schemes {
	if w == nil {
		return NewSchemes(message)
	}
	w.Spend(len(message) / hashedAsCheck)
	if w.over == nil || string(w.over.message) != string(message) {
		w.over = NewSchemes(message)
		w.over.work = w
		w.over.sum = sha256.Sum256(message)
	}
	return w.over
}

// Recall gives the answer to a question that was asked last, without asking, or that of ask, which says whether to keep it. So what
// several trust checks in a row ask about one signature is worked out, and counted, once. A nil *Work keeps nothing.
func (w *Work) Recall(question [sha256.Size]byte, ask func() (answer any, keep bool)) any {
	if w != nil && w.recalled.answer != nil && w.recalled.question == question {
		return w.recalled.answer
	}
	if ask == nil {
		return nil
	}
	answer, keep := ask()
	if w != nil && keep && !w.exhausted {
		w.recalled.question, w.recalled.answer = question, answer
	}
	return answer
}

// hashedAsCheck is how many bytes are hashed in the time of one check.
const hashedAsCheck = 64 << 10

// try makes one check of a key.
func (s *Schemes) try(k *PublicKey, check func() bool) bool {
	cost := k.cost()
	if k.algorithm == Ed25519 {
		cost += len(s.message) / hashedAsCheck
	}
	if !s.work.Spend(cost) {
		return false
	}
	s.tried++
	ok := check()
	if ok && s.work != nil {
		s.work.done -= cost
	}
	return ok
}

// once asks what is asked of a key and a signature, unless it is known.
func (s *Schemes) once(k *PublicKey, question string, signature []byte, ask func() string) string {
	if s.work == nil {
		return ask()
	}
	w := sha256.New()
	w.Write(s.sum[:])
	w.Write([]byte(question + "\x00" + k.hint + "\x00"))
	w.Write(signature)
	var key [sha256.Size]byte
	w.Sum(key[:0])
	answer, known := s.work.answers[key]
	if !known {
		if s.work.answers == nil {
			s.work.answers = map[[sha256.Size]byte]string{}
		}
		if answer = ask(); !s.work.exhausted {
			s.work.answers[key] = answer
		}
	}
	return answer
}

// cost is how many checks with a key of ECDSA P-256 take the time of one with this key, about.
func (k *PublicKey) cost() int {
	if key, ok := k.key.(*rsa.PublicKey); ok {
		n := key.N.BitLen() / 2048
		return max(1, n*n/2)
	}
	switch k.algorithm {
	case ECDSAP384:
		return 8
	case ECDSAP521:
		return 24
	}
	return 1
}
