package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A document is one text to canonicalise. Every document is made by a fixed rule, so that
// all machines measure the same bytes.
type document struct {
	name string
	text []byte
	goal map[string]float64 // how many times as fast as a peer canonical shall be
	slow string             // a peer that takes minutes
}

var (
	declarationGoal = map[string]float64{"jsontext": 4, "gowebpki": 8}
	shapeGoal       = map[string]float64{"jsontext": 2}
)

func documents() []document {
	small, large := chat(), agent()
	return []document{
		{name: "declaration 1.4 KB", text: small, goal: declarationGoal},
		{name: "declaration 1.4 KB, compact", text: compact(small), goal: declarationGoal},
		{name: "declaration 160 KB", text: large, goal: declarationGoal},
		{name: "declaration 160 KB, compact", text: compact(large), goal: declarationGoal},
		{name: "declaration 160 KB, canonical", text: canonicalForm(large), goal: declarationGoal},
		{name: "600 documents by digest", text: documentList(600), goal: shapeGoal},
		{name: "100k random doubles", text: numbers(100_000), goal: shapeGoal},
		{name: "100k random doubles, 17 digits", text: longNumbers(100_000), goal: shapeGoal},
		{name: "deep, 5,000 objects", text: deep(5000), goal: shapeGoal},
		{name: "wide, 100k members", text: wide(100_000), goal: shapeGoal, slow: "cyberphone"},
		{name: "non-ASCII strings", text: multilingual(400), goal: shapeGoal},
	}
}

// chat is the declaration of one inference call, as a person writes it: indented, members
// in the order of the documentation.
func chat() []byte {
	return []byte(`{
  "schema": "https://github.com/runattest/runattest/declaration/v1",
  "kind": "inference",
  "model": {
    "provider": "huggingface",
    "name": "meta-llama/Llama-3.1-8B-Instruct",
    "version": "0e9e39f249a16976918f6564b8830bc894c89659"
  },
  "prompt": {
    "messages": [
      {
        "role": "system",
        "content": "You are a release engineer for a Go project. Answer from the files in the context and from nothing else. Name the file and the line that each statement rests on. When the files do not settle a question, say so in one sentence and name the file that would settle it. Keep an answer under 120 words, in plain text without headings."
      },
      {
        "role": "user",
        "content": "Which \"go\" directive does the module ask for, and does the toolchain line agree with it?\n\nRead go.mod first, then the newest chapter of the handbook, and say so when the two differ."
      }
    ]
  },
  "parameters": {
    "temperature": 0.6,
    "topP": 0.9,
    "maxTokens": 512,
    "seed": 1234567
  },
  "context": [
    {
      "role": "document",
      "name": "go.mod",
      "digest": {
        "sha256": "2b1879f356aed350030bb40eb45ad362c89d9891096f79a3ab323d3ba5607668"
      }
    }
  ],
  "constraints": {
    "network": "none"
  }
}
`)
}

// agent is the declaration of an agent run with what such a run is given: 24 tools with
// their schemas inline, a conversation of 64 messages, 150 documents by digest.
func agent() []byte {
	const paragraph = "The reviewer asked why the parser keeps its own stack instead of calling itself. A text of ten thousand brackets is legal, and a goroutine that runs out of stack takes the whole process with it, so the depth is a number that the caller chooses.\n\nThe second question was about \"exact\" numbers: see section 3, line %d, where 0.1 stays and 9007199254740993 is refused. "
	var messages []string
	roles := []string{"system", "user", "assistant", "user"}
	for i := range 64 {
		content := fmt.Sprintf(strings.Repeat(paragraph, 1+i%7), seq(i*7, 1+i%7)...)
		quoted, _ := json.Marshal(content)
		messages = append(messages, fmt.Sprintf(`      {
        "role": %q,
        "content": %s
      }`, roles[i%4], quoted))
	}
	var context []string
	for i := range 24 {
		context = append(context, tool(i))
	}
	context = append(context, documentEntries(150)...)
	return []byte(`{
  "schema": "https://github.com/runattest/runattest/declaration/v1",
  "kind": "agent",
  "model": {
    "provider": "huggingface",
    "name": "meta-llama/Llama-3.1-8B-Instruct",
    "version": "0e9e39f249a16976918f6564b8830bc894c89659"
  },
  "prompt": {
    "messages": [
` + strings.Join(messages, ",\n") + `
    ]
  },
  "parameters": {
    "temperature": 0.6,
    "topP": 0.9,
    "maxTokens": 4096
  },
  "context": [
` + strings.Join(context, ",\n") + `
  ],
  "constraints": {
    "network": "none",
    "permissions": ["read:/src", "exec:go"],
    "budget": {"usd": 0.25, "seconds": 120, "tokens": 32000}
  }
}
`)
}

func seq(from, n int) []any {
	var list []any
	for i := range n {
		list = append(list, from+i)
	}
	return list
}

func tool(i int) string {
	return fmt.Sprintf(`    {
      "role": "tool",
      "name": "repository_search_%02d",
      "content": {
        "description": "Searches the repository for a regular expression and returns the lines that match, with their files.",
        "inputSchema": {
          "type": "object",
          "properties": {
            "pattern": {"type": "string", "description": "RE2 syntax, matched against single lines"},
            "path": {"type": "string", "description": "a folder below the root", "default": "."},
            "limit": {"type": "integer", "minimum": 1, "maximum": %d, "default": 50}
          },
          "required": ["pattern"],
          "additionalProperties": false
        }
      }
    }`, i, 100+i)
}

// documentEntries are n resources that go in by digest.
func documentEntries(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`    {
      "role": "document",
      "name": "handbook/chapter-%03d.md",
      "digest": {
        "sha256": "%x"
      },
      "size": %d,
      "mediaType": "text/markdown",
      "uri": "https://example.org/handbook/chapter-%03d.md"
    }`, i, sha256.Sum256([]byte{byte(i), byte(i >> 8)}), 1000+i*37, i))
	}
	return list
}

// documentList is made of member names and short strings only, the least favourable case
// among declarations.
func documentList(n int) []byte {
	return []byte("[\n" + strings.Join(documentEntries(n), ",\n") + "\n]\n")
}

func compact(src []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, src); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func random() *rand.Rand { return rand.New(rand.NewPCG(8785, 6901)) }

func randomDoubles(n int) []float64 {
	r := random()
	list := make([]float64, 0, n)
	for len(list) < n {
		if f := math.Float64frombits(r.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
			list = append(list, f)
		}
	}
	return list
}

// numbers are doubles of random bits in the spelling of encoding/json.
func numbers(n int) []byte {
	text, err := json.Marshal(randomDoubles(n))
	if err != nil {
		panic(err)
	}
	return text
}

// longNumbers are the same doubles as C's %.17g writes them.
func longNumbers(n int) []byte {
	b := []byte{'['}
	for i, f := range randomDoubles(n) {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, f, 'e', 16, 64)
	}
	return append(b, ']')
}

func deep(n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"name":"level %d","child":`, i)
	}
	b.WriteString("null")
	b.WriteString(strings.Repeat("}", n))
	return []byte(b.String())
}

func wide(n int) []byte {
	r := random()
	b := []byte{'{'}
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `"key-%016x":%d`, r.Uint64(), i)
	}
	return append(b, '}')
}

// multilingual holds the first article of the Universal Declaration of Human Rights.
func multilingual(n int) []byte {
	articles := []string{
		"Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
		"Все люди рождаются свободными и равными в своем достоинстве и правах.",
		"人人生而自由，在尊严和权利上一律平等。",
		"すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。",
		"모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
		"يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق.",
		"सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
		"🤖📜 → 🔏 → ✅",
	}
	var list []map[string]string
	for i := range n {
		list = append(list, map[string]string{"текст": articles[i%len(articles)], "注": articles[(i+3)%len(articles)]})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(list); err != nil {
		panic(err)
	}
	return b.Bytes()
}
