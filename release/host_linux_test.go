package main

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// otherHost gives the host another name for the rest of the test, and for the programs that the test starts: in a UTS
// namespace of the test's thread, which ends with the test.
func otherHost(t *testing.T) {
	t.Helper()
	const name = "another-host"
	runtime.LockOSThread()
	if err := syscall.Unshare(syscall.CLONE_NEWUTS); err != nil {
		t.Logf("the host keeps its name, since a name of one's own takes root: %v", err)
		return
	}
	if err := syscall.Sethostname([]byte(name)); err != nil {
		t.Logf("the host keeps its name: %v", err)
		return
	}
	here, err := os.Hostname()
	there, failed := exec.Command("uname", "-n").Output()
	if here != name || string(there) != name+"\n" {
		t.Fatalf("the host is %q, %v, and to a program %q, %v", here, err, there, failed)
	}
}
