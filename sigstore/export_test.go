package sigstore

import "time"

// SetClock replaces the clock by which certificates are renewed.
func (s *Session) SetClock(now func() time.Time) { s.now = now }

// RenewAgain is how long after a failure a certificate is renewed again.
const RenewAgain = renewAgain
