package listing

import (
	"fmt"
	"strings"

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

// Lines are the answer for people.
func (r Reference) Lines() []string {
	var lines []string
	if r.Foreign > 0 {
		lines = append(lines, fmt.Sprintf("%d referrers of other artifact types were skipped", r.Foreign))
	}
	if r.Others > 0 {
		lines = append(lines, fmt.Sprintf("%d attestations of other predicate types were skipped", r.Others))
	}
	unreadable := ""
	if r.Unreadable > 0 {
		unreadable = fmt.Sprintf(", %d unreadable", r.Unreadable)
	}
	lines = append(lines, fmt.Sprintf("%s: %d verified, %d not verified, %d malformed%s", r.Artifact, r.Good, r.NotVerified, r.Malformed, unreadable))
	if r.Good+r.NotVerified+r.Malformed+r.Unreadable == 0 {
		lines = append(lines, "no attestation of a run is attached to it")
	}
	return lines
}

// Attached is the answer about a bundle that is attached to an artifact, or was before.
type Attached struct {
	Bundle        string `json:"bundle"`
	Artifact      string `json:"artifact"`
	Referrer      string `json:"referrer"`
	Digest        string `json:"digest"`
	PredicateType string `json:"predicateType"`
	Existed       bool   `json:"existed"`
}

// NewAttached is the answer about the bundle of that name.
func NewAttached(name string, artifact *registry.Artifact, a registry.Attached) Attached {
	return Attached{name, zero.IfNil(artifact).Reference.String(), a.Referrer, a.Bundle, a.PredicateType, a.Existed}
}

// String is the answer for people, in one line.
func (a Attached) String() string {
	if a.Existed {
		return a.Referrer + "  " + a.Bundle + "  (was there already)"
	}
	return a.Referrer + "  " + a.Bundle
}

// Fetched is the answer about a bundle that was written to a file.
type Fetched struct {
	Artifact      string `json:"artifact"`
	File          string `json:"file"`
	PredicateType string `json:"predicateType"`
	Referrer      string `json:"referrer"`
}

// NewFetched is the answer about a bundle in the file of that name. It does not keep the bundle.
func NewFetched(artifact *registry.Artifact, found *registry.Found, file string) Fetched {
	found = zero.IfNil(found)
	return Fetched{zero.IfNil(artifact).Reference.String(), file, strings.Clone(found.PredicateType), found.Referrer}
}
