//go:build unix

// Package exec holds the recipes for runattest exec, and here what holds them to what they say: the command
// lines of each are run as they stand, with a run that is allowed, one that the policy denies and one that was
// tampered with. The programs around them (Slurm, systemd, Kubernetes' admission) are in e2e/recipes_test.go.
package exec

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v4"
)

// recipes say how each recipe's command line is run for a bundle; the names are the files.
var recipes = map[string]func(*site, []byte) outcome{
	"slurm/train.sbatch":       (*site).slurm,
	"kubernetes/job.yaml":      (*site).kubernetes,
	"github-actions/train.yml": (*site).actions,
	"airflow/train_dag.py":     (*site).airflow,
	"argo/train.yaml":          (*site).argo,
	"systemd/airun@.service":   (*site).systemd,
}

func TestRecipes(t *testing.T) {
	for name, run := range recipes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			for _, c := range []struct{ run, refused string }{
				{"cheap", ""},
				{"dear", "denied by budget: budget is 500, want 100 at most"},
				{"tampered", "not executed: signature: "},
				{"cheap", ""}, // the no was not for another reason
			} {
				os.Remove(s.path("ran"))
				got := run(s, s.bundle(c.run))
				ran, _ := os.ReadFile(s.path("ran"))
				switch yes := c.refused == ""; {
				case yes && (got.code != 0 || string(ran) != s.id+"\n"):
					t.Errorf("%s: exit status %d, ran as %q; want 0 and %s\n%s", c.run, got.code, ran, s.id, got.stderr)
				case !yes && (got.code == 0 || len(ran) > 0 || !strings.Contains(got.stderr, c.refused)):
					t.Errorf("%s: exit status %d, ran as %q; want a refusal, %q, and nothing started\n%s", c.run, got.code, ran, c.refused, got.stderr)
				}
			}
		})
	}
}

// TestEveryRecipe finds recipes without a test, and recipes that the README does not list.
func TestEveryRecipe(t *testing.T) {
	elsewhere := map[string]bool{ // e2e/recipes_test.go
		"slurm/prolog-slurmctld.sh": true, "kubernetes/admission.yaml": true, "kubernetes/Containerfile": true,
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*/*")
	if err != nil || len(files) < len(recipes)+len(elsewhere) {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if recipes[file] == nil && !elsewhere[file] {
			t.Errorf("%s: no test runs it", file)
		}
		if !strings.Contains(string(readme), "("+file+")") {
			t.Errorf("README.md does not link %s", file)
		}
	}
}

// site is one machine: its files lie below dir instead of /.
type site struct {
	*testing.T
	dir, id string
}

var build struct {
	once sync.Once
	file string
	err  error
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "recipes-")
	if err != nil {
		panic(err)
	}
	build.file = filepath.Join(dir, "runattest")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// newSite has the gate, a policy with its key, and work that says as which run it ran.
func newSite(t *testing.T) *site {
	t.Helper()
	build.once.Do(func() {
		cmd := exec.Command("go", "build", "-o", build.file, "../../cmd/runattest")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // one that is dynamically linked executes nothing
		out, err := cmd.CombinedOutput()
		if err != nil {
			build.err = errors.New(string(out))
		}
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	s := &site{T: t, dir: t.TempDir()}
	s.link(build.file, "usr/local/bin/runattest")
	work := "#!/bin/sh\necho \"$AIRUN_IDENTITY\" >" + s.path("ran") + "\nrm -r \"$(dirname \"$AIRUN_DECLARATION\")\"\n"
	for _, program := range []string{"usr/local/bin/python3", "srv/airun/7f3a/train"} {
		s.write(program, work, 0o755)
	}
	s.write("etc/airun/policy.yaml", policy, 0o644)
	s.must("runattest", "keygen", "--no-password", "-o", "etc/airun/ci")
	for name, budget := range map[string]string{"cheap": "5", "dear": "500"} {
		s.write(name+".json", strings.ReplaceAll(declaration, "BUDGET", budget), 0o644)
		s.must("runattest", "sign", "--key", "etc/airun/ci.key", "--bundle", name+".bundle", name+".json")
	}
	cheap := string(s.bundle("cheap"))
	s.write("tampered.bundle", strings.Replace(cheap, `"payload":"eyJ`, `"payload":"eyK`, 1), 0o644)
	if string(s.bundle("tampered")) == cheap {
		t.Fatal("nothing was tampered with")
	}
	s.id = strings.TrimSpace(s.must("runattest", "id", "cheap.json"))
	for _, dir := range []string{"var/log/airun", "gate", "tmp"} {
		s.folder(dir)
	}
	return s
}

const policy = `schema: https://github.com/runattest/runattest/policy/v1
name: acme
signers: {keys: [{name: ci, key: ci.pub}]}
rules:
  - name: budget
    expr: declaration.constraints.budget <= 100
    message: budget is {{declaration.constraints.budget}}, want 100 at most
`

const declaration = `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"training",
 "model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{"budget":BUDGET}}`

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) folder(name string) {
	s.Helper()
	if err := os.MkdirAll(s.path(name), 0o755); err != nil {
		s.Fatal(err)
	}
}

func (s *site) write(name, text string, mode os.FileMode) {
	s.Helper()
	s.folder(filepath.Dir(name))
	if err := os.WriteFile(s.path(name), []byte(text), mode); err != nil {
		s.Fatal(err)
	}
}

// link replaces what is there.
func (s *site) link(target, name string) {
	s.Helper()
	s.folder(filepath.Dir(name))
	os.Remove(s.path(name))
	if err := os.Symlink(target, s.path(name)); err != nil {
		s.Fatal(err)
	}
}

func (s *site) bundle(run string) []byte {
	s.Helper()
	data, err := os.ReadFile(s.path(run + ".bundle"))
	if err != nil {
		s.Fatal(err)
	}
	return data
}

// recipe is the text of a recipe, with the paths of this site.
func (s *site) recipe(name string) string {
	s.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		s.Fatal(err)
	}
	return s.moved(string(data))
}

// moved puts every absolute path of the recipes below the site's folder.
func (s *site) moved(text string) string {
	var pairs []string
	for _, root := range []string{"/usr/local/", "/etc/airun", "/var/log/airun", "/srv/", "/gate", "/runattest"} {
		for _, before := range []string{" ", `"`, "[", "=", ":"} {
			pairs = append(pairs, before+root, before+s.dir+root)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// outcome is what is left of a process.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs a program in the site's folder, with the site's programs first and only the variables given.
func (s *site) run(env []string, program string, args ...string) outcome {
	s.Helper()
	path := s.path("usr/local/bin")
	if found := filepath.Join(path, program); !strings.Contains(program, "/") {
		if _, err := os.Stat(found); err == nil {
			program = found
		}
	}
	cmd := exec.CommandContext(s.Context(), program, args...)
	cmd.Dir = s.dir
	cmd.Env = append([]string{"PATH=" + path + ":" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + s.path("tmp")}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		s.Fatalf("%s %q: %v", program, args, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (s *site) must(program string, args ...string) string {
	s.Helper()
	o := s.run(nil, program, args...)
	if o.code != 0 {
		s.Fatalf("%s %q: exit status %d\n%s", program, args, o.code, o.stderr)
	}
	return o.stdout
}

// slurm runs the job script as slurmd would, with the variables that it reads.
func (s *site) slurm(bundle []byte) outcome {
	s.write("run.sigstore.json", string(bundle), 0o644)
	s.write("job", s.recipe("slurm/train.sbatch"), 0o755)
	return s.run([]string{"SLURM_SUBMIT_DIR=" + s.dir}, s.path("job"), "run.sigstore.json")
}

type container struct {
	Image         string
	Command, Args []string
}

// pod runs the first container's command once the init container has brought the gate.
func (s *site) pod(first, second container, bundle []byte) outcome {
	s.Helper()
	// as a volume of a ConfigMap is laid out
	for volume, files := range map[string][]string{"policy": {"policy.yaml", "ci.pub"}, "run": {"run.sigstore.json"}} {
		for _, file := range files {
			data := bundle
			if volume == "policy" {
				data = []byte(s.must("cat", "etc/airun/"+file))
			}
			s.write("etc/airun/"+volume+"/..2026_11_24/"+file, string(data), 0o644)
			s.link("..data/"+file, "etc/airun/"+volume+"/"+file)
		}
		s.link("..2026_11_24", "etc/airun/"+volume+"/..data")
	}
	s.link("usr/local/bin/runattest", "runattest")
	s.must(first.Command[0], first.Command[1:]...)
	argv := append(second.Command, second.Args...)
	return s.run(nil, argv[0], argv[1:]...)
}

func (s *site) kubernetes(bundle []byte) outcome {
	var job struct {
		Spec struct {
			Template struct {
				Spec struct {
					InitContainers []container `yaml:"initContainers"`
					Containers     []container
				}
			}
		}
	}
	s.decode("kubernetes/job.yaml", &job)
	pod := job.Spec.Template.Spec
	return s.pod(pod.InitContainers[0], pod.Containers[0], bundle)
}

func (s *site) argo(bundle []byte) outcome {
	var template struct {
		Spec struct {
			Templates []struct {
				Inputs struct {
					Artifacts []struct {
						Path string
						Raw  struct{ Data string }
					}
				}
				InitContainers []container `yaml:"initContainers"`
				Container      container
			}
		}
	}
	s.decode("argo/train.yaml", &template)
	t := template.Spec.Templates[0]
	if a := t.Inputs.Artifacts[0]; a.Path != s.path("etc/airun/run/run.sigstore.json") || a.Raw.Data != "{{inputs.parameters.bundle}}" {
		s.Errorf("artifact %+v, want the bundle", a)
	}
	return s.pod(t.InitContainers[0], t.Container, bundle)
}

func (s *site) decode(name string, into any) {
	s.Helper()
	if err := yaml.Unmarshal([]byte(s.recipe(name)), into); err != nil {
		s.Fatalf("%s: %v", name, err)
	}
}

// actions runs the step's script as the runner does: bash -e, expressions in env filled in.
func (s *site) actions(bundle []byte) outcome {
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Name, Run string
				Env       map[string]string
			}
		}
	}
	s.decode("github-actions/train.yml", &workflow)
	s.write("policy/policy.yaml", policy, 0o644)
	s.write("policy/ci.pub", s.must("cat", "etc/airun/ci.pub"), 0o644)
	s.write("runs/nightly/run.sigstore.json", string(bundle), 0o644)
	if _, err := os.Stat(s.path("release.key")); err != nil {
		s.must("runattest", "keygen", "--no-password", "-o", "release")
	}
	s.must("runattest", "policy", "sign", "--key", "release.key", "policy/policy.yaml")
	values := map[string]string{"${{ inputs.run }}": "runs/nightly", "${{ vars.POLICY_KEY }}": s.must("cat", "release.pub")}
	for _, step := range workflow.Jobs["train"].Steps {
		if step.Name != "Train" {
			continue
		}
		var env []string
		for name, expression := range step.Env {
			value, ok := values[expression]
			if !ok {
				s.Fatalf("%s: %s: want %v", name, expression, values)
			}
			env = append(env, name+"="+value)
		}
		s.write("step", step.Run, 0o644)
		o := s.run(env, "bash", "--noprofile", "--norc", "-eo", "pipefail", s.path("step"))
		s.write("policy/policy.yaml", strings.Replace(policy, "100", "1000", 1), 0o644)
		if o := s.run(env, "bash", "-e", s.path("step")); o.code != 1 || !strings.Contains(o.stderr, "the file was changed after signing") {
			s.Errorf("with a policy that is not signed: exit status %d\n%s", o.code, o.stderr)
		}
		return o
	}
	s.Fatal("no step is named Train")
	return outcome{}
}

// airflow executes the DAG file with stand-ins for Airflow's classes, and the task's command as BashOperator does.
func (s *site) airflow(bundle []byte) outcome {
	python, err := exec.LookPath("python3")
	if err != nil {
		s.Skip("no python3: the DAG file is not executed")
	}
	s.write("airflow/__init__.py", "class DAG:\n    def __init__(self, **options): pass\n    def __enter__(self): return self\n    def __exit__(self, *why): pass\n", 0o644)
	s.write("airflow/operators/__init__.py", "", 0o644)
	s.write("airflow/operators/bash.py", "import json\ndef BashOperator(**options): print(json.dumps(options))\n", 0o644)
	s.write("dag.py", s.recipe("airflow/train_dag.py"), 0o644)
	var task struct {
		Env       map[string]string `json:"env"`
		AppendEnv bool              `json:"append_env"`
		Command   string            `json:"bash_command"`
	}
	if err := json.Unmarshal([]byte(s.must(python, "dag.py")), &task); err != nil {
		s.Fatal(err)
	}
	s.write("run.sigstore.json", string(bundle), 0o644)
	env := []string{"BUNDLE=" + strings.ReplaceAll(task.Env["BUNDLE"], "{{ dag_run.conf['bundle'] }}", "run.sigstore.json")}
	if !task.AppendEnv || strings.Contains(task.Command, "{{") {
		s.Errorf("%+v: want the worker's PATH, and no template within the script", task)
	}
	return s.run(env, "bash", "-c", task.Command)
}

// systemd runs the line of ExecStart=, its specifiers filled in.
func (s *site) systemd(bundle []byte) outcome {
	s.write("srv/airun/7f3a/run.sigstore.json", string(bundle), 0o644)
	text := strings.ReplaceAll(s.recipe("systemd/airun@.service"), "%i", "7f3a")
	credential := s.setting(text, "LoadCredential=run.sigstore.json:")
	s.write("run/credentials/run.sigstore.json", s.must("cat", credential), 0o400)
	defer os.Remove(s.path("run/credentials/run.sigstore.json"))
	argv := strings.Fields(strings.ReplaceAll(s.setting(text, "ExecStart="), "%d", s.path("run/credentials")))
	return s.run(nil, argv[0], argv[1:]...)
}

func (s *site) setting(text, name string) string {
	s.Helper()
	_, after, ok := strings.Cut(text, "\n"+name)
	value, _, _ := strings.Cut(after, "\n")
	if !ok {
		s.Fatalf("no %s", name)
	}
	return value
}
