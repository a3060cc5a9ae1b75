package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The first part of docs/gateway.md, done as it says, on other ports.
func TestGatewayPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "gateway.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(page), "\n## Five minutes from nothing\n")
	part, _, _ = strings.Cut(part, "\n## ")
	listen := freePort(t)
	upstream := freePort(t)
	part = strings.NewReplacer("9000", strconv.Itoa(upstream), "8787", strconv.Itoa(listen)).Replace(part)
	part = strings.Replace(part, "--provider openai &", "--provider openai --listen 127.0.0.1:"+strconv.Itoa(listen)+" &", 1)
	var python, shell []string
	for _, block := range regexp.MustCompile("(?s)```(python|sh)\n(.*?)```").FindAllStringSubmatch(part, -1) {
		if block[1] == "python" {
			python = append(python, block[2])
		} else {
			shell = append(shell, block[2])
		}
	}
	if len(python) != 1 || len(shell) != 3 {
		t.Fatalf("the page has %d blocks of Python and %d of commands", len(python), len(shell))
	}
	d := newDesk(t)
	d.write("upstream.py", []byte(python[0]))
	d.write("commands.sh", fmt.Appendf(nil, `set -e
PATH=%s:$PATH
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
%s
for port in %d %d; do # a person is slower
	for i in $(seq 100); do ! (: </dev/tcp/127.0.0.1/$port) 2>/dev/null || break; sleep 0.1; done
done
%s
%s`, filepath.Dir(runattestPath), shell[0], upstream, listen, shell[1], shell[2]))
	d.env = append(d.env, "NO_PROXY=127.0.0.1")
	said := string(d.run("bash", []string{"commands.sh"}).ok())
	for _, want := range []string{"Airun-Identity: airun:1:sha256:", "Airun-Journal: 00000001/1/", "hello", "journal: verified"} {
		if !strings.Contains(said, want) {
			t.Errorf("the answer does not have %q:\n%s", want, said)
		}
	}
}
