package capture

// The tests of this package read tables as well as requests.
func init() { prepare() }
