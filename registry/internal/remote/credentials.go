package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/boundedfile"
	"github.com/runattest/runattest/internal/limits"
	"github.com/runattest/runattest/internal/shell"
)

// Credentials are looked for where Podman and Docker keep them, in Podman's order
// (https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md):
//
//	$REGISTRY_AUTH_FILE            alone, if it is set
//	$DOCKER_CONFIG/config.json     alone, if that is set
//	$XDG_RUNTIME_DIR/containers/auth.json, or /run/containers/UID/auth.json (Linux)
//	$XDG_CONFIG_HOME/containers/auth.json, or ~/.config/containers/auth.json
//	~/.docker/config.json
//
// The first file that has some for the registry counts. In it a helper for that registry goes before what the file
// itself holds, and the helper for all after it.

const authFileVariable = "REGISTRY_AUTH_FILE"

func authFiles() []string {
	if file := os.Getenv(authFileVariable); file != "" {
		return []string{file}
	}
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return []string{filepath.Join(dir, "config.json")}
	}
	var files []string
	if runtime.GOOS == "linux" {
		dir := os.Getenv("XDG_RUNTIME_DIR")
		if dir == "" {
			dir = filepath.Join("/run/containers", strconv.Itoa(os.Getuid()))
			files = append(files, filepath.Join(dir, "auth.json"))
		} else {
			files = append(files, filepath.Join(dir, "containers", "auth.json"))
		}
	}
	home, _ := os.UserHomeDir()
	config := os.Getenv("XDG_CONFIG_HOME")
	if config == "" && home != "" {
		config = filepath.Join(home, ".config")
	}
	if config != "" {
		files = append(files, filepath.Join(config, "containers", "auth.json"))
	}
	if home != "" {
		files = append(files, filepath.Join(home, ".docker", "config.json"))
	}
	return files
}

// credentialSource finds the credentials of one registry, and remembers for an error what it found.
type credentialSource struct {
	host       string // the only one whose credentials are given
	repository string

	mu    sync.Mutex // also of helpers, of which one is asked at a time
	asked bool
	found auth.Credential
	err   error
	tried string
	file  string // that has what was found, or names the helper that has it
	key   string // under which the file has it; "" if a helper has it
}

// String says what was tried.
func (s *credentialSource) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tried == "" {
		return "no credentials were asked for"
	}
	return s.tried
}

// sent says that the registry was given credentials.
func (s *credentialSource) sent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found != auth.Credential{}
}

// login is the command that replaces credentials which are refused, in the file that has them: those in another one are not looked at
// while it has any.
func (s *credentialSource) login(host string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, path := splitKey(s.key)
	switch name := filepath.Base(s.file); {
	case os.Getenv(authFileVariable) != "":
		return fmt.Sprintf("podman login %s, which writes the file that %s names", withPath(host, path), authFileVariable)
	case s.file == "" && os.Getenv("DOCKER_CONFIG") != "":
		return fmt.Sprintf("docker login %s, or oras login, crane auth login, which write the file in the folder that DOCKER_CONFIG names", host)
	case s.file == "":
		return fmt.Sprintf("docker login %s, or podman login, oras login, crane auth login", host)
	case name == "config.json" && path != "": // which Docker's own commands do not write
		return fmt.Sprintf("docker login %s, after the entry %q is removed from %s", host, s.key, s.file)
	case name == "config.json":
		return fmt.Sprintf("docker login %s, or oras login, crane auth login, which write where these are from", host)
	}
	return fmt.Sprintf("%s=%s podman login %s, which writes where these are from, or remove them there", authFileVariable, shell.Path(s.file), withPath(host, path))
}

func withPath(host, path string) string { return strings.TrimSuffix(host+"/"+path, "/") }

// credentialError says that credentials could not be looked for.
type credentialError struct {
	err  error
	hint evidence.Hint
}

func (e *credentialError) Error() string { return e.err.Error() }
func (e *credentialError) Unwrap() error { return e.err }

func (s *credentialSource) get(ctx context.Context, host string) (auth.Credential, error) {
	if !strings.EqualFold(host, s.host) {
		return auth.Credential{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked {
		return s.found, s.err
	}
	files := authFiles()
	for _, path := range files {
		found, place, err := s.fromFile(ctx, path)
		switch {
		case errors.Is(err, context.Canceled):
			return auth.Credential{}, err
		case err != nil:
			s.asked, s.err = true, unreadable(path, err)
			return auth.Credential{}, s.err
		case found == auth.Credential{}:
			s.key = ""
			continue
		case found.Username != "":
			s.tried = fmt.Sprintf("tried the credentials of user %q from %s", found.Username, place)
		default:
			s.tried = "tried the token from " + place
		}
		s.asked, s.found, s.file = true, found, path
		return found, nil
	}
	s.asked = true
	s.tried = s.without(files)
	return auth.Credential{}, nil
}

// unreadable says what to do about a file of credentials that cannot be read.
func unreadable(path string, err error) *credentialError {
	if !errors.Is(err, boundedfile.ErrFolder) {
		return &credentialError{err, "mend it, or name another file with " + authFileVariable}
	}
	err = errors.New(err.Error()) // not of an input, in which there are files to name
	if os.Getenv(authFileVariable) == "" {
		return &credentialError{err, evidence.Hint("remove the folder, or name a file with " + authFileVariable)}
	}
	for _, name := range []string{"auth.json", "config.json"} {
		if file := filepath.Join(path, name); exists(file) {
			return &credentialError{err, evidence.Hint(fmt.Sprintf("set %s to %s", authFileVariable, shell.Path(file)))}
		}
	}
	return &credentialError{err, evidence.Hint("set " + authFileVariable + " to a file, or unset it")}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// without says where no credentials were found.
func (s *credentialSource) without(files []string) string {
	if len(files) == 0 { // on some systems without a home
		return "no place for credentials is known, since HOME is not set"
	}
	_, err := os.Stat(files[0])
	switch {
	case len(files) > 1:
		return fmt.Sprintf("tried %s, none of which has credentials for %s", strings.Join(files, ", "), s.host)
	case errors.Is(err, fs.ErrNotExist): // a variable names it
		return fmt.Sprintf("tried %s, which does not exist", files[0])
	}
	return fmt.Sprintf("tried %s, which has no credentials for %s", files[0], s.host)
}

// authConfig is what is read of Docker's config.json and of Podman's auth.json.
type authConfig struct {
	Auths       map[string]authEntry `json:"auths"`
	CredsStore  string               `json:"credsStore"`
	CredHelpers map[string]string    `json:"credHelpers"`
}

type authEntry struct {
	Auth          string `json:"auth"`
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// fromFile finds the registry's credentials by one file, and says where they are from. Errors hold no secret.
func (s *credentialSource) fromFile(ctx context.Context, path string) (auth.Credential, string, error) {
	data, err := readWithin(ctx, path)
	var config authConfig
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, boundedfile.ErrInput) && len(data) == 0 && isEmpty(path):
		return auth.Credential{}, path, nil
	case err != nil:
		return auth.Credential{}, path, fmt.Errorf("the credentials cannot be read: %w", err)
	case json.Unmarshal(data, &config) != nil: // whose error may quote them
		return auth.Credential{}, path, fmt.Errorf("the credentials cannot be read: %s is not a Docker or Podman configuration in JSON", path)
	}
	if name := config.helper(s.host); name != "" {
		found, err := runHelper(ctx, name, path, serverAddress(s.host))
		return found, fmt.Sprintf("the credential helper %s%s, which %s names", helperPrefix, name, path), err
	}
	if entry, key, ok := config.entry(s.host, s.repository); ok {
		s.key = key
		found, err := entry.credential()
		if err != nil {
			err = fmt.Errorf("the credentials for %s in %s cannot be read: %w", s.host, path, err)
		}
		if err != nil || found != (auth.Credential{}) {
			return found, path, err
		}
	}
	if s.key = ""; config.CredsStore == "" {
		return auth.Credential{}, path, nil
	}
	found, err := runHelper(ctx, config.CredsStore, path, serverAddress(s.host))
	return found, fmt.Sprintf("the credential helper %s%s, which %s names", helperPrefix, config.CredsStore, path), err
}

// readWithin reads a file of credentials, which may be a pipe without a writer, or lie on a file system that does not answer.
func readWithin(ctx context.Context, path string) ([]byte, error) {
	type content struct {
		data []byte
		err  error
	}
	read := make(chan content, 1)
	go func() {
		data, err := boundedfile.Read(path, limits.AuthFile)
		read <- content{data, err}
	}()
	select {
	case c := <-read:
		return c.data, c.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", path, ctx.Err())
	}
}

func isEmpty(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() == 0
}

// dockerHub are the names by which files know the registry of docker.io.
var dockerHub = []string{"registry-1.docker.io", "index.docker.io", "docker.io"}

// serverAddress is by which name a helper knows a registry.
func serverAddress(host string) string {
	if slices.Contains(dockerHub, host) {
		return "https://index.docker.io/v1/"
	}
	return host
}

func (c *authConfig) helper(host string) string {
	for key, name := range c.CredHelpers {
		if server, path := splitKey(key); path == "" && sameRegistry(server, host) {
			return name
		}
	}
	return ""
}

// entry is the most specific one: Podman keeps credentials by namespace or repository, too.
func (c *authConfig) entry(host, repository string) (found authEntry, at string, ok bool) {
	longest, exact := -1, false
	for key, entry := range c.Auths {
		server, path := splitKey(key)
		if !sameRegistry(server, host) || path != "" && path != repository && !strings.HasPrefix(repository, path+"/") {
			continue
		}
		if len(path) > longest || len(path) == longest && !exact && key == host {
			found, at, ok, longest, exact = entry, key, true, len(path), key == host
		}
	}
	return found, at, ok
}

// splitKey splits a key of "auths": HOST[/NAMESPACE...], or a URL, as Docker wrote keys once.
func splitKey(key string) (server, path string) {
	rest, isURL := strings.CutPrefix(key, "https://")
	if !isURL {
		rest, isURL = strings.CutPrefix(rest, "http://")
	}
	server, path, _ = strings.Cut(rest, "/")
	if path = strings.Trim(path, "/"); isURL || path == "v1" || path == "v2" {
		path = ""
	}
	return server, path
}

func sameRegistry(a, b string) bool {
	return strings.EqualFold(a, b) || slices.Contains(dockerHub, strings.ToLower(a)) && slices.Contains(dockerHub, strings.ToLower(b))
}

func (e authEntry) credential() (auth.Credential, error) {
	found := auth.Credential{Username: e.Username, Password: e.Password, RefreshToken: e.IdentityToken, AccessToken: e.RegistryToken}
	if e.Auth == "" {
		return found, nil
	}
	pair, err := base64.StdEncoding.DecodeString(e.Auth)
	user, password, ok := strings.Cut(string(pair), ":")
	if err != nil || !ok {
		return auth.Credential{}, errors.New(`"auth" is not base64 of USER:PASSWORD`)
	}
	found.Username, found.Password = user, strings.Trim(password, "\x00")
	return found, nil
}

const helperPrefix = "docker-credential-"

// runHelper asks a credential helper: https://github.com/docker/docker-credential-helpers. One that hangs or talks
// without end is killed, with what it has started.
func runHelper(ctx context.Context, name, file, server string) (auth.Credential, error) {
	called := helperPrefix + name
	fail := func(err error) (auth.Credential, error) {
		return auth.Credential{}, fmt.Errorf("the credential helper %s, which %s names: %w", called, file, err)
	}
	if name != filepath.Base(name) {
		return fail(errors.New("want a name, and no path"))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limits.HelperSeconds*time.Second, errHelperTime)
	defer cancel()
	ctx, tooMuch := context.WithCancelCause(ctx)
	defer tooMuch(nil)
	said, complained := &capped{limit: limits.HelperAnswer, full: func() { tooMuch(errHelperAnswer) }}, &capped{limit: limits.HelperAnswer}
	cmd := exec.CommandContext(ctx, called, "get")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(server), said, complained
	cmd.WaitDelay = time.Second // what it has started may keep its output open
	ownGroup(cmd)
	start := time.Now()
	err := cmd.Run()
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, context.Canceled), errors.Is(cause, errHelperAnswer):
		return fail(cause)
	case cause != nil:
		return fail(fmt.Errorf("no answer within %s, and it was killed: %w", time.Since(start).Round(100*time.Millisecond), context.DeadlineExceeded))
	}
	if errors.Is(err, exec.ErrWaitDelay) { // it has ended well, and what it has started keeps its output open
		err = nil
	}
	text := string(bytes.TrimSpace(said.kept.Bytes()))
	if err != nil && text == "credentials not found in native keychain" {
		return auth.Credential{}, nil
	}
	if err != nil {
		if !errors.As(err, new(*exec.ExitError)) {
			return fail(err) // it is not there, or cannot be started
		}
		if strings.HasPrefix(text, "{") { // and may hold the secret
			text = ""
		}
		return fail(fmt.Errorf("it failed (%w): %s", err, shown(text+" "+complained.kept.String())))
	}
	var found struct{ Username, Secret string }
	if json.Unmarshal(said.kept.Bytes(), &found) != nil { // whose error may quote the secret
		return fail(errors.New("its answer is not JSON with a Username and a Secret"))
	}
	if found.Username == "<token>" {
		return auth.Credential{RefreshToken: found.Secret}, nil
	}
	return auth.Credential{Username: found.Username, Password: found.Secret}, nil
}

var (
	errHelperTime   = errors.New("no answer in time")
	errHelperAnswer = fmt.Errorf("an answer of more than %d bytes", limits.HelperAnswer)
)

// capped keeps what is written to it up to a limit, and tells when there is more.
type capped struct {
	kept  bytes.Buffer // not embedded: its ReadFrom knows no limit
	limit int
	full  func()
}

var _ io.Writer = (*capped)(nil)

func (c *capped) Write(data []byte) (int, error) {
	part := data[:min(len(data), c.limit)]
	c.limit -= len(part)
	if len(part) < len(data) && c.full != nil {
		c.full()
	}
	c.kept.Write(part)
	return len(data), nil
}
