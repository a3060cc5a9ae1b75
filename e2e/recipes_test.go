package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/tools"
)

// The recipes of examples/exec in the hands of the programs that they are for. Their command lines are run in
// examples/exec/recipes_test.go.
const recipesDir = "../examples/exec"

func readRecipe(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(recipesDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Kubernetes' own admission plugin lets our Job in, and nothing that goes around the gate.
func TestRecipesKubernetes(t *testing.T) {
	program, err := tools.Build(t.Context(), bin, "manifests", "manifests", ".")
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	d.write("admission.yaml", []byte(readRecipe(t, "kubernetes/admission.yaml")))
	job := readRecipe(t, "kubernetes/job.yaml")
	const (
		commands, initial = "every container: want the command /gate/runattest exec --policy", "want one init container: the image"
		mounts, volumes   = "want each mounted once, read-only", "volumes: want gate as an emptyDir"
		nested            = "no volume is mounted into another"
		unseen            = "execute commands that no gate has seen"
		rest              = "            - {name: tmp, mountPath: /tmp}\n"
	)
	for _, c := range []struct{ name, old, new, reason string }{
		{"as it is", "", "", ""},
		{"another namespace", "namespace: training", "namespace: elsewhere\n  labels: {a: b}", ""},
		{"other work", "args: [python3, train.py]", "args: [sh, -c, 'echo hello']", ""},
		{"no gate", "          command:\n            - /gate/runattest\n            - exec\n            - --policy\n            - /etc/airun/policy/policy.yaml\n            - --bundle\n            - /etc/airun/run/run.sigstore.json\n            - --\n", "", commands},
		{"no work", "          args: [python3, train.py]\n", "", commands},
		{"dry run", "            - exec\n", "            - exec\n            - --dry-run\n", commands},
		{"a second policy", "            - --\n", "            - --policy=/tmp/p.yaml\n            - --\n", commands},
		{"own policy", "policy/policy.yaml", "run/policy.yaml", commands},
		{"another gate", "- /gate/runattest\n", "- /tmp/runattest\n", commands},
		{"a second container", "      containers:\n", "      containers:\n        - {name: b, image: x, command: [sh]}\n", commands},
		{"gate's image", "runattest@sha256:00", "runattest@sha256:01", initial},
		{"gate's copy", "[/bin/cp, /runattest, /gate/runattest]", "[/bin/cp, /bin/true, /gate/runattest]", initial},
		{"a second init container", "      initContainers:\n", "      initContainers:\n        - {name: b, image: x, command: [sh]}\n", initial},
		{"gate writable", "mountPath: /gate, readOnly: true", "mountPath: /gate", mounts},
		{"gate twice", rest, rest + "            - {name: gate, mountPath: /tmp/gate}\n", mounts},
		{"over the gate", rest, rest + "            - {name: tmp, mountPath: /gate/runattest, subPath: x}\n", mounts},
		{"over the policy", rest, rest + "            - {name: run, mountPath: /tmp/../etc/airun/policy/policy.yaml, subPath: x}\n", mounts},
		{"over everything", rest, rest + "            - {name: tmp, mountPath: /etc}\n", mounts},
		{"twice at the gate", rest, rest + "            - {name: tmp, mountPath: /gate}\n", mounts},
		{"through a volume's link", rest, rest + "            - {name: run, mountPath: /tmp/link}\n", nested},
		{"through a volume's link, by another name", rest, strings.Replace(rest, "/tmp", "/tmp/", 1) + "            - {name: run, mountPath: /tmp/link}\n", nested},
		{"through an image's link", "registry.example.com/train@", "elsewhere.example.com/train@", "images: want those of registry.example.com/"},
		{"policy from the run", "{name: policy, mountPath", "{name: run, mountPath", mounts},
		{"policy in part", "mountPath: /etc/airun/policy,", "mountPath: /etc/airun/policy, subPath: mine,", mounts},
		{"policy by the author", "configMap: {name: airun-policy}", "configMap: {name: run-7f3a}", volumes},
		{"policy's names", "configMap: {name: airun-policy}", "configMap: {name: airun-policy, items: [{key: a, path: policy.yaml}]}", volumes},
		{"gate of the host", "{name: gate, emptyDir: {}}", "{name: gate, hostPath: {path: /tmp}}", volumes},
		{"the host", "        - {name: tmp, emptyDir: {}}", "        - {name: tmp, hostPath: {path: /var/lib/kubelet}}", volumes},
		{"hook", "          securityContext: *locked\n", "          lifecycle: {postStart: {exec: {command: [sh]}}}\n", unseen},
		{"probe", "          securityContext: *locked\n", "          livenessProbe: {exec: {command: [sh]}}\n", unseen},
		{"debugged", "      containers:\n", "      ephemeralContainers:\n        - {name: b, image: x, command: [sh]}\n      containers:\n", unseen},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			if c.old != "" && strings.Count(job, c.old) != 1 {
				t.Fatalf("%q is %d times in the job, want once", c.old, strings.Count(job, c.old))
			}
			d.write("job.yaml", []byte(strings.Replace(job, c.old, c.new, 1)))
			answer := string(d.run(program, []string{"admission.yaml", "job.yaml"}).ok())
			if c.reason == "" && answer != "job.yaml: Job/run-7f3a: allowed\n" || !strings.Contains(answer, c.reason) {
				t.Errorf("%s; want %q", answer, c.reason)
			}
		})
	}
	d.write("job.yaml", []byte(strings.Replace(job, "backoffLimit", "backOffLimit", 1)))
	d.run(program, []string{"admission.yaml", "job.yaml"}).refused(`unknown field "spec.backOffLimit"`)
}

// systemd reads the unit, and finds little that it could still do to the system.
func TestRecipesSystemd(t *testing.T) {
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze to check the unit: .ci/install-recipes installs it")
	}
	d := newDesk(t)
	unit := strings.NewReplacer("/usr/local/bin/runattest", runattestPath, "/srv/airun/%i/train", "/bin/true").Replace(readRecipe(t, "systemd/airun@.service"))
	check := func(text string, args ...string) outcome {
		d.write("airun@.service", []byte(text))
		return d.run(program, append(args, d.path("airun@run.service")))
	}
	if o := check(unit, "verify"); len(o.ok())+len(o.stderr) > 0 {
		t.Errorf("%s%s", o.stdout, o.stderr)
	}
	if o := check(strings.Replace(unit, "Type=exec", "Type=exact", 1), "verify"); o.code == 0 && o.stderr == "" {
		t.Error("a unit with an unknown type is not complained of")
	}
	check(unit, "security", "--offline=true", "--threshold=15").ok()
	if o := check(strings.Replace(unit, "CapabilityBoundingSet=\n", "", 1), "security", "--offline=true", "--threshold=15"); o.code == 0 {
		t.Error("a unit with every capability is as safe")
	}
}

func TestRecipesActions(t *testing.T) {
	program, err := tools.Install(t.Context(), bin, tools.Actionlint)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	workflow := readRecipe(t, "github-actions/train.yml")
	lint := func(text string) outcome {
		d.write("train.yml", []byte(text))
		return d.run(program, []string{"-no-color", "train.yml"})
	}
	lint(workflow).ok()
	if o := lint(strings.Replace(workflow, "--bundle \"$RUN/", "--bundle \"${{ inputs.rum }}/", 1)); o.code != 1 || !strings.Contains(string(o.stdout), `property "rum" is not defined`) {
		t.Errorf("exit status %d, %s; want a complaint", o.code, o.stdout)
	}
}

// A real cluster of one node: what the controller's prolog refuses never starts, and the node stays.
func TestRecipesSlurm(t *testing.T) {
	c := startSlurm(t)
	script := c.move(readRecipe(t, "slurm/train.sbatch"))
	c.write("train.sbatch", []byte(script))
	c.write("other.sbatch", []byte(strings.Replace(script, "-- python3", "-- python3 -E", 1)))
	cheap, dear := c.handIn("cheap", script, 5), c.handIn("dear", script, 500)
	c.handIn("stranger", script, 6)
	stranger := "airun:1:sha256:" + strings.Repeat("2", 64)
	c.write(c.spooled(stranger), c.read("stranger.sigstore.json"))

	for _, j := range []struct{ name, comment, script, bundle, refused string }{
		{"allowed", cheap, "train.sbatch", "cheap.sigstore.json", ""},
		{"no run", "", "train.sbatch", "cheap.sigstore.json", "refused: want the run's identity"},
		{"no identity", "$(touch started)", "train.sbatch", "cheap.sigstore.json", "refused: want the run's identity"},
		{"unknown run", "airun:1:sha256:" + strings.Repeat("1", 64), "train.sbatch", "cheap.sigstore.json", "refused: no bundle of airun:1:sha256:1111"},
		{"denied by the policy", dear, "train.sbatch", "dear.sigstore.json", "refused: denied by budget: budget is 500, want 100 at most"},
		{"another script", cheap, "other.sbatch", "cheap.sigstore.json", "is not job-script as declared"},
		{"another run's bundle", stranger, "train.sbatch", "stranger.sigstore.json", "refused: identity     FAILED"},
	} {
		t.Run(j.name, func(t *testing.T) {
			os.Remove(c.path("started"))
			id := strings.TrimSpace(string(c.slurm("sbatch", "--parsable", "--comment="+j.comment, j.script, j.bundle).ok()))
			state, record := c.ended(id)
			started, _ := os.ReadFile(c.path("started"))
			switch {
			case j.refused == "" && (state != "COMPLETED" || string(started) != cheap+"\n"):
				t.Errorf("%s, started as %q, want %s\n%s", state, started, cheap, record)
			case j.refused != "" && (state != "CANCELLED" || len(started) > 0 || !strings.Contains(record, j.refused)):
				t.Errorf("%s, started as %q, want CANCELLED and %q\n%s", state, started, j.refused, record)
			}
		})
	}
	// The job's own line is a gate, too: it is all that a cluster without the prolog has.
	os.Remove(c.path("started"))
	id := strings.TrimSpace(string(c.slurm("sbatch", "--parsable", "--comment="+cheap, "train.sbatch", "dear.sigstore.json").ok()))
	if state, _ := c.ended(id); state != "FAILED" {
		t.Errorf("a job with the bundle of a run that is denied: %s, want FAILED", state)
	}
	if o := c.slurm("srun", "--comment="+cheap, "touch", "started"); o.code == 0 {
		t.Error("srun without a script: exit status 0, want a refusal")
	}
	if _, err := os.Stat(c.path("started")); err == nil {
		t.Error("what was refused has started")
	}
	if nodes := string(c.slurm("sinfo", "-h", "-o", "%T").ok()); nodes != "idle\n" {
		t.Errorf("the node is %s, want it idle", nodes)
	}
}

// handIn declares and signs a run with a script, and puts the bundle where the prolog looks.
func (c *cluster) handIn(name, script string, budget int) (id string) {
	c.t.Helper()
	c.write("script", []byte(script))
	sum, _, _ := strings.Cut(string(c.slurm("sha256sum", "script").ok()), " ")
	c.write(name+".json", fmt.Appendf(nil, `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"training","model":{"name":"m"},"prompt":{},
		"parameters":{},"context":[{"role":"harness","name":"job-script","digest":{"sha256":%q}}],"constraints":{"budget":%d}}`, sum, budget))
	id = strings.TrimSpace(string(c.runattest("sign", "--key", "ci.key", "--bundle", name+".sigstore.json", name+".json").ok()))
	c.write(c.spooled(id), c.read(name+".sigstore.json"))
	return id
}

func (c *cluster) spooled(id string) string {
	return "spool/" + id[strings.LastIndex(id, ":")+1:] + ".sigstore.json"
}

// ended waits for a job's end.
func (c *cluster) ended(id string) (state, record string) {
	c.t.Helper()
	deadline := time.Now().Add(jobTimeout)
	for time.Now().Before(deadline) {
		record = string(c.slurm("scontrol", "-o", "show", "job", id).ok())
		_, after, _ := strings.Cut(record, "JobState=")
		state, _, _ = strings.Cut(after, " ")
		switch state {
		case "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT":
			return state, record
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatalf("job %s is %s after %s\n%s", id, state, jobTimeout, record)
	return "", ""
}
