package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
)

// lineage is what graph --format json says: docs/output.md.
type lineage struct {
	Complete bool     `json:"complete"`
	Roots    []string `json:"roots"`
	Counts   struct {
		Verified, Unverified, Missing int
	} `json:"counts"`
	Runs []struct {
		Identity string   `json:"identity"`
		State    string   `json:"state"`
		Parents  []string `json:"parents"`
	} `json:"runs"`
}

// draws has runattest verify a lineage, and demands its exit status.
func (d *desk) draws(status int, args ...string) (f lineage) {
	d.t.Helper()
	o := d.runattest(append([]string{"graph", "--format", "json", "--key", "runattest.pub"}, args...)...)
	if err := json.Unmarshal(o.stdout, &f); err != nil || o.code != status {
		d.t.Fatalf("%s: exit status %d, want %d; %v\n%s%s", o.command, o.code, status, err, o.stdout, o.stderr)
	}
	return f
}

// descend signs a run of that kind that descends from others into NAME.sigstore.json, and gives its identity.
func (d *desk) descend(name, kind string, parents ...string) string {
	d.t.Helper()
	list := ""
	if len(parents) > 0 {
		list = `,"parents":["` + strings.Join(parents, `","`) + `"]`
	}
	d.write("run.json", fmt.Appendf(nil, `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":%q,"model":{"name":%q},"prompt":{},"parameters":{},"context":[],"constraints":{}%s}`,
		kind, name, list))
	return strings.TrimSpace(string(d.runattest("sign", "--key", "runattest.key", "--bundle", name+".sigstore.json", "run.json").ok()))
}

// A repository of runs is a lineage, or several: all of it, or the ancestry of one run. They are found behind
// more other tags than there are on a page.
func TestLineageInRegistry(t *testing.T) {
	const others, tags = 60, 1100
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		d.makeKey("runattest", "ecdsa-p256", "--no-password")
		repo := "oci://" + r.Host + "/acme/runs"
		var chain []string
		var files []string
		for n := range 12 {
			name := fmt.Sprintf("run%d", n)
			chain = append(chain, d.descend(name, "training", chain[max(0, n-2):]...))
			files = append(files, name+".sigstore.json")
		}
		for n := range others { // JSON Lines: one call signs them all
			d.write(fmt.Sprintf("other%d.json", n), fmt.Appendf(nil,
				`{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{"seed":%d},"context":[],"constraints":{}}`, n))
		}
		args := []string{"sign", "--key", "runattest.key", "--bundle", "others.sigstore.jsonl"}
		for n := range others {
			args = append(args, fmt.Sprintf("other%d.json", n))
		}
		d.runattest(args...).ok()
		d.runattest(append([]string{"push", repo, "others.sigstore.jsonl"}, files...)...).ok()
		last := chain[len(chain)-1]
		d.tagAgain(r.Host, "acme/runs", strings.ReplaceAll(last, ":", "-"), tags)

		of := d.draws(0, "--require-complete", "--root", last, repo)
		if !of.Complete || of.Counts.Verified != len(chain) || len(of.Runs) != len(chain) || of.Roots[0] != last {
			d.t.Errorf("the ancestry: %+v", of)
		}
		if same := d.draws(0, "--require-complete", repo+"@"+last); same.Counts != of.Counts || same.Roots[0] != last {
			d.t.Errorf("by reference: %+v", same)
		}
		if all := d.draws(0, "--require-complete", repo); all.Counts.Verified != len(chain)+others {
			d.t.Errorf("all: %+v, want %d", all.Counts, len(chain)+others)
		}
		took, _ := d.costs("graph", "--key", "runattest.pub", "--root", last, repo)
		whole, _ := d.costs("graph", "--key", "runattest.pub", repo)
		d.t.Logf("%d of %d runs: %s; all: %s", len(chain), len(chain)+others, took, whole)
		if took.time > whole.time {
			d.t.Error("one lineage takes as long as the whole repository")
		}
	})
}

// tagAgain gives an artifact many tags that sort before a run's.
func (d *desk) tagAgain(host, repo, tag string, n int) {
	d.t.Helper()
	url := "http://" + host + "/v2/" + repo + "/manifests/"
	_, manifest := d.ask(http.MethodGet, url+tag, manifestType, nil)
	for i := range n {
		if status, answer := d.ask(http.MethodPut, fmt.Sprintf("%sa%04d", url, i), manifestType, manifest); status != http.StatusCreated {
			d.t.Fatalf("tag %d: %d %s", i, status, answer)
		}
	}
}

// What approvers attach to runs is found there, and a rule about ancestors is met by it.
func TestLineageApprovedInRegistry(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		d.env = append(d.env, "PATH="+os.Getenv("PATH"), "TMPDIR="+d.t.TempDir())
		repo := "oci://" + r.Host + "/acme/runs"
		for _, name := range []string{"runattest", "alice", "bob"} {
			d.makeKey(name, "ecdsa-p256", "--no-password")
		}
		base := d.descend("base", "training")
		tuned := d.descend("tuned", "training", base)
		d.descend("scores", "evaluation", tuned)
		d.write("policy.yaml", []byte(`schema: https://github.com/runattest/runattest/policy/v1
signers: {keys: [{name: ci, key: runattest.pub}]}
approvals:
  required: 0
  approvers: [{name: alice, keys: [{key: alice.pub}]}, {name: bob, keys: [{key: bob.pub}]}]
rules:
  - name: approved
    expr: ancestors.all(a, a.kind != "training" || a.approved)
    message: "not approved: {{ancestors.filter(a, !a.approved)}}"
`))
		d.runattest("push", repo, "base.sigstore.json", "tuned.sigstore.json", "scores.sigstore.json").ok()
		asks := func() outcome {
			return d.runattest("exec", "--policy", "policy.yaml", "--lineage", repo, "--approvals", repo, "--bundle", "scores.sigstore.json", "--", "echo", "scoring")
		}
		approve := func(name, decision, run string) {
			d.runattest("approve", "--key", name+".key", "--decision", decision, "--reason", "because", "--bundle", name+"-"+decision+".json", run+".sigstore.json").ok()
		}
		asks().refused("not approved: [" + tuned + "," + base + "]")
		approve("alice", "approved", "base")
		d.runattest("attach", repo+"@"+base, "alice-approved.json").ok()
		asks().refused("not approved: [" + tuned + "]")
		approve("bob", "approved", "tuned")
		d.runattest("push", repo, "bob-approved.json").ok()
		if out := string(asks().ok()); out != "scoring\n" {
			d.t.Errorf("executed: %q", out)
		}
		approve("alice", "rejected", "tuned")
		d.runattest("push", repo, "alice-rejected.json").ok()
		asks().refused("not approved: [" + tuned + "]")
		r.Stop()
		if o := asks(); o.code != 1 || strings.Contains(string(o.stdout), "scoring") {
			d.t.Errorf("without the registry: exit status %d, %s", o.code, o.stdout)
		}
		if o := d.runattest("verify", "--timeout", "5s", "--policy", "policy.yaml", "--approvals", repo, "base.sigstore.json"); o.code != 3 {
			d.t.Errorf("without the registry: exit status %d, want 3\n%s", o.code, o.stderr)
		}
	})
}
