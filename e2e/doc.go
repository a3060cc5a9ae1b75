// Package e2e holds runattest to a peer that it did not write: the real cosign signs what
// runattest declares, and verifies what runattest signs.
//
// There is nothing to import. The tests run binaries and read files, as people do, with the
// standard library alone: a mistake that runattest's own packages share with its own tests
// does not get past a program that shares no code with these.
//
// Each test works in a folder of its own, with a home directory that has to stay empty and
// proxies that nobody answers, so that whatever would fetch something fails.
package e2e
