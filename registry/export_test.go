package registry

// IsPlain says that a registry is asked in plain HTTP where nothing else is wanted.
func IsPlain(r Reference) bool { return r.isPlain(Options{}) }
