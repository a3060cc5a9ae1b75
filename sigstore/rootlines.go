package sigstore

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/runattest/runattest/internal/jsonlines"
	"github.com/runattest/runattest/internal/limits"
)

const clientTrustConfig = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"

var byteOrderMark = []byte("\ufeff") // as programs for Windows write it

// parseTrustedRoot reads one trusted root, or several as JSON Lines.
func parseTrustedRoot(data []byte) (*TrustedRoot, error) {
	if len(data) > limits.TrustedRoot {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(data), limits.TrustedRoot)
	}
	data = bytes.TrimPrefix(data, byteOrderMark)
	blank := len(data) - len(bytes.TrimLeft(data, " \t\r\n"))
	above := bytes.Count(data[:blank], []byte("\n"))
	data = data[blank:]
	var lines []*TrustedRoot
	for item, err := range jsonlines.Read(bytes.NewReader(data), "trusted root", limits.TrustedRoot) {
		if err != nil {
			return nil, err
		}
		if len(lines) == limits.TrustedRoots {
			return nil, fmt.Errorf("more than %d lines", limits.TrustedRoots)
		}
		spec, err := readRootSpec(bytes.TrimPrefix(item.Data, byteOrderMark)) // of a file that was put behind another
		var r *TrustedRoot
		if err == nil {
			r, err = newTrustedRoot(spec)
		}
		if err != nil && item.Line > 0 {
			err = fmt.Errorf("line %d: %w", above+item.Line, err)
		}
		if err != nil {
			return nil, err
		}
		lines = append(lines, r)
	}
	switch len(lines) {
	case 0:
		return nil, errors.New("is empty")
	case 1:
		return lines[0], nil
	}
	return mergeRoots(lines)
}

// readRootSpec reads a TrustedRoot, or the one in a ClientTrustConfig.
func readRootSpec(text []byte) (*prototrustroot.TrustedRoot, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
		return nil, errors.New("is of type array, want object: write several trusted roots as JSON Lines, one object a line (jq -c '.[]')")
	}
	if rest := afterValue(text); bytes.HasPrefix(rest, []byte("{")) { // as cat and jq print several
		return nil, errors.New("holds several objects: write several trusted roots as JSON Lines, one object a line (jq -c .)")
	}
	var head struct { // in the names of JSON, or of Protobuf
		MediaType    string
		MediaType2   string `json:"media_type"`
		TrustedRoot  json.RawMessage
		TrustedRoot2 json.RawMessage `json:"trusted_root"`
		Signed       json.RawMessage
		Signatures   json.RawMessage
	}
	err := json.Unmarshal(text, &head)
	mediaType := cmp.Or(head.MediaType, head.MediaType2)
	switch {
	case err != nil:
	case len(head.Signed) > 0 && len(head.Signatures) > 0:
		return nil, errors.New("is TUF metadata, from which runattest trusted-root fetch gets the trusted root")
	case mediaType != clientTrustConfig && len(head.TrustedRoot)+len(head.TrustedRoot2) > 0:
		return nil, fmt.Errorf("a client trust config whose mediaType is %q, want %s", mediaType, clientTrustConfig)
	case mediaType == clientTrustConfig:
		var config prototrustroot.ClientTrustConfig
		if err := unmarshalStrict(text, limits.TrustedRoot, &config); err != nil {
			return nil, err
		}
		if config.GetTrustedRoot() == nil {
			return nil, errors.New("the client trust config holds no trustedRoot")
		}
		return config.GetTrustedRoot(), nil
	}
	var spec prototrustroot.TrustedRoot
	return &spec, unmarshalStrict(text, limits.TrustedRoot, &spec)
}

// afterValue is what follows the first JSON value of a text, if there is one.
func afterValue(text []byte) []byte {
	var first json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	if d.Decode(&first) != nil {
		return nil
	}
	return bytes.TrimSpace(text[d.InputOffset():])
}

// mergeRoots makes one trusted root of several, which are believed together.
func mergeRoots(lines []*TrustedRoot) (*TrustedRoot, error) {
	all := &prototrustroot.TrustedRoot{MediaType: root.TrustedRootMediaType01}
	var errs [4]error
	all.CertificateAuthorities, errs[0] = mergeEntries(lines, (*prototrustroot.TrustedRoot).GetCertificateAuthorities, (*prototrustroot.CertificateAuthority).GetUri)
	all.TimestampAuthorities, errs[1] = mergeEntries(lines, (*prototrustroot.TrustedRoot).GetTimestampAuthorities, (*prototrustroot.CertificateAuthority).GetUri)
	all.Tlogs, errs[2] = mergeEntries(lines, (*prototrustroot.TrustedRoot).GetTlogs, (*prototrustroot.TransparencyLogInstance).GetBaseUrl)
	all.Ctlogs, errs[3] = mergeEntries(lines, (*prototrustroot.TrustedRoot).GetCtlogs, (*prototrustroot.TransparencyLogInstance).GetBaseUrl)
	err := cmp.Or(errs[:]...)
	var r *TrustedRoot
	if err == nil {
		r, err = newTrustedRoot(all)
	}
	if err != nil {
		return nil, fmt.Errorf("the lines together: %w", err)
	}
	for _, line := range lines {
		r.lines = append(r.lines, line.root)
	}
	return r, nil
}

// entry is an authority or a log of a trusted root.
type entry interface {
	proto.Message
	GetOperator() string
}

// mergeEntries lists once what stands in two lines. Older versions of the format have no operator, so of two entries that differ
// in it the one that names it stands.
func mergeEntries[E entry](lines []*TrustedRoot, entries func(*prototrustroot.TrustedRoot) []E, url func(E) string) ([]E, error) {
	var all []E
	at := map[string]int{} // the place in all
	for _, line := range lines {
		for _, e := range entries(line.spec) {
			key, err := withoutOperator(e)
			if err != nil {
				return nil, err
			}
			i, ok := at[key]
			switch {
			case !ok:
				at[key], all = len(all), append(all, e)
			case all[i].GetOperator() == "":
				all[i] = e
			case e.GetOperator() != "" && e.GetOperator() != all[i].GetOperator():
				return nil, fmt.Errorf("%s has two operators, %q and %q: want one", cmp.Or(url(e), "an entry without a URL"), all[i].GetOperator(), e.GetOperator())
			}
		}
	}
	return all, nil
}

// withoutOperator is all that says which authority or log an entry is. The ID of a checkpoint key is left out, too: it follows from
// the key, and only version 0.2 has it.
func withoutOperator(e entry) (string, error) {
	bare := proto.Clone(e).ProtoReflect()
	for _, name := range []protoreflect.Name{"operator", "checkpoint_key_id"} {
		if field := bare.Descriptor().Fields().ByName(name); field != nil {
			bare.Clear(field)
		}
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(bare.Interface())
	return string(text), err
}

// demands says whether a certificate needs an entry in a transparency log, and an SCT: where a trusted root that names its
// authority names such logs. Of several roots, those that do not name the authority demand nothing.
func (r *TrustedRoot) demands(leaf *x509.Certificate) (entry, sct bool) {
	if r.lines == nil {
		return len(r.root.RekorLogs()) > 0, len(r.root.CTLogs()) > 0
	}
	for _, line := range r.lines {
		issued := slices.ContainsFunc(line.FulcioCertificateAuthorities(), func(ca root.CertificateAuthority) bool {
			_, first := ca.Verify(leaf, leaf.NotBefore)
			_, last := ca.Verify(leaf, leaf.NotAfter)
			return first == nil || last == nil
		})
		entry = entry || issued && len(line.RekorLogs()) > 0
		sct = sct || issued && len(line.CTLogs()) > 0
	}
	return entry, sct
}
