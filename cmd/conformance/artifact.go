package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// hashes are the algorithms of digests, by in-toto's names.
var hashes = map[string]func() hash.Hash{"sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

// digests are an artifact's, lower-case hex by algorithm: one that was given, or all of a file's.
type digests map[string]string

// readArtifact reads a digest, unless there is a file of that name; else the file.
func readArtifact(fileOrDigest string) (digests, error) {
	if algorithm, digits, ok := strings.Cut(fileOrDigest, ":"); ok && isDigest(algorithm, digits) {
		if _, err := os.Stat(fileOrDigest); err != nil {
			return digests{algorithm: digits}, nil
		}
	}
	f, err := boundedfile.Open(fileOrDigest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []io.Writer
	sums := map[string]hash.Hash{}
	for name, new := range hashes {
		sums[name] = new()
		all = append(all, sums[name])
	}
	if _, err := io.Copy(io.MultiWriter(all...), f); err != nil {
		return nil, err
	}
	d := digests{}
	for name, sum := range sums {
		d[name] = hex.EncodeToString(sum.Sum(nil))
	}
	return d, nil
}

func isDigest(algorithm, digits string) bool {
	new, ok := hashes[algorithm]
	if !ok || len(digits) != hex.EncodedLen(new().Size()) || strings.ToLower(digits) != digits {
		return false
	}
	_, err := hex.DecodeString(digits)
	return err == nil
}

// statementTypes are in-toto's; the older one is in most bundles that there are.
var statementTypes = []string{"https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"}

var payloadRules = canonical.Options{MaxDepth: limits.PayloadDepth, MaxValues: limits.PayloadValues}

// checkPayloadType wants what was signed to be called a Statement.
func checkPayloadType(b *attest.Bundle) error {
	text, err := b.Marshal()
	if err != nil {
		return err
	}
	root, err := jsontree.Parse(text)
	if err != nil {
		return err
	}
	envelope := root.Get("dsseEnvelope")
	if b.Format() == attest.DSSE {
		envelope = root
	}
	if got := envelope.Get("payloadType").Text(); got != attest.PayloadType {
		return fmt.Errorf("payloadType is %q, want %s", got, attest.PayloadType)
	}
	return nil
}

// checkArtifact wants the artifact among the subjects of a Statement.
func checkArtifact(payload []byte, fileOrDigest string) error {
	subjects, err := readSubjects(payload)
	if err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	artifact, err := readArtifact(fileOrDigest)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if s.is(artifact) {
			return nil
		}
	}
	return fmt.Errorf("subject: %s is none of the %d subjects", fileOrDigest, len(subjects))
}

// is says that a subject has a digest in common with the artifact, and none that contradicts it.
func (d digests) is(artifact digests) bool {
	common := 0
	for algorithm, digits := range artifact {
		if own, ok := d[algorithm]; ok {
			if own != digits {
				return false
			}
			common++
		}
	}
	return common > 0
}

func readSubjects(payload []byte) ([]digests, error) {
	if len(payload) > limits.Payload {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(payload), limits.Payload)
	}
	text, err := payloadRules.Append(nil, payload)
	if err != nil {
		return nil, err
	}
	root, err := jsontree.Parse(text)
	if err != nil {
		return nil, err
	}
	if got := root.Get("_type").Text(); !slices.Contains(statementTypes, got) {
		return nil, fmt.Errorf("_type is %q, want %s", got, statementTypes[0])
	}
	if root.Get("predicateType").Text() == "" {
		return nil, errors.New("predicateType: want a string")
	}
	list := root.Get("subject")
	if list.Kind() != jsontree.Array || list.Len() == 0 || list.Len() > limits.Subjects {
		return nil, fmt.Errorf("subject: want 1 to %d subjects", limits.Subjects)
	}
	var subjects []digests
	for i, e := range list.Elements() {
		d, err := readDigests(e.Get("digest"))
		if err != nil {
			return nil, fmt.Errorf("subject %d: %w", i, err)
		}
		subjects = append(subjects, d)
	}
	return subjects, nil
}

func readDigests(v jsontree.Value) (digests, error) {
	if v.Kind() != jsontree.Object || v.Len() == 0 {
		return nil, errors.New("digest: want an object of digests")
	}
	d := digests{}
	for name, digits := range v.Members() {
		algorithm := string(name)
		if _, known := hashes[algorithm]; known && !isDigest(algorithm, digits.Text()) {
			return nil, fmt.Errorf("digest.%s: want lower-case hex of its length", algorithm)
		}
		d[algorithm] = digits.Text()
	}
	return d, nil
}
