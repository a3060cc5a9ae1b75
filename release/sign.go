package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/signer"
)

const (
	checksumsFile = "checksums.txt"
	signatureFile = "checksums.txt.sig"
	// provenanceType is SLSA provenance v1, https://slsa.dev/spec/v1.0/provenance
	provenanceType = "https://slsa.dev/provenance/v1"
	buildType      = "https://github.com/runattest/runattest/release/v1"
)

func provenanceFile(r release) string { return "runattest_" + r.bare() + ".provenance.sigstore.json" }

// sign adds the provenance of all files, the checksums of these and of the provenance, and the signature of the checksums.
func (b *building) sign(ctx context.Context, files map[string][]byte) error {
	p := provenance{Version: b.source.release.tag, Commit: b.source.commit, Sums: b.shop.proxy.sums, Go: runtime.Version()}
	if len(onLinux(b.targets)) > 0 {
		p.Zig = compilerVersion
	}
	about, err := proved(b.source.release, files)
	if err != nil {
		return err
	}
	claim, err := attest.NewClaim(provenanceType, about, p.predicate())
	if err != nil {
		return err
	}
	bundle, err := attest.Sign(ctx, claim, b.key, attest.SignOptions{})
	if err != nil {
		return err
	}
	data, err := bundle.Marshal()
	if err != nil {
		return err
	}
	files[provenanceFile(b.source.release)] = append(data, '\n')
	sums := checksums(files)
	signature, err := b.key.Sign(ctx, sums)
	if err != nil {
		return err
	}
	files[checksumsFile] = sums
	files[signatureFile] = []byte(base64.StdEncoding.EncodeToString(signature) + "\n")
	return nil
}

func subjects(files map[string][]byte) []attest.Subject {
	var all []attest.Subject
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, attest.Subject{Name: name, SHA256: sha256.Sum256(files[name])})
	}
	return all
}

// proved are what the provenance is about: the files, and the images in them by the digests that a registry knows them by.
func proved(r release, files map[string][]byte) ([]attest.Subject, error) {
	all := subjects(files)
	for _, c := range imaged() {
		data, ok := files[c.imageFile(r)]
		if !ok {
			continue
		}
		digest, err := imageDigest(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.imageFile(r), err)
		}
		all = append(all, attest.Subject{Name: command.name + ":" + c.imageTag(r), SHA256: digest})
	}
	return all, nil
}

// checksums is what sha256sum prints of the files.
func checksums(files map[string][]byte) []byte {
	var all bytes.Buffer
	for _, s := range subjects(files) {
		fmt.Fprintf(&all, "%x  %s\n", s.SHA256, s.Name)
	}
	return all.Bytes()
}

// provenance is what the release says of how it was built.
type provenance struct {
	Version, Commit, Go string
	Zig                 string            // its version, "" if no program was built with cgo
	Sums                map[string]string // of the modules, by their paths
}

// predicate is the provenance in SLSA's form.
func (p provenance) predicate() any {
	r := release{p.Version}
	from := []any{map[string]any{"uri": "git+https://" + modulePath, "digest": map[string]string{"gitCommit": p.Commit}}}
	for _, c := range modules() {
		from = append(from, map[string]any{"uri": "pkg:golang/" + c.module + "@" + p.Version, "annotations": map[string]string{"h1": p.Sums[c.module]}})
	}
	how := map[string]any{"go": p.Go, "flags": buildFlags, "environment": []string{"CGO_ENABLED=0"}}
	if p.Zig != "" {
		cgo := map[string]any{"zig": p.Zig, "flags": cgoFlags}
		for _, t := range onLinux(targets) {
			cgo[t.String()] = cgoVariables(t, p.Zig)
		}
		how["cgo"] = cgo
	}
	return map[string]any{
		"buildDefinition": map[string]any{
			"buildType": buildType,
			"externalParameters": map[string]any{
				"module": modulePath, "version": p.Version, "snapshot": r.isSnapshot(),
			},
			"internalParameters":   how,
			"resolvedDependencies": from,
		},
		"runDetails": map[string]any{"builder": map[string]string{"id": buildType + "/local"}},
	}
}

// checkSignature verifies checksums.txt.sig.
func checkSignature(key *signer.PublicKey, sums, signature []byte) error {
	text := string(bytes.TrimSuffix(signature, []byte("\n")))
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || text == "" || base64.StdEncoding.EncodeToString(raw) != text { // the decoder ignores line breaks
		return fmt.Errorf("%s: is not one line of base64: get the file again, in a way that does not convert texts", signatureFile)
	}
	if err := key.Verify(sums, raw); err != nil {
		return fmt.Errorf("%s: does not verify %s with this key: get both files again, and the key from a checkout, not from where they are: %w",
			signatureFile, checksumsFile, err)
	}
	return nil
}
