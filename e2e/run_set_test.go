package e2e

import (
	"bytes"
	"testing"
)

const runSetType = "https://github.com/runattest/runattest/run-set/v1"

// cosign verifies the signature of a run set as that of a file, the set's head.
func TestCosignVerifiesRunSets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.declare("chat-llama-3.1-8b")
	d.makeKey("runattest", "ecdsa-p256", "--no-password")
	d.runattest("sign", "--key", "runattest.key", "--set", "sweep.runset.jsonl", "run.json", "run.json").ok()
	d.runattest("verify", "--key", "runattest.pub", "sweep.runset.jsonl").ok()
	head := d.runattest("set", "head", "sweep.runset.jsonl").ok()
	d.write("head.json", head)
	d.write("head.sigstore.json", d.runattest("set", "head", "--bundle", "sweep.runset.jsonl").ok())
	d.cosignVerifiesAs(runSetType, "runattest.pub", "head.sigstore.json", "head.json").ok()
	d.cosignVerifies("runattest.pub", "head.sigstore.json", "head.json").refused(otherType)
	d.write("other.json", bytes.Replace(head, []byte(`"size":2`), []byte(`"size":3`), 1))
	d.cosignVerifiesAs(runSetType, "runattest.pub", "head.sigstore.json", "other.json").refused(otherDigest)
}
