// Package cli is what a command line takes besides what its commands do: pages of help.
package cli
