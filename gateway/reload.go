package gateway

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/runattest/runattest/policy"
)

// Reload has the gateway decide by what read gives, each time that a signal comes, until the channel is closed. A policy that cannot
// be read, or not be used, leaves the one before in force, and so does nil, where there is no policy. A read that takes longer than
// 10 seconds, of a pipe or a file system that hangs, is logged, and does not hold up the next one; if another signal comes before
// its answer, the answer does not count.
func (g *Gateway) Reload(signals <-chan os.Signal, read func() (*policy.Policy, error)) error {
	switch {
	case g == nil || g.issuer == nil:
		return errZero
	case signals == nil || read == nil:
		return errors.New("gateway: nothing to read the policy by: it is nil")
	}
	var late <-chan reading // of a read that has not answered
	for {
		select {
		case _, open := <-signals:
			if !open {
				return nil
			}
			asked := ask(read)
			late = nil
			select {
			case r := <-asked:
				g.reread(r)
			case <-time.After(g.patience):
				late = asked
				g.log.Error("the policy is still being read; the one before is in force until then", "seconds", g.patience.Seconds())
			}
		case r := <-late:
			late = nil
			g.reread(r)
		}
	}
}

// A reading is what a read of the policy gave.
type reading struct {
	policy *policy.Policy
	err    error
}

func ask(read func() (*policy.Policy, error)) <-chan reading {
	answer := make(chan reading, 1)
	go func() {
		p, err := read()
		answer <- reading{p, err}
	}()
	return answer
}

// reread puts a policy in force.
func (g *Gateway) reread(r reading) {
	p, err := r.policy, r.err
	if err == nil && p != nil {
		err = g.SetPolicy(p)
	}
	if err != nil {
		g.log.Error("the policy was not read again; the one before is in force", "error", err)
	} else if p != nil {
		g.log.Info("the policy was read again", "policy", fmt.Sprintf("%x", p.Digest()))
	}
}
