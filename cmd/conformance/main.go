package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

// once is a flag that is given at most once: of two identities, the last would decide without a word.
type once struct {
	flag.Value
	given bool
}

func (o *once) Set(text string) error {
	if o.given {
		return errors.New("it is given twice")
	}
	o.given = true
	return o.Value.Set(text)
}

func (o *once) IsBoolFlag() bool {
	b, ok := o.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}

// request is one call of verify-bundle.
type request struct {
	bundle, identity, issuer, key, trustedRoot, artifact string
	staging                                              bool
	logged                                               bool // the signature must be in a log: the trusted root names some
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || args[0] != "verify-bundle" {
		return errors.New("want the subcommand verify-bundle, which is the only one")
	}
	r, err := parse(args[1:])
	if err != nil {
		return err
	}
	return r.verify(ctx)
}

func parse(args []string) (*request, error) {
	var r request
	f := flag.NewFlagSet("verify-bundle", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&r.bundle, "bundle", "", "")
	f.StringVar(&r.identity, "certificate-identity", "", "")
	f.StringVar(&r.issuer, "certificate-oidc-issuer", "", "")
	f.StringVar(&r.key, "key", "", "")
	f.StringVar(&r.trustedRoot, "trusted-root", "", "")
	f.BoolVar(&r.staging, "staging", false, "")
	f.VisitAll(func(given *flag.Flag) { given.Value = &once{Value: given.Value} })
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() != 1 || r.bundle == "" {
		return nil, errors.New("want --bundle FILE and one artifact, a file or sha256:HEX")
	}
	byCertificate := r.identity != "" && r.issuer != ""
	if byCertificate == (r.key != "") || !byCertificate && r.identity+r.issuer != "" {
		return nil, errors.New("want either --key, or --certificate-identity with --certificate-oidc-issuer")
	}
	r.artifact = f.Arg(0)
	return &r, nil
}

func (r *request) verify(ctx context.Context) error {
	text, err := boundedfile.Read(r.bundle, limits.Bundle)
	if err != nil {
		return err
	}
	bundle, err := attest.ParseBundle(text)
	if err != nil {
		return fmt.Errorf("%s: %w", r.bundle, err)
	}
	trust, err := r.trust(ctx)
	if err != nil {
		return err
	}
	result := bundle.CheckTrust(ctx, trust)
	if err := reason(result); err != nil {
		return err
	}
	if r.logged && len(result.Logs)+len(result.Promises) == 0 {
		return fmt.Errorf("time: no log entry counts: %s", result.Time.Reason)
	}
	// the payload is read only after its signature and signer have passed
	if err := checkPayloadType(bundle); err != nil {
		return err
	}
	return checkArtifact(bundle.UnverifiedPayload(), r.artifact)
}

func (r *request) trust(ctx context.Context) (attest.Trust, error) {
	var o sigstore.TrustOptions
	var err error
	if o.Root, err = r.root(ctx); err != nil {
		return nil, err
	}
	// The suite's clients want a log entry of keys too, and take the promise of a bundle v0.1 for one. runattest leaves the
	// first to its users, and counts no promise.
	o.RequireLogEntries = sigstore.NoLogEntries
	r.logged = o.Root.NamesLogs()
	if r.key == "" {
		o.Identities = []sigstore.CertificateIdentity{{
			SubjectAlternativeName: sigstore.Exactly(r.identity),
			Issuer:                 sigstore.Exactly(r.issuer),
		}}
		return sigstore.NewTrust(o)
	}
	data, err := boundedfile.Read(r.key, limits.Key)
	if err != nil {
		return nil, err
	}
	key, err := signer.ParsePublicKey(data)
	if err != nil {
		return nil, err
	}
	o.Keys = []attest.TrustedKey{{Name: r.key, Key: key}}
	return sigstore.NewTrust(o)
}

func (r *request) root(ctx context.Context) (*sigstore.TrustedRoot, error) {
	var data []byte
	var err error
	if r.trustedRoot != "" {
		data, err = boundedfile.Read(r.trustedRoot, limits.TrustedRoot)
	} else {
		var fetched *sigstore.Fetched
		if fetched, err = sigstore.FetchTrustedRoot(ctx, sigstore.FetchOptions{Staging: r.staging}); err == nil {
			data = fetched.TrustedRoot
		}
	}
	if err != nil {
		return nil, err
	}
	return sigstore.ParseTrustedRoot(data)
}

// reason returns an error unless a trust check passes: signature and signer must pass, and so must the time if one
// is required.
func reason(o evidence.Result) error {
	var no []error
	for _, c := range []evidence.Check{o.Signature, o.Signer, o.Time} {
		if c.Verdict == evidence.Fail {
			no = append(no, fmt.Errorf("%s: %s", c.Name, c.Reason))
		}
	}
	if o.By == nil && len(no) == 0 {
		no = append(no, errors.New("signer: not trusted"))
	}
	return errors.Join(no...)
}
