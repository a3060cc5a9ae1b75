package sigstore

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/runattest/runattest/canonical"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
)

// TrustedRoot lists the services that a verifier trusts for the identities of signers and for times: certificate
// authorities, certificate transparency logs, timestamp authorities and transparency logs,
// each with the time in which it is to be believed. It is immutable and made by
// ParseTrustedRoot and CreateTrustedRoot.
type TrustedRoot struct {
	root     *root.TrustedRoot
	spec     *prototrustroot.TrustedRoot
	stampers groups              // which of the timestamp authorities count as one
	names    groups              // which of them have one name in reports
	logs     parties             // which of the transparency logs count as one
	lines    []*root.TrustedRoot // of which it was made; nil for one
}

// rootMediaTypes are the media types of a TrustedRoot: of version 0.1 in both spellings, and of 0.2, whose operators count in
// the others, too, and whose IDs of checkpoint keys follow from the keys.
var rootMediaTypes = []string{
	root.TrustedRootMediaType01, "application/vnd.dev.sigstore.trustedroot.v0.1+json", "application/vnd.dev.sigstore.trustedroot.v0.2+json",
}

// ParseTrustedRoot reads a Sigstore TrustedRoot of version 0.1 or 0.2, as cosign and TUF carry it,
// or the one in a ClientTrustConfig, or several of either as JSON Lines, which are believed together. Each is
// strict JSON, no unknown members, no validity that ends before it begins, no two logs with
// one ID or one key, no key that package signer refuses, no operator but a scheme-less URI in lower case.
func ParseTrustedRoot(data []byte) (*TrustedRoot, error) {
	r, err := parseTrustedRoot(data)
	if err != nil {
		return nil, fmt.Errorf("trusted root: %w", err)
	}
	return r, nil
}

func newTrustedRoot(spec *prototrustroot.TrustedRoot) (*TrustedRoot, error) {
	if got := spec.GetMediaType(); !slices.Contains(rootMediaTypes, got) {
		return nil, fmt.Errorf("mediaType is %q, want one of %s", got, strings.Join(rootMediaTypes, ", "))
	}
	spec.MediaType = root.TrustedRootMediaType01 // the one that sigstore-go reads
	if err := checkAuthorities(spec.GetCertificateAuthorities()); err != nil {
		return nil, fmt.Errorf("certificateAuthorities%w", err)
	}
	if err := checkAuthorities(spec.GetTimestampAuthorities()); err != nil {
		return nil, fmt.Errorf("timestampAuthorities%w", err)
	}
	if err := checkLogs(spec.GetTlogs()); err != nil {
		return nil, fmt.Errorf("tlogs%w", err)
	}
	if err := checkLogs(spec.GetCtlogs()); err != nil {
		return nil, fmt.Errorf("ctlogs%w", err)
	}
	parsed, err := root.NewTrustedRootFromProtobuf(spec)
	if err != nil {
		return nil, cmp.Or(refusedEntry(spec), err)
	}
	for i, tsa := range parsed.TimestampingAuthorities() {
		if tsa.(*root.SigstoreTimestampingAuthority).Root == nil {
			return nil, fmt.Errorf("timestampAuthorities[%d]: the chain ends in no root certificate", i)
		}
	}
	if err := checkRootKeys(spec, parsed); err != nil {
		return nil, err
	}
	if err := oneNameEach(parsed.TimestampingAuthorities()); err != nil {
		return nil, err
	}
	all := parsed.TimestampingAuthorities()
	return &TrustedRoot{
		root: parsed, spec: spec, logs: groupLogs(parsed.RekorLogs(), spec.GetTlogs()),
		stampers: groupStampers(all, func(i int) string { return spec.GetTimestampAuthorities()[i].GetOperator() }),
		names:    groupStampers(all, func(int) string { return "" }),
	}, nil
}

// unmarshalStrict reads protobuf JSON after it has been found to be I-JSON: no duplicate
// members, no trailing data, no depth that hurts.
func unmarshalStrict(data []byte, most int, into proto.Message) error {
	if len(data) > most {
		return fmt.Errorf("%d bytes, want at most %d", len(data), most)
	}
	text, err := canonical.Options{MaxDepth: limits.BundleDepth, MaxValues: limits.BundleValues}.Append(nil, data)
	if err != nil {
		return err
	}
	if tree, err := jsontree.Parse(text); err == nil && tree.Kind() != jsontree.Object {
		return fmt.Errorf("is of type %s, want object", tree.Kind())
	}
	return readProto(text, into)
}

// readProto reads protobuf JSON. A reason has neither the library's mark, whose blank is one of two at random, nor the line and
// column, which are those of a part or of the canonical form.
func readProto(text []byte, into proto.Message) error {
	err := protojson.Unmarshal(text, into)
	if err == nil {
		return nil
	}
	reason := strings.TrimSpace(strings.TrimPrefix(err.Error(), "proto:"))
	if _, rest, ok := strings.Cut(reason, "): "); ok && strings.HasPrefix(reason, "(line ") {
		reason = rest
	}
	return errors.New(strings.TrimPrefix(reason, "syntax error: "))
}

// oneNameEach refuses an authority that would count as two.
func oneNameEach(list []root.TimestampingAuthority) error {
	names := map[string]string{}
	for i, tsa := range list {
		a, _ := tsa.(*root.SigstoreTimestampingAuthority)
		signs := a.Root
		if a.Leaf != nil {
			signs = a.Leaf
		}
		key, name := keyOf(signs), authorityName(tsa)
		if other, ok := names[key]; ok && other != name {
			return fmt.Errorf("timestampAuthorities[%d]: %s has the key of %s: one authority has one name", i, name, other)
		}
		names[key] = name
	}
	return nil
}

func checkAuthorities(authorities []*prototrustroot.CertificateAuthority) error {
	for i, a := range authorities {
		if err := cmp.Or(checkRange(a.GetValidFor()), checkOperator(a.GetOperator())); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

func checkLogs(logs []*prototrustroot.TransparencyLogInstance) error {
	seen := map[string]bool{}
	for i, l := range logs {
		id := string(l.GetLogId().GetKeyId())
		if id == "" {
			return fmt.Errorf("[%d]: has no logId, want the SHA-256 of the log's key", i)
		}
		if seen[id] {
			return fmt.Errorf("[%d]: a second log with the ID %x", i, id)
		}
		seen[id] = true
		if err := cmp.Or(checkRange(l.GetPublicKey().GetValidFor()), checkOperator(l.GetOperator())); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

func checkRange(r *protocommon.TimeRange) error {
	if r == nil {
		return nil
	}
	if r.Start != nil && r.Start.CheckValid() != nil || r.End != nil && r.End.CheckValid() != nil {
		return errors.New("validFor: not a time")
	}
	for _, at := range []*timestamppb.Timestamp{r.Start, r.End} {
		if at != nil && at.AsTime().Year() < firstYear {
			return fmt.Errorf("validFor: %s is before 1970: it looks like an unset time", visible.Time(at.AsTime()))
		}
	}
	if r.Start != nil && r.End != nil && r.End.AsTime().Before(r.Start.AsTime()) {
		return fmt.Errorf("validFor: ends %s, before it begins %s", visible.Time(r.End.AsTime()), visible.Time(r.Start.AsTime()))
	}
	return nil
}

// NamesLogs says whether there are transparency logs, so that certificates need a log entry.
func (r *TrustedRoot) NamesLogs() bool {
	return r != nil && r.root != nil && len(r.root.RekorLogs()) > 0
}

// JSON is the trusted root as a file carries it, indented for people; several lines are one. Equal roots give equal
// bytes. All four lists are there, and the names of an authority's subject: sigstore-python does not read a file without.
func (r *TrustedRoot) JSON() ([]byte, error) {
	if r == nil || r.spec == nil {
		return nil, errors.New("trusted root: it is nil or a zero value")
	}
	text, err := protojson.Marshal(r.spec)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	for _, name := range []string{"certificateAuthorities", "ctlogs", "timestampAuthorities", "tlogs"} {
		if members[name] == nil {
			members[name] = []any{}
		}
	}
	for _, name := range []string{"certificateAuthorities", "timestampAuthorities"} {
		for _, a := range members[name].([]any) {
			addSubject(a.(map[string]any))
		}
	}
	if text, err = json.Marshal(members); err != nil {
		return nil, err
	}
	if text, err = canonical.Transform(text); err != nil {
		return nil, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", "  "); err != nil {
		return nil, err
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

func addSubject(authority map[string]any) {
	subject, ok := authority["subject"].(map[string]any)
	if !ok {
		subject = map[string]any{}
		authority["subject"] = subject
	}
	for _, name := range []string{"commonName", "organization"} {
		if subject[name] == nil {
			subject[name] = ""
		}
	}
}
