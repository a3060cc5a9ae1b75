package sigstore

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode"

	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"golang.org/x/net/idna"

	"github.com/runattest/runattest/internal/lazyregexp"
	"github.com/runattest/runattest/internal/visible"
)

// groups are numbers some of which belong together: each refers to a smaller one of its group, the smallest to itself.
type groups []int

func (g groups) find(i int) int {
	for g[i] != i {
		i = g[i]
	}
	return i
}

func (g groups) join(i, j int) {
	i, j = g.find(i), g.find(j)
	g[max(i, j)] = min(i, j)
}

// count is how many groups there are.
func (g groups) count() int {
	n := 0
	for i := range g {
		if g[i] == i {
			n++
		}
	}
	return n
}

// groupByID joins what has an ID in common.
func groupByID(ids [][]string) groups {
	all, seen := make(groups, len(ids)), map[string]int{}
	for i := range ids {
		all[i] = i
		for _, id := range ids[i] {
			if other, ok := seen[id]; ok {
				all.join(other, i)
			}
			seen[id] = i
		}
	}
	return all
}

// operatorForm is the one spelling of an operator that is read: a URI without a scheme (sigstore_trustroot.proto) whose letters are
// in lower case. What DNS and URLs take for the same, such as a final dot or slash, would count as another operator.
var operatorForm = lazyregexp.New(`^[a-z0-9_~-]+(\.[a-z0-9_~-]+)*(/[a-z0-9_~-]+(\.[a-z0-9_~-]+)*)*$`)

// checkOperator refuses an operator that could be another spelling of one. An entry need not name its operator.
func checkOperator(operator string) error {
	if operator == "" || operatorForm.MatchString(operator) {
		return nil
	}
	wrong := "is malformed"
	switch {
	case strings.ContainsFunc(operator, unicode.IsSpace):
		wrong = "has white space"
	case strings.Contains(operator, ":"):
		wrong = "has a scheme or a port"
	case strings.ContainsFunc(operator, unicode.IsUpper):
		wrong = "has an upper-case letter"
	case strings.HasSuffix(operator, "/"):
		wrong = "ends with a slash"
	}
	return fmt.Errorf("operator %q %s: want a URI without a scheme, in lower case, such as acme.example", visible.Cut(operator), wrong)
}

// partyIDs are the name and the operator of an entry of a trusted root. Proofs by services of one operator count as one
// (sigstore_trustroot.proto): an operator could make up both.
func partyIDs(name, operator string) []string {
	ids := []string{"name " + place(name)}
	if operator != "" {
		ids = append(ids, "operator "+operator)
	}
	return ids
}

// place is the name of a service, a URL in most cases, without what spells the same place in another way: the scheme, its port,
// letters in upper case, escapes, the two forms of an international name and those of an address, a final dot of the host, empty
// segments and dots in the path. A service that got a new key often has two spellings.
func place(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, scheme := range []string{"http:", "https:"} { // behind which browsers take any slashes, or none
		if rest, ok := strings.CutPrefix(name, scheme); ok {
			name = "//" + strings.ReplaceAll(rest, `\`, "/")
		}
	}
	_, rest, isURL := strings.Cut(name, "//")
	if !isURL {
		rest = name
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	authority, segments, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	if authority == "" || !isURL && strings.ContainsAny(name, "=, ") { // the name in a certificate
		return strings.TrimRight(name, "/")
	}
	u := url.URL{Host: unescaped(authority[strings.LastIndex(authority, "@")+1:])}
	host := hostForm(u.Hostname())
	if port := strings.TrimLeft(u.Port(), "0"); port != "" && port != "80" && port != "443" {
		host = net.JoinHostPort(host, port)
	}
	return host + strings.TrimRight(path.Clean("/"+unescaped(segments)), "/")
}

func unescaped(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		return strings.ToLower(plain)
	}
	return part
}

// hostForm is the one form of a host: of an address, or of a name in ASCII.
func hostForm(host string) string {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String()
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	host = strings.TrimSuffix(host, ".")
	if addr, ok := numericAddr(host); ok {
		return addr.String()
	}
	return host
}

var numericPart = lazyregexp.New(`^(0x[0-9a-f]+|[0-9]+)$`)

// numericAddr is an IPv4 address in one of the forms that inet_aton reads: 127.1, 0x7f.0.0.1, 2130706433.
func numericAddr(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	var sum uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		isLast := i == len(parts)-1
		if i > 3 || err != nil || !numericPart.MatchString(part) || !isLast && n > 255 || isLast && n >= 1<<(8*(4-i)) {
			return netip.Addr{}, false
		}
		if isLast {
			sum += n
		} else {
			sum += n << (8 * (3 - i))
		}
	}
	return netip.AddrFrom4([4]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}), true // #nosec G115 -- each is a byte
}

// parties says for the name of each service by which name it counts.
type parties map[string]string

// different counts the services of these names. A name that is not known is one of its own.
func (p parties) different(names iter.Seq[string]) int {
	counted := map[string]bool{}
	for name := range names {
		counted[cmp.Or(p[name], name)] = true
	}
	return len(counted)
}

// count is how many of all services count.
func (p parties) count() int { return p.different(maps.Keys(p)) }

// groupLogs finds the logs that count as one: those of one URL are one log that got a new key, and those of one operator are
// not independent of each other.
func groupLogs(logs map[string]*root.TransparencyLog, specs []*prototrustroot.TransparencyLogInstance) parties {
	names, ids := make([]string, len(specs)), make([][]string, len(specs))
	for i, spec := range specs {
		names[i] = logName(logs[hex.EncodeToString(spec.GetLogId().GetKeyId())])
		ids[i] = partyIDs(names[i], spec.GetOperator())
	}
	counted, all := parties{}, groupByID(ids)
	for i, name := range names {
		counted[name] = names[all.find(i)]
	}
	return counted
}

// withoutOperators is the trusted root as one in which no entry names its operator: with it, each
// service counts by itself.
func (r *TrustedRoot) withoutOperators() *TrustedRoot {
	apart := *r
	apart.stampers, apart.logs = r.names, parties{}
	for name := range r.logs {
		apart.logs[name] = name
	}
	return &apart
}
