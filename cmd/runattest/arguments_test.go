package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestForeignFlags gives each flag of other programs to every command: the hint names no flag that the command lacks.
func TestForeignFlags(t *testing.T) {
	flag := regexp.MustCompile(`--([a-z][a-z-]+)`)
	tried, told := 0, 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		for _, f := range foreignFlags {
			for _, name := range f.Names {
				given := "--" + name
				if len(name) == 1 {
					given = "-" + name
				}
				if cmd.Flags().Lookup(name) != nil || cmd.Flags().ShorthandLookup(name[:1]) != nil && len(name) == 1 {
					continue
				}
				tried++
				status, _, stderr := called(append(path, given, "x")...)
				said, hint, found := strings.Cut(stderr, "\nhint: ")
				if status != exitMalformed || !found || !strings.HasPrefix(said, "runattest: unknown ") {
					t.Errorf("%v %s: exit status %d, %s", path, given, status, stderr)
				}
				for _, named := range flag.FindAllStringSubmatch(hint, -1) {
					if named[1] != "help" && cmd.Flags().Lookup(named[1]) == nil {
						t.Errorf("%v %s: the hint names --%s, which is not a flag of it", path, given, named[1])
					}
				}
				if !strings.Contains(hint, "lists what there is") {
					told++
				}
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	for _, sub := range newRoot().Commands() {
		walk(sub)
	}
	if tried < 1000 || told < 200 {
		t.Errorf("%d flags tried, of %d there is something to say", tried, told)
	}
	for args, want := range map[string]string{
		"sign --output x": "here that is --bundle", "sign -k x": "here that is --key", "sign -key x": "write --key, with two hyphens",
		"verify --rekor-url x": "lists what there is", "verify --bundle x": "bundles are arguments", "id -o x": "write > FILE",
		"keygen --output-key-prefix x": "here that is --output", "exec --key x": "the policy names the keys", "list --plain-http": "here that is --insecure-http",
	} {
		if _, _, stderr := called(strings.Fields(args)...); !strings.Contains(stderr, want) {
			t.Errorf("%s: %s, want %s", args, stderr, want)
		}
	}
}

// TestPrivateKeyArguments gives a private key as the value of every text that a command takes: it is refused, and not printed.
func TestPrivateKeyArguments(t *testing.T) {
	const secret = "MC4CAQAwBQYDK2VwBCIEIGh1c2ggbm93IGh1c2ggbm93IGh1c2ggbm93IGh1c2gh"
	for _, key := range []string{"-----BEGIN PRIVATE KEY-----\n" + secret + "\n-----END PRIVATE KEY-----\n", secret} {
		for _, args := range [][]string{
			{"sign", "--annotation", "key=" + key, "run.json"}, {"sign", "--subject", key, "run.json"}, {"sign", key}, {"sign", "--key", key, "run.json"},
			{"approve", "--decision", "approved", "--reason=" + key, "x"}, {"approve", "--condition", key, "x"}, {"verify", "--identity", key, "x"},
			{"verify", "--format", key}, {"list", key}, {"keygen", "-o", key}, {"version", key}, {key}, {"exec", "--bind", "m=" + key, "--", "true"},
		} {
			status, stdout, stderr := called(args...)
			if status != exitMalformed || !strings.Contains(stderr, "a private key") || strings.Contains(stdout+stderr, secret) {
				t.Errorf("%.20q: exit status %d, %s%s", args, status, stdout, stderr)
			}
		}
	}
}

// called runs a command line.
func called(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	root := newRoot(args...)
	root.SetOut(&out)
	root.SetErr(&err)
	root.SetIn(strings.NewReader(""))
	status = run(context.Background(), root, args)
	return status, out.String(), err.String()
}
