module github.com/runattest/runattest/canonical/bench

go 1.26.0

require github.com/runattest/runattest v0.0.0

require (
	github.com/cyberphone/json-canonicalization v0.0.0-20241213102144-19d51d7fe467 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/gowebpki/jcs v1.0.2 // indirect
)

replace github.com/runattest/runattest => ../..
