package gateway

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/runattest/runattest/capture"
	"github.com/runattest/runattest/gateway/journal"
	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/zero"
	"github.com/runattest/runattest/policy"
	"github.com/runattest/runattest/signer"
)

// Options are what a Gateway is made of. Config, one of Journal and OpenJournal, and one of Signer and Window are required.
type Options struct {
	Config  Config
	Signer  signer.Signer // a key in memory, which signs each call
	Window  *Window       // signs calls together
	Journal Journal
	// OpenJournal has Run open the journal in the folder that Config.Journal names, with these options and the witness in the folder that
	// Config.Witness names, and close it. Until then, no call is taken.
	OpenJournal *journal.Options
	// Policy was read with policy.Options.BeforeSigning; nil admits all that can be captured. It is required where Config names one.
	Policy *policy.Policy
	// URLSecret, where it is not "", is what every path begins with: 16 or more letters, digits, hyphens and underscores.
	URLSecret string
	Log       *slog.Logger      // without content, keys or identities; nil for none
	Clock     func() time.Time  // the time of decisions, and whether certificates are valid; time.Now
	Transport http.RoundTripper // how upstreams are reached; nil for one of the gateway's own
}

// Gateway admits and forwards calls. New makes one; the zero value refuses all. It is safe for concurrent use.
type Gateway struct {
	config    Config
	upstreams []*upstream
	formats   map[string]capture.Format // by the name of the API
	hosts     []string
	secret    [sha256.Size]byte // of the URL secret; zero for none
	issuer    issuer
	journal   Journal
	policy    atomic.Pointer[policy.Policy]
	log       *slog.Logger
	clock     func() time.Time
	transport http.RoundTripper
	budget    budget
	pause     time.Duration // for each part of a body to arrive
	patience  time.Duration // for the policy to be read again
	buffers   buffers
	counts    counts
	stopping  atomic.Bool
	ownMu     sync.Mutex
	own       []netip.AddrPort // which Serve and Run listen on
}

var _ http.Handler = (*Gateway)(nil)

// New makes a gateway. The configuration is checked as ParseConfig does.
func New(o Options) (*Gateway, error) {
	c := o.Config.withDefaults()
	switch {
	case o.Journal == nil && o.OpenJournal == nil:
		return nil, errors.New("gateway: no journal")
	case o.Journal != nil && zero.IsNil(o.Journal):
		return nil, fmt.Errorf("gateway: the journal is a nil %T", o.Journal)
	case o.Journal != nil && o.OpenJournal != nil:
		return nil, errors.New("gateway: a journal, and options to open one: want one of them")
	case o.OpenJournal != nil && c.Journal == "":
		return nil, errors.New("gateway: the configuration names no journal to open")
	case o.Policy != nil && c.InsecureForwardUndeclared:
		return nil, errUndecided
	case o.Policy == nil && c.Policy != "":
		return nil, fmt.Errorf("gateway: the configuration names the policy %s, and Options.Policy is nil: want the policy of that file", c.Policy)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := checkSecret(o.URLSecret); err != nil {
		return nil, err
	}
	by, err := o.issuer()
	if err != nil {
		return nil, err
	}
	g := &Gateway{config: c, formats: map[string]capture.Format{}, issuer: by, journal: o.Journal, log: o.Log, clock: o.Clock, transport: o.Transport, budget: budget{most: c.Limits.Memory}, pause: limits.GatewayPauseSeconds * time.Second, patience: limits.GatewayReadSeconds * time.Second}
	g.upstreams, _ = c.upstreams()
	for _, up := range g.upstreams {
		if err := g.lookUp(up.protocol); err != nil {
			return nil, err
		}
	}
	for _, h := range c.Hosts {
		g.hosts = append(g.hosts, strings.ToLower(h))
	}
	if o.URLSecret != "" {
		g.secret = sha256.Sum256([]byte(o.URLSecret))
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.clock == nil {
		g.clock = time.Now
	}
	if g.transport == nil {
		g.transport = g.elsewhere(newTransport())
	}
	if o.OpenJournal != nil {
		g.journal = g.newOpening(*o.OpenJournal)
	}
	if o.Policy != nil {
		if err := g.SetPolicy(o.Policy); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// issuer is what signs.
func (o Options) issuer() (issuer, error) {
	switch {
	case o.Signer != nil && o.Window != nil:
		return nil, errors.New("gateway: a signer and a window: want one of them")
	case o.Window == nil && (o.Config.Window != "" || o.Config.WindowMax > 0):
		return nil, errors.New("gateway: the configuration has a window, and Options.Window is nil: want what signs the calls of a window")
	case o.Window != nil:
		w, err := o.Window.withDefaults(o.Config)
		if err == nil && w.Key == nil && o.Policy != nil {
			err = ErrNoKey
		}
		return &windows{of: w}, err
	case zero.IsNil(o.Signer) || o.Signer.PublicKey() == nil:
		return nil, errors.New("gateway: no signer, or one without a public key")
	}
	return &signing{by: o.Signer}, nil
}

// ErrNoKey says that a policy is to decide about calls that a certificate signs, which is not known before it signs.
var ErrNoKey = errors.New("a policy cannot decide before a certificate signs: want a key, or no policy")

// lookUp finds the tables of a protocol.
func (g *Gateway) lookUp(p *protocol) error {
	for _, e := range p.endpoints {
		if e.does != captured {
			continue
		}
		format, err := capture.Lookup(e.table)
		if err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
		g.formats[e.table] = format
	}
	return nil
}

func checkSecret(s string) error {
	if s == "" {
		return nil
	}
	if len(s) < 16 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return errors.New("gateway: the URL secret: want at least 16 letters, digits, hyphens and underscores")
	}
	for i := range len(s) {
		if !plain(s[i]) {
			return errors.New("gateway: the URL secret: want at least 16 letters, digits, hyphens and underscores")
		}
	}
	return nil
}

// calls is the kind of all runs that the gateway declares.
const calls = identity.Inference

// SetPolicy replaces the policy for all calls that are not signed yet. If it is an error, the policy stays as it is: a policy that was not
// read with policy.Options.BeforeSigning, one that no call can meet (policy.Policy.CheckProposals), or none where there was one.
func (g *Gateway) SetPolicy(p *policy.Policy) error {
	switch {
	case g == nil || g.issuer == nil:
		return errZero
	case p == nil:
		return errors.New("gateway: no policy")
	case g.config.InsecureForwardUndeclared:
		return errUndecided
	case g.issuer.key() == nil:
		return ErrNoKey
	}
	if err := p.CheckProposals(g.issuer.key(), calls); err != nil {
		if invalid, ok := errors.AsType[*policy.InvalidError](err); ok && invalid.Path != "" {
			err = fmt.Errorf("%s: %w", invalid.Path, err)
		}
		return fmt.Errorf("no call of this gateway meets the policy: %w", err)
	}
	g.policy.Store(p)
	return nil
}

// ServeHTTP admits a call and forwards it, or refuses it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if w == nil || r == nil {
		return
	}
	if g == nil || g.issuer == nil {
		refuse(journalFailed, "%v", errZero).write(w, r, openAIStyle, true)
		return
	}
	begun := time.Now()
	seen := &watched{ResponseWriter: w}
	c := &call{r: r, share: &share{of: &g.budget}}
	g.counts.inFlight.Add(1)
	defer func() {
		c.share.release()
		g.counts.inFlight.Add(-1)
		if v := recover(); v != nil {
			g.report(c, seen, begun, "aborted")
			if v != http.ErrAbortHandler {
				g.log.Error("a call panicked", "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler) // the client sees a broken connection
		}
	}()
	no := g.handle(seen, c)
	if no == nil {
		outcome := "forwarded"
		if c.route.endpoint == nil {
			outcome = "answered"
		}
		g.report(c, seen, begun, outcome)
		return
	}
	outcome := no.code
	if r.Context().Err() != nil && no.kind != bodyInvalid {
		outcome = "client_left"
	}
	if seen.status == 0 { // else net/http answers 200, which a client that only closed its side for writing still reads
		c.share.release()
		clear(w.Header())
		c.setHeaders(w.Header())
		if c.client == "" { // a client that proves no name keeps no connection
			w.Header().Set("Connection", "close")
		}
		if !c.read && r.ProtoMajor > 1 {
			drain(w, r, c.client != "")
		}
		no.write(seen, r, c.style(), !c.read)
		if !c.read && r.ProtoMajor == 1 {
			drain(w, r, true) // the connection is closed after it
		}
	}
	g.report(c, seen, begun, outcome)
}

// handle does all that a call needs, in order.
func (g *Gateway) handle(w http.ResponseWriter, c *call) *refusal {
	var no *refusal
	if no = g.checkBrowser(c.r); no != nil {
		return no
	}
	if c.route, no = g.route(c.r); no != nil {
		return no
	}
	if c.client, no = g.client(c.r); no != nil {
		return no
	}
	if no = g.checkHeaders(c.r); no != nil {
		return no
	}
	if c.route.endpoint == nil { // HEAD /
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if !c.share.begin(headerSize(c.r)) {
		return refuseFull()
	}
	switch e := c.route.endpoint; e.does {
	case passed:
		no = checkMediaType(c.r, e)
	case undeclared:
		if no = refuse(endpointUndeclared, "%s %s computes, and no table declares its requests", e.method, e.path); g.config.InsecureForwardUndeclared {
			no = g.admit(w, c)
		}
	default:
		no = g.admit(w, c)
	}
	if no != nil {
		return no
	}
	return g.forward(w, c)
}

// style is the error format for a call.
func (c *call) style() style {
	switch {
	case c.route.up == nil:
		return openAIStyle
	case c.route.up.protocol.style == ollamaStyle && strings.HasPrefix(c.route.path, "/v1/"):
		return openAIStyle
	}
	return c.route.up.protocol.style
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	if status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
