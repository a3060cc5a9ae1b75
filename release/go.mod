module github.com/runattest/runattest/release

go 1.26.0

require (
	github.com/runattest/runattest v0.0.0-00010101000000-000000000000
	golang.org/x/mod v0.41.0
)

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/secure-systems-lab/go-securesystemslib v0.11.1 // indirect
	github.com/sigstore/sigstore v1.10.11 // indirect
	github.com/transparency-dev/merkle v0.0.2 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/crypto v0.57.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/runattest/runattest => ../
