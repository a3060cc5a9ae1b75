package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/runattest/runattest/internal/cli"
)

// The rules for what is written: a key, a decision and what has a name by default replace nothing (mustNotExist); a file
// that the user names is replaced, unless the command reads it (notOver).

func mustNotExist(paths ...string) error {
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return cli.WithHint(fmt.Errorf("%s: %w", path, fs.ErrExist), "choose another name with -o; keys are never overwritten")
		}
	}
	return nil
}

// notOver keeps a result from being written over a file that the command reads.
func notOver(target string, inputs ...string) error {
	for _, input := range inputs {
		if isSameFile(target, input) {
			return fmt.Errorf("the result would overwrite %s, which is an input", input)
		}
	}
	return nil
}

// notOver is the rule for what is signed: it spares also what the signer's flags name, and the public key beside a key.
func (s *signerFlags) notOver(target string, inputs ...string) error {
	if err := notOver(target, append(s.files(), inputs...)...); err != nil {
		return err
	}
	for _, key := range []string{s.key, linked(s.key)} {
		for _, public := range []string{strings.TrimSuffix(key, filepath.Ext(key)) + ".pub", key + ".pub"} {
			if key != "" && isSameFile(target, public) {
				return fmt.Errorf("the result would overwrite %s, the public key beside %s", public, key)
			}
		}
	}
	return nil
}

// linked is where the links of a path lead.
func linked(path string) string {
	if there, err := filepath.EvalSymlinks(path); err == nil {
		return there
	}
	return path
}

// isSameFile says that two names, or links, lead to one file that is there. What is not there cannot be lost.
func isSameFile(target, other string) bool {
	if target == "" || target == cli.Stdout {
		return false
	}
	a, err := os.Stat(target)
	if err != nil {
		return false
	}
	b, err := os.Stat(other)
	return err == nil && os.SameFile(a, b)
}
