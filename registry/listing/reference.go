package listing

import (
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/registry"
)

// A Reference is the answer about all that is attached to an artifact, after those about its bundles, or the error that
// kept it from one.
type Reference struct {
	Reference   string `json:"reference"`
	Artifact    string `json:"artifact"`
	Verified    bool   `json:"verified"`
	Good        int    `json:"verifiedBundles"`
	NotVerified int    `json:"notVerifiedBundles"`
	Malformed   int    `json:"malformed"`
	Unreadable  int    `json:"unreadable"`
	Foreign     int    `json:"foreign"`
	Others      int    `json:"otherPredicateTypes"`
	Error       string `json:"error,omitempty"`
}

// NewReference is the answer of a summary: verified if it passed.
func NewReference(reference string, artifact *registry.Artifact, s registry.Summary, passed bool) Reference {
	return Reference{
		Reference: reference, Artifact: zero.IfNil(artifact).Reference.String(), Verified: passed,
		Good: s.Verified, NotVerified: s.NotVerified, Malformed: s.Malformed, Unreadable: s.Unreadable,
		Foreign: s.Foreign, Others: s.OtherPredicateTypes,
	}
}
