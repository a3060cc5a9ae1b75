package gateway

import (
	"cmp"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/unseen"
	"github.com/runattest/runattest/internal/zero"
)

// Schema is the value of a configuration's "schema" member.
const Schema = "https://github.com/runattest/runattest/gateway/v1"

// The values of Config.Parents, Config.Headers and Config.Content.
const (
	ParentsJournal = "journal" // a parent is a run of the same client that the journal holds
	ParentsAny     = "any"
	ParentsNone    = "none"
	HeadersOpen    = "open"
	HeadersClosed  = "closed" // a header that is on no list is refused
	ContentDetach  = "detach" // declarations lie beside the journal's segments
	ContentEmbed   = "embed"  // declarations up to 64 KiB are in the bundles
)

// Config is what a gateway.yaml says. A zero value is the default that is named; only Upstreams are required.
type Config struct {
	Schema string `json:"schema"` // in a file, Schema; in values, Schema or ""

	// Listen and Operations are addresses as (*Gateway).Listen takes them: of the gateway, 127.0.0.1:8787, and of health checks
	// and metrics, none.
	Listen     string `json:"listen"`
	Operations string `json:"operations"`

	// Key is a reference to the key that signs, Journal the journal's folder, Witness a folder apart from it for the bundles of its
	// closed segments (journal.WitnessFolder) and Policy the policy's file. The program that runs a gateway reads them: New takes the
	// key, the journal (or Options.OpenJournal) and the policy themselves, and refuses a Config with a Policy without the policy itself.
	Key     string `json:"key"`
	Journal string `json:"journal"`
	Witness string `json:"witness"`
	Policy  string `json:"policy"`

	// Window and WindowMax are Window.Every, such as 1s, 25ms to 1m, and Window.Most, where Options.Window does not say them. New refuses
	// a Config that says them without an Options.Window: InWindows tells whether one is wanted.
	Window    string `json:"window"`
	WindowMax int64  `json:"windowMax"`

	Hosts     []string   `json:"hosts"` // values of Host that are the gateway's, besides its addresses
	Upstreams []Upstream `json:"upstreams"`
	Clients   []Client   `json:"clients"` // where there are any, each client must be one of them
	TLS       TLS        `json:"tls"`     // the zero value is plain HTTP

	Parents string `json:"parents"` // ParentsJournal
	Headers string `json:"headers"` // HeadersOpen
	Content string `json:"content"` // ContentDetach

	LogDenied                 bool   `json:"logDenied"`                 // denied calls have a line in the journal, without content
	InsecureAnyClient         bool   `json:"insecureAnyClient"`         // without a list of clients, serve all that reach the gateway
	InsecureForwardUndeclared bool   `json:"insecureForwardUndeclared"` // forward calls of endpoints without a table, without an identity
	Limits                    Limits `json:"limits"`
}

// Upstream is a server to which calls are forwarded.
type Upstream struct {
	Prefix   string `json:"prefix"`   // of the paths that belong to it: "", or a slash and plain segments, such as /openai
	URL      string `json:"url"`      // https://HOST/PATH; the path behind the prefix is appended
	Provider string `json:"provider"` // that of the vendor's own host, else the host's name
	Identity bool   `json:"identity"` // send Airun-Identity, and airun.identity in W3C baggage
	// ResponseHeaderTimeout is how long the server may take to answer once it has the request, such as 10m, 1s to 24h; 30m. It ends
	// with the headers of the answer: a stream may take any time.
	ResponseHeaderTimeout string `json:"responseHeaderTimeout"`
}

// Client is a client by name, which proves it by one of two ways, or either.
type Client struct {
	Name        string `json:"name"`
	Certificate string `json:"certificate"` // a DNS name, email address or URI of its certificate, whole
	TokenSHA256 string `json:"tokenSHA256"` // the SHA-256 of the token that it sends in Airun-Key, 64 hex digits
}

// TLS are PEM files. ClientCA has the authorities of clients' certificates.
type TLS struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	ClientCA    string `json:"clientCA"`
}

// Limits are in bytes, but Connections, which counts those that are open at once.
type Limits struct {
	Body        int64 `json:"body"`        // as sent; 32 MiB
	Decoded     int64 `json:"decoded"`     // without its content codings; 64 MiB, which is the most
	Memory      int64 `json:"memory"`      // of all bodies that are held at once; 256 MiB
	Connections int64 `json:"connections"` // 16,384
}

//go:embed gateway.schema.json
var schemaJSON string

// JSONSchema is the JSON Schema (2020-12) of a configuration. It says the same as ParseConfig about the members; what is beyond
// JSON Schema it leaves to ParseConfig.
func JSONSchema() []byte { return []byte(schemaJSON) }

func (c Config) withDefaults() Config {
	c.Schema = cmp.Or(c.Schema, Schema)
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:8787")
	c.Parents = cmp.Or(c.Parents, ParentsJournal)
	c.Headers = cmp.Or(c.Headers, HeadersOpen)
	c.Content = cmp.Or(c.Content, ContentDetach)
	c.Limits.Body = cmp.Or(c.Limits.Body, limits.GatewayBody)
	c.Limits.Decoded = cmp.Or(c.Limits.Decoded, limits.CaptureBody)
	c.Limits.Memory = cmp.Or(c.Limits.Memory, limits.GatewayMemory)
	c.Limits.Connections = cmp.Or(c.Limits.Connections, limits.GatewayConnections)
	return c
}

// With is the configuration with what over, such as a command line, says besides it: the addresses, the key, the journal, the witness and
// the policy, where the configuration names none; the windows, which override its own; and LogDenied. No other member of over counts.
// A value that both name is a *ConflictError, and so is a member that begins with Insecure which over alone has: what is said
// besides a configuration neither replaces what it says nor weakens it.
func (c Config) With(over Config) (Config, error) {
	for _, m := range []struct {
		member string
		of     *string
		over   string
	}{
		{"listen", &c.Listen, over.Listen},
		{"operations", &c.Operations, over.Operations},
		{"key", &c.Key, over.Key},
		{"journal", &c.Journal, over.Journal},
		{"witness", &c.Witness, over.Witness},
		{"policy", &c.Policy, over.Policy},
	} {
		if *m.of != "" && m.over != "" {
			return Config{}, &ConflictError{Member: m.member}
		}
		*m.of = cmp.Or(*m.of, m.over)
	}
	switch {
	case over.InsecureAnyClient && !c.InsecureAnyClient:
		return Config{}, &ConflictError{Member: "insecureAnyClient", Weakens: true}
	case over.InsecureForwardUndeclared && !c.InsecureForwardUndeclared:
		return Config{}, &ConflictError{Member: "insecureForwardUndeclared", Weakens: true}
	}
	c.Window = cmp.Or(over.Window, c.Window)
	c.WindowMax = cmp.Or(over.WindowMax, c.WindowMax)
	c.LogDenied = c.LogDenied || over.LogDenied
	return c, nil
}

// ConflictError says that what is said besides a configuration would replace a member of it, or weaken it.
type ConflictError struct {
	Member  string // by its name in a file
	Weakens bool   // the configuration does not have the member, which would weaken it
}

func (e *ConflictError) Error() string {
	if e := zero.IfNil(e); e.Weakens {
		return e.Member + ": would weaken the configuration, which does not have it: want it there"
	}
	return zero.IfNil(e).Member + ": the configuration has it, too: want one of them"
}

// WindowEvery is how long a window gathers calls; 0 if the configuration does not say it. What is not a duration from 25
// milliseconds to a minute is an error.
func (c Config) WindowEvery() (time.Duration, error) {
	if c.Window == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(c.Window)
	if err != nil || !isWindow(d) {
		return 0, fmt.Errorf("%q, want %s", c.Window, windowRange)
	}
	return d, nil
}

// InWindows says whether calls are to be signed together: where the configuration has a window, or where remote says that each
// signature asks a service, such as a KMS or a timestamp authority. Otherwise a key in memory signs each, and a WindowMax is an error.
func (c Config) InWindows(remote bool) (bool, error) {
	every, err := c.WindowEvery()
	in := every > 0 || remote
	if err == nil && !in && c.WindowMax != 0 {
		err = errors.New("windowMax goes with window, or with a key in a KMS or services, which sign in windows")
	}
	return in && err == nil, err
}

// check finds what is wrong with a configuration that has its defaults.
func (c Config) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Schema != Schema {
		wrong("schema: %q, want %s", c.Schema, Schema)
	}
	for _, m := range []struct {
		name, value string
		want        []string
	}{
		{"parents", c.Parents, []string{ParentsJournal, ParentsAny, ParentsNone}},
		{"headers", c.Headers, []string{HeadersOpen, HeadersClosed}},
		{"content", c.Content, []string{ContentDetach, ContentEmbed}},
	} {
		if !slices.Contains(m.want, m.value) {
			wrong("%s: %q, want one of %s", m.name, m.value, strings.Join(m.want, ", "))
		}
	}
	if _, err := c.WindowEvery(); err != nil {
		wrong("window: %w", err)
	}
	if c.WindowMax < 0 || c.WindowMax > limits.GatewayWindowMost {
		wrong("windowMax: %d, want at most %d", c.WindowMax, limits.GatewayWindowMost)
	}
	for i, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, "/ \t*@") {
			wrong("hosts/%d: %q, want a whole Host such as gateway.acme.example:8787", i, h)
		}
	}
	if c.Witness != "" && c.Journal != "" && isInside(c.Witness, c.Journal) {
		wrong("witness: %s is in the journal %s: want a folder apart from it", c.Witness, c.Journal)
	}
	if c.Clients != nil && len(c.Clients) == 0 {
		wrong("clients: names no client, and would keep no user of this machine out: want some, or leave it out")
	}
	if c.InsecureForwardUndeclared && c.Policy != "" {
		errs = append(errs, errUndecided)
	}
	errs = append(errs, c.Limits.check(), c.TLS.check())
	errs = append(errs, c.checkClients()...)
	_, err := c.upstreams()
	return errors.Join(append(errs, err)...)
}

// errUndecided is for calls that a policy would not be asked about.
var errUndecided = errors.New("insecureForwardUndeclared: a policy is not asked about calls that are not declared: want one or the other")

func (l Limits) check() error {
	switch {
	case l.Body < 1 || l.Body > limits.GatewayBodyMost:
		return fmt.Errorf("limits/body: want 1 to %d", int64(limits.GatewayBodyMost))
	case l.Decoded < 1 || l.Decoded > limits.CaptureBody:
		return fmt.Errorf("limits/decoded: want 1 to %d", limits.CaptureBody)
	case l.Memory < l.Body:
		return fmt.Errorf("limits/memory: %d, want at least the %d of one body", l.Memory, l.Body)
	case l.Connections < 1:
		return errors.New("limits/connections: must be positive")
	}
	return nil
}

func (t TLS) check() error {
	if (t.Certificate == "") != (t.Key == "") || t.ClientCA != "" && t.Certificate == "" {
		return errors.New("tls: want certificate and key, and with them clientCA where clients have certificates")
	}
	return nil
}

func (c Config) checkClients() []error {
	var errs []error
	names, tokens, certificates, alike := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]string{}
	if len(c.Clients) > limits.GatewayClients {
		return []error{fmt.Errorf("clients: %d, want at most %d", len(c.Clients), limits.GatewayClients)}
	}
	for i, k := range c.Clients {
		wrong := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("clients/%d: "+format, append([]any{i}, args...)...))
		}
		sum, err := hex.DecodeString(k.TokenSHA256)
		for _, m := range []struct{ member, text string }{{"name", k.Name}, {"certificate", k.Certificate}} {
			if what := misread(m.text); what != "" && strings.TrimSpace(m.text) != "" {
				wrong("%s: %s", m.member, what)
			}
		}
		if other, ok := alike[unseen.Skeleton(k.Name)]; ok && other != k.Name {
			wrong("name: %+q looks like %+q: want names that differ to the eye", k.Name, other)
		}
		alike[unseen.Skeleton(k.Name)] = k.Name
		switch {
		case k.Name == "" || names[k.Name]:
			wrong("name: want one of its own")
		case len(k.Name) > limits.GatewayName || k.Name == localClient || k.Name == anyClient:
			wrong("name: want at most %d bytes, and neither %s nor %s, which are the names of clients without one", limits.GatewayName, localClient, anyClient)
		case k.TokenSHA256 == "" && k.Certificate == "":
			wrong("want tokenSHA256 or certificate")
		case k.TokenSHA256 != "" && (err != nil || len(sum) != 32):
			wrong("tokenSHA256: want 64 hex digits")
		case k.TokenSHA256 != "" && isOfBlank(sum):
			wrong("tokenSHA256: is the digest of an empty or blank text: the variable with the token was empty or not set when the digest was computed: want the digest of a token")
		case k.Certificate != "" && strings.TrimSpace(k.Certificate) == "":
			wrong("certificate: is blank: want a DNS name, email address or URI")
		case k.Certificate != "" && c.TLS.ClientCA == "":
			wrong("certificate: needs tls/clientCA")
		case k.TokenSHA256 != "" && tokens[string(sum)]:
			wrong("tokenSHA256: another client has the same: want one of its own")
		case k.Certificate != "" && certificates[k.Certificate]:
			wrong("certificate: another client has the same: want one of its own")
		}
		names[k.Name], tokens[string(sum)], certificates[k.Certificate] = true, true, true
	}
	delete(certificates, "")
	if c.TLS.ClientCA != "" && len(certificates) == 0 {
		errs = append(errs, errors.New("tls/clientCA: no client has a certificate, so that none is asked for: want clients, each with the name in its certificate"))
	}
	return errs
}

// misread is why a name is not what people read in it, and what to do; "" if it is.
func misread(name string) string {
	for _, f := range unseen.InLabel(name) {
		if f.IsCertain() {
			return f.What + ": " + f.Fix
		}
	}
	return ""
}

// upstreams are those of the configuration, the longest prefix first.
func (c Config) upstreams() ([]*upstream, error) {
	if n := len(c.Upstreams); n == 0 || n > limits.GatewayUpstreams {
		return nil, fmt.Errorf("upstreams: %d, want 1 to %d", n, limits.GatewayUpstreams)
	}
	var l []*upstream
	var errs []error
	prefixes := map[string]bool{}
	for i, u := range c.Upstreams {
		up, err := u.open()
		if err == nil && prefixes[up.Prefix] {
			err = fmt.Errorf("prefix: %q is there twice", up.Prefix)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("upstreams/%d/%w", i, err))
			continue
		}
		prefixes[up.Prefix] = true
		l = append(l, up)
	}
	slices.SortStableFunc(l, func(a, b *upstream) int { return cmp.Compare(len(b.Prefix), len(a.Prefix)) })
	return l, errors.Join(errs...)
}

func (u Upstream) open() (*upstream, error) {
	if u.Prefix != "" && (u.Prefix[0] != '/' || strings.HasSuffix(u.Prefix, "/") || checkPath(u.Prefix) != nil) {
		return nil, fmt.Errorf(`prefix: %q, want "" or a slash and plain segments, such as /openai`, u.Prefix)
	}
	target, err := url.Parse(u.URL)
	switch {
	case err != nil || target.Scheme != "http" && target.Scheme != "https" || target.Hostname() == "":
		return nil, errors.New("url: want https://HOST or http://HOST, with a path where the API is not at the root")
	case target.User != nil || target.RawQuery != "" || target.ForceQuery || target.Fragment != "" || target.Opaque != "":
		return nil, errors.New("url: want neither a user nor a query nor a fragment")
	case target.Path != strings.TrimSuffix(target.Path, "/") && target.Path != "/", target.Path != "" && checkPath(target.EscapedPath()) != nil:
		return nil, errors.New("url: want a path of plain segments, without a slash at its end")
	}
	patience, err := u.patience()
	if err != nil {
		return nil, err
	}
	target.Path, target.RawPath = strings.TrimSuffix(target.Path, "/"), ""
	if what := misread(u.Provider); what != "" {
		return nil, fmt.Errorf("provider: %s", what)
	}
	u.Provider = cmp.Or(u.Provider, vendors[strings.ToLower(target.Hostname())], strings.ToLower(target.Hostname()))
	p := protocolOf(u.Provider)
	for _, version := range []string{"/v1", "/v1beta", "/v1alpha", "/v1beta1"} {
		if strings.HasSuffix(target.Path, version) {
			return nil, fmt.Errorf("url: ends in %s, which the paths of clients begin with: want it without", version)
		}
	}
	for _, endpoint := range []string{"/chat/completions", "/completions", "/responses", "/embeddings", "/messages"} {
		if strings.HasSuffix(target.Path, endpoint) {
			return nil, fmt.Errorf("url: ends in %s, which the paths of clients end in: want what stands before /v1", endpoint)
		}
	}
	if name, isAzure := strings.CutPrefix(u.Provider, "azure:"); isAzure && (name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "") {
		return nil, fmt.Errorf("provider: %q, want azure: and the name of the resource, in lower case", u.Provider)
	}
	return &upstream{u, target, p, patience}, nil
}
