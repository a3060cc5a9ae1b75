package idtoken

import "time"

// What a token, and a server that gives one, may cost.
const (
	maxToken  = 64 << 10 // bytes, as the compact serialisation has them
	maxAnswer = 64 << 10 // bytes of one answer's body, decompressed
	maxDepth  = 16       // of the JSON in either
	maxValues = 10_000   // members and elements of the JSON in either
	maxShown  = 300      // bytes that an error quotes

	clockSkew    = time.Minute     // by which two clocks may differ
	loginTimeout = 5 * time.Minute // for a person to sign in
	maxWait      = 5 * time.Second // that a server may ask for before the next attempt
	maxRedirects = 3
)

// patience is how long a server has to answer, and how often it is asked.
type patience struct {
	attempt time.Duration
	waits   []time.Duration // between attempts, one more than which there are
}

var defaultPatience = patience{
	attempt: 10 * time.Second,
	waits:   []time.Duration{250 * time.Millisecond, time.Second},
}
