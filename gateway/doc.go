// Package gateway admits and forwards calls of model APIs: each has a signed identity, and a line in a journal, before it
// leaves.
//
// A Gateway is an http.Handler in front of configured upstreams. A client points its base URL at it and changes nothing else.
// For each call of an endpoint that computes it
//
//	reads the body, up to a cap
//	captures a declaration from it (package capture), which has the run's identity
//	asks the policy, where there is one (policy.Decide)
//	signs the run's Statement (package attest)
//	writes a line to the journal, and waits until it is on disk
//	forwards the client's own bytes, unchanged
//
// and streams the answer back. What it cannot do for a call it says in the API's own error format, and the call is not
// forwarded. docs/gateway.md has the table of refusals.
//
// # What a signature says
//
// That a client sent this request to this gateway, and that the policy admitted it. It does not say that the provider got the
// request, ran it, or ran what it was asked.
//
// # The shortest way
//
//	config := gateway.Config{Listen: "127.0.0.1:8787", Journal: "journal", Upstreams: []gateway.Upstream{{URL: "https://api.openai.com"}}}
//	g, err := gateway.New(gateway.Options{Config: config, Signer: key, OpenJournal: &journal.Options{Sign: sign}})
//	err = g.Run(ctx, nil)
//
// New checks all that can be checked before anything is made, Check what Run would meet besides, and Run opens the journal, serves,
// and closes the journal. A program with a listener or a journal of its own gives New the journal, and calls Serve.
package gateway
