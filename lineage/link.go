package lineage

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// LinkType is the run link predicate, docs/spec/predicate-run-link-v1.md.
const LinkType = "https://github.com/runattest/runattest/run-link/v1"

// Relation is what a run and an artifact have to do with each other.
type Relation string

// The relations.
const (
	Produced  Relation = "produced"  // the run has made the artifact
	Consumed  Relation = "consumed"  // the run has read the artifact
	Container Relation = "container" // the run took place in the artifact, an image
)

// Relations are all there are.
func Relations() []Relation { return []Relation{Produced, Consumed, Container} }

// ParseRelation reads the name of a relation.
func ParseRelation(s string) (Relation, error) {
	if r := Relation(s); slices.Contains(Relations(), r) {
		return r, nil
	}
	return "", fmt.Errorf("relation is %s, want produced, consumed or container", strconv.Quote(s))
}

// Link is what a signer claims of artifacts and a run.
type Link struct {
	Run       identity.ID
	Relation  Relation
	Artifacts []attest.Subject
	// Annotations are signed: a ticket, a team. They say nothing that a verifier decides by.
	Annotations map[string]string
}

// String is the claim in one line, for people. It has the name of an artifact as that is, also with control characters.
func (l Link) String() string {
	what := fmt.Sprintf("%d artifacts", len(l.Artifacts))
	if len(l.Artifacts) == 1 {
		what = l.Artifacts[0].Name
	}
	verb := map[Relation]string{Produced: "produced", Consumed: "consumed", Container: "took place in"}[l.Relation]
	return fmt.Sprintf("a claim by its signer: %s %s %s", l.Run, verb, what)
}

// NewLink makes the Statement of a link, to be signed by attest.Sign.
func NewLink(l Link) (*attest.Claim, error) {
	if err := l.check(); err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	predicate := map[string]any{"identity": l.Run.String(), "relation": string(l.Relation)}
	if len(l.Annotations) > 0 {
		predicate["annotations"] = l.Annotations
	}
	claim, err := attest.NewClaim(LinkType, l.Artifacts, predicate)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	return claim, nil
}

// check holds a link that is written or read against the specification.
func (l Link) check() error {
	if l.Run.IsZero() {
		return errors.New("identity: no run is named")
	}
	if _, err := ParseRelation(string(l.Relation)); err != nil {
		return err
	}
	if len(l.Artifacts) == 0 {
		return errors.New("subject: no artifact is named")
	}
	for i, s := range l.Artifacts {
		if err := checkArtifact(s); err != nil {
			return fmt.Errorf("subject %d: %w", i, err)
		}
	}
	if n := len(l.Annotations); n > limits.Annotations {
		return fmt.Errorf("%d annotations, want at most %d", n, limits.Annotations)
	}
	for name, value := range l.Annotations {
		if name == "" || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return fmt.Errorf("annotation %+q: want a name, and valid UTF-8", name)
		}
	}
	return nil
}

// checkArtifact has the rules for artifacts in a run's own statement.
func checkArtifact(s attest.Subject) error {
	switch {
	case s.Name == "":
		return errors.New("the name is empty")
	case !utf8.ValidString(s.Name):
		return errors.New("the name is not valid UTF-8")
	case strings.HasPrefix(s.Name, "airun:"):
		return errors.New(`a name that begins with "airun:" is a run's, and a run is not an artifact`)
	case s.SHA256 == [len(s.SHA256)]byte{}:
		return errors.New("the digest is zero")
	}
	return nil
}

// read reads a predicate in RFC 8785 form, strictly, with the subjects beside it.
func read(predicate []byte, artifacts []attest.Subject) (Link, error) {
	root, err := jsontree.Parse(predicate)
	if err != nil {
		return Link{}, fmt.Errorf("predicate: %w", err)
	}
	l := Link{Artifacts: artifacts}
	if err := l.readPredicate(root); err != nil {
		return Link{}, fmt.Errorf("predicate: %w", err)
	}
	return l, l.check()
}

func (l *Link) readPredicate(root jsontree.Value) error {
	if root.Kind() != jsontree.Object {
		return fmt.Errorf("is of type %s, want object", root.Kind())
	}
	for name, v := range root.Members() {
		var err error
		switch string(name) {
		case "identity":
			l.Run, err = identity.ParseID(v.Text())
		case "relation":
			l.Relation, err = ParseRelation(v.Text())
		case "annotations":
			l.Annotations, err = jsontree.Texts(v, limits.Annotations, "annotations")
		default:
			return fmt.Errorf("unknown member %q", name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range []string{"identity", "relation"} {
		if root.Get(name).Kind() == jsontree.Absent {
			return fmt.Errorf("%s: is required", name)
		}
	}
	return nil
}
