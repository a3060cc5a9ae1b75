// Package gate stands between a run that has been verified and the process that executes it:
// it holds the files that the declaration names against their digests, and hands the process
// the declaration. It decides nothing about signers and policies; packages attest and policy do.
//
// # Digests of files and folders
//
// The digest of a file is that of its bytes. The digest of a folder is that of its listing,
// which has one line for each file below it, sorted by path as bytes:
//
//	<SHA-256 of the file, 64 lower-case hex digits>  <path from the folder, with slashes>\n
//
// so that standard tools compute it too (paths with line breaks are refused):
//
//	cd FOLDER && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
//
// Symbolic links, devices and other special files are refused in a folder; empty
// folders, modes and times do not count. A file with a folder's listing in it has the folder's digest.
// A folder of links, such as a snapshot in Hugging Face's cache, is hashed as a copy in which files stand in
// place of the links:
//
//	cp -RL SNAPSHOT COPY
//
// # What is not guaranteed
//
// A file can change after it has been hashed and before the process reads it, by whoever may
// write to it or to a folder above it, and a symbolic link at the path can come to lead elsewhere. Let
// the process read what nobody else may write: a read-only mount, a snapshot, an image by digest. The
// descriptors that were hashed are not handed on: they would keep another file from taking the
// name, and not keep anybody from writing into the file.
package gate
