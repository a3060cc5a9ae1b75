// Package idtoken gets the OpenID Connect identity token that keyless signing shows to a
// certificate authority (Fulcio), from wherever the program runs.
//
// A [Source] gives a [Token] for an audience, which for Fulcio is "sigstore". [Ambient]
// finds the sources that work unattended, [Browser] and [Device] sign a person in, [First]
// takes the first source that has an identity, and [Parse] reads a token that a user
// supplies:
//
//	sources := idtoken.Ambient(nil)
//	if atTerminal {
//		sources = append(sources, idtoken.Browser(idtoken.LoginOptions{}))
//	}
//	token, from, err := idtoken.First(ctx, "sigstore", sources...)
//
// # Where tokens come from
//
// Ambient looks for these, in this order, which is also the order of precedence:
//
//	SIGSTORE_ID_TOKEN                the token itself: GitLab CI (id_tokens), and all others
//	ACTIONS_ID_TOKEN_REQUEST_URL,    GitHub Actions: GET the URL with audience=, as
//	ACTIONS_ID_TOKEN_REQUEST_TOKEN   "Authorization: bearer"; the token is "value".
//	                                 A job has both with "permissions: id-token: write"
//	BUILDKITE_AGENT_ACCESS_TOKEN     Buildkite: POST jobs/$BUILDKITE_JOB_ID/oidc/tokens to
//	                                 BUILDKITE_AGENT_ENDPOINT, or https://agent.buildkite.com/v3
//	/var/run/sigstore/cosign/oidc-token
//	                                 a file with the token, as Kubernetes projects and
//	                                 spiffe-helper writes them
//	SPIFFE_ENDPOINT_SOCKET           the SPIFFE Workload API: unix:///path, a plain path, or
//	                                 tcp://127.0.0.1:port; unset, the socket
//	                                 /tmp/spire-agent/public/api.sock where there is one
//	GOOGLE_SERVICE_ACCOUNT_NAME,     Google's metadata server (Compute Engine, GKE, Cloud
//	GCE_METADATA_HOST,               Build, Cloud Run jobs), at GCE_METADATA_HOST or
//	CLOUD_RUN_JOB                    169.254.169.254. The first names a service account to
//	                                 impersonate. With none of them set, Linux's DMI product
//	                                 name, which is "Google Compute Engine" there, will do
//
// These are cosign's providers and variables, with four differences. An empty variable is an
// unset one. SPIFFE_ENDPOINT_SOCKET may be the URI that the SPIFFE standard wants, and not only a
// path. GOOGLE_SERVICE_ACCOUNT_NAME is never passed over for the machine's own account, and
// needs a metadata server: credentials in files are not read. And a source that fails is not
// skipped, because the next one would sign with another identity; only a source that reports
// that it has no identity for this program ([ErrNoIdentity]) is.
//
// The search reads the variables and looks at no more than three local files. It resolves no
// name and opens no connection before Source.Token is called, so it does not probe for the
// metadata server. On machines that have one and give none of the signs above (Cloud Run
// services, Compute Engine on Windows), set GCE_METADATA_HOST=169.254.169.254.
//
// # What is checked and what is sent
//
// Every token is read and checked before Source.Token returns it: three parts of strict
// base64url, JSON without duplicate names, not expired, already valid, and for the requested
// audience. Clocks may differ by a minute. The signature is not checked, because the authority
// checks it; hence [UnverifiedClaims]. Browser and Device also check the signature, as OpenID
// Connect requires of clients.
//
// No error contains a token or a secret with which one is requested. Requests go over https, or to this machine;
// only the metadata server is asked over http, as its platform defines. An answer must arrive within 10 seconds and
// fit in 64 KiB. A request is tried three times if the network fails or the server answers 429 or 5xx, and follows
// redirects only within one host. A web page is never accepted as an answer. Every wait ends with its context.
//
// Sources may be used by several goroutines at once.
package idtoken
