package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/identity"
	"github.com/runattest/runattest/internal/testing/pkitest"
	"github.com/runattest/runattest/signer"
	"github.com/runattest/runattest/sigstore"
)

// TestMisspeltWords: what a member never is makes a rule that cannot be met, or forbids nothing.
func TestMisspeltWords(t *testing.T) {
	head := header(t, newSigner(t)) + "approvals: {required: 0, approvers: [{name: alice, role: legal, keys: [{key: " + pemOf(t, newSigner(t)) + "}]}]}\n"
	for expr, want := range map[string]string{
		`declaration.constraints.budget.usd <= {"Training": 1, "evaluation": 2}[?declaration.kind].orValue(9)`:                                     `compares kind with "Training"`,
		`declaration.context.all(c, {"Dataset": false}[?c.role].orValue(true))`:                                                                    `compares role with "Dataset"`,
		`{"training": true, "eval": false}[declaration.kind]`:                                                                                      `compares kind with "eval"`,
		`approvals.all(a, {"alice": true, "of another policy": true}[?a.approver].orValue(false))`:                                                 "",
		`declaration.?kind != optional.of("Training")`:                                                                                             `compares kind with "Training"`,
		`!json(declaration).contains("\"role\": \"dataset\"")`:                                                                                     `json() is JSON text without blanks between its parts, which never contains`,
		`!json(declaration).contains("\"role\":\"dataset\"")`:                                                                                      "",
		`declaration.context.all(c, json(c.role) != "dataset")`:                                                                                    `compares json() with "dataset"`,
		`declaration.context.all(c, json(c.role) != "\"dataset\"")`:                                                                                "",
		`json(declaration.parameters) != "{}" && json(declaration.parameters.x) != "null" && json(declaration.parameters.x) != "-1"`:               "",
		`!json(declaration).contains("\": ") && !json(declaration).contains(r'\": ')`:                                                              "",
		`!json(declaration).matches("\"role\": *\"dataset\"")`:                                                                                     "",
		`!json(declaration).lowerAscii().contains("a: b") && !json(declaration).contains("a: b")`:                                                  "",
		`declaration.kind == "trainng"`:                                                                                                            `compares kind with "trainng", which it never is`,
		`"Training" != declaration.kind`:                                                                                                           `compares kind with "Training"`,
		`run.kind in ["training", "eval"]`:                                                                                                         `compares kind with "eval"`,
		`declaration.?kind != optional.none() && run.kind != "infer"`:                                                                              `compares kind with "infer"`,
		`ancestors.all(a, a.kind != "train")`:                                                                                                      `compares kind with "train"`,
		`!(signer.kind == "certificat") || signer.name == "x"`:                                                                                     `compares kind with "certificat"`,
		`ancestors.all(a, a.signers.exists(s, s.kind == "keys"))`:                                                                                  `compares kind with "keys"`,
		`!approvals.exists(a, a.decision == "reject")`:                                                                                             `compares decision with "reject"`,
		`approvals.exists(a, a.approver == "Alice")`:                                                                                               `compares approver with "Alice"`,
		`!approvals.exists(a, a.role in ["legal", "safety"])`:                                                                                      `compares role with "safety"`,
		`ancestors.all(p, p.approvals.exists(a, a.role == "leagl"))`:                                                                               `compares role with "leagl"`,
		`open.all(o, !o.hides.exists(h, h == "message"))`:                                                                                          `compares hides with "message"`,
		`open.all(o, o.hides.all(h, "message" != h))`:                                                                                              `compares hides with "message"`,
		`!open.exists(o, o.hides.exists_one(h, h in ["tools", "message"]))`:                                                                        `compares hides with "message"`,
		`open.all(o, o.hides.filter(h, h == "message").size() == 0)`:                                                                               `compares hides with "message"`,
		`open.all(o, !o.hides.map(h, h == "message").exists(b, b))`:                                                                                `compares hides with "message"`,
		`open.all(o, !("message" in o.hides.filter(h, h != "tools").map(h, h)))`:                                                                   `compares hides with "message"`,
		`open.all(o, !("message" in o.hides.map(h, h != "tools", h)))`:                                                                             `compares hides with "message"`,
		`open.all(o, o.hides == [] || o.hides[0] != "message")`:                                                                                    `compares hides with "message"`,
		`open.all(o, o.hides == [] || !(o.hides[size(o.hides) - 1] in ["message"]))`:                                                               `compares hides with "message"`,
		`open.all(o, o.hides != ["message"])`:                                                                                                      `compares hides with "message"`,
		`open.all(o, !["tools", "message"].exists(w, w in o.hides))`:                                                                               `compares hides with "message"`,
		`open.all(h, h.hides.all(h, h != "message"))`:                                                                                              `compares hides with "message"`,
		`open.map(o, o.hides).all(l, !("message" in l))`:                                                                                           `compares hides with "message"`,
		`open.map(o, o.hides).all(l, l.all(h, h != "message"))`:                                                                                    `compares hides with "message"`,
		`open.filter(o, o.hides[0] == "tools" || o.hides.all(h, h == "message")).size() == 0`:                                                      `compares hides with "message"`,
		`!("alise" in approvals.map(a, a.approver))`:                                                                                               `compares approver with "alise"`,
		`approvals.map(a, a.role).all(r, r != "leagl")`:                                                                                            `compares role with "leagl"`,
		`declaration.context.all(c, c.role != "tools")`:                                                                                            `compares role with "tools", which it never is`,
		`declaration.context.all(c, !(c.role in ["tool", "data"]))`:                                                                                `compares role with "data"`,
		`declaration.model.components.all(c, c.role != "Adapter")`:                                                                                 `compares role with "Adapter"`,
		`signer.algorithm != "rsa"`:                                                                                                                `compares algorithm with "rsa", which is not the algorithm of a key`,
		`signer.algorithm in ["ecdsa-p256", "ED25519"]`:                                                                                            `compares algorithm with "ED25519"`,
		`ancestors.all(a, a.signers.all(s, s.algorithm != "ecdsa"))`:                                                                               `compares algorithm with "ecdsa"`,
		`signer.algorithm != "rsa-2047" && signer.algorithm != "ecdsa-p521" && signer.algorithm != ""`:                                             "",
		`declaration.model.name.lowerAscii() != "GPT-4"`:                                                                                           `compares lowerAscii() with "GPT-4", which is not text in lower case`,
		`declaration.context.all(c, !(c.name.lowerAscii() in ["evil", "Bad"]))`:                                                                    `compares lowerAscii() with "Bad"`,
		`!declaration.model.name.lowerAscii().split("-").exists(p, p == "GPT")`:                                                                    `compares lowerAscii() with "GPT"`,
		`!("GPT" in declaration.model.name.lowerAscii().split("-"))`:                                                                               `compares lowerAscii() with "GPT"`,
		`declaration.model.name.lowerAscii().split("/")[0] != "Meta"`:                                                                              `compares lowerAscii() with "Meta"`,
		`declaration.model.name.lowerAscii().trim() != "GPT"`:                                                                                      `compares lowerAscii() with "GPT"`,
		`declaration.model.name.lowerAscii() != "GPT" + "-4"`:                                                                                      `compares lowerAscii() with "GPT-4"`,
		`declaration.model.name.split("-")[0] != "GPT"`:                                                                                            "",
		`(declaration.model.name.lowerAscii() + "GPT").split("-")[0] != "GPT"`:                                                                     "",
		`!(declaration.kind in {"train": 1})`:                                                                                                      `compares kind with "train"`,
		`!{"train": "x"}.exists(k, declaration.kind == k)`:                                                                                         `compares kind with "train"`,
		`{"x": declaration.kind}["x"] != "train" && {"training": "x"}[declaration.kind] == "x"`:                                                    "", // of a map not its values
		`!(declaration.kind.lowerAscii() == "train")`:                                                                                              `compares kind with "train"`,
		`!(signer.kind.lowerAscii().trim() == "cert")`:                                                                                             `compares kind with "cert"`,
		`!(string(declaration.kind) == "train")`:                                                                                                   `compares kind with "train"`,
		`!(dyn(declaration.kind) == "train")`:                                                                                                      `compares kind with "train"`,
		`!approvals.exists(a, string(a.role) == "Legal")`:                                                                                          `compares role with "Legal"`,
		`declaration.kind.lowerAscii() == "training" && string(declaration.parameters.n) != "Train"`:                                               "",
		`[["a", "training"], ["b", "inference"]].exists(p, declaration.model.name == p[0] && declaration.kind == p[1])`:                            "",
		`[["a", "training"], ["b", "infer"]].exists(p, declaration.model.name == p[0] && declaration.kind == p[1])`:                                `compares kind with "infer"`,
		`[["a"], ["b", "infer"]].exists(p, declaration.kind == p[1])`:                                                                              `compares kind with "a"`,
		`["x", declaration.kind][1] != "train"`:                                                                                                    `compares kind with "train"`,
		`["train", declaration.model.name][0] == declaration.model.name`:                                                                           "",
		`!("Evil" in declaration.context.map(c, c.name.lowerAscii()))`:                                                                             `compares lowerAscii() with "Evil"`,
		`declaration.prompt.text.split(" ").all(w, w.trim().lowerAscii() != "Ignore")`:                                                             `compares lowerAscii() with "Ignore"`,
		`declaration.model.name.trim() != "gpt "`:                                                                                                  `compares trim() with "gpt ", which is not text without blanks at its ends`,
		`declaration.model.name.lowerAscii() != "gpt-4" && declaration.model.name.trim() != "GPT 4" && declaration.model.name.lowerAscii() != "É"`: "",
		`approvals.map(a, a.approver) != ["alise"]`:                                                                                                `compares approver with "alise"`,
		`approvals.all(a, a.?role.orValue("legal") == "leagl")`:                                                                                    `compares role with "leagl"`,
		`approvals[?0].?role.or(approvals[?1].?role).orValue("none") != "leagl"`:                                                                   `compares role with "leagl"`,
		`approvals.all(a, a.?role.value() == "leagl")`:                                                                                             `compares role with "leagl"`,
		`approvals.all(a, "leagl" in [a.role, "none"])`:                                                                                            `compares role with "leagl"`,
		`approvals.all(a, !("alise" in [a.role, a.approver]))`:                                                                                     `compares role with "alise"`,
		`approvals.all(a, (a.reason == "" ? "none" : a.role) != "leagl")`:                                                                          `compares role with "leagl"`,
		`approvals.all(a, a.role == (a.reason == "" ? "leagl" : "legal"))`:                                                                         `compares role with "leagl"`,
		`!("leagl" in approvals.map(a, a.role) + ["none"])`:                                                                                        `compares role with "leagl"`,
		`approvals[?0].?role.orValue("none") == "none" || approvals.all(a, a.?role.orValue(a.reason) == "x")`:                                      "",
		`approvals.all(a, "none" in [a.role, "none"] && "alice" in [a.role, a.approver] && "x" in [a.role, a.reason])`:                             "",
		`approvals.all(a, (a.reason == "" ? "none" : a.role) != "none" && a.role + "x" != "leaglx")`:                                               "",
		`open.all(o, !o.hides.exists(h, h == "messages" || h in ["tools", "model"]) && o.name != "message")`:                                       "",
		`open.all(o, o.hides == [] || o.hides[0] == "content" || o.hides.map(h, h + "s") == ["messagess"])`:                                        "",
		`open.all(o, o.hides.all(h, ["message"].all(h, h != "tools")))`:                                                                            "",
		`open.all(o, o.hides.all(h, o.name.split(",").all(h, h != "message")))`:                                                                    "",
		`["alice", ""].exists(w, approvals.all(a, a.approver == w || a.role == ""))`:                                                               `compares approver with ""`,
		`["legal", ""].exists(w, approvals.all(a, a.role == w)) || ["message"].exists(w, w == declaration.model.name)`:                             "",
		`"alice" in approvals.map(a, a.approver) || approvals.filter(a, a.role == "legal").map(a, a.reason) == ["any"]`:                            "",
		`declaration.?model.optMap(h, h.name == "message").orValue(true)`:                                                                          "",
		`declaration.kind == "training" && signer.kind == "key"`:                                                                                   "",
		`run.kind in ["training", "batch"] || signer.name == "any"`:                                                                                "",
		`approvals.all(a, a.approver == "alice" && a.role != "")`:                                                                                  "",
		`approvals.exists(a, a.role == "legal" && a.decision == "rejected" && a.reason == "any")`:                                                  "",
		`declaration.parameters.kind == "any" && declaration.kind.startsWith("t")`:                                                                 "",
	} {
		_, err := Parse([]byte(head+fmt.Sprintf("rules: [{name: r, expr: %q}]\n", expr)), options)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), "/rules/0/expr: "+want)) {
			t.Errorf("%s: %v, want %q", expr, err, want)
		}
	}
}

// TestDemands: a rule that demands what kinds and signers exclude is never met, and one that only mentions it may be.
func TestDemands(t *testing.T) {
	key := "\nsigners: {keys: [{name: ci, key: " + pemOf(t, newSigner(t)) + "}]}\n"
	const never = "which it never is under this policy: no run meets the rule"
	for _, c := range []struct {
		kinds, expr, severity, want string
	}{
		{"[training]", `declaration.kind == "inference"`, "deny", `demands that kind is "inference", ` + never},
		{"[training]", `"inference" == run.kind && declaration.model.name == "m"`, "deny", `demands that kind is "inference", ` + never},
		{"[training, batch]", `declaration.model.name == "m" && (run.kind in ["agent", "other"])`, "deny", `demands that kind is "agent" or "other", ` + never},
		{"[training]", `signer.name == "bob"`, "deny", `demands that name is "bob", ` + never},
		{"[training]", `signer.name in ["bob", "eve"]`, "deny", `demands that name is "bob" or "eve", ` + never},
		{"[training]", `signer.kind == "certificate"`, "deny", `demands that kind is "certificate", ` + never},
		{"[training]", `signer.issuer == "https://acme.example"`, "deny", `demands that issuer is "https://acme.example", ` + never},
		{"[training]", `signer.algorithm == "ecdsa-p256"`, "deny", `demands that algorithm is "ecdsa-p256", ` + never},
		{"[training]", `signer.issuer == "" && signer.algorithm == "ed25519"`, "deny", ""},
		{"[training]", `declaration.kind == "inference"`, "warn", ""},
		{"[training]", `declaration.kind == "training" && signer.name == "ci" && signer.kind == "key"`, "deny", ""},
		{"[training, agent]", `run.kind in ["agent", "other"]`, "deny", ""},
		{"[training]", `run.kind in ["agent", declaration.model.name]`, "deny", ""},
		{"[training]", `declaration.kind == "inference" || declaration.model.name == "m"`, "deny", ""},
		{"[training]", `declaration.kind != "inference" && signer.name != "bob"`, "deny", ""},
		{"[training]", `!(declaration.kind == "inference" && signer.name == "bob")`, "deny", ""},
		{"[training]", `declaration.kind == "inference" ? false : true`, "deny", ""},
		{"[training]", `ancestors.all(a, a.kind == "inference")`, "deny", ""},
	} {
		_, err := Parse([]byte("schema: "+Schema+"\nkinds: "+c.kinds+key+fmt.Sprintf("rules: [{name: r, severity: %s, expr: %q}]\n", c.severity, c.expr)), options)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), "/rules/0/expr: "+c.want)) {
			t.Errorf("%s: %v, want %q", c.expr, err, c.want)
		}
	}
}

// TestDemandsOfTimes: a trusted time is by an authority or log of the trusted root, and an ancestor is signed by a signer of the policy.
func TestDemandsOfTimes(t *testing.T) {
	by, top := newSigner(t), pkitest.Root("authority")
	rekor2 := sigstore.LogSpec{URL: "https://log2.example", Origin: "log2.example", PublicKey: publicKey(t, signer.Ed25519), Start: time.Unix(0, 0)}
	rekor1 := sigstore.LogSpec{URL: "https://log1.example", PublicKey: publicKey(t, signer.ECDSAP256), Start: time.Unix(0, 0)}
	stamper := sigstore.AuthoritySpec{URL: "https://tsa.example", Chain: pkitest.PEM(top.Issue("stamps", pkitest.Stamper), top)}
	logged := "trustedRoot: " + rootText(t, sigstore.RootSpec{TransparencyLogs: []sigstore.LogSpec{rekor1}}) + "\n"
	both := "trustedRoot: " + rootText(t, sigstore.RootSpec{TimestampAuthorities: []sigstore.AuthoritySpec{stamper}, TransparencyLogs: []sigstore.LogSpec{rekor1}}) + "\n"
	stamped := "trustedRoot: " + rootText(t, sigstore.RootSpec{TimestampAuthorities: []sigstore.AuthoritySpec{stamper}, TransparencyLogs: []sigstore.LogSpec{rekor2}}) + "\n"
	for _, c := range []struct{ root, expr, want string }{
		{stamped, `time.timestamps.exists(t, t.kind == "log")`, `kind is "log"`},
		{stamped, `now > time.latest && time.timestamps.exists_one(t, "log" == t.kind && t.time < now)`, `kind is "log"`},
		{stamped, `time.timestamps.exists(t, t.authority == "https://log2.example")`, `authority is "https://log2.example"`},
		{stamped, `time.timestamps.exists(t, t.authority in ["https://a.example", "https://b.example"])`, `authority is "https://a.example" or "https://b.example"`},
		{stamped, `time.timestamps[0].authority == "https://a.example"`, `authority is "https://a.example"`},
		{stamped, `"log" in time.timestamps.map(t, t.kind)`, `kind is "log"`},
		{stamped, `time.timestamps.exists(t, t.kind == "log" || t.authority == "https://a.example")`, `kind is "log"`},
		{stamped, `declaration.model.name == "m" ? time.timestamps.exists(t, t.kind == "log") : time.timestamps[0].kind == "log"`, `kind is "log"`},
		{stamped, `ancestors.exists(a, a.signers.exists(s, s.name == "eve"))`, `name is "eve"`},
		{stamped, `ancestors.exists(a, "certificate" in a.signers.map(s, s.kind))`, `kind is "certificate"`},
		{logged, `time.timestamps.exists(t, t.kind == "timestamp")`, `kind is "timestamp"`},
		{logged, `time.timestamps.exists(t, t.kind == "log" && t.authority == "https://log1.example")`, ""},
		{both, `time.timestamps.exists(t, t.kind == "log") && time.timestamps.exists(t, t.authority == "https://tsa.example")`, ""},
		{stamped, `time.timestamps.exists(t, t.authority == "https://tsa.example" && t.kind == "timestamp")`, ""},
		{stamped, `time.timestamps.all(t, t.kind == "log") || time.timestamps.exists(t, t.kind != "log")`, ""},
		{stamped, `time.timestamps.exists(t, t.kind == "log") || declaration.kind == "training"`, ""},
		{stamped, `!time.timestamps.exists(t, t.kind == "log")`, ""},
		{stamped, `time.timestamps.map(t, t.kind == "log") == []`, ""},
		{stamped, `time.timestamps.filter(t, t.kind == "log") == [] && time.timestamps.map(t, t.authority) == ["https://tsa.example"].filter(w, false)`, ""},
		{stamped, `time.timestamps[?0].?kind.orValue("log") == "log"`, ""},
		{stamped, `ancestors.exists(a, a.signers.exists(s, s.name == "ci" || s.name == declaration.model.name))`, ""},
		{stamped, `ancestors.all(a, a.signers.exists(s, s.name == "eve"))`, ""}, // of a run without any
	} {
		head := strings.Replace(header(t, by), "signers:", c.root+"signers:", 1)
		_, err := Parse([]byte(withRule(head, "deny", c.expr)), options)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), "demands that "+c.want) || !strings.Contains(err.Error(), unmet)) {
			t.Errorf("%s: %v, want %q", c.expr, err, c.want)
		}
		if _, err := Parse([]byte(withRule(head, "warn", c.expr)), options); err != nil {
			t.Errorf("%s as a warning: %v", c.expr, err)
		}
	}
}

// TestDemandsOfCertificates: a certificate's key may be of any algorithm, and an expression may mean any name or issuer.
func TestDemandsOfCertificates(t *testing.T) {
	head := "schema: " + Schema + "\n" + newClock(t).certificates(t) + "signers: {certificates: ["
	const exact, anyName, anyIssuer = `{identity: a@x, issuer: "https://i"}`, `{identityRegexp: ".*@x", issuer: "https://i"}`, `{identity: a@x, issuerRegexp: "https://.*"}`
	for _, c := range []struct {
		signer, expr string
		refused      bool
	}{
		{exact, `signer.issuer == "https://j"`, true},
		{exact, `signer.issuer == "https://i" && signer.name == "a@x" && signer.algorithm == "ed25519"`, false},
		{exact, `signer.kind == "key"`, true},
		{anyName, `signer.name == "b@x"`, false},
		{anyName, `signer.issuer == "https://j"`, true},
		{anyName, `signer.kind == "key"`, true},
		{anyIssuer, `signer.issuer == "https://j"`, false},
		{anyIssuer, `signer.name == "b@x"`, true},
	} {
		_, err := Parse([]byte(head+c.signer+fmt.Sprintf("]}\nrules: [{name: r, expr: %q}]\n", c.expr)), options)
		if (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "which it never is under this policy") {
			t.Errorf("%s, %s: %v", c.signer, c.expr, err)
		}
	}
}

// TestWordsOfSchema holds the words that rules know to the enumerations of the declaration's JSON Schema.
func TestWordsOfSchema(t *testing.T) {
	var schema struct {
		Properties struct{ Kind struct{ Enum []string } }
		Defs       struct {
			Resource struct {
				Properties struct{ Role struct{ Enum []string } }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(identity.JSONSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	for name, words := range map[string][2][]string{
		"kind": {kindWords, schema.Properties.Kind.Enum}, "role": {roleWords, schema.Defs.Resource.Properties.Role.Enum},
	} {
		got, want := slices.Sorted(slices.Values(words[0])), slices.Sorted(slices.Values(words[1]))
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestControls: a control character in a rule, its comment or a text is refused where it stands; line ends, tabs and escapes are not.
func TestControls(t *testing.T) {
	head := `{"schema":"https://github.com/runattest/runattest/policy/v1","signers":{"keys":[{"name":"ci","key":` + pemOf(t, newSigner(t)) + `}]},`
	for text, want := range map[string]string{
		head + `"rules":[{"name":"a","expr":"declaration.model.name != 'm\u0000'"}]}`:                                                                  "U+0000 is a control character",
		head + `"rules":[{"name":"a","expr":"declaration.model.name != 'm' // \u001b[2K"}]}`:                                                           "U+001B is a control character",
		head + `"rules":[{"name":"a","expr":"declaration.model.name != 'm' // a\rb"}]}`:                                                                "a line break that does not end it",
		head + `"rules":[{"name":"a","expr":"declaration.model.name != 'm'\u0001"}]}`:                                                                  "token recognition error",
		head + `"rules":[{"name":"a","expr":"declaration.model.name != 'm'","message":"\u0007"}]}`:                                                     "U+0007 is a control character",
		head + `"description":"a\u009bb","rules":[{"name":"a","expr":"declaration.model.name != 'm'"}]}`:                                               "U+009B is a control character",
		head + `"rules":[{"name":"a","expr":"declaration.model.name != 'm\\u0000' &&\r\n\tdeclaration.model.name != 'n' // x\n","message":"a\n\tb"}]}`: "",
	} {
		_, err := Parse([]byte(text), options)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
		if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' && r != '\n' }) {
			t.Errorf("%s: %q shows the character", text, err)
		}
	}
}
