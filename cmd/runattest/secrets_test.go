package main

import (
	"os"
	"strings"
	"testing"
)

// TestNoSecretsInErrors gives a credential wherever a URL, a header or a named value is given, in commands that fail: neither
// output shows it.
func TestNoSecretsInErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	run := `{"schema":"https://github.com/runattest/runattest/declaration/v1","kind":"other","model":{"name":"m"},"prompt":{},"parameters":{},"context":[],"constraints":{}}`
	if err := os.WriteFile("run.json", []byte(run), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := called("keygen", "--no-password", "-o", "a"); status != exitYes {
		t.Fatal(stderr)
	}
	const secret, token = "hunter2SecretToken99", "ghp_k3J9x0QpLm27Zt81Ab1cD2eF3gH4iJ5kL6mN"
	for _, line := range []string{
		"sign --key a.key --timeout 40ms --rekor https://u:SECRET@localhost:1 run.json", "sign --key a.key --timeout 40ms --rekor https://localhost:1/?token=SECRET run.json",
		"sign --key a.key --rekor https://TOKEN@localhost:1 run.json", "sign --key a.key --rekor https://u:SECRET@[::1 run.json",
		"sign --key a.key --timestamp-server u:SECRET@localhost:1 run.json", "sign --key a.key --timestamp-server https//u:SECRET@host run.json",
		"sign --key a.key --timeout 40ms --timestamp-server http://localhost:1/x?api_key=SECRET run.json",
		"sign --fulcio https://u:SECRET@localhost:1 run.json", "sign --fulcio http://h/?key=SECRET run.json", "sign --fulcio http://localhost:1 --identity-token TOKEN run.json",
		"trusted-root fetch --mirror https://u:SECRET@localhost:1",
		"trusted-root create --fulcio url=https://u:SECRET@h,certificate-chain=a.pub", "trusted-root create --rekor url=u:SECRET@h,public-key=a.pub",
		"list oci://u:SECRET@localhost:1/x", "list u:SECRET@localhost:1/x", "list localhost:1/x?token=SECRET", "attach u:SECRET@localhost:1/x run.json",
		"sign --key a.key --attach oci://u:SECRET@localhost:1/x run.json", "verify --key a.pub oci://u:SECRET@localhost:1/x",
		"sign --key a.key --annotation TOKEN run.json", "sign --key a.key --annotation token=SECRET --annotation token=SECRET run.json", "sign --key a.key --subject TOKEN run.json",
		"capture openai-chat/1 --header AuthorizationSECRET run.json", "capture openai-chat/1 --header TOKEN run.json", "sign --key https://u:SECRET@h/k run.json",
		"verify --key a.pub https://u:SECRET@h/x.json", "verify --key a.pub --format json https://u:SECRET@h/x.json", "inspect https://h/x.json?sig=SECRET",
		"sign --key a.key --login TOKEN run.json", "sign --key a.key --timeout TOKEN run.json", "exec --bundle x --policy p --bind TOKEN -- true",
		"version TOKEN", "TOKEN", "sign --key a.key --set s.runset.jsonl --set-annotation key=SECRET --set-annotation key=SECRET run.json",
	} {
		line = strings.NewReplacer("SECRET", secret, "TOKEN", token).Replace(line)
		status, stdout, stderr := called(strings.Fields(line)...)
		if status == exitYes || stderr == "" {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
		for _, s := range []string{secret, token} {
			name := `"bundle":"https://u:` + s // the argument, by which a program knows the answer
			if strings.Contains(strings.ReplaceAll(stdout, name, ""), s) || strings.Contains(stderr, s) {
				t.Errorf("%s: shows it:\n%s%s", line, stdout, stderr)
			}
		}
	}
}
