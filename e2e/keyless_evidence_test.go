package e2e

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// What is missing from a bundle, or of another, is named.
func TestEvidence(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	d.signsKeyless("other.sigstore.json").ok()
	var other object
	d.look("other.sigstore.json", func(b object) { other = b })
	proof := func(b object) object { return entry(b)["inclusionProof"].(object) }
	const stamps, bare, wrong = "timestampVerificationData", "the bundle has none", "log entry 0: "
	for _, c := range []struct {
		name          string
		change        func(object)
		check, reason string
	}{
		{"untouched", func(object) {}, "", ""},
		{"no timestamp", func(b object) { delete(material(b), stamps) }, "time", "has no promise, which alone would be a signed time sign with --timestamp-server"},
		{"empty timestamps", func(b object) { at(b, "verificationMaterial", stamps)["rfc3161Timestamps"] = []any{} }, "time", bare},
		{"timestamp of another signature", func(b object) { material(b)[stamps] = material(other)[stamps] }, "time", "is over other bytes than the signature"},
		{"timestamp changed", func(b object) { flip(at(b, "verificationMaterial", stamps, "rfc3161Timestamps", 0), "signedTimestamp") }, "time", "timestamp 0"},
		{"no log entry", func(b object) { delete(material(b), "tlogEntries") }, "time", "no log entry: the bundle has none"},
		{"entry of another bundle", func(b object) { material(b)["tlogEntries"] = material(other)["tlogEntries"] }, "time", wrong},
		{"body of another entry", func(b object) { entry(b)["canonicalizedBody"] = entry(other)["canonicalizedBody"] }, "time", wrong},
		{"no proof", func(b object) { delete(entry(b), "inclusionProof") }, "malformed", "tlogEntries[0]: has no inclusionProof"},
		{"proof of another entry", func(b object) { entry(b)["inclusionProof"] = entry(other)["inclusionProof"] }, "time", wrong},
		{"no checkpoint", func(b object) { delete(proof(b), "checkpoint") }, "time", wrong},
		{"checkpoint of another entry", func(b object) { proof(b)["checkpoint"] = proof(other)["checkpoint"] }, "time", wrong},
		{"index of another entry", func(b object) { entry(b)["logIndex"] = entry(other)["logIndex"] }, "time", wrong},
		{"checkpoint's signature", func(b object) {
			note := at(b, "verificationMaterial", "tlogEntries", 0, "inclusionProof", "checkpoint")
			text := []byte(note["envelope"].(string))
			text[len(text)-20] ^= 1
			note["envelope"] = string(text)
		}, "time", wrong},
		{"certificate of another bundle", func(b object) { material(b)["certificate"] = material(other)["certificate"] }, "signature", "does not verify under the certificate's key"},
		{"signature of another bundle", func(b object) { at(b, "dsseEnvelope")["signatures"] = at(other, "dsseEnvelope")["signatures"] }, "signature", "was changed after signing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := d.in(t)
			d.alter(ours, "altered.sigstore.json", c.change)
			o := d.believesAs("trusted_root.json", ada, s.Issuer.URL, "altered.sigstore.json")
			switch c.check {
			case "":
				o.yes()
			case "malformed":
				if o.code != 2 || !strings.Contains(o.stderr, c.reason) || !strings.Contains(string(o.stdout), `"verified":false`) {
					t.Errorf("%s: exit status %d, want 2 and %q\n%s%s", o.command, o.code, c.reason, o.stdout, o.stderr)
				}
			default:
				o.no(c.check, c.reason)
			}
		})
	}
}

// flip changes the last byte of a base64 member.
func flip(o object, name string) {
	data, err := base64.StdEncoding.DecodeString(o[name].(string))
	if err != nil {
		panic(err)
	}
	data[len(data)-1] ^= 1
	o[name] = base64.StdEncoding.EncodeToString(data)
}

// Without a log entry, who asks for none is content; a wrong one is never passed over.
func TestNoLogWanted(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	d.signsKeyless("other.sigstore.json").ok()
	unlogged := func(bundle string) outcome {
		return d.believesAs("trusted_root.json", ada, s.Issuer.URL, bundle, "--require-log", "none")
	}
	unlogged(ours).yes()
	d.alter(ours, "bare.sigstore.json", func(b object) { delete(material(b), "tlogEntries") })
	unlogged("bare.sigstore.json").yes()
	d.look("other.sigstore.json", func(other object) {
		d.alter(ours, "altered.sigstore.json", func(b object) { material(b)["tlogEntries"] = material(other)["tlogEntries"] })
	})
	unlogged("altered.sigstore.json").no("time", "log entry 0: ")
	d.believesAs("trusted_root.json", ada, s.Issuer.URL, ours, "--require-log", "2").malformed("2 log entries required, but the trusted root names 1")
}

// A certificate's signature that was there in time: the latest that the stamp may be is in time, one second earlier is not.
func TestKeylessSignedBefore(t *testing.T) {
	d, s := useOurs(t)
	d.signsKeyless(ours).ok()
	before := func(at time.Time) outcome {
		return d.believesAs("trusted_root.json", ada, s.Issuer.URL, ours, "--signed-before", at.Format(time.RFC3339))
	}
	said := before(time.Now().Add(time.Hour)).yes()
	stamped := said.Times[0].latest(t)
	before(stamped).yes()
	before(stamped.In(time.FixedZone("", -5*60*60))).yes()
	before(stamped.Add(-time.Second)).no("time", "signed by "+stamped.Format(time.RFC3339)+" at the latest, which does not prove that it was before")
}
