package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	standin "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// container is the image of a release, unpacked by umoci, to be run by runc as an engine would run it.
type container struct {
	*room
	bundle string
}

// newContainer unpacks the image of a component from the file in dist.
func newContainer(t *testing.T, room *room, c *component, r release) container {
	t.Helper()
	rootless := ""
	if os.Getuid() != 0 {
		rootless = " --rootless"
	}
	bundle := "bundle-" + c.name
	layout := "layout-" + c.name
	room.want(t, "mkdir "+layout+" && tar -xf dist/"+c.imageFile(r)+" -C "+layout)
	chooseImage(t, filepath.Join(room.dir, layout))
	room.want(t, "umoci unpack"+rootless+" --image "+layout+":"+c.imageTag(r)+" "+bundle)
	return container{room, filepath.Join(room.dir, bundle)}
}

// chooseImage makes the tag of a layout name the image for this machine, as an engine chooses it: umoci does not choose among those
// of an index.
func chooseImage(t *testing.T, layout string) {
	t.Helper()
	file := filepath.Join(layout, "index.json")
	read := func(path string) map[string]any {
		var index map[string]any
		if err := json.Unmarshal([]byte(readFile(t, path)), &index); err != nil {
			t.Fatal(err)
		}
		return index
	}
	index := read(file)
	tagged := index["manifests"].([]any)[0].(map[string]any)
	digest, _ := strings.CutPrefix(tagged["digest"].(string), "sha256:")
	images, ok := read(filepath.Join(layout, "blobs", "sha256", digest))["manifests"].([]any)
	if !ok {
		return // one image
	}
	for _, image := range images {
		image := image.(map[string]any)
		if image["platform"].(map[string]any)["architecture"] != runtime.GOARCH {
			continue
		}
		image["annotations"] = tagged["annotations"]
		index["manifests"] = []any{image}
		text, err := json.Marshal(index)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, file, string(text))
		return
	}
	t.Fatalf("%s has no image for %s", layout, runtime.GOARCH)
}

// start is how a container is started: what docker run is told by its flags.
type start struct {
	user       string   // UID:GID; "" is the image's
	mounts     []string // FROM:TO or FROM:TO:ro
	readOnly   bool     // the root
	entrypoint string   // "" is the image's
	host       bool     // the network is the host's
	args       []string
}

// command is the command that runs the container in the foreground.
func (c container) command(t *testing.T, s start) *exec.Cmd {
	t.Helper()
	path := filepath.Join(c.bundle, "config.json")
	var config map[string]any
	if err := json.Unmarshal([]byte(readFile(t, path)), &config); err != nil {
		t.Fatal(err)
	}
	process, root := config["process"].(map[string]any), config["root"].(map[string]any)
	process["terminal"] = false
	root["readonly"] = s.readOnly
	entrypoint := process["args"].([]any)[:1]
	if s.entrypoint != "" {
		entrypoint = []any{s.entrypoint}
	}
	for _, arg := range s.args {
		entrypoint = append(entrypoint, arg)
	}
	process["args"] = entrypoint
	if s.user != "" {
		var uid, gid int
		if _, err := fmt.Sscanf(s.user, "%d:%d", &uid, &gid); err != nil {
			t.Fatalf("user %q: %v", s.user, err)
		}
		process["user"] = map[string]any{"uid": uid, "gid": gid}
	}
	mounts := config["mounts"].([]any)
	for _, m := range s.mounts {
		parts := strings.Split(m, ":")
		options := []string{"rbind"}
		if len(parts) == 3 {
			options = append(options, parts[2])
		}
		mounts = append(mounts, map[string]any{"source": parts[0], "destination": parts[1], "type": "bind", "options": options})
	}
	config["mounts"] = mounts
	if linux := config["linux"].(map[string]any); s.host {
		var others []any
		for _, n := range linux["namespaces"].([]any) {
			if n.(map[string]any)["type"] != "network" {
				others = append(others, n)
			}
		}
		linux["namespaces"] = others
	}
	bundle := t.TempDir() // with a configuration of its own
	if err := os.Symlink(filepath.Join(c.bundle, "rootfs"), filepath.Join(bundle, "rootfs")); err != nil {
		t.Fatal(err)
	}
	root["path"] = filepath.Join(c.bundle, "rootfs")
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bundle, "config.json"), string(data))
	state, name := filepath.Join(bundle, "state"), fmt.Sprintf("release-test-%d", os.Getpid())
	cmd := exec.CommandContext(t.Context(), "runc", "--root", state, "run", "--bundle", bundle, name)
	t.Cleanup(func() { _ = exec.Command("runc", "--root", state, "delete", "--force", name).Run() }) // what a killed runc leaves
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// run runs the container and gives what it printed.
func (c container) run(t *testing.T, s start) (string, error) {
	t.Helper()
	out, err := c.command(t, s).CombinedOutput()
	return string(out), err
}

// want runs the container and demands that it prints this.
func (c container) want(t *testing.T, s start, printed string) {
	t.Helper()
	if out, err := c.run(t, s); err != nil || !strings.Contains(out, printed) {
		t.Errorf("%+v: %v\nprinted\n%s\nwant %q", s, err, out, printed)
	}
}

// dockerRun reads a line that begins with docker run, in a shell whose docker only says what it was told.
func (r *room) dockerRun(t *testing.T, line string) (s start, image string) {
	t.Helper()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", `docker() { printf '%s\0' "$@"; }`+"\n"+line)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "--rm":
		case "--read-only":
			s.readOnly = true
		case "-u":
			i++
			s.user = words[i]
		case "-v":
			i++
			s.mounts = append(s.mounts, words[i])
		default:
			if words[0] != "run" || strings.HasPrefix(words[i], "-") {
				t.Fatalf("%s: %q is not known to this test", line, words[i])
			}
			s.args = words[i+1:]
			return s, words[i]
		}
	}
	t.Fatalf("%s: names no image", line)
	return s, ""
}

// TestImageRuns: the image signs and verifies in a folder that is mounted, with a root that cannot be written, as its own user and
// as the caller, by the line of docs/install.md.
func TestImageRuns(t *testing.T) {
	dir, r := dist(t)
	wants(t, "umoci", "runc")
	room := newRoom(t, dir)
	c := newContainer(t, room, command, r)
	data := filepath.Join(room.dir, "data")
	sign := func(user string, how start) {
		t.Helper()
		how.user, how.readOnly, how.mounts = user, true, []string{data + ":/data"}
		for _, step := range []struct{ line, printed string }{
			{"version", "runattest " + r.tag},
			{"keygen --no-password", "wrote public key"},
			{"sign --key runattest.key run.json", "airun:1:sha256:"},
			{"verify --key runattest.pub run.json.sigstore.json", "run.json.sigstore.json: verified"},
		} {
			how.args = strings.Fields(step.line)
			c.want(t, how, step.printed)
		}
	}
	fresh := func(owner int) {
		t.Helper()
		if err := os.RemoveAll(data); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(data, "run.json"), declaration)
		if os.Getuid() != owner {
			if err := os.Chown(data, owner, owner); err != nil {
				t.Fatal(err)
			}
		}
	}
	caller := fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
	fresh(os.Getuid())
	sign(caller, start{})
	if os.Getuid() == 0 { // who may give files to others, and run as others
		fresh(1000)
		sign("1000:1000", start{})
		if out, err := c.run(t, start{readOnly: true, mounts: []string{data + ":/data"}, args: strings.Fields("sign --key runattest.key run.json")}); err == nil || !strings.Contains(out, "permission denied") {
			t.Errorf("the image's user signed with a key of another: %v\n%s", err, out)
		}
		fresh(imageUser)
		sign("", start{})
	}
	if out, err := c.run(t, start{user: caller, readOnly: true, args: strings.Fields("keygen --no-password -o /usr/k")}); err == nil || !strings.Contains(out, "read-only file system") {
		t.Errorf("the root can be written: %v\n%s", err, out)
	}
}

// TestImagePlugins: the plugins of the other image are where its program looks for them, and the smaller image says that it has none.
func TestImagePlugins(t *testing.T) {
	dir, r := dist(t)
	wants(t, "umoci", "runc")
	room := newRoom(t, dir)
	with, without := newContainer(t, room, kmsPlugins, r), newContainer(t, room, command, r)
	caller := fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
	for _, program := range kmsPlugins.programs {
		with.want(t, start{user: caller, readOnly: true, entrypoint: "/usr/bin/" + program, args: []string{"--version"}}, "version "+r.tag)
	}
	ask := start{user: caller, readOnly: true, args: strings.Fields("public-key --key hashivault://x")} // without VAULT_ADDR
	if out, err := with.run(t, ask); err == nil || !strings.Contains(out, "VAULT_ADDR") {
		t.Errorf("the plugin was not asked: %v\n%s", err, out)
	}
	if out, err := without.run(t, ask); err == nil || !strings.Contains(out, "sigstore-kms-hashivault") || strings.Contains(out, "VAULT_ADDR") {
		t.Errorf("a missing plugin is not named: %v\n%s", err, out)
	}
}

// TestImageLine runs the line of docs/install.md that begins with docker run: by runc, told what docker is told.
func TestImageLine(t *testing.T) {
	dir, r := dist(t)
	wants(t, "umoci", "runc")
	room := newRoom(t, dir)
	writeFile(t, filepath.Join(room.dir, "run.json"), declaration)
	how, image := room.dockerRun(t, pageLine(t, r, "docker run"))
	if image != "registry.acme.example/runattest@sha256:DIGEST" { // which cosign and jq have printed
		t.Errorf("the line runs %s, want an image by its digest", image)
	}
	c := newContainer(t, room, command, r)
	key := how
	key.args = strings.Fields("keygen --no-password")
	c.want(t, key, "runattest.key")
	c.want(t, how, "airun:1:sha256:")
	room.want(t, "test -s run.json.sigstore.json")
}

// TestImageByRunc runs the lines of docs/install.md for who has a registry and runc: as the caller, and where that is root, as a
// user without rights too.
func TestImageByRunc(t *testing.T) {
	dir, r := dist(t)
	wants(t, "skopeo", "umoci", "runc", "jq")
	server := httptest.NewServer(standin.New(standin.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme/runattest"
	layout, err := openImage([]byte(readFile(t, filepath.Join(dir, command.imageFile(r)))), filepath.Join(t.TempDir(), "layout"), mustRepository(t, repository).Tag(command.imageTag(r)))
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(layout.tag, layout.index); err != nil {
		t.Fatal(err)
	}
	const page = "registry.acme.example/runattest@sha256:DIGEST"
	script := pageBlock(t, "rm -rf bundle")
	if strings.Count(script, page) != 1 {
		t.Fatalf("the lines do not name %s:\n%s", page, script)
	}
	script = `skopeo() { command skopeo "$1" --src-tls-verify=false "${@:2}"; }` + "\n" + // of this machine
		strings.ReplaceAll(script, page, layout.reference().String()) + pageBlock(t, "runattest keygen") + `runattest version
if runattest keygen --no-password -o /usr/k; then exit 1; fi
find . -name 'run*.*' -uid "$(id -u)"`
	users := []string{""}
	if os.Getuid() == 0 {
		users = append(users, "setpriv --reuid 65534 --regid 65534 --clear-groups ")
	}
	for _, user := range users {
		room := newRoom(t, dir)
		writeFile(t, filepath.Join(room.dir, "script"), script)
		if user != "" {
			room.want(t, "chmod a+x . .. ../.. && chown -R 65534:65534 .")
		}
		room.want(t, user+"bash -euo pipefail script", "airun:1:sha256:", "run.json.sigstore.json: verified", "runattest "+r.tag, "read-only file system",
			"./runattest.key\n", "./run.json.sigstore.json\n")
	}
}
