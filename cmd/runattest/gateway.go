package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/gateway"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/internal/cli"
	"github.com/runattest/runattest/policy"
)

// endsItself says that the command ends by itself when it is interrupted, which may take longer than grace.
var endsItself atomic.Bool

// gatewayFlags are what the flags of gateway say.
type gatewayFlags struct {
	config, upstream, provider, secret string
	who                                *signerFlags
	window                             time.Duration
	inWindows                          bool           // calls are signed together
	over                               gateway.Config // what is said besides the file
	policies                           *policySigners
	timeout                            time.Duration
	check, acceptDamage, untilEnd      bool
}

func newGateway() *cobra.Command {
	cmd := newCommand("gateway")
	cmd.Args = cli.NoArgs("the upstream is --upstream URL")
	var g gatewayFlags
	f := cmd.Flags()
	g.who = newSignerFlags(cmd)
	f.DurationVar(&g.window, "window", 0, "sign the calls of each `DURATION`, 25ms to 1m, together, as a run set (default: 25ms with a KMS or services, none with a key alone)")
	f.Int64Var(&g.over.WindowMax, "window-max", 0, "sign at most this `NUMBER` of calls together, and refuse more until these are signed (default: 1000)")
	f.StringVar(&g.over.Journal, "journal", "", "the `FOLDER` of the journal, which is made where there is none")
	f.StringVar(&g.over.Witness, "witness", "", "keep the bundle of each closed segment in this `FOLDER`, too, which is apart from the journal; calls do not wait for it")
	f.StringVar(&g.upstream, "upstream", "", "forward calls to this `URL`, such as https://api.openai.com")
	f.StringVar(&g.provider, "provider", "", "the `NAME` of who runs the model: openai, azure:RESOURCE, anthropic, google, vertex, ollama or another (default: by the upstream's host)")
	f.StringVar(&g.over.Listen, "listen", "", "the `ADDRESS`: HOST:PORT, unix:PATH or fd://N (default: 127.0.0.1:8787)")
	f.StringVar(&g.over.Operations, "operations", "", "the `ADDRESS` of /healthz, /readyz and /metrics (default: none)")
	f.StringVar(&g.over.Policy, "policy", "", "forward only calls that this policy `FILE` allows; SIGHUP reads it again")
	g.policies = newPolicySigners(cmd)
	f.StringVar(&g.secret, "url-secret", "", "every path begins with the secret in this variable: `env://NAME`")
	f.StringVar(&g.config, "config", "", "upstreams, clients and limits: a gateway.yaml `FILE`, in place of --upstream; flags do not replace what it says")
	f.BoolVar(&g.check, "check", false, "say whether the gateway would start, and make and serve nothing")
	f.BoolVar(&g.over.LogDenied, "log-denied", false, "journal calls that the policy denies, too, without content")
	f.DurationVar(&g.timeout, "journal-timeout", 5*time.Second, "refuse a call whose line is not on disk after this `DURATION`")
	f.BoolVar(&g.acceptDamage, "accept-damage", false, "go on with a journal that has damage which no crash explains; verifying it still finds the damage")
	f.BoolVar(&g.untilEnd, "until-stdin-ends", false, "stop when standard input ends: the program that started the gateway is gone then")
	f.BoolVar(&g.over.InsecureAnyClient, "insecure-any-client", false, "on an address that is not a local one, serve all that reach it")
	f.BoolVar(&g.over.InsecureForwardUndeclared, "insecure-forward-undeclared", false, "forward calls of endpoints that no table declares, without an identity")
	formatFlag(cmd)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml", "json")
	_ = cmd.MarkFlagFilename("policy", "yaml", "yml", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return g.run(cmd) }
	return cmd
}

// configuration is that of the file or of --upstream, with what the flags say besides.
func (g *gatewayFlags) configuration(cmd *cobra.Command) (gateway.Config, error) {
	g.over.Key = g.who.key
	if cmd.Flags().Changed("window") {
		g.over.Window = g.window.String()
	}
	c := g.over
	switch {
	case g.config != "" && (g.upstream != "" || g.provider != ""):
		return c, errors.New("--config and --upstream or --provider: the configuration names the upstreams")
	case g.config != "":
		var err error
		if c, err = g.fileAndFlags(cmd); err != nil {
			return c, &usageError{err}
		}
	case g.upstream == "":
		return c, errors.New("want --upstream URL, or --config FILE")
	default:
		c.Upstreams = []gateway.Upstream{{URL: g.upstream, Provider: g.provider}}
	}
	for _, name := range policySignerFlags {
		if c.Policy == "" && cmd.Flags().Changed(name) {
			return c, fmt.Errorf("--%s goes with --policy", name)
		}
	}
	switch {
	case c.Key == "" && g.who.fulcio == "" && g.who.config == "":
		return c, cli.WithHint(errors.New("--key is required, or --fulcio"), makeKeys)
	case c.Journal == "":
		return c, errors.New("--journal is required: every call has a line there before it is forwarded")
	case g.timeout <= 0 || cmd.Flags().Changed("window-max") && g.over.WindowMax <= 0:
		return c, errors.New("--journal-timeout, --window-max: must be positive")
	}
	g.who.key = c.Key
	if _, err := c.WindowEvery(); err != nil {
		return c, fmt.Errorf("--window: %w", err) // that of the configuration was checked
	}
	var err error
	if g.inWindows, err = c.InWindows(g.who.asksServices()); err != nil && cmd.Flags().Changed("window-max") {
		err = errors.New("--window-max goes with --window")
	}
	return c, err
}

// gatewayMembers are the members of a configuration that have a flag of another name.
var gatewayMembers = map[string]string{
	"logDenied": "log-denied", "insecureAnyClient": "insecure-any-client", "insecureForwardUndeclared": "insecure-forward-undeclared",
}

// fileAndFlags is the configuration of the file, with what the flags say besides it.
func (g *gatewayFlags) fileAndFlags(cmd *cobra.Command) (gateway.Config, error) {
	file, err := gateway.LoadConfig(g.config)
	if err != nil {
		return file, err
	}
	for member, has := range map[string]bool{"logDenied": file.LogDenied, "insecureAnyClient": file.InsecureAnyClient, "insecureForwardUndeclared": file.InsecureForwardUndeclared} {
		if off := cmd.Flags().Lookup(gatewayMembers[member]); has && off.Changed && off.Value.String() == "false" {
			return file, g.explainConflict(&gateway.ConflictError{Member: member})
		}
	}
	c, err := file.With(g.over)
	return c, g.explainConflict(err)
}

// explainConflict names the flag and the file that say two things.
func (g *gatewayFlags) explainConflict(err error) error {
	no, ok := errors.AsType[*gateway.ConflictError](err)
	if !ok {
		return err
	}
	flag := "--" + cmp.Or(gatewayMembers[no.Member], no.Member)
	if no.Weakens {
		return cli.WithHint(fmt.Errorf("%s: would weaken the configuration %s, which does not have it", flag, g.config), "write "+no.Member+": true there")
	}
	return cli.WithHint(fmt.Errorf("%s: the configuration %s has %s, too: want one of them", flag, g.config, no.Member), "leave "+flag+" out, or remove "+no.Member+" there")
}

// run checks what the flags name, opens the journal, and serves until it is told to stop.
func (g *gatewayFlags) run(cmd *cobra.Command) error {
	hangups := make(chan os.Signal, 1)
	if !g.check {
		signal.Notify(hangups, syscall.SIGHUP) // one that comes while the gateway starts does not end it, and waits
		defer signal.Stop(hangups)
	}
	c, err := g.configuration(cmd)
	if err != nil {
		return err
	}
	to := &journal.Options{Timeout: g.timeout, AcceptDamage: g.acceptDamage}
	o := gateway.Options{Config: c, OpenJournal: to, Log: gatewayLog(cmd)}
	if o.URLSecret, err = urlSecret(g.secret); err != nil {
		return err
	}
	if o.Policy, err = g.policy(cmd, c.Policy); err != nil {
		return err
	}
	if to.Sign, err = g.signer(cmd, &o); err != nil {
		return err
	}
	made, err := gateway.New(o)
	if errors.Is(err, gateway.ErrNoKey) {
		return &usageError{cli.WithHint(fmt.Errorf("--policy: %w", err), makeKeys)}
	} else if err != nil {
		return &usageError{err}
	}
	if g.check {
		if err := explainGateway(made.Check()); err != nil {
			return &usageError{err}
		}
		return newOutput(cmd).Result(map[string]any{"valid": true}, "%s", "the configuration is valid")
	}
	endsItself.Store(true)
	return g.serve(cmd, made, c, hangups)
}

// explainGateway names the flag of an address that cannot be served, and of a journal that cannot be opened.
func explainGateway(err error) error {
	if failed, ok := errors.AsType[*gateway.JournalError](err); ok {
		return hintJournal(fmt.Errorf("--journal: %w", failed.Err))
	}
	if failed, ok := errors.AsType[*gateway.AddressError](err); ok {
		if two, ok := err.(interface{ Unwrap() []error }); ok { // the journal was not closed, either
			return errors.Join(explainGateway(failed), two.Unwrap()[1])
		}
		flag := "--listen"
		if failed.Operations {
			flag = "--operations"
		}
		err = fmt.Errorf("%s: %w", flag, failed.Err)
	}
	if errors.Is(err, gateway.ErrOwnUpstream) {
		return &usageError{cli.WithHint(err, "name the address of the model's server as the upstream, or serve on another address")}
	}
	if errors.Is(err, gateway.ErrNoClients) {
		return &usageError{cli.WithHint(err, "name clients in the configuration (--config), or serve all that reach the address: --insecure-any-client, or insecureAnyClient: true in the configuration")}
	}
	return err
}

func hintJournal(err error) error {
	damage := (*journal.DamageError)(nil)
	switch {
	case !errors.As(err, &damage):
		return err
	case damage.Fatal:
		from := "from a copy"
		if name := filepath.Base(damage.Path); strings.HasSuffix(name, ".sigstore.json") {
			from = "from a copy, which a folder of --witness has as ID/" + name
		}
		return cli.WithHint(err, "put the file back "+from+"; or keep the folder as it is, and give a new one: --journal FOLDER")
	}
	return cli.WithHint(err, "look at the folder, and keep a copy of it; --accept-damage goes on, and is needed from then on: or give a new folder, --journal FOLDER")
}

// signer puts into o what signs calls, and gives what signs the Statements of closed segments.
func (g *gatewayFlags) signer(cmd *cobra.Command, o *gateway.Options) (func(context.Context, attest.Signable) (*attest.Bundle, error), error) {
	if !g.inWindows {
		by, err := loadSigner(cmd, g.who.key)
		o.Signer = by
		return func(ctx context.Context, s attest.Signable) (*attest.Bundle, error) {
			return attest.Sign(ctx, s, by, attest.SignOptions{})
		}, err
	}
	session, err := g.who.session(cmd, attest.SigstoreBundle)
	if err != nil {
		return nil, err
	}
	if !g.check {
		if err := session.Open(cmd.Context()); err != nil {
			return nil, err
		}
	}
	o.Window = &gateway.Window{Sign: session.Sign, Key: session.PublicKey(), Timeout: g.who.timeout}
	return session.Sign, nil
}

func urlSecret(ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	name, ok := strings.CutPrefix(ref, "env://")
	switch secret := os.Getenv(name); {
	case !ok || name == "":
		return "", errors.New("--url-secret: want env://NAME: a secret on a command line can be seen by other users")
	case secret == "":
		return "", fmt.Errorf("--url-secret: the variable %s is empty or not set", name)
	default:
		return secret, nil
	}
}

// policy reads the policy as one that is asked before anything is signed; nil where none is named.
func (g *gatewayFlags) policy(cmd *cobra.Command, path string) (*policy.Policy, error) {
	if path == "" {
		return nil, nil
	}
	return loadPolicy(cmd, path, g.policies, policy.Options{TrustedRoots: policyOptions.TrustedRoots, BeforeSigning: true})
}

// gatewayLog logs to standard error, as JSON with --format json.
func gatewayLog(cmd *cobra.Command) *slog.Logger {
	if newOutput(cmd).JSON {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
}

// serve serves until a signal or the end of standard input, and reads the policy again at each hangup.
func (g *gatewayFlags) serve(cmd *cobra.Command, made *gateway.Gateway, c gateway.Config, hangups <-chan os.Signal) error {
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	if g.untilEnd {
		go func() {
			_, _ = io.Copy(io.Discard, cmd.InOrStdin())
			stop()
		}()
	}
	go func() { _ = made.Reload(hangups, func() (*policy.Policy, error) { return g.policy(cmd, c.Policy) }) }()
	err := made.Run(ctx, func(r gateway.Ready) error { return newOutput(cmd).Result(r, "listening on %s", r) })
	return explainGateway(err)
}
