package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/secrets"
	"github.com/runattest/runattest/registry/internal/layout"
	"github.com/runattest/runattest/registry/internal/remote"
)

// Reference names an artifact, or a run, in a repository: of a registry, or of an OCI layout.
// It is a comparable value that ParseReference alone makes.
//
//	[oci://]HOST/REPO[:TAG][@sha256:HEX]     in a registry; the digest goes before the tag
//	oci-layout://PATH[:TAG][@sha256:HEX]     in a folder or a tarball; TAG may be a whole name, HOST/REPO:TAG
//	...@airun:1:sha256:HEX                   the run of that identity, in either
type Reference struct {
	host string // "" in a layout
	path string // the repository, or the layout's path
	tag  string
	sum  string // sha256:HEX
	run  identity.ID
}

// The grammar of https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests.
var (
	repositoryForm = lazyregexp.New(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	layoutTagForm  = lazyregexp.New(`^[a-zA-Z0-9_][a-zA-Z0-9._:/+-]{0,511}$`) // as the image specification has org.opencontainers.image.ref.name
	tagForm        = lazyregexp.New(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	hostForm       = lazyregexp.New(`^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?$`)
)

// IsReference tells by its scheme whether a command's argument is a reference and no file.
func IsReference(s string) bool {
	return strings.HasPrefix(s, remote.Scheme) || strings.HasPrefix(s, layout.Scheme)
}

// ParseReference reads a reference. Errors wrap ErrReference.
func ParseReference(s string) (Reference, error) {
	r, err := parseReference(s)
	if err != nil {
		return Reference{}, fmt.Errorf("%s: %w: %w", withoutLogin(s), ErrReference, err)
	}
	return r, nil
}

// withoutLogin is a reference for an error. Where a URL has a user name and password, a reference has none.
func withoutLogin(s string) string {
	rest, isURL := strings.CutPrefix(s, remote.Scheme)
	login, host, found := strings.Cut(rest, "@")
	if !found || strings.IndexByte(login, ':') < 0 || strings.ContainsAny(login, "/\\") || strings.HasPrefix(host, "sha") || strings.HasPrefix(host, "airun:") {
		return s
	}
	shown := secrets.Mark + "@" + host
	if isURL {
		shown = remote.Scheme + shown
	}
	return shown
}

func parseReference(s string) (Reference, error) {
	var r Reference
	rest, isLayout := strings.CutPrefix(s, layout.Scheme)
	rest = strings.TrimPrefix(rest, remote.Scheme)
	rest, err := r.cutEnd(rest)
	if err != nil {
		return r, err
	}
	if i := strings.LastIndex(rest, ":"); i > strings.LastIndexAny(rest, `/\`) {
		allowed := tagForm
		if isLayout {
			allowed = layoutTagForm
		}
		if rest, r.tag = rest[:i], rest[i+1:]; !allowed.MatchString(r.tag) {
			return r, fmt.Errorf("tag %q: want at most 128 of letters, digits and ._-", r.tag)
		}
	}
	if r.tag != "" && !r.run.IsZero() {
		if !isLayout {
			return r, errRunTag
		}
		rest, r.tag = rest+":"+r.tag, "" // the path may have a colon: see located
	}
	if isLayout {
		if r.path = rest; rest == "" {
			return r, errors.New("names no path: want oci-layout://PATH")
		}
		return r, nil
	}
	host, repository, ok := strings.Cut(rest, "/")
	switch {
	case strings.Contains(rest, "://"):
		return r, errors.New("want oci://HOST/REPOSITORY, oci-layout://PATH, or HOST/REPOSITORY alone")
	case !ok && (strings.ContainsAny(host, ".:") || isLocalhost(host)):
		return r, errors.New("names no repository: want HOST/REPOSITORY, as in docker.io/library/alpine")
	case !ok || !strings.ContainsAny(host, ".:") && !isLocalhost(host):
		return r, errors.New("names no registry: want HOST/REPOSITORY, as in docker.io/library/alpine")
	case !hostForm.MatchString(host):
		return r, fmt.Errorf("host %q: want a host name or address and perhaps a port", host)
	case !repositoryForm.MatchString(repository):
		return r, fmt.Errorf("repository %q: want lower-case letters, digits, separators and /", repository)
	}
	r.host, r.path = host, repository
	return r, nil
}

// cutEnd takes off what follows the @.
func (r *Reference) cutEnd(s string) (string, error) {
	name, end, ok := strings.Cut(s, "@")
	switch {
	case !ok:
		return s, nil
	case strings.HasPrefix(end, "airun:"):
		var err error
		r.run, err = identity.ParseID(end)
		return name, err
	}
	d := digest.Digest(end)
	if err := d.Validate(); err != nil || d.Algorithm() != digest.SHA256 {
		return "", fmt.Errorf("digest %q: want sha256: and 64 lower-case hex digits", end)
	}
	r.sum = end
	return name, nil
}

// String is the inverse of ParseReference, with the scheme.
func (r Reference) String() string {
	s := r.Repository()
	if r.tag != "" {
		s += ":" + r.tag
	}
	switch {
	case !r.run.IsZero():
		s += "@" + r.run.String()
	case r.sum != "":
		s += "@" + r.sum
	}
	return s
}

// Repository is the reference without what it names there: oci://HOST/REPO or oci-layout://PATH.
func (r Reference) Repository() string {
	if r.IsLayout() {
		return layout.Scheme + r.path
	}
	return remote.Scheme + r.host + "/" + r.path
}

// Run is the run that is referred to; the zero ID if it is an artifact.
func (r Reference) Run() identity.ID { return r.run }

// Path is the path of an OCI layout, or the repository within a registry.
func (r Reference) Path() string { return r.path }

// IsLayout tells an OCI layout, which opens no socket, from a registry.
func (r Reference) IsLayout() bool { return r.host == "" }

// IsRepository says that the reference names a repository and nothing in it.
func (r Reference) IsRepository() bool { return r.tag == "" && r.sum == "" && r.run.IsZero() }

// WithRun is the reference to a run in the same repository.
func (r Reference) WithRun(id identity.ID) Reference {
	return Reference{host: r.host, path: r.path, run: id}
}

// at is the reference to a digest in the same repository.
func (r Reference) at(d digest.Digest) Reference {
	return Reference{host: r.host, path: r.path, sum: d.String()}
}

// name is what a store is asked for: a digest or a tag. As in other clients, the default tag is
// latest; a layout has a rule of its own.
func (r Reference) name() string {
	switch {
	case !r.run.IsZero():
		return runTag(r.run)
	case r.sum != "":
		return r.sum
	case r.tag == "" && !r.IsLayout():
		return "latest"
	}
	return r.tag
}

// subject is an artifact of that digest as a Statement names it.
func (r Reference) subject(d digest.Digest) (attest.Subject, error) {
	s := attest.Subject{Name: r.host + "/" + r.path}
	if r.IsLayout() {
		s.Name = filepath.Base(filepath.Clean(r.path))
	}
	if d.Algorithm() != digest.SHA256 || hex.DecodedLen(len(d.Encoded())) != sha256.Size {
		return s, fmt.Errorf("digest %s: want sha256", d)
	}
	_, err := hex.Decode(s.SHA256[:], []byte(d.Encoded()))
	return s, err
}

func isLocalhost(name string) bool { return strings.EqualFold(name, "localhost") }

var errRunTag = errors.New("a run is referred to by its identity and no tag")

// Located is the reference as Open takes it: where the path of a layout, or a tag that is a whole name, has colons of its own, the path is
// what is there.
func (r Reference) Located() Reference {
	if !r.IsLayout() || !r.run.IsZero() {
		return r
	}
	if _, err := os.Stat(r.path); !errors.Is(err, fs.ErrNotExist) {
		return r
	}
	whole := r.path
	if r.tag != "" {
		whole += ":" + r.tag
		if _, err := os.Stat(whole); err == nil {
			r.path, r.tag = whole, ""
			return r
		}
	}
	for i := strings.LastIndexByte(r.path, ':'); i > 0; i = strings.LastIndexByte(r.path[:i], ':') {
		if _, err := os.Stat(r.path[:i]); err == nil && layoutTagForm.MatchString(whole[i+1:]) {
			r.path, r.tag = r.path[:i], whole[i+1:]
			return r
		}
	}
	return r
}

// checkRunTag is an error if a layout has a tag behind its path beside the identity of a run.
func (r Reference) checkRunTag() error {
	i := strings.LastIndexByte(r.path, ':')
	if !r.IsLayout() || r.run.IsZero() || i < 1 || i < strings.LastIndexAny(r.path, `/\`) {
		return nil
	}
	if _, err := os.Stat(r.path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(r.path[:i]); err != nil {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", r, ErrReference, errRunTag)
}

// runTag is where a run's declaration is: an OCI tag has no colons.
func runTag(id identity.ID) string { return strings.ReplaceAll(id.String(), ":", "-") }

// runOf is the run whose declaration has the tag; the zero ID if it is not such a tag.
func runOf(tag string) identity.ID {
	id, err := identity.ParseID(strings.ReplaceAll(tag, "-", ":"))
	if err != nil || runTag(id) != tag {
		return identity.ID{}
	}
	return id
}
