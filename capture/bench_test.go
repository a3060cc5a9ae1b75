package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/testing/cputime"
)

// chatBody is a request with so many tools, each of about 12 KB, or of 700 bytes if there are few.
func chatBody(tools int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"model":"gpt-5.4-mini","messages":[{"role":"system","content":"You are an assistant for a travel agency. Be brief."},{"role":"user","content":"What is the weather in Zürich, and when does the next train leave?"}],"temperature":0.2,"tools":[`)
	properties := 4
	if tools > 10 {
		properties = 90
	}
	for i := range tools {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"function","function":{"name":"tool_%d","description":"Look up what there is at a place.","parameters":{"type":"object","properties":{`, i)
		for k := range properties {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"field_%d":{"anyOf":[{"type":"string","description":"The %dth, e.g. São Paulo"},{"type":"null"}],"default":null,"title":"Field %d"}`, k, k, k)
		}
		b.WriteString(`},"required":["field_0"],"additionalProperties":false}}}`)
	}
	b.WriteString(`],"tool_choice":"auto","max_completion_tokens":800}`)
	return b.Bytes()
}

// BenchmarkCapture captures bodies, with the identity, and reports the ratio to what encoding/json takes to decode the same bodies, by
// time on processors: the two take turns, so that a busy machine slows both. A turn of captures begins with the garbage of the decoder
// collected, as each benchmark of package testing does. Otherwise what is decoded would be collected while captures are timed, and
// that empties the pools of memory, which a program that captures one request after the other finds full. MB/cpu-s is MB/s by time on
// processors.
func BenchmarkCapture(b *testing.B) {
	f, err := Lookup("openai-chat/1")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		body []byte
	}{
		{"2KB", chatBody(2)}, {"500KB", chatBody(40)},
		{"prompt", []byte(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("All work and no play. ", 20000) + `"}]}`)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			var ours, theirs time.Duration
			n, start := 0, cputime.Used()
			for b.Loop() {
				captured, err := f.Capture(Source{Body: c.body})
				if err != nil || captured.Declaration.ID().IsZero() {
					b.Fatal(err)
				}
				if n++; n%inTurn == 0 {
					ours += cputime.Used() - start
					b.StopTimer()
					theirs += decode(b, c.body)
					runtime.GC()
					b.StartTimer()
					start = cputime.Used()
				}
			}
			if ours == 0 || theirs == 0 {
				return // too few to compare
			}
			b.ReportMetric(float64(ours)/float64(theirs), "capture/decode")
			b.ReportMetric(float64(n/inTurn*inTurn)*float64(len(c.body))/1e6/ours.Seconds(), "MB/cpu-s")
		})
	}
}

// inTurn is how many captures, and then readings by encoding/json, take turns.
const inTurn = 64

// decode is how much time on processors encoding/json takes to decode a body inTurn times.
func decode(b *testing.B, body []byte) time.Duration {
	start := cputime.Used()
	for range inTurn {
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
	}
	return cputime.Used() - start
}
