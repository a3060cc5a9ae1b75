package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A trial changes a good bundle, or the trusted root that it is verified with. says is "" if verification passes.
type trial struct {
	bundle, root func(t *testing.T, o object)
	says         string
}

func material(o object) object { return o.at("verificationMaterial") }
func entry(o object) object    { return o.at("verificationMaterial", "tlogEntries", 0) }
func proof(o object) object    { return o.at("verificationMaterial", "tlogEntries", 0, "inclusionProof") }
func leaf(o object) object {
	return o.at("verificationMaterial", "x509CertificateChain", "certificates", 0)
}

// trials that have the name of one of the suite's cases, with hyphens, are the same change of another bundle.
func trials() map[string]trial {
	tlogEnds := func(after int64) func(*testing.T, object) {
		return func(_ *testing.T, o object) {
			o.at("tlogs", 0, "publicKey", "validFor")["end"] = stamp(integrated + after)
		}
	}
	return map[string]trial{
		"signature": {bundle: func(t *testing.T, o object) { o.at("dsseEnvelope", "signatures", 0).flip(t, "sig", 20) }, says: "signature: does not verify"},
		"payload":   {bundle: func(t *testing.T, o object) { o.at("dsseEnvelope").flip(t, "payload", 40) }, says: "signature: does not verify"},
		"payload type": {bundle: func(_ *testing.T, o object) {
			o.at("dsseEnvelope")["payloadType"] = "application/json"
		}, says: "signature: does not verify"},
		"certificate":             {bundle: func(t *testing.T, o object) { leaf(o).flip(t, "rawBytes", 600) }, says: ": "},
		"certificate's signature": {bundle: func(t *testing.T, o object) { leaf(o).flip(t, "rawBytes", -1) }, says: ": "},
		"certificate of another": {bundle: func(t *testing.T, o object) {
			leaf(o)["rawBytes"] = leaf(readObject(t, other(t)))["rawBytes"]
		}, says: "signature: does not verify"},
		"CT log's key": {root: func(_ *testing.T, o object) {
			o.at("ctlogs", 1, "publicKey")["rawBytes"] = o.at("tlogs", 0, "publicKey")["rawBytes"]
		}, says: "signed certificate timestamp (SCT)"},
		"CT log unknown": {root: func(_ *testing.T, o object) { o["ctlogs"] = o["ctlogs"].([]any)[:1] }, says: "signed certificate timestamp (SCT)"},
		"no CT logs":     {root: func(_ *testing.T, o object) { delete(o, "ctlogs") }, says: ""},
		"authority unknown": {root: func(_ *testing.T, o object) {
			o["certificateAuthorities"] = o["certificateAuthorities"].([]any)[:1]
		}, says: "by no authority that the trusted root names"},
		"no authority": {root: func(_ *testing.T, o object) { delete(o, "certificateAuthorities") }, says: "names no certificate authority"},

		"promise": {bundle: func(t *testing.T, o object) {
			object(entry(o).at("inclusionPromise")).flip(t, "signedEntryTimestamp", 20)
		}, says: "time: "},
		"promised time": {bundle: func(_ *testing.T, o object) {
			entry(o)["integratedTime"] = strconv.FormatInt(integrated+3600, 10)
		}, says: "time: "},
		"log entry's body": {bundle: func(t *testing.T, o object) { entry(o).flip(t, "canonicalizedBody", 100) }, says: "time: "},
		"proof's root":     {bundle: func(t *testing.T, o object) { proof(o).flip(t, "rootHash", 0) }, says: "time: "},
		"proof's index":    {bundle: func(_ *testing.T, o object) { proof(o)["logIndex"] = "7" }, says: "time: "},
		"checkpoint": {bundle: func(_ *testing.T, o object) {
			checkpoint := proof(o).at("checkpoint")
			lines := strings.Split(checkpoint["envelope"].(string), "\n")
			lines[1] += "1" // the size of the tree, which the log has signed
			checkpoint["envelope"] = strings.Join(lines, "\n")
		}, says: "time: "},
		"no checkpoint": {bundle: func(_ *testing.T, o object) { delete(proof(o), "checkpoint") }, says: "time: "},
		"log index":     {bundle: func(_ *testing.T, o object) { entry(o)["logIndex"] = "1" }, says: "time: "},
		"log unknown":   {bundle: func(t *testing.T, o object) { object(entry(o).at("logId")).flip(t, "keyId", 0) }, says: "time: "},
		"no promise":    {bundle: func(_ *testing.T, o object) { delete(entry(o), "inclusionPromise") }, says: "has no inclusionPromise"},
		"no log entry":  {bundle: func(_ *testing.T, o object) { delete(material(o), "tlogEntries") }, says: "time: "},
		"cve-2022-36056-swapped-tlog-entry_fail": {bundle: func(t *testing.T, o object) {
			material(o)["tlogEntries"] = material(readObject(t, other(t)))["tlogEntries"]
		}, says: "time: log entry 0"},
		"log entry twice": {bundle: func(_ *testing.T, o object) {
			material(o)["tlogEntries"] = []any{map[string]any(entry(o)), map[string]any(entry(o))}
		}, says: "time: log entry 1: stands twice"}, // as sigstore-go has it
		"log's key": {root: func(_ *testing.T, o object) {
			o.at("tlogs", 0, "publicKey")["rawBytes"] = o.at("ctlogs", 1, "publicKey")["rawBytes"]
		}, says: "time: "},
		"no transparency logs": {root: func(_ *testing.T, o object) { delete(o, "tlogs") }, says: "time: no trusted timestamp"},

		"trust-root-tlog-validity-end-inclusive": {root: tlogEnds(0), says: ""},
		"log's validity ended before":            {root: tlogEnds(-1), says: "time: "},
		"trust-root-tlog-missing-validity-start_fail": {root: func(_ *testing.T, o object) {
			delete(o.at("tlogs", 0, "publicKey", "validFor"), "start")
		}, says: "has no publicKey.validFor.start"},
		"trusted root's media type": {root: func(_ *testing.T, o object) { o["mediaType"] = "application/json" }, says: "mediaType is"},
		"unknown media type":        {bundle: func(_ *testing.T, o object) { o["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=9" }, says: "malformed bundle"},
		"chain in v0.3": {bundle: func(_ *testing.T, o object) {
			o["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.3+json"
		}, says: ""},
		"unknown member": {bundle: func(_ *testing.T, o object) { o["extra"] = true }, says: "unknown member"},
	}
}

// integrated is when the log has seen the bundle that is changed.
const integrated = 1692374735

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

func other(t *testing.T) string {
	t.Helper()
	return filepath.Join(library(t), "examples", "bundle-provenance.json")
}

func TestTampered(t *testing.T) {
	dir := library(t)
	unchanged := good["provenance of sigstore 2.0.0"]
	for name, c := range trials() {
		call := unchanged
		for _, f := range []struct {
			path *string
			edit func(*testing.T, object)
		}{{&call.bundle, c.bundle}, {&call.root, c.root}} {
			if f.edit != nil {
				o := readObject(t, filepath.Join(dir, filepath.FromSlash(*f.path)))
				f.edit(t, o)
				*f.path = o.write(t, "changed.json")
			}
		}
		err := call.run(t, dir)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v\nwant %q", name, err, c.says)
		}
		t.Logf("%s: %v", name, err)
	}
}
