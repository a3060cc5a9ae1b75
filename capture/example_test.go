package capture_test

import (
	"fmt"
	"log"

	"github.com/runattest/runattest/capture"
)

func Example() {
	format, err := capture.Lookup("openai-chat/1")
	if err != nil {
		log.Fatal(err)
	}
	c, err := format.Capture(capture.Source{
		Body:     []byte(`{"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}], "seed": 7, "stream": true, "later": 1}`),
		Provider: "openai",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Declaration.ID())
	for _, f := range c.Fates {
		fmt.Printf("%s is %s\n", f.Pointer, f.Outcome)
	}
	// Output:
	// airun:1:sha256:37d7b89e84f49b27dbbc0843bc78806f273124b9178814a21e7bfe97d38c8d91
	// /model is kept
	// /messages is kept
	// /seed is kept
	// /stream is out
	// /later is kept
	// /later is unknown
}
