package gateway

import (
	"errors"
	"fmt"
	"os"

	"github.com/runattest/runattest/policy"
)

// Reload has the gateway decide by what read gives, each time that a signal comes, until the channel is closed. A policy that cannot
// be read, or not be used, leaves the one before in force, and so does nil, where there is no policy.
func (g *Gateway) Reload(signals <-chan os.Signal, read func() (*policy.Policy, error)) error {
	switch {
	case g == nil || g.issuer == nil:
		return errZero
	case signals == nil || read == nil:
		return errors.New("gateway: nothing to read the policy by: it is nil")
	}
	for range signals {
		p, err := read()
		if err == nil && p != nil {
			err = g.SetPolicy(p)
		}
		if err != nil {
			g.log.Error("the policy was not read again; the one before is in force", "error", err)
		} else if p != nil {
			g.log.Info("the policy was read again", "policy", fmt.Sprintf("%x", p.Digest()))
		}
	}
	return nil
}
