package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// sidecar is what a recipe of docs/gateway.md says of the gateway's container.
type sidecar struct {
	image, user string
	args        []string
}

var (
	yamlForm  = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	imageForm = regexp.MustCompile(`(?m)^ *image: (.*)$`)
	argsForm  = regexp.MustCompile(`(?m)^ *(?:args|command): \[(gateway, .*)\]$`)
	userForm  = regexp.MustCompile(`runAsUser: (\d+), runAsGroup: (\d+)|user: "(\d+):(\d+)"`)
)

// sidecars are the recipes of docs/gateway.md in which a container runs the gateway.
func sidecars(t *testing.T) (all []sidecar) {
	t.Helper()
	for _, block := range yamlForm.FindAllStringSubmatch(readFile(t, "../docs/gateway.md"), -1) {
		args := argsForm.FindAllStringSubmatch(block[1], -1)
		if len(args) == 0 {
			continue
		}
		images, user := imageForm.FindAllStringSubmatch(block[1], -1), userForm.FindStringSubmatch(block[1])
		if len(args) != 1 || len(images) != 2 || images[1][1] != "AGENT" || len(user) != 5 || !strings.Contains(block[1], "read") {
			t.Fatalf("this test does not understand the recipe\n%s", block[1])
		}
		s := sidecar{image: images[0][1], user: user[1] + user[3] + ":" + user[2] + user[4]}
		for word := range strings.SplitSeq(args[0][1], ", ") {
			s.args = append(s.args, strings.Trim(word, `"`))
		}
		all = append(all, s)
	}
	if len(all) != 2 {
		t.Fatalf("%d recipes, want those of Kubernetes and compose", len(all))
	}
	return all
}

// TestGatewayRecipes: the recipes of docs/gateway.md name the image of this release program, by its tag.
func TestGatewayRecipes(t *testing.T) {
	for _, s := range sidecars(t) {
		if want := "IMAGE:" + command.imageTag(release{"v0.1.0"}); s.image != want {
			t.Errorf("image %q, want %q", s.image, want)
		}
	}
}

// TestGatewayInImage runs the image with the user, mounts and arguments of each recipe, on a root that cannot be written: a call goes
// through, SIGTERM ends it, and the journal verifies.
func TestGatewayInImage(t *testing.T) {
	dir, r := dist(t)
	wants(t, "umoci", "runc")
	if os.Getuid() != 0 {
		t.Skip("the recipes name users of their own, which takes root")
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		_, _ = io.WriteString(w, `{"id":"x"}`)
	}))
	defer upstream.Close()
	room := newRoom(t, dir)
	c := newContainer(t, room, command, r)
	room.want(t, "tar -xzf dist/"+command.archive(built[0], r)+" && cp "+command.folder(built[0], r)+"/runattest . && ./runattest keygen --no-password")
	for i, s := range sidecars(t) {
		own := filepath.Join(room.dir, "recipe", string(rune('a'+i)))
		writeFile(t, filepath.Join(own, "key", "runattest.key"), readFile(t, filepath.Join(room.dir, "runattest.key")))
		if err := os.MkdirAll(filepath.Join(own, "journal"), 0o700); err != nil {
			t.Fatal(err)
		}
		// The key as a Kubernetes secret with a mode and fsGroup has it, and the journal's volume.
		room.want(t, "chmod 440 '"+own+"/key/runattest.key' && chown -R "+s.user+" '"+own+"'")
		args := strings.Fields(strings.ReplaceAll(strings.Join(s.args, "\n"), "https://api.openai.com", upstream.URL))
		c.calls(t, start{
			user: s.user, readOnly: true, host: true, args: append(args, "--listen", "127.0.0.1:0", "--format", "json"),
			mounts: []string{own + "/key:/key:ro", own + "/journal:/journal"},
		})
		room.want(t, "./runattest journal verify --key runattest.pub '"+own+"/journal/runs'", "verified")
	}
}

// calls starts a gateway, sends one call through it, and ends it.
func (c container) calls(t *testing.T, s start) {
	t.Helper()
	cmd := c.command(t, s)
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var says struct{ URL string }
	if err := errors.Join(err, json.Unmarshal(line, &says)); err != nil {
		_ = cmd.Wait()
		t.Fatalf("%q: %v\n%s", line, err, &log)
	}
	resp, err := http.Post(says.URL+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"hi"}]}`))
	if err != nil {
		t.Error(err)
	} else {
		if resp.StatusCode != http.StatusOK {
			t.Errorf("the call: %s", resp.Status)
		}
		_ = resp.Body.Close()
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // which runc passes on
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v, want exit status 0\n%s", err, &log)
	}
}
