package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
	"github.com/runattest/runattest/e2e/internal/tools"
)

// download is what an operator of a private Sigstore does with curl.
func (d *desk) download(url string) []byte {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %s, %v", url, response.Status, err)
	}
	return data
}

// gather puts what the servers publish of themselves on the desk as PEM. The logs' keys are their operator's to hand out.
func (d *desk) gather(s *services.Services) {
	d.t.Helper()
	var bundle struct {
		Chains []struct{ Certificates []string }
	}
	if err := json.Unmarshal(d.download(s.Fulcio.URL+"/api/v2/trustBundle"), &bundle); err != nil {
		d.t.Fatal(err)
	}
	d.write("fulcio.pem", []byte(strings.Join(bundle.Chains[0].Certificates, "\n")))
	d.write("tsa.pem", d.download(s.Timestamper.URL+"/certchain"))
	for name, log := range map[string]services.Log{"rekor.pub": s.Rekor.Log, "ct.pub": s.CTLog.Log} {
		d.write(name, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: log.PublicKey.RawBytes}))
	}
}

// namesAll are the flags, of cosign and of runattest, that name all services.
func namesAll(s *services.Services) []string {
	const begin = ",start-time=2026-01-01T00:00:00Z"
	return []string{
		"--fulcio", "url=" + s.Fulcio.URL + ",certificate-chain=fulcio.pem",
		"--tsa", "url=" + s.Timestamper.URL + ",certificate-chain=tsa.pem",
		"--ctfe", "url=" + s.CTLog.URL + ",public-key=ct.pub" + begin,
		"--rekor", "url=https://" + services.RekorHost + ",public-key=rekor.pub,origin=" + services.RekorHost + begin,
	}
}

func create(flags []string, out string) []string {
	return slices.Concat([]string{"trusted-root", "create"}, flags, []string{"--out", out})
}

// parsed is JSON without the order of members and the spelling of white space.
func (d *desk) parsed(name string) any {
	d.t.Helper()
	var v any
	if err := json.Unmarshal(d.read(name), &v); err != nil {
		d.t.Fatal(err)
	}
	return v
}

// withoutEmpty is JSON without the empty members that runattest writes and cosign leaves out.
func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if member = withoutEmpty(member); member == "" {
				delete(v, name)
			}
		}
	case []any:
		for _, element := range v {
			withoutEmpty(element)
		}
	}
	return v
}

// The same flags make the same trusted root here and in cosign, and each believes with the other's what the servers sign.
func TestTrustedRootCreate(t *testing.T) {
	d, s := useOurs(t)
	d.gather(s)
	d.runattest(create(namesAll(s), "ours.json")...).ok()
	d.cosign(create(namesAll(s), "cosigns.json")...).ok()
	mine, err := json.Marshal(withoutEmpty(d.parsed("ours.json")))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := json.Marshal(withoutEmpty(d.parsed("cosigns.json")))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mine, theirs) {
		t.Errorf("ours\n%s\ncosign's\n%s", mine, theirs)
	}
	d.runattest(create(namesAll(s), "again.json")...).ok()
	if !bytes.Equal(d.read("ours.json"), d.read("again.json")) {
		t.Error("the same flags give another file")
	}

	d.signsKeyless(ours, "--trusted-root", "ours.json").ok()
	d.statement(ours, "statement.json")
	d.cosignAttestsKeyless("cosign.sigstore.json", "--identity-token=token").ok()
	for _, bundle := range []string{ours, "cosign.sigstore.json"} {
		for _, root := range []string{"ours.json", "cosigns.json"} {
			d.believesAs(root, ada, s.Issuer.URL, bundle).yes()
			d.cosignVerifiesKeyless(root, ada, s.Issuer.URL, bundle).ok()
		}
	}
	for _, want := range []string{"who signed ", "certificates are logged ", "when it was signed ", "signatures are logged ", s.Fulcio.URL, s.Timestamper.URL} {
		if shown := string(d.runattest("trusted-root", "show", "cosigns.json").ok()); !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
}

// A root without one of the services, or with the log under its older name, does not verify, with us and with cosign.
func TestTrustedRootLacks(t *testing.T) {
	d, s := useOurs(t)
	d.gather(s)
	d.signsKeyless(ours).ok()
	all := namesAll(s)
	without := func(flag string) []string {
		i := slices.Index(all, flag)
		return slices.Concat(all[:i], all[i+2:])
	}
	for _, c := range []struct {
		name          string
		flags         []string
		check, reason string
	}{
		{"tsa", without("--tsa"), "time", "no trusted timestamp"},
		{"origin", append(without("--rekor"), "--rekor", "url=https://"+services.RekorHost+",public-key=rekor.pub,start-time=2026-01-01T00:00:00Z"), "time", "the trusted root names no log"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			d.runattest(create(c.flags, "lacking.json")...).ok()
			d.believesAs("lacking.json", ada, s.Issuer.URL, ours).no(c.check, c.reason)
			if o := d.cosignVerifiesKeyless("lacking.json", ada, s.Issuer.URL, ours); o.code == 0 {
				t.Errorf("%s: accepted", o.command)
			}
		})
	}
}

// What cosign takes and nothing can be verified with is refused here.
func TestTrustedRootStricter(t *testing.T) {
	d, s := useOurs(t)
	d.gather(s)
	chain := bytes.SplitAfter(d.read("tsa.pem"), []byte("-----END CERTIFICATE-----\n"))
	d.write("leaf.pem", chain[0])
	for _, flags := range [][]string{
		{"--tsa", "url=" + s.Timestamper.URL + ",certificate-chain=leaf.pem"},
		{"--fulcio", "url=" + s.Fulcio.URL + ",certificate-chain=leaf.pem"},
		{"--rekor", "url=https://other.local.test,public-key=rekor.pub,origin=" + services.RekorHost + ",start-time=2026-01-01T00:00:00Z"},
		{"--fulcio", "url=" + s.Fulcio.URL + ",certificate-chain=fulcio.pem,start-time=2026-01-02T00:00:00Z,end-time=2026-01-01T00:00:00Z"},
	} {
		d.cosign(create(flags, "lax.json")...).ok()
		if o := d.runattest(create(flags, "strict.json")...); o.code != 2 {
			t.Errorf("%s: exit status %d, want 2\n%s", o.command, o.code, o.stderr)
		}
	}
}

// The client of cmd/conformance, as a process of its own, on bundles with Rekor v2 entries: ours and cosign's.
func TestConformanceClient(t *testing.T) {
	client, err := tools.Build(t.Context(), bin, "conformance", "..", "./cmd/conformance")
	if err != nil {
		t.Fatal(err)
	}
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	d.signsKeyless("second.sigstore.json").ok()
	d.statement(ours, "statement.json")
	d.cosignAttestsKeyless("cosign.sigstore.json", "--identity-token=token").ok()
	verify := func(bundle, identity, artifact string) outcome {
		return d.run(client, []string{"verify-bundle", "--bundle", bundle, "--certificate-identity", identity,
			"--certificate-oidc-issuer", s.Issuer.URL, "--trusted-root", "trusted_root.json", artifact})
	}
	verify(ours, ada, "canonical.json").ok() // the suite's rekor2-dsse-happy-path
	verify("cosign.sigstore.json", ada, "canonical.json").ok()
	verify(ours, bob, "canonical.json").refused("signer: the certificate is for")
	verify(ours, ada, filepath.Base("run.json")).refused("is none of the 1 subjects")
	verify(ours, ada, "missing").refused("no such file")

	swap := func(name string, edit func(b, second map[string]any)) {
		b, _ := d.parsed(ours).(map[string]any)
		second, _ := d.parsed("second.sigstore.json").(map[string]any)
		edit(b, second)
		d.writeJSON(name, b)
		verify(name, ada, "canonical.json").refused("")
	}
	envelope := func(b map[string]any) map[string]any { return b["dsseEnvelope"].(map[string]any) }
	material := func(b map[string]any) map[string]any { return b["verificationMaterial"].(map[string]any) }
	swap("rekor2-dsse-mismatch-sig_fail", func(b, second map[string]any) { envelope(b)["signatures"] = envelope(second)["signatures"] })
	swap("rekor2-dsse-mismatch-envelope_fail", func(b, _ map[string]any) { envelope(b)["payload"] = "e30=" })
	swap("entry of another", func(b, second map[string]any) { material(b)["tlogEntries"] = material(second)["tlogEntries"] })
	swap("timestamp of another", func(b, second map[string]any) {
		material(b)["timestampVerificationData"] = material(second)["timestampVerificationData"]
	})
}
