// Package e2e holds runattest to peers that it did not write: the real cosign signs what
// runattest declares, and verifies what runattest signs; a real Fulcio, Rekor and timestamp authority
// (internal/services) give both of them certificates and witnesses, on this machine alone.
//
// There is nothing to import. The tests run binaries and read files, as people do, with the
// standard library alone: a mistake that runattest's own packages share with its own tests
// does not get past a program that shares no code with these.
//
// Each test works in a folder of its own, with a home directory that must stay empty and proxies that are
// unreachable: an attempt to fetch something from beyond this machine fails.
package e2e
