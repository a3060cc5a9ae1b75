// Package cli is what a command line takes besides what its commands do: pages of help as text files, arguments that are
// counted, flags that are given once, suggestions for what is misspelt or another program's, and the two ways in which results are printed,
// text for people and one JSON object a line. It knows the names of no command and no flag.
package cli
