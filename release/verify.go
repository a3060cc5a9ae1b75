package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/signer"
)

// fileLimit bounds the size of one file of a release.
const fileLimit = 256 << 20

// expectation is what a release must be.
type expectation struct {
	release  release // of a snapshot, its pseudo-version
	snapshot bool
	targets  []target
	key      *signer.PublicKey
}

// verify holds a folder against what a release must be. Nothing in the folder decides what is looked at.
func verify(ctx context.Context, want expectation, dir string) error {
	_, err := verified(ctx, want, dir)
	return err
}

// names are the files of the release in the order of checksums.txt, which lists them.
func (want expectation) names() []string {
	names := append(packages(want.release, want.targets), provenanceFile(want.release))
	slices.Sort(names)
	return names
}

// verified is verify, and returns the files that it verified, without the checksums and their signature.
func verified(ctx context.Context, want expectation, dir string) (map[string][]byte, error) {
	if want.release.isSnapshot() != want.snapshot {
		return nil, fmt.Errorf("version %s: a snapshot is verified with --snapshot, and a release without", want.release.tag)
	}
	read := func(name string) ([]byte, error) {
		path := filepath.Join(dir, name)
		data, err := boundedfile.ReadRegular(path, fileLimit)
		if info, is := os.Lstat(path); is == nil && errors.Is(err, fs.ErrNotExist) && info.Mode()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%q: is not a regular file, but a link to one that does not exist", path)
		}
		return data, err
	}
	sums, err := read(checksumsFile)
	if err != nil {
		return nil, err
	}
	signature, err := read(signatureFile)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(sums, []byte("\r\n")) {
		return nil, fmt.Errorf("%s: its lines end with CRLF, want LF: get the file again in a way that does not convert texts", checksumsFile)
	}
	if err := checkSignature(want.key, sums, signature); err != nil {
		return nil, err
	}
	names := want.names()
	digests, err := want.readChecksums(sums)
	if err != nil {
		return nil, err
	}
	if err := checkNames(dir, append(slices.Clone(names), checksumsFile, signatureFile)); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = read(name); err != nil {
			return nil, err
		}
	}
	if got := checksums(files); !bytes.Equal(got, sums) {
		for _, s := range subjects(files) {
			if digests[s.Name] != hex.EncodeToString(s.SHA256[:]) {
				return nil, fmt.Errorf("%s: SHA-256 is %x, but %s says %s", s.Name, s.SHA256, checksumsFile, digests[s.Name])
			}
		}
		return nil, fmt.Errorf("%s: is not written as sha256sum would", checksumsFile)
	}
	return files, want.checkContents(ctx, files)
}

// checkContents verifies the provenance and looks into the archives.
func (want expectation) checkContents(ctx context.Context, files map[string][]byte) error {
	name := provenanceFile(want.release)
	p, err := want.readProvenance(ctx, files)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	entries := contentsOf{}
	for _, c := range components {
		entries[c] = map[target][]entry{}
		for _, t := range c.of(want.targets) {
			inside, err := want.checkTarget(c, t, files, p)
			if err != nil {
				return err
			}
			if t.os == "linux" {
				entries[c][t] = inside
			}
		}
		if err := want.checkImage(c, files, entries, p); err != nil {
			return err
		}
	}
	if err := checkNPMMain(files[npmMain(want.release)], want.release, want.targets); err != nil {
		return fmt.Errorf("%s: %w", npmMain(want.release), err)
	}
	return nil
}

// checkTarget looks into the packages of a component for a target: the programs in the archive must be the release's, and those
// in the others must be the same. It returns what the archive has.
func (want expectation) checkTarget(c *component, t target, files map[string][]byte, p provenance) ([]entry, error) {
	r := want.release
	archive := c.archive(t, r)
	inside, err := unpack(t, c.folder(t, r), files[archive])
	if err == nil {
		err = c.checkFiles(t, inside)
	}
	if err == nil {
		err = c.checkPrograms(t, inside, r, p)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", archive, err)
	}
	if t.os == "linux" {
		for _, f := range formats {
			if err := f.check(c, files[f.file(c, t, r)], t, r, inside); err != nil {
				return nil, fmt.Errorf("%s: %w", f.file(c, t, r), err)
			}
		}
	}
	if c == command {
		if err := want.checkLanguages(t, files, inside[t.program()]); err != nil {
			return nil, err
		}
	}
	var entries []entry
	for name, data := range inside {
		entries = append(entries, entry{name: name, data: data})
	}
	return entries, nil
}

// checkPrograms holds the programs of an archive against the provenance.
func (c *component) checkPrograms(t target, inside map[string][]byte, r release, p provenance) error {
	for _, name := range c.programs {
		info, err := c.checkProgram(name, inside[t.file(name)], r, t, p.Sums[c.module])
		if err != nil {
			return err
		}
		if info.GoVersion != p.Go {
			return fmt.Errorf("%s: built with %s, but the provenance says %s", name, info.GoVersion, p.Go)
		}
	}
	return nil
}

// checkLanguages holds the packages of Python and of Node against the program.
func (want expectation) checkLanguages(t target, files map[string][]byte, program []byte) error {
	if err := checkWheel(files[t.wheel(want.release)], want.release, t, program); err != nil {
		return err
	}
	if err := checkNPM(files[t.npm(want.release)], want.release, t, program); err != nil {
		return fmt.Errorf("%s: %w", t.npm(want.release), err)
	}
	return nil
}

var (
	commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sumForm    = regexp.MustCompile(`^h1:[A-Za-z0-9+/]{43}=$`)
	goForm     = regexp.MustCompile(`^go1\.[0-9.]+$`)
	zigForm    = regexp.MustCompile(`^[0-9]+\.[0-9.]+$`)
)

// readProvenance verifies who signed the provenance, and that it is about exactly these files and this version.
func (want expectation) readProvenance(ctx context.Context, files map[string][]byte) (provenance, error) {
	bundle, err := attest.ParseBundle(bytes.TrimSuffix(files[provenanceFile(want.release)], []byte("\n")))
	if err != nil {
		return provenance{}, err
	}
	trust, err := attest.TrustKeys(attest.TrustedKey{Name: "release", Key: want.key})
	if err != nil {
		return provenance{}, err
	}
	verifier, err := attest.NewVerifier(trust)
	if err != nil {
		return provenance{}, err
	}
	claim, err := verifier.VerifyClaim(ctx, bundle, provenanceType)
	if err != nil {
		return provenance{}, err
	}
	covered := map[string][]byte{}
	for name, data := range files {
		if name != provenanceFile(want.release) {
			covered[name] = data
		}
	}
	wanted, err := proved(want.release, covered)
	if err != nil {
		return provenance{}, err
	}
	if !slices.Equal(claim.Subjects(), wanted) {
		return provenance{}, errors.New("its subjects are not exactly the files and images of this release")
	}
	return want.readPredicate(claim.Predicate())
}

// readPredicate takes from the predicate what only the builder knows, and then demands that the predicate is what this
// program would have written of it. The payload was read strictly, so that no name stands twice.
func (want expectation) readPredicate(predicate []byte) (provenance, error) {
	var said struct {
		BuildDefinition struct {
			InternalParameters struct {
				Go  string
				Cgo struct{ Zig string }
			}
			ResolvedDependencies []struct {
				Digest      struct{ GitCommit string }
				Annotations struct{ H1 string }
			}
		}
	}
	from := &said.BuildDefinition.ResolvedDependencies
	if err := json.Unmarshal(predicate, &said); err != nil || len(*from) != 1+len(modules()) {
		return provenance{}, errors.New("its predicate is not that of a release")
	}
	p := provenance{
		Version: want.release.tag, Commit: (*from)[0].Digest.GitCommit, Go: said.BuildDefinition.InternalParameters.Go,
		Zig: said.BuildDefinition.InternalParameters.Cgo.Zig, Sums: map[string]string{},
	}
	wrong := !commitForm.MatchString(p.Commit) || !goForm.MatchString(p.Go)
	if len(onLinux(want.targets)) > 0 {
		wrong = wrong || !zigForm.MatchString(p.Zig)
	} else {
		wrong = wrong || p.Zig != ""
	}
	for i, c := range modules() {
		p.Sums[c.module] = (*from)[i+1].Annotations.H1
		wrong = wrong || !sumForm.MatchString(p.Sums[c.module])
	}
	if wrong {
		return provenance{}, errors.New("its commit, module sum, or version of Go or zig is malformed")
	}
	if rev, err := module.PseudoVersionRev(want.release.tag); err == nil && !strings.HasPrefix(p.Commit, rev) {
		return provenance{}, fmt.Errorf("its commit is %s, but the version %s is of commit %s", p.Commit, want.release.tag, rev)
	}
	text, err := json.Marshal(p.predicate())
	if err != nil {
		return provenance{}, err
	}
	expected, err := canonical.Transform(text)
	if err != nil {
		return provenance{}, err
	}
	if !bytes.Equal(expected, predicate) {
		var of struct {
			BuildDefinition struct{ ExternalParameters struct{ Version string } }
		}
		if version := &of.BuildDefinition.ExternalParameters.Version; json.Unmarshal(predicate, &of) == nil && *version != want.release.tag {
			return provenance{}, fmt.Errorf("its predicate is that of release %q, want %q", *version, want.release.tag)
		}
		return provenance{}, fmt.Errorf("its predicate is not that of release %s", want.release.tag)
	}
	return p, nil
}

// readChecksums reads checksums.txt, which must list exactly the files of the release.
func (want expectation) readChecksums(data []byte) (map[string]string, error) {
	digests := map[string]string{}
	var listed []string
	for line := range strings.Lines(string(data)) {
		digest, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if _, err := hex.DecodeString(digest); !ok || err != nil || len(digest) != 64 || strings.ToLower(digest) != digest {
			return nil, fmt.Errorf("%s: line %q: want SHA-256, two blanks and a name", checksumsFile, line)
		}
		listed, digests[name] = append(listed, name), digest
	}
	if !slices.Equal(listed, want.names()) {
		return nil, fmt.Errorf("%s: %w", checksumsFile, want.differs(listed))
	}
	return digests, nil
}

var provenanceForm = regexp.MustCompile(`^runattest_(.+)\.provenance\.sigstore\.json$`)

// differs says how the files that are listed differ from those of the release: first by its version and its targets.
func (want expectation) differs(listed []string) error {
	for _, name := range listed {
		if found := provenanceForm.FindStringSubmatch(name); found != nil && name != provenanceFile(want.release) {
			return fmt.Errorf("it is of release %q, want %q", "v"+found[1], want.release.tag)
		}
	}
	var others []target
	for _, t := range targets {
		if slices.Contains(listed, command.archive(t, want.release)) {
			others = append(others, t)
		}
	}
	if wanted := slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return !slices.Contains(want.targets, t) }); !slices.Equal(others, wanted) {
		return fmt.Errorf("it is of a release for %v, want one for %v", others, wanted)
	}
	var wrong []string
	for _, name := range want.names() {
		if !slices.Contains(listed, name) {
			wrong = append(wrong, fmt.Sprintf("does not list %q", name))
		}
	}
	for _, name := range listed {
		if !slices.Contains(want.names(), name) {
			wrong = append(wrong, fmt.Sprintf("lists %q, which is not of this release", name))
		}
	}
	if len(wrong) == 0 {
		return errors.New("lists the files in another order, or one twice")
	}
	more := ""
	if len(wrong) > namesShown {
		more = fmt.Sprintf(", and %d more", len(wrong)-namesShown)
	}
	return errors.New(strings.Join(wrong[:min(len(wrong), namesShown)], ", ") + more)
}

// namesShown is how many names a message has at most.
const namesShown = 5

// checkNames refuses a folder that holds other files than these, or that is a link or holds one: its target can be changed after
// it was verified.
func checkNames(dir string, names []string) error {
	info, err := os.Lstat(filepath.Clean(dir)) // without a final /, which follows a link
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%q: is a symbolic link: name the folder that it leads to", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(names, e.Name()) {
			return fmt.Errorf("%q: is not a file of this release", filepath.Join(dir, e.Name()))
		}
		if !e.Type().IsRegular() {
			return fmt.Errorf("%q: is not a regular file", filepath.Join(dir, e.Name()))
		}
	}
	return nil
}
