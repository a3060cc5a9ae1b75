//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// alternating is how often each of two builds is run.
const alternating = 101

// measureBeside runs two builds of the program in turn, so that both meet the same machine, and prints the ratios of their medians.
func measureBeside(other, binary string) error {
	builds := [2]string{other, binary}
	for i, name := range builds {
		var err error
		if builds[i], err = filepath.Abs(name); err != nil {
			return err
		}
	}
	dir, _, err := prepare()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	for _, args := range [][]string{
		{"keygen", "--no-password"},
		{"sign", "--key", "runattest.key", "--annotation", "ticket=ML-1234", "--annotation", "team=search", "--bundle", "annotated.sigstore.json", "run.json"},
	} {
		if _, err := once(dir, builds[0], args...); err != nil {
			return err
		}
	}
	fmt.Printf("medians of %d runs of each, in turn\n", alternating)
	for _, args := range [][]string{
		{"sign", "--key", "runattest.key", "run.json"},
		{"verify", "--key", "runattest.pub", "annotated.sigstore.json"},
		{"exec", "--bundle", "annotated.sigstore.json", "--policy", "policy.yaml", "--", "true"},
		{"id", "run.json"},
	} {
		var walls [2][]time.Duration
		for n := range 2 * (alternating + 1) {
			which := (n + n/2) % 2 // each is first in every other pair
			s, err := once(dir, builds[which], args...)
			if err != nil {
				return err
			}
			if n > 1 { // the first warm the caches
				walls[which] = append(walls[which], s.wall)
			}
		}
		slices.Sort(walls[0])
		slices.Sort(walls[1])
		was, is := walls[0][alternating/2], walls[1][alternating/2]
		fmt.Printf("%-8s %6.1f ms beside %6.1f ms: %.3f times (least %.1f and %.1f)\n", args[0], ms(is), ms(was), is.Seconds()/was.Seconds(), ms(walls[1][0]), ms(walls[0][0]))
	}
	return nil
}
