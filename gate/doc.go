// Package gate stands between a run that has been verified and the process that executes it:
// it holds the files that the declaration names against their digests, and hands the process
// the declaration. It decides nothing about signers and policies; packages attest and policy do.
//
// # What is not guaranteed
//
// A file can change after it has been hashed and before the process reads it, by whoever may
// write to it or to a folder above it, and a symbolic link at the path can come to lead elsewhere. Let
// the process read what nobody else may write: a read-only mount, a snapshot, an image by digest. The
// descriptors that were hashed are not handed on: they would keep another file from taking the
// name, and not keep anybody from writing into the file.
package gate
