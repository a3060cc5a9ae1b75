// Package filedigest computes the digests of files and folders, and holds them against those that a
// declaration has.
//
// The digest of a file is that of its bytes. The digest of a folder is that of its listing,
// which has one line for each file below it, sorted by path as bytes:
//
//	<SHA-256 of the file, 64 lower-case hex digits>  <path from the folder, with slashes>\n
//
// so that standard tools compute it too (paths with line breaks are refused):
//
//	cd FOLDER && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum -- | sha256sum
//
// Symbolic links, devices and other special files are refused in a folder; empty
// folders, modes and times do not count. A file with a folder's listing in it has the folder's digest.
// A folder of links, such as a snapshot in Hugging Face's cache, is hashed as a copy in which files stand in
// place of the links:
//
//	cp -RL SNAPSHOT COPY
package filedigest
