package e2e

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runattest/runattest/e2e/internal/services"
)

// Columns of the matrix in docs/clients.md.
const (
	sigstorePython   = "sigstore-python"
	sigstoreJS       = "@sigstore/verify"
	securesystemslib = "securesystemslib"
)

var keyAlgorithms = []string{"ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096"}

// schemes are what securesystemslib calls the way in which our keys sign, where that is not its default.
var schemes = map[string]string{"rsa-2048": "rsa-pkcs1v15-sha256", "rsa-3072": "rsa-pkcs1v15-sha256", "rsa-4096": "rsa-pkcs1v15-sha256"}

// Why clients refuse what is in order, as they say it.
const (
	wantsCertificate = "expected certificate in bundle"
	wantsLogEntry    = "expected exactly one log entry in bundle"
)

// row is a bundle of ours and what a client says: "" for yes, part of its reason for no; a client that is not there is not asked.
type row struct {
	name, file string
	says       map[string]string
	questions  map[string]ask
}

// matrix is the bundles of ours that other clients are asked about.
type matrix struct {
	d    *desk
	s    *services.Services
	rows []row
}

// certificate adds a bundle that was signed without a key.
func (m *matrix) certificate(name, file, root, issuer string, logs, timestamps int, python string) {
	m.rows = append(m.rows, row{name, file, map[string]string{sigstorePython: python, sigstoreJS: ""}, map[string]ask{
		sigstorePython: {"do": "verify", "bundle": file, "root": root, "identity": ada, "issuer": issuer},
		sigstoreJS: {"do": "verify", "bundle": file, "root": root, "identity": ada, "issuer": issuer,
			"thresholds": ask{"tlogThreshold": logs, "timestampThreshold": timestamps, "ctlogThreshold": 1}},
	}})
}

// key adds a bundle that a key signed, whose envelope securesystemslib takes.
func (m *matrix) key(name, algorithm, file string, logs, timestamps int, js string) {
	hint := m.d.readBundle(file).hint()
	m.rows = append(m.rows, row{name, file, map[string]string{sigstorePython: wantsCertificate, sigstoreJS: js, securesystemslib: ""}, map[string]ask{
		sigstorePython: {"do": "verify", "bundle": file, "root": "trusted_root.json", "identity": ada, "issuer": m.s.Issuer.URL},
		sigstoreJS: {"do": "verify", "bundle": file, "root": "trusted_root.json", "key": algorithm + ".pub", "hint": hint,
			"thresholds": ask{"tlogThreshold": logs, "timestampThreshold": timestamps}},
		securesystemslib: m.dsse(algorithm, file, hint),
	}})
}

// bare adds an envelope without a bundle.
func (m *matrix) bare(algorithm, file, hint string) {
	m.rows = append(m.rows, row{"bare DSSE, " + algorithm, file, map[string]string{securesystemslib: ""},
		map[string]ask{securesystemslib: m.dsse(algorithm, file, hint)}})
}

func (m *matrix) dsse(algorithm, file, hint string) ask {
	a := ask{"do": "verify_dsse", "envelope": file, "key": algorithm + ".pub", "keyid": hint}
	if scheme := schemes[algorithm]; scheme != "" {
		a["scheme"] = scheme
	}
	return a
}

// build signs every bundle of the matrix.
func (m *matrix) build() {
	d, s := m.d, m.s
	d.signsKeyless("full.sigstore.json").ok()
	m.certificate("certificate, Rekor v2, timestamp", "full.sigstore.json", "trusted_root.json", s.Issuer.URL, 1, 1, "")

	// Rekor v1 is not among the servers here: a bundle of ours that one has logged.
	recorded := filepath.Join("..", "testdata", "clients")
	for from, to := range map[string]string{"01-good-rekor1.sigstore.json": "rekor1.sigstore.json", "trusted_root.json": "root1.json"} {
		data, err := os.ReadFile(filepath.Join(recorded, from))
		if err != nil {
			d.t.Fatal(err)
		}
		d.write(to, data)
	}
	m.certificate("certificate, Rekor v1", "rekor1.sigstore.json", "root1.json", "http://127.0.0.1:38795", 1, 1, "")

	d.signs("stamped.sigstore.json", "--fulcio", s.Fulcio.URL, "--timestamp-server", s.Timestamper.URL, "--identity-token", "token").ok()
	m.certificate("certificate, timestamp", "stamped.sigstore.json", "trusted_root.json", s.Issuer.URL, 0, 1, wantsLogEntry)

	for _, algorithm := range keyAlgorithms {
		d.makeKey(algorithm, algorithm, "--no-password")
		sign := func(evidence string, logs, timestamps int, flags ...string) {
			js := ""
			switch longer := algorithm == "ecdsa-p384" || algorithm == "ecdsa-p521"; { // it hashes with SHA-256 for every curve
			case longer && logs > 0:
				js = "TLOG_BODY_ERROR"
			case longer:
				js = "SIGNATURE_ERROR"
			}
			file := algorithm + strings.ReplaceAll(strings.ReplaceAll(evidence, ",", ""), " ", "-") + ".sigstore.json"
			d.signs(file, append(flags, "--key", algorithm+".key")...).ok()
			m.key("key "+algorithm+evidence, algorithm, file, logs, timestamps, js)
		}
		sign("", 0, 0)
		sign(", timestamp", 0, 1, "--timestamp-server", s.Timestamper.URL)
		if algorithm != "ed25519" { // Rekor v2 takes none
			sign(", Rekor v2", 1, 0, "--rekor", s.Rekor.URL)
		}
		d.signs(algorithm+".dsse.json", "--bundle-format", "dsse", "--key", algorithm+".key").ok()
		m.bare(algorithm, algorithm+".dsse.json", d.readBundle(algorithm+".sigstore.json").hint())
	}
}

// changed is the same bundle with another payload.
func (d *desk) changed(file string) string {
	d.t.Helper()
	to := "changed-" + file
	d.alter(file, to, func(whole object) {
		if inner, ok := whole["dsseEnvelope"].(object); ok {
			whole = inner
		}
		payload, err := base64.StdEncoding.DecodeString(whole["payload"].(string))
		if err != nil {
			d.t.Fatal(err)
		}
		whole["payload"] = base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(payload), `"kind":"`, `"kind": "`, 1)))
	})
	return to
}

// What we write, other clients read: the matrix in docs/clients.md, asked again. Each that says yes says no once the payload
// has changed; what we write as trusted root they read, too.
func TestClientsVerifyOurs(t *testing.T) {
	d, s := useOurs(t)
	m := matrix{d: d, s: s}
	m.build()
	python, node := d.clients()
	clients := map[string]*client{sigstorePython: python, securesystemslib: python, sigstoreJS: node}
	columns := []string{sigstorePython, sigstoreJS, securesystemslib}

	var table strings.Builder
	fmt.Fprintf(&table, "| bundle of ours | %s |\n|---|---|---|---|\n", strings.Join(columns, " | "))
	for _, r := range m.rows {
		clients[sigstorePython].yes(parsing(r.file))
		fmt.Fprintf(&table, "| %s |", r.name)
		for _, column := range columns {
			question, asked := r.questions[column]
			switch reason := r.says[column]; {
			case !asked:
				table.WriteString(" - |")
			case reason == "":
				clients[column].yes(question)
				table.WriteString(" yes |")
				copied := ask{}
				for name, value := range question {
					copied[name] = value
				}
				for _, name := range []string{"bundle", "envelope"} {
					if _, ok := copied[name]; ok {
						copied[name] = d.changed(r.file)
					}
				}
				if said := clients[column].says(copied); said == "" {
					t.Errorf("%s: %s says yes to a payload that has changed", r.name, column)
				}
			default:
				clients[column].no(question, reason)
				table.WriteString(" no |")
			}
		}
		table.WriteString("\n")
	}
	for _, wrong := range []ask{
		{"do": "verify", "bundle": "full.sigstore.json", "root": "trusted_root.json", "identity": bob, "issuer": s.Issuer.URL},
		{"do": "verify", "bundle": "full.sigstore.json", "root": "trusted_root.json", "identity": ada, "issuer": s.CI.URL},
	} {
		for _, c := range []*client{clients[sigstorePython], clients[sigstoreJS]} {
			if c.says(wrong) == "" {
				t.Errorf("%v: verified", wrong)
			}
		}
	}
	d.writeJSON("trust.json", object{
		"mediaType":   "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
		"trustedRoot": d.parsed("trusted_root.json"), "signingConfig": d.parsed("signing_config.json"),
	})
	byDigest := func(digest string) outcome {
		return d.sigstore("--trust-config", "trust.json", "verify", "identity", "--bundle", "full.sigstore.json",
			"--cert-identity", ada, "--cert-oidc-issuer", s.Issuer.URL, "sha256:"+digest)
	}
	byDigest(identityHex(d)).ok()
	if wrong := byDigest(strings.Repeat("1", 64)); wrong.code == 0 {
		t.Errorf("%s: verified", wrong.command)
	}

	page, err := os.ReadFile(filepath.Join("..", "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/clients.md does not have this table:\n%s", table.String())
	}
}

func parsing(file string) ask {
	if strings.HasSuffix(file, ".dsse.json") {
		return ask{"do": "parse_dsse", "envelope": file}
	}
	return ask{"do": "parse", "bundle": file}
}

func identityHex(d *desk) string {
	_, hex, _ := strings.Cut(identityOf(d.read("canonical.json")), "sha256:")
	return hex
}

// What trusted-root create writes for one service alone, sigstore-python reads.
func TestClientsReadOurRoots(t *testing.T) {
	d, s := useOurs(t)
	d.gather(s)
	python, _ := d.clients()
	all := namesAll(s)
	for i := 0; i < len(all); i += 2 {
		file := fmt.Sprintf("root%d.json", i/2)
		d.runattest(create(all[i:i+2], file)...).ok()
		python.yes(ask{"do": "read_root", "root": file})
	}
}

// What other clients sign of our statement is ours.
func TestWeVerifyClients(t *testing.T) {
	d, s := useOurs(t)
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.sign("runattest")
	d.statement("runattest.sigstore.json", "statement.json")
	python, node := d.clients()
	theirs := func(name string, flags ...string) outcome {
		return d.believesAs("trusted_root.json", ada, s.Issuer.URL, name, append([]string{"--declaration", "run.json"}, flags...)...)
	}

	python.yes(ask{"do": "sign", "root": "trusted_root.json", "config": "signing_config.json", "token": "token",
		"statement": "statement.json", "bundle": "python.sigstore.json"})
	theirs("python.sigstore.json", "--require-timestamp", "1", "--require-log", "1").yes()
	python.yes(ask{"do": "sign", "root": "trusted_root.json", "config": "signing_config.json", "token": "token",
		"statement": "statement.json", "bundle": "built.sigstore.json", "build": true})
	theirs("built.sigstore.json").yes() // members in another order: the identity recomputes

	node.yes(ask{"do": "sign", "statement": "statement.json", "bundle": "js.sigstore.json",
		"fulcio": s.Fulcio.URL, "token": "token", "timestamper": s.Timestamper.URL})
	theirs("js.sigstore.json", "--require-log", "none").yes()

	for _, algorithm := range keyAlgorithms {
		d.makeKey(algorithm, algorithm, "--no-password")
		trust := []string{"--key", algorithm + ".pub", "--declaration", "run.json"}

		file := "js-" + algorithm + ".sigstore.json"
		node.yes(ask{"do": "sign", "statement": "statement.json", "bundle": file, "key": algorithm + ".key", "hint": "https://keys.example/1"})
		if algorithm == "ecdsa-p384" || algorithm == "ecdsa-p521" {
			d.believes(file, trust...).no("signature", "SHA-256")
		} else {
			d.believes(file, trust...).yes()
		}

		file = "lib-" + algorithm + ".dsse.json"
		request := ask{"do": "sign_dsse", "statement": "statement.json", "envelope": file, "key": algorithm + ".key"}
		if scheme := schemes[algorithm]; scheme != "" {
			python.yes(request) // its default for RSA is PSS
			d.believes(file, trust...).no("signature", "PSS")
			request["scheme"] = scheme
		}
		python.yes(request)
		d.believes(file, trust...).yes()
	}
}
