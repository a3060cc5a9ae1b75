//go:build !linux

package gate

// CheckLoader is for Linux: elsewhere no build is without a loader, or Go makes no other.
func CheckLoader() error { return nil }
