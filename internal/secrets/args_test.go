package secrets

import (
	"strings"
	"testing"
)

func TestElement(t *testing.T) {
	for _, c := range [][3]string{
		{"--token", "CANARY", "[secret]"}, {"--api-key", "CANARY", "[secret]"}, {"-token", "-CANARY", "[secret]"}, {"", "--token=CANARY", "--token=[secret]"}, {"x", "--hf_token=CANARY", "--hf_token=[secret]"},
		{"-H", "X-Any: CANARY", "X-Any: [secret]"}, {"--header", "Authorization:Bearer CANARY", "Authorization:[secret]"}, {"--header", "CANARY", "[secret]"}, {"", "-HAuthorization: CANARY", "-HAuthorization: [secret]"}, {"", "--header=X-A: CANARY", "--header=X-A: [secret]"},
		{"-e", "ANY=CANARY", "ANY=[secret]"}, {"--env", "ANY=CANARY", "ANY=[secret]"}, {"-e", "ANY", "ANY"}, {"", "-eANY=CANARY", "-eANY=[secret]"}, {"", "--env=ANY=CANARY", "--env=ANY=[secret]"}, {"-u", "me:CANARY", "me:[secret]"},
		{"", "Authorization: Bearer CANARY", "Authorization: [secret]"}, {"", "Cookie: a=CANARY; b=CANARY", "Cookie: [secret]"}, {"", "API_KEY=CANARY", "API_KEY=[secret]"}, {"", "pretrained=m,token=CANARY,dtype=auto", "pretrained=m,token=[secret],dtype=auto"},
		{"", "Server=s;Password=CANARY;Database=d", "Server=s;Password=[secret];Database=d"}, {"", "--proxy=https:u:CANARY@h", "--proxy=https:[secret]@h"}, {"", "https://u:CANARY@h/x", "https://[secret]@h/x"}, {"", "https://h/?token=CANARY", "https://h/?token=[secret]"},
		{"", "api_key = CANARY, b", "api_key = [secret] b"}, {"", "x --api-key CANARY -v", "x --api-key [secret] -v"}, {"", "password == CANARY", "password == [secret]"},
		{"", `{"a": 1, "token": "CANARY \"CANARY", "b": 2}`, `{"a": 1, "token": "[secret]", "b": 2}`}, {"", `--config={'Authorization': 'Bearer CANARY'}`, `--config={'Authorization': '[secret]'}`},
		{"", `{"env": {"A": "CANARY}", "B": ["CANARY"]}, "b": {"key":5, "jwt": true}}`, `{"env": [secret], "b": {"key":[secret], "jwt": true}}`}, {"", `{\"token\": \"CANARY\\\"CANARY\", \"b\": 2}`, `{\"token\": \"[secret]\", \"b\": 2}`},
		{"", `{api_key: CANARY CANARY, b: "x"}`, `{api_key: [secret], b: "x"}`}, {"", `{"token": "CANARY`, `{"token": "[secret]`}, {"", `{"env": {"A": "CANARY"`, `{"env": [secret]`}, {"", `as in "password": "CANARY" here`, `as in "password": "[secret]" here`},
		{"", `use password="CAN ARY" here`, `use password="[secret]" here`}, {"", `https://good\u:CANARY@h`, "[secret]"},
		// Names with escape sequences: of JSON, of JSON in JSON, of Python and YAML.
		{"", `{"pass\u0077ord": "CANARY", "b": 2}`, `{"pass\u0077ord": "[secret]", "b": 2}`}, {"", `{"\u0041uthorization": "Bearer CANARY"}`, `{"\u0041uthorization": "[secret]"}`}, {"", `{\"pass\\u0077ord\": \"CANARY\"}`, `{\"pass\\u0077ord\": \"[secret]\"}`},
		{"", `{'pass\x77ord': 'CANARY'}`, `{'pass\x77ord': '[secret]'}`}, {"", `{"tok\U00000065n": CANARY}`, `{"tok\U00000065n": [secret]}`}, {"", `{"api\u005F\u006bey": "CANARY"}`, `{"api\u005F\u006bey": "[secret]"}`}, {"", `{"\ud83d\ude00 password": "CANARY"}`, `{"\ud83d\ude00 password": "[secret]"}`},
	} {
		if got := Element(c[0], c[1], false); got != c[2] || strings.Contains(got, "CANARY") {
			t.Errorf("%q behind %q: got %q, want %q", c[1], c[0], got, c[2])
		}
	}
	if got := Element("Authorization", "CANARY", true); got != Mark {
		t.Errorf("a pair: got %q", got)
	}
	for _, c := range [][2]string{
		{"", "Get a token: optional"}, {"", "Filter as key=value pairs, and max_tokens=5"}, {"--max-tokens", "5"}, {"--token", "--verbose"}, {"", "--max-tokens=5"}, {"Authorization", "x"}, {"", "12:30"}, {"-extra", "x=y"}, {"", "-extra=V"},
		{"", "@modelcontextprotocol/server-github"}, {"-y", "mcp-remote"}, {"", "temperature=0,top_p=1"}, {"", "The token: a word that the model sees"},
		{"", `Give {"token": "a word"} and "key": 5`}, {"", `{"api_key": null, "env": {}, "use_auth_token": True, "b": "x"}`}, {"", "x --token --verbose"}, {"", "read-api-key x"}, {"", `{"pass\u0078ord": "x", "\u00e9": 1, "a\\": "b"}`},
	} {
		if got := Element(c[0], c[1], false); got != c[1] {
			t.Errorf("%q behind %q: got %q", c[1], c[0], got)
		}
	}
}

func TestList(t *testing.T) {
	for in, want := range map[string]string{
		"pretrained=m, token = CANARY CANARY,dtype=auto":                  "pretrained=m, token =[secret],dtype=auto",
		"api_key=CANARY,CANARY,dtype=auto":                                "api_key=[secret],dtype=auto",
		"model=m,base_url=https://u:CANARY@h/v1?sig=CANARY&a=1,n=2":       "model=m,base_url=https://[secret]@h/v1?sig=[secret]&a=1,n=2",
		"auth_token='CANARY=CANARY'":                                      "auth_token=[secret]",
		"max_tokens=5,tokenizer=t,token=,b,stop_token=x":                  "max_tokens=5,tokenizer=t,token=,b,stop_token=x",
		`model=m,header={"Authorization": "Bearer CANARY", "X": "y"},n=2`: `model=m,header={"Authorization": "[secret]", "X": "y"},n=2`,
		`{"model": "m", "api_key": "CANARY,CANARY"}`:                      `{"model": "m", "api_key": "[secret]"}`,
		"header={Authorization: Bearer CANARY},b=token: x":                "header={Authorization: [secret]},b=token: [secret]",
		"model=m, api_key = CANARY,args=--token CANARY -v, token = none":  "model=m, api_key =[secret],args=--token [secret] -v, token =[secret]",
		"": "",
	} {
		if got := List(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestCommand(t *testing.T) {
	for in, want := range map[string]string{
		"npx x --token CANARY --verbose":                                     "npx x --token [secret] --verbose",
		`curl -H 'Authorization: Bearer CANARY' https://u:CANARY@h/`:         `curl -H 'Authorization: [secret]' https://[secret]@h/`,
		`docker run -e "KEY=CANARY" -e A=CANARY i`:                           `docker run -e "KEY=[secret]" -e A=[secret] i`,
		"API_KEY=CANARY npx\n--api-key=CANARY":                               "API_KEY=[secret] npx\n--api-key=[secret]",
		`x --to"ken" 'CANARY`:                                                `x --to"ken" '[secret]'`,
		`x --token a\ CANARY -v`:                                             `x --token [secret] -v`,
		`x --token "a\" CANARY" -v`:                                          `x --token "[secret]" -v`,
		`x --token 'a\' -v`:                                                  `x --token '[secret]' -v`,
		`x --token a\` + "\n" + `CANARY`:                                     `x --token [secret]`,
		`x --token \` + "\r\n" + `  CANARY`:                                  `x --token [secret]` + "\r\n" + `  [secret]`,
		`x --token=a\ CANARY "--api-key=a CANARY" -v`:                        `x --token=[secret] "--api-key=[secret]" -v`,
		`API_KEY=a\ CANARY API_TOKEN="a CANARY" env "PASSWORD=a CANARY" npx`: `API_KEY=[secret] API_TOKEN=[secret] env "PASSWORD=[secret]" npx`,
		`"C:\dir\" --token CANARY "C:\x y"`:                                  `"'C:dir --token [secret] C:x'" y"`,
		`sh -c "npx --token CANARY -v"`:                                      `sh -c "npx --token [secret] -v"`,
		`sh -c "API_KEY=CANARY npx -v"`:                                      `sh -c "API_KEY=[secret] npx -v"`,
		`sh -c 'sh -c "npx --token a\ CANARY -v"'`:                           `sh -c 'sh -c "npx --token [secret] -v"'`,
		"npx -y @modelcontextprotocol/server-github --max-tokens 5 'a b' \"": "npx -y @modelcontextprotocol/server-github --max-tokens 5 'a b' \"",
		`curl -d '{"token": "CANARY"}' h`:                                    `curl -d '{"token": "[secret]"}' h`,
		"API_KEY= npx b":                                                     "API_KEY= npx b",
		`C:\bin\x.exe -f "C:\a b\" \`:                                        `C:\bin\x.exe -f "C:\a b\" \`,
	} {
		if got, _ := command(in, commandDepth); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	for _, c := range [][3]string{
		{"", "API_KEY=CANARY npx --token CANARY", "API_KEY=[secret] npx --token [secret]"}, {"env", "API_KEY=CANARY", "API_KEY=[secret]"}, {"-c", "API_KEY=CANARY npx", "API_KEY=[secret] npx"}, {"-lc", `API_KEY='CANARY' npx`, "API_KEY=[secret] npx"},
		{"x", "--token=CANARY", "--token=[secret]"}, {"--token", "CANARY", "[secret]"}, {"-e", "A=${CANARY}", "A=[secret]"}, {"x", "//h/?CANARY", "//h/?[secret]"}, {"x", "LEVEL=a b", "LEVEL=a b"}, {"--no-auth", "x", "x"}, {"-u", "1000:0", "1000:0"},
		{"-u", `C:\a\server.py`, `C:\a\server.py`}, {"-u", "C:/server.py", "C:/server.py"}, {"-u", "https://u:CANARY@h/a?b=CANARY", "https://[secret]@h/a?b=[secret]"}, {"-H", "https://h/a", "https://h/a"}, {"--user", "me:CANARY", "me:[secret]"},
		{"-H", "Authorization: Bearer CANARY", "Authorization: [secret]"}, {"--header", "X-Any:CANARY", "X-Any:[secret]"}, {"--headers", "Authorization: Bearer CANARY", "[secret]"}, {"x", `{"env": {"A": "CANARY b", "B": "c"}}`, `{"env": [secret]}`},
	} {
		if got, ok := Argument(c[0], c[1], false); got != c[2] || !ok {
			t.Errorf("%q behind %q: got %q, want %q", c[1], c[0], got, c[2])
		}
	}
}

// TestBesideCommand: a command line with a secret is not taken for another that runs a different program.
func TestBesideCommand(t *testing.T) {
	for _, c := range [][2]string{
		{"-c", "TOKEN=x;/bin/evil"}, {"-c", "TOKEN=x&&/bin/evil"}, {"-c", "TOKEN=x|/bin/evil"}, {"-c", "TOKEN=x&/bin/evil"}, {"-c", "TOKEN=`/bin/evil`"}, {"-c", "TOKEN=$(/bin/evil)"}, {"-c", "TOKEN=<(/bin/evil)"},
		{"", "TOKEN=x;/bin/evil"}, {"-lc", "a --token x;/bin/evil"}, {"x", "a --token x;/bin/evil"}, {"", `sh -c "TOKEN=x;/bin/evil"`}, {"", `ssh h 'TOKEN=x;/bin/evil'`}, {"-c", `TOKEN="$(/bin/evil)" a`},
		{"-c", "a --token ;/bin/evil"}, {"-c", "--token=x; /bin/evil"}, {"-c", "--header=X: a; /bin/evil"}, {"-c", "--header=X: a\n/bin/evil"}, {"-c", "curl https://h/?q;/bin/evil"}, {"-c", "TOKEN=x;PATH=/evil a"},
		{"", "cookie: a=x; /bin/evil"}, {"-c", `node -e "A=require('evil')"`}, {"-c", "curl https://h/?sig=x|/bin/evil"}, {"-c", "a --token\n/bin/evil"},
	} {
		if got, ok := Argument(c[0], c[1], false); ok {
			t.Errorf("%q behind %q: got %q, want that it is refused", c[1], c[0], got)
		}
	}
	for _, c := range [][3]string{
		{"-c", "TOKEN=CANARY; evil", "TOKEN=[secret]; evil"}, {"-c", "export TOKEN=CANARY && exec evil", "export TOKEN=[secret] && exec evil"}, {"-c", `TOKEN="CANARY"; evil`, `TOKEN=[secret]; evil`},
		{"-c", "a --token; evil", "a --token; evil"}, {"-c", "a --token && evil", "a --token && evil"}, {"-c", "a | b --token CANARY | evil", "a | b --token [secret] | evil"}, {"-c", "(a; b) | c", "(a; b) | c"},
		{"-e", "const a=require('evil')", "const a=require('evil')"}, {"x", "Server=s;User Id=u;Password=CANARY;Encrypt=no", "Server=s;User Id=u;Password=[secret];Encrypt=no"},
		{"x", "https://h/a?u=CANARY&v=CANARY#(x)", "https://h/a?u=[secret]&v=[secret]#(x)"}, {"", "https://h/a?u=CANARY&v=CANARY", "https://h/a?u=[secret]&v=[secret]"}, {"", "a --url=https://h/a?u=CANARY", "a --url=https://h/a?u=[secret]"},
	} {
		if got, ok := Argument(c[0], c[1], false); got != c[2] || !ok {
			t.Errorf("%q behind %q: got %q, %v, want %q", c[1], c[0], got, ok, c[2])
		}
	}
}

// TestLone: what is secret in an argument is a value. What some program could run, or read as an option, is not withheld.
func TestLone(t *testing.T) {
	for _, c := range [][2]string{
		{"host", "TOKEN=x evil"}, {"-S", "TOKEN=x evil"}, {"--call", "TOKEN=x evil"}, {"eval", "TOKEN=x\tevil"}, {"host", "TOKEN=x;evil"}, {"host", "--token=x;evil"}, {"npx", "--token=x evil"}, {"--token", "x&evil"}, {"--token", "x evil"}, {"--token", "$(evil)"},
		{"x", "--token=x\nevil"}, {"--token", "x|evil"}, {"x", "a --token 'x evil'"}, {"x", `ssh h "TOKEN=x evil"`}, {"", `ssh h "TOKEN=x evil"`}, {"-c", `ssh h "--token=x evil"`}, {"", `env -S "TOKEN=x evil"`},
		{"-e", "X=require('evil')"}, {"-e", `x=require"evil"`}, {"-e", "x=%x[evil]"}, {"-e", "x=`evil`"}, {"x", "-eX=%x/evil/"}, {"x", "--env=X='evil'"}, {"-e", "A=a b"}, {"", `node -e 'X=%x[evil]'`},
		{"-pw", "evil.rb"}, {"-key", "evil.example"}, {"-pass", "evil"}, {"", "ruby -pw evil.rb"}, {"-H", "evil.sh"}, {"--header", "evil"}, {"-H", `C:evil.sh`}, {"-u", "C:evil.py"}, {"", "bash -H evil.sh"},
		{"-H", "X-Any: a b"}, {"-H", "X-Any: Bearer --evil"}, {"-H", "Cookie: a=x; evil"}, {"x", `https://good\evil`}, {"host", "https://h/?q;evil"}, {"host", "https://h/?a=b&evil"}, {"x", `{"env": {"A": "$(evil)"}}`},
	} {
		if got, ok := Argument(c[0], c[1], false); ok {
			t.Errorf("%q behind %q: got %q, want that it is refused", c[1], c[0], got)
		}
	}
	if got, ok := Argument("passwd", "root", true); ok {
		t.Errorf("sudo passwd root: got %q, want that it is refused", got)
	}
}

// TestJSONArgument: JSON in an argument is read as JSON before a shell's quotation marks are taken off.
func TestJSONArgument(t *testing.T) {
	for _, c := range [][3]string{
		{"--config", `{"headers":{"Authorization":"Bearer CANARY"}}`, `{"headers":[secret]}`}, {"--config", `{"password":"correct CANARY"}`, `{"password":"[secret]"}`}, {"x", `--config={"password":"a CANARY"}`, `--config={"password":"[secret]"}`},
		{"-c", `x --config '{"password":"a CANARY","b":1}'`, `x --config '{"password":"[secret]","b":1}'`}, {"x", `{"env":{"A":"x CANARY","B":"CANARY"}}`, `{"env":[secret]}`}, {"", `{"headers":{"Authorization":"Bearer CANARY"}}`, `{"headers":[secret]}`},
		{"--config", `"{\"apiKey\":\"a CANARY\"}"`, `"{\"apiKey\":\"[secret]\"}"`}, {"--config", `{\"apiKey\":\"CANARY\"}`, `{\"apiKey\":\"[secret]\"}`}, {"x", `{"env": {"A": "${input:a}", "B": "Bearer ${B}"}}`, `{"env": [secret]}`},
		{"x", `{"name":"LEVEL","value":"a"}`, `{"name":"LEVEL","value":"a"}`}, {"x", `["--level","a"]`, `["--level","a"]`}, {"x", `{"headers":[{"name":"API_KEY","value":"CANARY"}]}`, `{"headers":[secret]}`},
		{"--config", `{"pass\u0077ord":"a CANARY"}`, `{"pass\u0077ord":"[secret]"}`}, {"x", `--config={"pass\u0077ord":"a CANARY"}`, `--config={"pass\u0077ord":"[secret]"}`}, {"-c", `x --config '{"pass\u0077ord":"a CANARY","b":1}'`, `x --config '{"pass\u0077ord":"[secret]","b":1}'`},
		{"", `"{\"api\\u004Bey\":\"a CANARY\"}"`, `"{\"api\\u004Bey\":\"[secret]\"}"`},
	} {
		if got, ok := Argument(c[0], c[1], false); got != c[2] || !ok {
			t.Errorf("%q behind %q: got %q, %v, want %q", c[1], c[0], got, ok, c[2])
		}
	}
	for _, c := range [][2]string{
		{"x", `{"name":"API_KEY","value":"CANARY"}`}, {"x", `{"a":[{"value":"CANARY","Key":"API_KEY"}]}`}, {"x", `["--token","CANARY"]`}, {"", `["Authorization","CANARY"]`}, {"x", `--config={"args":["-e","A=CANARY"]}`}, {"-c", `x '["--token","CANARY"]'`},
		{"x", `{'password':'a CANARY'}`}, {"x", `{password:a, CANARY}`}, {"-c", `x {"password":"a, CANARY"}`}, {"x", `{"env":{"A":"x${IFS}evil"}}`}, {"", `{"token":"x;evil"}`},
	} {
		if got, ok := Argument(c[0], c[1], false); ok {
			t.Errorf("%q behind %q: got %q, want that it is refused", c[1], c[0], got)
		}
	}
}

// TestNotEqual: what a shell, or a program that reads an argument again, makes of a value is not withheld, nor a file, a daemon or code.
func TestNotEqual(t *testing.T) {
	pem := "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----"
	for _, c := range [][2]string{
		{"--token", pem}, {"x", pem}, {"", "x --key -----BEGIN PRIVATE KEY----- CANARY"}, {"--token", "-----BEGIN CERTIFICATE-----\nCANARY"},
		{"Authorization", "Bearer CANARY"}, {"Authorization", "Bearer\tCANARY"}, {"Authorization", " Bearer CANARY\n"}, {"x", "basic CANARY"}, {"x", "api-key CANARY"}, {"x", "Bearer CANARY b"}, {"", "bearer CANARY b c"}, {"--auth-scheme", " Bearer\tCANARY\n b"}, {"x", "Token CANARY1 b"}, {"x", "Basic CANARYCANARYCANA b"}, {"", "x -a 'Bearer CANARY b'"}, {"", "x --headers Authorization 'Bearer CANARY'"},
		{"-c", "env TOKEN=x${IFS}/bin/evil"}, {"-c", "TOKEN=x${IFS}/bin/evil"}, {"-c", "env TOKEN=$PS4/bin/evil"}, {"--token", "$1"}, {"-c", "npx --token {x,evil-package}"}, {"-c", "npx --token={x..evil}"}, {"-e", "A=x${IFS}evil/image"}, {"", "docker run -e A=x${IFS}evil/image i"},
		{"-S", `TOKEN=x\_/bin/evil`}, {"-S", "TOKEN=x\v/bin/evil"}, {"--token", "*"}, {"-c", "npx --token *"}, {"-c", "npx --token=[a-z]?"}, {"x", "--token=e?il"}, {"-c", "env TOKEN=e*"}, {"", "x --api-key '*' -v"}, {"-S", "TOKEN=x\f/bin/evil"},
		{"-we", "token=%x[evil]"}, {"-ne", "token=%x!evil!"}, {"-pe", "token=evil()"}, {"-we", "p token=%x!evil!"}, {"--eval", "token=%x!evil!"}, {"--exec", "token=`evil`"}, {"x", "-etoken=%x!evil!"}, {"x", "token=%x[evil]"}, {"x", "{token: %x[/bin/evil a b]}"}, {"-c", `ruby -we 'token=%x[evil]'`},
		{"-u", "srv:evil.py"}, {"-H", "ab:evil.sh"}, {"-H", "evil:23750000"}, {"-u", "me:8080"}, {"x", "-H10.0.0.5:2375"}, {"", "bash -H ab:evil.sh"}, {"-H", "evil:2375"},
	} {
		if got, ok := Argument(c[0], c[1], false); ok {
			t.Errorf("%q behind %q: got %q, want that it is refused", c[1], c[0], got)
		}
	}
	if got := Element("--token", pem, false); got != Mark {
		t.Errorf("a key in PEM: got %q", got)
	}
	for _, c := range [][3]string{
		{"--token", "${TOKEN}", "[secret]"}, {"--token", "$TOKEN", "[secret]"}, {"x", "--token=${input:token}", "--token=[secret]"}, {"--header", "Authorization: Bearer ${env:T}", "Authorization: [secret]"}, {"x", "Bearer ${T}", "Bearer ${T}"}, {"x", "Bearer ${T} b", "Bearer ${T} b"}, {"x", "Key findings of the year", "Key findings of the year"}, {"-c", "token x y", "token x y"}, {"x", "a {b,c}", "a {b,c}"},
		{"-H", "X-Any: CANARY", "X-Any: [secret]"}, {"-H", "10.0.0.5:2375", "10.0.0.5:2375"}, {"-H", "localhost:2375", "localhost:2375"}, {"-u", "1000:0", "1000:0"}, {"--user", "me:CANARY", "me:[secret]"}, {"--header", "X-Any:CANARY", "X-Any:[secret]"},
		{"x", "--env=LD_PRELOAD=CANARY", "--env=LD_PRELOAD=[secret]"}, {"", "--env=debug=CANARY", "--env=debug=[secret]"}, {"--env", "GITHUB_TOKEN", "GITHUB_TOKEN"}, {"", "docker run --env GITHUB_TOKEN image", "docker run --env GITHUB_TOKEN image"},
		{"-e", "DATABASE_URL=postgres://u:CANARY@h/db?sslmode=disable", "DATABASE_URL=[secret]"}, {"-e", "PASS=p#ss!", "PASS=[secret]"}, {"x", "https://h/a?q=*&r=%5B[", "https://h/a?q=[secret]&r=[secret]"}, {"x", `{"token":"CANARY*?["}`, `{"token":"[secret]"}`}, {"x", "--glob=*.go", "--glob=*.go"}, {"-e", "X=a%20b", "X=[secret]"},
		{"--header", "Accept: application/json, text/event-stream", "Accept: application/json, text/event-stream"}, {"x", "--header=Accept: a/b, c/d", "--header=Accept: a/b, c/d"}, {"-H", "Accept:a/b", "Accept:a/b"},
	} {
		if got, ok := Argument(c[0], c[1], false); got != c[2] || !ok {
			t.Errorf("%q behind %q: got %q, %v, want %q", c[1], c[0], got, ok, c[2])
		}
	}
}

// FuzzCommand quotes a secret as shells do and finds nothing of it in what is left of the command line.
func FuzzCommand(f *testing.F) {
	f.Add("CAN ARY", byte(0), byte(0))
	f.Add(`a"b'c\d`, byte(1), byte(1))
	f.Add("a\nb", byte(2), byte(2))
	f.Add("$x `y`", byte(3), byte(3))
	f.Fuzz(func(t *testing.T, secret string, quoting, place byte) {
		secret = "CANARY" + secret + "CANARY"
		quoted := "'" + strings.ReplaceAll(secret, "'", `'\''`) + "'"
		switch quoting % 3 {
		case 1:
			quoted = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(secret) + `"`
		case 2:
			var b strings.Builder
			for i := range len(secret) {
				if strings.IndexByte("\r\n", secret[i]) >= 0 {
					return // a shell joins the lines
				}
				b.WriteString(`\` + secret[i:i+1])
			}
			quoted = b.String()
		}
		line := []string{"x --token ", "API_KEY=", "x --api-key=", "curl -H X-Any:", "docker run -e A=", "env 'API_KEY'="}[place%6] + quoted + " -v"
		if got, _ := command(line, commandDepth); strings.Contains(got, "CANARY") {
			t.Fatalf("%q: %q", line, got)
		}
	})
}
