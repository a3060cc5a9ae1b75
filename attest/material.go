package attest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
)

// material is what a bundle carries to find the signer and the time of signing; all of it
// unverified claims. Either keyHint or certificates says who signed.
type material struct {
	text         string   // as it was read, in RFC 8785 form; "" in a bundle that Sign made
	keyHint      string   // a part of text, if there is one
	certificates [][]byte // DER, the leaf first
	evidence     evidence.Material
}

func (m *material) read(v jsontree.Value) error {
	if err := checkMembers(v, "publicKey", "certificate", "x509CertificateChain", "tlogEntries", "timestampVerificationData"); err != nil {
		return err
	}
	m.text = string(v.Raw())
	key, certificate, chain := optional(v, "publicKey"), optional(v, "certificate"), optional(v, "x509CertificateChain")
	if err := m.readSigner(key, certificate, chain); err != nil {
		return err
	}
	if err := m.readTimestamps(optional(v, "timestampVerificationData")); err != nil {
		return fmt.Errorf("timestampVerificationData: %w", err)
	}
	if err := m.readLogEntries(optional(v, "tlogEntries")); err != nil {
		return fmt.Errorf("tlogEntries: %w", err)
	}
	return nil
}

func (m *material) readSigner(key, certificate, chain jsontree.Value) error {
	given := 0
	for _, kind := range []jsontree.Value{key, certificate, chain} {
		if kind.Kind() != jsontree.Absent {
			given++
		}
	}
	if given != 1 {
		return errors.New("want exactly one of publicKey, certificate and x509CertificateChain")
	}
	if chain.Kind() != jsontree.Absent {
		return m.readChain(chain)
	}
	if certificate.Kind() != jsontree.Absent {
		der, err := readBytes(certificate, "rawBytes", limits.Certificate)
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		m.certificates = [][]byte{der}
		return nil
	}
	if err := checkMembers(key, "hint"); err != nil {
		return fmt.Errorf("publicKey: %w", err)
	}
	likely := ""
	if hint := key.Get("hint").Bytes(); len(hint) > 0 {
		if i := strings.Index(m.text, string(hint)); i >= 0 {
			likely = m.text[i : i+len(hint)]
		}
	}
	var err error
	if m.keyHint, err = optionalText(key, "hint", likely); err != nil {
		return fmt.Errorf("publicKey: %w", err)
	}
	return nil
}

// readChain reads the signer's certificate and those that follow it. In v0.3 too: protobuf-specs asks for one certificate of the
// public services alone.
func (m *material) readChain(chain jsontree.Value) error {
	if err := checkMembers(chain, "certificates"); err != nil {
		return fmt.Errorf("x509CertificateChain: %w", err)
	}
	list := chain.Get("certificates")
	if err := wantList(list, limits.Certificates); err != nil {
		return fmt.Errorf("x509CertificateChain.certificates: %w", err)
	}
	if list.Len() == 0 {
		return errors.New("x509CertificateChain: want at least the certificate of the signer")
	}
	for i, c := range list.Elements() {
		der, err := readBytes(c, "rawBytes", limits.Certificate)
		if err != nil {
			return fmt.Errorf("x509CertificateChain.certificates[%d]: %w", i, err)
		}
		m.certificates = append(m.certificates, der)
	}
	return nil
}

func (m *material) readTimestamps(v jsontree.Value) error {
	if v.Kind() == jsontree.Absent {
		return nil
	}
	if err := checkMembers(v, "rfc3161Timestamps"); err != nil {
		return err
	}
	list := optional(v, "rfc3161Timestamps")
	if err := wantList(list, limits.Timestamps); err != nil {
		return fmt.Errorf("rfc3161Timestamps: %w", err)
	}
	for i, t := range list.Elements() {
		der, err := readBytes(t, "signedTimestamp", limits.Timestamp)
		if err != nil {
			return fmt.Errorf("rfc3161Timestamps[%d]: %w", i, err)
		}
		m.evidence.Timestamps = append(m.evidence.Timestamps, der)
	}
	return nil
}

func (m *material) readLogEntries(v jsontree.Value) error {
	if err := wantList(v, limits.LogEntries); err != nil {
		return err
	}
	for i, entry := range v.Elements() {
		if entry.Kind() != jsontree.Object {
			return fmt.Errorf("[%d]: is of type %s, want object", i, entry.Kind())
		}
		m.evidence.LogEntries = append(m.evidence.LogEntries, slices.Clone(entry.Raw()))
	}
	return nil
}

// wantList takes an array of at most so many elements, or nothing.
func wantList(v jsontree.Value, most int) error {
	switch {
	case v.Kind() == jsontree.Absent:
		return nil
	case v.Kind() != jsontree.Array:
		return fmt.Errorf("is of type %s, want array", v.Kind())
	case v.Len() > most:
		return fmt.Errorf("%d elements, want at most %d", v.Len(), most)
	}
	return nil
}

// readBytes is the one member of an object, bytes in strict base64.
func readBytes(v jsontree.Value, name string, most int) ([]byte, error) {
	if err := checkMembers(v, name); err != nil {
		return nil, err
	}
	return readBase64(v, name, most)
}

// append appends the material in RFC 8785 form, as a bundle carries it: what was read as it was read.
func (m *material) append(out []byte) ([]byte, error) {
	if m.text != "" {
		return append(out, m.text...), nil
	}
	if len(m.certificates) > 0 {
		out = append(appendBase64(append(out, `{"certificate":{"rawBytes":`...), m.certificates[0]), '}')
	} else {
		out = append(appendString(append(out, `{"publicKey":{"hint":`...), m.keyHint), '}')
	}
	if len(m.evidence.Timestamps) > 0 {
		out = append(out, `,"timestampVerificationData":{"rfc3161Timestamps":`...)
		separator := byte('[')
		for _, t := range m.evidence.Timestamps {
			out = append(appendBase64(append(append(out, separator), `{"signedTimestamp":`...), t), '}')
			separator = ','
		}
		out = append(out, `]}`...)
	}
	out = append(out, `,"tlogEntries":[`...) // even if it is empty: sigstore-python does not read a bundle without the list
	for i, e := range m.evidence.LogEntries {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = bundleRules.Append(out, e); err != nil {
			return nil, fmt.Errorf("tlogEntries[%d]: %w", i, err)
		}
	}
	return append(out, `]}`...), nil
}
