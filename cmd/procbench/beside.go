//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// alternating is how often each command is run of those that take turns.
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
		took, err := inTurn(dir, append([]string{builds[0]}, args...), append([]string{builds[1]}, args...))
		if err != nil {
			return err
		}
		was, is := took[0], took[1]
		fmt.Printf("%-8s %6.1f ms beside %6.1f ms: %.3f times (least %.1f and %.1f)\n", args[0], ms(is.median), ms(was.median),
			is.median.Seconds()/was.median.Seconds(), ms(is.least), ms(was.least))
	}
	return nil
}

// inTurn runs commands in turn, so that all meet the same machine, in another order each time: a start costs more after a large
// process than after a small one.
func inTurn(dir string, commands ...[]string) ([]times, error) {
	walls := make([][]time.Duration, len(commands))
	for round := range alternating + 1 {
		for _, which := range rand.Perm(len(commands)) {
			s, err := once(dir, commands[which][0], commands[which][1:]...)
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first warms the caches
				walls[which] = append(walls[which], s.wall)
			}
		}
	}
	var took []times
	for _, w := range walls {
		slices.Sort(w)
		took = append(took, times{w[0], w[alternating/2]})
	}
	return took, nil
}
