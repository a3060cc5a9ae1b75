package remote

import "github.com/runattest/runattest/attest/evidence"

// The hints of errors that name a setting of Options, or something which the program's user can give.
const (
	HintTimeout        evidence.Hint = "a longer timeout gives it more time"
	HintBusy           evidence.Hint = "it is too busy: try again later, or with a longer timeout"
	HintBusyAnonymous  evidence.Hint = "try again later, or with a longer timeout; many registries allow more once you are logged in"
	HintHasTLS         evidence.Hint = "it was asked in plain HTTP, and has TLS: do not allow plain HTTP"
	HintLocalTLS       evidence.Hint = "it was asked in plain HTTP, as registries on this machine are; with its certificate authority it is asked in HTTPS"
	HintRedirectedHTTP evidence.Hint = "plain HTTP is to be allowed for it"
	HintAuthority      evidence.Hint = "give the certificate authority of a private registry"
	HintNoTLS          evidence.Hint = "plain HTTP is to be allowed for a registry that has no TLS"
	HintMaybeUnlisted  evidence.Hint = "what is attached may not be listed: attach it again, or with a longer timeout"
	HintNotListedYet   evidence.Hint = "what is attached is not listed yet: attach it again then, or with a longer timeout"
)
