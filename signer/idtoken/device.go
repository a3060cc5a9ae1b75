package idtoken

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"
)

// Device signs a person in with a browser on another machine: it prints a page and a code to
// enter there, and asks the issuer until the person has done so (RFC 8628, with PKCE). It waits for at most five
// minutes, or until the code expires or ctx ends.
func Device(o LoginOptions) Source { return o.source("device code", (*login).withDevice) }

func (l *login) withDevice() (*oauth2.Token, error) {
	if l.config.Endpoint.DeviceAuthURL == "" {
		return nil, fmt.Errorf("%s: has no device_authorization_endpoint; sign in with a browser", l.Issuer)
	}
	answer, err := l.config.DeviceAuth(l.ctx, oauth2.S256ChallengeOption(l.pkce))
	if err != nil {
		return nil, err
	}
	if err := checkDevice(answer); err != nil {
		return nil, fmt.Errorf("%s: the answer: %w", l.Issuer, err)
	}
	if complete := answer.VerificationURIComplete; complete != "" && checkPage(complete) == nil {
		fmt.Fprintf(l.Out, "to sign in, open this page on any machine:\n%s\nand see that it shows the code %s\n", complete, answer.UserCode)
	} else {
		fmt.Fprintf(l.Out, "to sign in, open this page on any machine:\n%s\nand enter the code %s\n", answer.VerificationURI, answer.UserCode)
	}
	return l.config.DeviceAccessToken(l.ctx, answer, oauth2.VerifierOption(l.pkce))
}

// checkDevice checks the texts that will be printed, and the interval of the ticker.
func checkDevice(answer *oauth2.DeviceAuthResponse) error {
	const most = time.Minute / time.Second
	switch {
	case answer.DeviceCode == "":
		return errors.New("device_code: missing")
	case answer.UserCode == "" || !isPrintable(answer.UserCode):
		return errors.New("user_code: want printable characters")
	case answer.Interval < 0 || answer.Interval > int64(most):
		return fmt.Errorf("interval: %d, want 0 to %d seconds", answer.Interval, most)
	}
	if err := checkPage(answer.VerificationURI); err != nil {
		return fmt.Errorf("verification_uri: %w", err)
	}
	return nil
}
