package lineage

import (
	"errors"
	"fmt"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
)

// UnverifiedRun is the identity of the run that a bundle declares, recomputed from its
// declaration. The signer of the bundle is not checked: use a Verifier to learn who declared the
// run.
func UnverifiedRun(b *attest.Bundle) (identity.ID, error) {
	s, err := b.UnverifiedStatement()
	if err != nil {
		return identity.ID{}, fmt.Errorf("not a run identity statement: %w", err)
	}
	if s.Ref != nil {
		return identity.ID{}, errors.New("the attestation is detached, so that its identity cannot be recomputed: name the run by its ID")
	}
	d, err := identity.Parse(s.Declaration)
	if err != nil {
		return identity.ID{}, fmt.Errorf("declaration: %w", err)
	}
	id := d.ID()
	if run := s.Subjects[0]; id != s.Identity || run.Name != id.String() || run.SHA256 != id.Digest() {
		return identity.ID{}, fmt.Errorf("the identity recomputes to %s, and the bundle states another", id)
	}
	return id, nil
}
