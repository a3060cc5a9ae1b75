// Package idtoken gets the OpenID Connect identity token that keyless signing shows to a
// certificate authority (Fulcio), from wherever the program runs.
//
// A [Source] gives a [Token] for an audience, which for Fulcio is "sigstore". [Ambient]
// finds the sources that need nobody at the keyboard, [Browser] and [Device] sign a person
// in, [First] takes the first that has an identity, and [Parse] reads a token that somebody
// gave by hand:
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
// passed over, since the next would sign as somebody else; only one that says that it has no
// identity for this program ([ErrNoIdentity]) is.
//
// Looking costs the variables, at most three looks at local files, and nothing else: no
// name is resolved and no connection made before Source.Token is called. So the metadata
// server is not probed for. Where it is there and nothing above says so (Cloud Run services,
// Compute Engine on Windows), set GCE_METADATA_HOST=169.254.169.254.
//
// # What is sent, and what is not
//
// Every token is read and checked before Source.Token returns it: three parts of strict
// base64url, JSON without duplicate names, not expired, already valid, and for the audience
// that was asked for. Clocks may differ by a minute. Its signature is not checked, and need not be,
// since the authority does that; hence [UnverifiedClaims]. Browser and Device check the signature
// as well, as OpenID Connect has clients do.
//
// Tokens and the secrets that buy them appear in no error. Requests go over https, or to this machine; the
// metadata server alone is met over http, which its platform defines. A request is
// answered in 10 seconds and 64 KiB, is tried three times when the network fails or the server
// says 429 or 5xx, and follows redirects within one host only. A web page is never taken
// for an answer. Whatever waits ends with its context.
//
// Sources may be used by several goroutines at once.
package idtoken
