package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	slurmTimeout = time.Minute // to start, and to do one thing
	jobTimeout   = time.Minute
)

// cluster is a Slurm of one node on the loopback interface, whose jobs pass our prolog.
type cluster struct{ *desk }

// startSlurm is skipped where there is no Slurm.
func startSlurm(t *testing.T) *cluster {
	t.Helper()
	for _, program := range []string{"munged", "slurmctld", "slurmd", "sbatch"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s, so that no job is submitted: .ci/install-recipes installs it", program)
		}
	}
	c := &cluster{desk: newDesk(t)}
	for _, dir := range []string{"state", "node", "munge", "spool", "log", "etc", "bin"} {
		if err := os.Mkdir(c.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(runattestPath, c.path("bin/runattest")); err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, "PATH="+c.path("bin")+":"+os.Getenv("PATH"), "SLURM_CONF="+c.path("slurm.conf"))
	c.program("bin/python3", "#!/bin/sh\necho \"$AIRUN_IDENTITY\" >"+c.path("started")+"\nrm -r \"$(dirname \"$AIRUN_DECLARATION\")\"\n")
	c.program("prolog.sh", c.move(readRecipe(t, "slurm/prolog-slurmctld.sh")))
	c.makeKey("ci", "ecdsa-p256", "--no-password")
	c.write("etc/ci.pub", c.read("ci.pub"))
	c.write("etc/policy.yaml", []byte(budgetPolicy))
	c.write("munge/key", bytes.Repeat([]byte("recipes "), 128))
	c.write("slurm.conf", c.conf())

	c.daemon("munged", "--foreground", "--force", "--key-file="+c.path("munge/key"), "--socket="+c.path("munge/socket"),
		"--pid-file="+c.path("munge/pid"), "--log-file="+c.path("log/munged"), "--seed-file="+c.path("munge/seed"))
	c.until("munged", func() bool { _, err := os.Stat(c.path("munge/socket")); return err == nil })
	c.daemon("slurmctld", "-D", "-c")
	c.until("slurmctld", func() bool { return c.slurm("scontrol", "ping").code == 0 })
	c.daemon("slurmd", "-D")
	c.until("slurmd", func() bool { return string(c.slurm("sinfo", "-h", "-o", "%T").stdout) == "idle\n" })
	return c
}

const budgetPolicy = `schema: https://github.com/runattest/runattest/policy/v1
name: acme
signers: {keys: [{name: ci, key: ci.pub}]}
rules:
  - name: budget
    expr: declaration.constraints.budget <= 100
    message: budget is {{declaration.constraints.budget}}, want 100 at most
`

// move gives a recipe the paths of this cluster.
func (c *cluster) move(text string) string {
	return strings.NewReplacer(
		"/usr/local/bin/runattest", c.path("bin/runattest"), "PATH=/usr/local/bin", "PATH="+c.path("bin"),
		"/etc/slurm/slurm.conf", c.path("slurm.conf"), "=/var/log/airun", "="+c.path("log"),
		"=/var/spool/airun", "="+c.path("spool"), "=/etc/airun", "="+c.path("etc"), " /etc/airun", " "+c.path("etc"),
	).Replace(text)
}

func (c *cluster) conf() []byte {
	c.t.Helper()
	me, err := user.Current()
	if err != nil {
		c.t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		c.t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	return fmt.Appendf(nil, `ClusterName=recipes
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=%d
SlurmdPort=%d
SlurmUser=%s
SlurmdUser=%[3]s
AuthType=auth/munge
AuthInfo=socket=%[4]s/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
StateSaveLocation=%[4]s/state
SlurmdSpoolDir=%[4]s/node
SlurmctldPidFile=%[4]s/state/pid
SlurmdPidFile=%[4]s/node/pid
SlurmctldLogFile=%[4]s/log/slurmctld
SlurmdLogFile=%[4]s/log/slurmd
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=1,bf_interval=1
PrologSlurmctld=%[4]s/prolog.sh
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname=%[5]s CPUs=1 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
`, freePort(c.t), freePort(c.t), me.Username, c.dir, host)
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (c *cluster) program(name, text string) {
	c.t.Helper()
	c.write(name, []byte(text))
	if err := os.Chmod(c.path(name), 0o755); err != nil {
		c.t.Fatal(err)
	}
}

// daemon starts a server that ends with the test.
func (c *cluster) daemon(name string, args ...string) {
	c.t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		err := cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(slurmTimeout, func() { cmd.Process.Kill() })
		err = errors.Join(err, cmd.Wait())
		late.Stop()
		if c.t.Failed() {
			c.t.Logf("%s: %v\n%s", name, err, &out)
		}
	})
}

func (c *cluster) until(name string, ready func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(slurmTimeout)
	for !ready() {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s is not ready after %s", name, slurmTimeout)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// slurm runs a program of the path.
func (c *cluster) slurm(name string, args ...string) outcome {
	c.t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.run(program, args)
}
