package policy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/authority"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/jsontree"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/pathname"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/policy/internal/rules"
)

// What files and statements say that they are, where a signature is, and a hint that a command can phrase.
const (
	// Schema is the value of a policy's "schema" member.
	Schema = "https://github.com/runattest/runattest/policy/v1"
	// CasesSchema is the value of the "schema" member of a file of cases.
	CasesSchema = "https://github.com/runattest/runattest/policy-cases/v1"
	// ApprovalType is the predicate type of an approval, docs/spec/predicate-run-approval-v1.md.
	ApprovalType = "https://github.com/runattest/runattest/run-approval/v1"
	// SignatureType is the predicate type of a signed policy: the signer has released this policy,
	// with the files that it refers to. Subjects are the policy itself, named by its schema, and
	// each file by its path, all by their SHA-256; the predicate is {"schema": Schema}.
	SignatureType = "https://github.com/runattest/runattest/policy-release/v1"
	// SignatureSuffix is added to the name of a policy's file to name the file of its signature.
	SignatureSuffix = ".sigstore.json"
	// HintCases is the hint of an InvalidError for what was given for cases and is something else.
	HintCases evidence.Hint = "cases are a file of their own, which names the policy"
)

// Policy says who signs runs, which runs may be done, and who approves them. It is immutable,
// safe for concurrent use, and made by Parse, Load, LoadSigned and New alone.
type Policy struct {
	name, description string
	digest            [sha256.Size]byte
	files             []File
	paths             []string // of all that was read
	path              string   // of its own file, "" if it was not read from one
	text              *text
	root              authority.Root // nil if the policy names none
	signers           signerSet
	time              timeDemand
	kinds             []identity.Kind // nil allows every kind
	approvals         *approvals      // nil asks for none
	rules             []*rule
	capture           captureTerms
	set               rules.Set // the same, for what they read together
	verifier          *attest.Verifier
	beforeSigning     bool // Decide may be asked
	warnings          []identity.Problem
}

// timeDemand is when a run must have been signed.
type timeDemand struct {
	demand
	startWithin time.Duration // 0 is any time before the start
}

// Options are what a policy is read with. With the zero value it can refer to no files, and trusts keys alone.
type Options struct {
	// Dir is the folder that the paths in the policy start from; "" is none. Load, LoadSigned and LoadCases take the folder
	// of the file, whatever Dir is.
	Dir string
	// TrustedRoots reads the trusted root of a policy. sigstore.Authorities does so for those of Sigstore. Without it a policy
	// that names a trusted root, as certificates and evidence of time need one, is refused: ErrNoTrustedRoots.
	TrustedRoots func(trustedRoot []byte) (authority.Root, error)
	// BeforeSigning makes a policy for Policy.Decide. What only a signed bundle can meet is an error: evidence of time,
	// approvals, certificates, keys that are valid in a certain time only, and rules that read times or ancestors.
	BeforeSigning bool
}

// Load reads the policy in a file; the paths in it start from its folder.
func Load(path string, o Options) (*Policy, error) { return load(path, o, boundedfile.Read) }

func load(path string, o Options, read func(path string, limit int64) ([]byte, error)) (*Policy, error) {
	data, err := read(path, limits.Policy)
	if err != nil {
		return nil, err
	}
	o.Dir = pathname.Start(path)
	p, err := Parse(data, o)
	if err != nil {
		if invalid, ok := errors.AsType[*InvalidError](err); ok {
			invalid.Path = path
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	p.paths, p.path = append([]string{path}, p.paths...), path
	return p, nil
}

// Parse reads a policy from YAML or JSON, the files that it refers to, and type-checks its
// rules. The error is an *InvalidError that lists what is wrong, with line and column; a policy
// without a trusted signer is an error. For a text of another kind, such as a private key, it has one problem that says so, of
// identity.CodeType and without a line. Parse opens only files below o.Dir.
func Parse(data []byte, o Options) (*Policy, error) {
	t, err := readText(data, "policy")
	if err != nil {
		return nil, err
	}
	r := &reader{text: t}
	p := &Policy{text: t, digest: sha256.Sum256(data), time: timeDemand{demand: demand{evidenceNone, 1}}}
	files := &folder{dir: o.Dir}
	p.read(r, files, o)
	r.refuseAmbiguous()
	if len(r.problems) == 0 {
		p.check(r)
	}
	if len(r.problems) == 0 && o.BeforeSigning {
		p.checkBeforeSigning(r)
	}
	if len(r.problems) > 0 {
		sortProblems(r.problems)
		return nil, (&InvalidError{Noun: "policy", Problems: r.problems}).explained(data)
	}
	sortProblems(r.warnings)
	p.files, p.paths, p.beforeSigning, p.warnings = files.files, files.paths, o.BeforeSigning, r.warnings
	return p, nil
}

func (p *Policy) read(r *reader, files *folder, o Options) {
	var schema string
	r.members(r.root, []string{"schema", "signers"}, map[string]field{
		"schema":      r.word(&schema, Schema),
		"name":        r.name(&p.name),
		"description": r.string(&p.description),
		"trustedRoot": func(v jsontree.Value) { p.readRoot(r, files, o, v) },
		"signers": func(v jsontree.Value) {
			r.members(v, nil, p.signers.fields(r, files, nil))
			if v.Kind() == jsontree.Object && v.Len() == 0 {
				r.fail(identity.CodeRequired, "name the signers of runs in keys or certificates", "the policy has no trusted signer")
			}
		},
		"time":  func(v jsontree.Value) { p.time.read(r, v) },
		"kinds": func(v jsontree.Value) { p.readKinds(r, v) },
		"approvals": func(v jsontree.Value) {
			p.approvals = &approvals{evidence: evidenceNone}
			p.approvals.read(r, files, v)
		},
		"rules":   func(v jsontree.Value) { p.readRules(r, v) },
		"capture": func(v jsontree.Value) { p.capture.read(r, v) },
	})
}

func (p *Policy) readRoot(r *reader, files *folder, o Options, v jsontree.Value) {
	data := v.Raw()
	if v.Kind() != jsontree.Object {
		var path string
		if r.string(&path)(v); path == "" {
			return
		}
		var err error
		if data, err = files.read(path, limits.TrustedRoot); err != nil {
			r.fail(identity.CodeValue, "", "%s", err)
			return
		}
	}
	if o.TrustedRoots == nil {
		r.fail(codeNoTrustedRoots, "a program gives policy.Options.TrustedRoots, which sigstore.Authorities implements", "%s", ErrNoTrustedRoots)
		return
	}
	root, err := o.TrustedRoots(data)
	if err == nil && root == nil { // would be taken for a policy without one
		err = errors.New("Options.TrustedRoots gave no trusted root")
	}
	if err != nil {
		r.fail(identity.CodeValue, "runattest trusted-root makes or fetches one", "%s", err)
		return
	}
	p.root = root
}

func (t *timeDemand) read(r *reader, v jsontree.Value) {
	r.members(v, []string{"evidence"}, map[string]field{
		"evidence":    r.word(&t.evidence, evidenceNone, evidenceTimestamp, evidenceLog),
		"count":       r.count(&t.count, 1, limits.Timestamps),
		"startWithin": r.duration(&t.startWithin),
	})
	for _, name := range []string{"count", "startWithin"} {
		if t.evidence == evidenceNone && v.Get(name).Kind() != jsontree.Absent {
			r.fail(identity.CodeValue, "ask for evidence: timestamp", "%s without evidence of time: nothing proves when a run was signed", name)
		}
	}
}

func (p *Policy) readKinds(r *reader, v jsontree.Value) {
	r.list(v, 1, len(kindWords), func(_ int, v jsontree.Value) {
		var kind string
		r.word(&kind, kindWords...)(v)
		if slices.Contains(p.kinds, identity.Kind(kind)) {
			r.fail(identity.CodeUnique, "", "stands in the list already")
		}
		p.kinds = append(p.kinds, identity.Kind(kind))
	})
}

// check holds the parts of a policy against each other.
func (p *Policy) check(r *reader) {
	p.capture.check(r, &p.set)
	if k, ok := p.signers.bounded(); ok && p.root == nil {
		r.failAt("/signers", identity.CodeValue, "give trustedRoot", "key %s signs in a certain time only, and no timestamp authority is named to prove the time", k.Name)
	}
	names, seen := map[string]bool{}, labelsOf("key")
	for _, k := range p.signers.keys {
		seen.add(r, "/signers/keys", k.Name, "give keys names that differ to the eye")
		if names[k.Name] {
			r.failAt("/signers/keys", identity.CodeUnique, "", "two keys are named %q", k.Name)
		}
		names[k.Name] = true
	}
	trust, err := p.signers.trust(p.root, p.time.demand)
	if err != nil {
		pointer := "/signers"
		if p.time.evidence != evidenceNone {
			pointer = "/time/evidence"
		}
		r.failAt(pointer, identity.CodeValue, "", "%s", err)
		return
	}
	if p.verifier, err = attest.NewVerifier(trust); err != nil {
		r.failAt("/signers", identity.CodeValue, "", "%s", err)
	}
	if p.approvals != nil {
		p.approvals.check(r, p.root)
	}
	if len(r.problems) == 0 {
		p.checkAttainable(r)
	}
}

// Name is what the policy calls itself, "" if it does not.
func (p *Policy) Name() string { return zero.IfNil(p).name }

// Digest is the SHA-256 of the policy as it was written.
func (p *Policy) Digest() [sha256.Size]byte { return zero.IfNil(p).digest }

// Files are the files that the policy refers to, in the order in which they were first read.
func (p *Policy) Files() []File { return slices.Clone(zero.IfNil(p).files) }

// Paths are what was read for the policy: its own file, where Load or LoadSigned has read it, those that it refers to, and its
// signature.
func (p *Policy) Paths() []string { return slices.Clone(zero.IfNil(p).paths) }

// NamesApprovers says whether there are approvers, so that Given.Approvals decides something.
func (p *Policy) NamesApprovers() bool { return zero.IfNil(p).approvals != nil }

// RuleNames are the names of the rules, in the policy's order.
func (p *Policy) RuleNames() []string {
	p = zero.IfNil(p)
	var names []string
	for _, r := range p.rules {
		names = append(names, r.name)
	}
	return names
}

// Verifier verifies bundles with the policy's trust: who signs and when. Evaluate takes
// nothing that another verifier has verified.
func (p *Policy) Verifier() *attest.Verifier { return zero.IfNil(p).verifier }
