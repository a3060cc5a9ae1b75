package secrets

import (
	"strings"
	"testing"
)

func TestShown(t *testing.T) {
	const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for text, want := range map[string]string{
		"asking https://u:hunter2@host/x":                                        "asking https://[secret]@host/x",
		`transparency log https://h/?token=hunter2: dial tcp: refused`:           "transparency log https://h/?token=[secret]: dial tcp: refused",
		`"https://h/a?x=1&sig=abcd&se=2026": no`:                                 `"https://h/a?x=1&sig=[secret]&se=[secret]": no`,
		"npm_" + strings.Repeat("a1", 18) + ": no such file":                     "[secret]: no such file",
		"--bind ghp_" + strings.Repeat("Ab1", 12) + ", want NAME=PATH":           "--bind [secret], want NAME=PATH",
		"remote //user:" + typed + "@host: no":                                   "remote //[secret]@host: no",
		"https://ghp_" + strings.Repeat("Ab1", 12) + "@host/x":                   "https://[secret]@host/x",
		"x: Authorization: Bearer abcdef123456 and more":                         "x: [secret] and more",
		"ghcr.io/acme/app:v1@" + digest + ": not found":                          "ghcr.io/acme/app:v1@" + digest + ": not found",
		"airun:1:" + digest + " is denied":                                       "airun:1:" + digest + " is denied",
		"https://github.com/o/r/.github/workflows/x.yml@refs/heads/main: signer": "https://github.com/o/r/.github/workflows/x.yml@refs/heads/main: signer",
		"--key-validity \"x\": want KEY=FROM/UNTIL":                              "--key-validity \"x\": want KEY=FROM/UNTIL",
		`RUNATTEST_PASSWORD="$(cat FILE)" has none`:                              `RUNATTEST_PASSWORD="$(cat FILE)" has none`,
		"https://h/?page=2&last=v1: 404":                                         "https://h/?page=2&last=v1: 404",
		"":                                                                       "",
	} {
		if got := Shown(text); got != want {
			t.Errorf("%s:\n%s, want\n%s", text, got, want)
		}
	}
}
