// Package files reads declarations, bundles and run sets from the files in which people and programs keep them, or from
// standard input, whose name is "-": JSON or YAML, one or several as JSON Lines. A file of another kind that is given in
// their place is recognized, and the error says what it is.
//
// [OneBundle] and [OneDeclaration] read a file that must hold one. [Bundles] gives all bundles of a file, and the proof of
// each run if the file is a run set. Nothing that this package reads is verified.
package files
