package capture

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/runattest/runattest/internal/limits"
)

// TestDigest: the digest is that of the body, also where it is made beside the declaration; and the body is the caller's again when
// Capture returns, with an error, too, which the race detector sees.
func TestDigest(t *testing.T) {
	f, err := Lookup("openai-chat")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{10, limits.CaptureBeside - 1000, limits.CaptureBeside, 10 * limits.CaptureBeside} {
		for model, valid := range map[string]bool{`"m"`: true, `7`: false} {
			body := []byte(`{"model": ` + model + `, "messages": [{"role": "user", "content": "` + strings.Repeat("x", size) + `"}]}`)
			want := sha256.Sum256(body)
			c, err := f.Capture(Source{Body: body, Provider: "openai", Target: "/v1/chat/completions"})
			clear(body)
			if (err == nil) != valid || valid && c.Digest != want {
				t.Errorf("%d bytes, the model is %s: %v, %v", size, model, c, err)
			}
		}
	}
}
