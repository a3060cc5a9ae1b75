package e2e

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/runattest/runattest/e2e/internal/services"
)

// Attaching and verifying take time in proportion to how many attestations there are.
func TestManyAttestations(t *testing.T) {
	onEachRegistry(t, func(d *desk, r *services.Registry) {
		d.declare("chat-llama-3.1-8b")
		d.makeKey("runattest", "ecdsa-p256", "--no-password")
		var each [2]time.Duration // of the smallest number
		for _, n := range []int{10, 100, 1000} {
			image := fmt.Sprintf("%s/acme/trainer:v%d", r.Host, n)
			d.image(image)
			d.manyBundles(image, n)
			attaching := d.took(func() { d.runattest("attach", image, "many.sigstore.jsonl").ok() })
			verifying := d.took(func() {
				if sum := d.verifiesReference(0, "oci://"+image, "--strict"); sum.Good != n {
					d.t.Errorf("%d of %d", sum.Good, n)
				}
			})
			d.t.Logf("%4d attestations: attach %6d ms, verify %6d ms", n, attaching.Milliseconds(), verifying.Milliseconds())
			if n == 100 {
				each = [2]time.Duration{attaching / 100, verifying / 100}
			}
			// Ten times as many in no more than thirty times the time: a quadratic step takes a hundred.
			if limit := time.Duration(n) * 3; n > 100 && (attaching > each[0]*limit || verifying > each[1]*limit) {
				d.t.Errorf("not in proportion")
			}
		}
	})
}

func (d *desk) took(do func()) time.Duration {
	start := time.Now()
	do()
	return time.Since(start)
}

// manyBundles signs n runs about an image into many.sigstore.jsonl.
func (d *desk) manyBundles(image string, n int) {
	d.t.Helper()
	var lines bytes.Buffer
	for i := range n {
		line := bytes.ReplaceAll(d.read("canonical.json"), []byte(`"seed":7`), fmt.Appendf(nil, `"seed":%d`, i))
		lines.Write(append(line, '\n'))
	}
	d.write("runs.jsonl", lines.Bytes())
	d.runattest("sign", "--key", "runattest.key", "--subject-ref", image, "--bundle", "many.sigstore.jsonl", "runs.jsonl").ok()
}
