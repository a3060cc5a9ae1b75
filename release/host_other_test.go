//go:build !linux

package main

import "testing"

func otherHost(t *testing.T) {
	t.Log("the host keeps its name, since only Linux gives a test one of its own")
}
