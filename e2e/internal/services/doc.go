// Package services runs the servers that keyless signing needs, on the loopback interface and on free ports.
//
// Four of them are the real ones, each a process of its own:
//
//   - [Fulcio] v1.8.8, the certificate authority, with a root that is made anew at each start
//   - [Rekor] v2.3.0 (rekor-tiles), the transparency log
//   - [Timestamper], the timestamp authority v2.1.3, of which there may be several
//
// Two are the tests' own, since the real ones are out of reach: an [Issuer] of OpenID Connect tokens,
// which issues a token with any claims it is asked for, and a [CTLog], which signs what RFC 6962 says a log signs and
// keeps no tree. [Faulty] is a proxy in front of any of them that misbehaves.
//
// [Place.Start] starts one of each:
//
//	s, err := services.Place{Bin: "bin", Dir: dir}.Start(ctx)
//	...
//	defer s.Stop()
//	token, err := s.Issuer.Mint(services.Token{Email: "ada@example.com"})
//	err = s.WriteFiles(dir) // trusted_root.json, signing_config.json
//
// Each server dies with the process that started it. Fulcio has its metrics on all interfaces, as it
// offers nothing else; all that the tests talk to is bound to 127.0.0.1.
package services
