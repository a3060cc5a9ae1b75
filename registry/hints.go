package registry

import "github.com/runattest/runattest/registry/internal/remote"

// The hints of an Error that name a setting of Options, or something which the program's user can give.
const (
	HintTimeout        = remote.HintTimeout
	HintBusy           = remote.HintBusy
	HintBusyAnonymous  = remote.HintBusyAnonymous
	HintHasTLS         = remote.HintHasTLS
	HintLocalTLS       = remote.HintLocalTLS
	HintRedirectedHTTP = remote.HintRedirectedHTTP
	HintAuthority      = remote.HintAuthority
	HintNoTLS          = remote.HintNoTLS
	HintMaybeUnlisted  = remote.HintMaybeUnlisted
	HintNotListedYet   = remote.HintNotListedYet
)
