package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/visible"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/signer/kms"
)

const usage = `usage:
  release build     (--version V | --snapshot) --key KEY [--targets OS/ARCH,...] [--out DIR]
  release verify    --version V [--snapshot] --key PUB [--targets OS/ARCH,...] DIR
  release reproduce (--version V | --snapshot) [--targets OS/ARCH,...] DIR
  release push      --version V [--snapshot] --key PUB [--targets OS/ARCH,...] DIR REGISTRY/REPOSITORY
`

// errUsage is for a command line that is none of those in usage, which main prints then.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Print(usage)
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "release: %s\n", printable(err))
		if errors.Is(err, errUsage) {
			fmt.Fprint(os.Stderr, usage)
		}
		os.Exit(1)
	}
}

// errFolder is for a folder that is not verified: it decides the names and texts in the message.
var errFolder = errors.New("NOT VERIFIED")

// printable is the text of an error for a terminal. What a folder decides begins no line of its own; the compiler's and other
// tools' messages keep their lines.
func printable(err error) string {
	text := err.Error()
	if errors.Is(err, errFolder) {
		return visible.Escape(text)
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = visible.Escape(strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// options are the flags of all subcommands.
type options struct {
	version, key, targets, out, source string
	snapshot                           bool
	dir, repository                    string // the arguments
}

// once is a flag that is given at most once: of two keys, the last would decide without a word.
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

func parse(args []string) (command string, o options, err error) {
	if len(args) == 0 {
		return "", o, errUsage
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		return "", o, flag.ErrHelp
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.version, "version", "", "")
	f.StringVar(&o.key, "key", "", "")
	f.StringVar(&o.targets, "targets", "", "")
	f.StringVar(&o.out, "out", "", "")
	f.StringVar(&o.source, "source", ".", "")
	f.BoolVar(&o.snapshot, "snapshot", false, "")
	f.VisitAll(func(given *flag.Flag) { given.Value = &once{Value: given.Value} })
	if err := f.Parse(args[1:]); errors.Is(err, flag.ErrHelp) {
		return "", o, err
	} else if err != nil {
		return "", o, errors.Join(errUsage, err)
	}
	wanted, known := map[string]int{"build": 0, "verify": 1, "reproduce": 1, "push": 2}[args[0]]
	if !known || f.NArg() != wanted {
		return "", o, errUsage
	}
	o.dir, o.repository = f.Arg(0), f.Arg(1)
	return args[0], o, nil
}

func run(ctx context.Context, args []string, log io.Writer) error {
	command, o, err := parse(args)
	if err != nil {
		return err
	}
	targets, err := parseTargets(o.targets)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { fmt.Fprintf(log, format+"\n", args...) }
	switch command {
	case "build":
		return o.build(ctx, targets, say)
	case "verify":
		return o.verify(ctx, targets, say)
	case "push":
		return o.push(ctx, targets, say)
	case "reproduce":
		s, err := o.open()
		if err != nil {
			return err
		}
		return reproduce(ctx, s, targets, o.dir, say)
	}
	return errUsage
}

// open is the source that --version and --snapshot name; exactly one of them is wanted.
func (o options) open() (*source, error) {
	if (o.version == "") != o.snapshot {
		return nil, errors.New("want either --version V, of a tag, or --snapshot")
	}
	return openSource(o.source, o.version)
}

func (o options) build(ctx context.Context, targets []target, say func(string, ...any)) error {
	s, err := o.open()
	if err != nil {
		return err
	}
	key, err := loadKey(ctx, o.key)
	if err != nil {
		return err
	}
	if key.PublicKey().Algorithm() != signer.ECDSAP256 {
		return fmt.Errorf("--key is %s: a release is signed with ecdsa-p256, which openssl checks in one line", key.PublicKey().Algorithm())
	}
	out := o.out
	if out == "" {
		out = "dist"
	}
	b := &building{source: s, targets: targets, key: key, say: say}
	if err := b.build(ctx, out); err != nil {
		return err
	}
	say("%s is in %s", s.release.tag, out)
	return nil
}

func (o options) verify(ctx context.Context, targets []target, say func(string, ...any)) error {
	want, err := o.expectation("verify", targets)
	if err != nil {
		return err
	}
	if err := verify(ctx, want, o.dir); err != nil {
		return fmt.Errorf("%w: %w", errFolder, err)
	}
	say("verified: %s", want.release.tag)
	return nil
}

func (o options) push(ctx context.Context, targets []target, say func(string, ...any)) error {
	want, err := o.expectation("push", targets)
	if err != nil {
		return err
	}
	return push(ctx, want, o.dir, o.repository, say)
}

// expectation is what --version, --snapshot and --key demand of a folder.
func (o options) expectation(command string, targets []target) (expectation, error) {
	if o.version == "" || o.key == "" {
		return expectation{}, fmt.Errorf("%s wants --version and --key: a whole older release, or one by another key, must not pass", command)
	}
	r, err := parseVersion(o.version)
	if err != nil {
		return expectation{}, err
	}
	data, err := boundedfile.Read(o.key, limits.Key)
	if err != nil {
		return expectation{}, err
	}
	key, err := signer.ParsePublicKey(data)
	if err != nil {
		return expectation{}, fmt.Errorf("%s: %w", o.key, err)
	}
	return expectation{release: r, snapshot: o.snapshot, targets: targets, key: key}, nil
}

// loadKey finds the release's private key: a file, env://NAME, or a key in a KMS.
func loadKey(ctx context.Context, ref string) (signer.Signer, error) {
	if scheme, _, ok := strings.Cut(ref, "://"); ok && scheme != "env" {
		return kms.Load(ctx, ref)
	}
	if ref == "" {
		return nil, errors.New("--key is missing: a release is signed")
	}
	return signer.Load(ctx, ref, func() ([]byte, error) {
		if password, set := os.LookupEnv("RUNATTEST_PASSWORD"); set {
			return []byte(password), nil
		}
		return nil, errors.New("the password is read from RUNATTEST_PASSWORD")
	})
}
