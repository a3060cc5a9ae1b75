package secrets

import "testing"

// TestQuoting: lines that a shell reads in different ways stay different without their secrets, and those that it reads alike may be equal.
func TestQuoting(t *testing.T) {
	for _, lines := range [][]string{
		{`psql host=h;password=CANARY`, `psql host=h\;password=CANARY`},
		{`psql host=h&password=CANARY`, `psql host='h&password=CANARY'`, `psql "host=h&"password=CANARY`},
		{`x #password=CANARY -n`, `x \#password=CANARY -n`},
		{`x a$b,password=CANARY`, `x a\$b,password=CANARY`, `x "a$b,password=CANARY"`},
		{`x "$b,password=CANARY"`, `x "\$b,password=CANARY"`},
		{`x a password=CANARY`, `x a\ password=CANARY`},
		{`x --token CANARY`, `x --token\ CANARY`},
		{`x *,password=CANARY`, `x \*,password=CANARY`},
		{`x ~,password=CANARY`, `x \~,password=CANARY`},
		{`x a=~,password=CANARY`, `x a='~',password=CANARY`},
		{`x {"a":1,"password":"CANARY"}`, `x -d='{"a":1,"password":"CANARY"}'`},
		{`x -d={\"a\":1,\"password\":\"CANARY\"}`, `x -d='{"a":1,"password":"CANARY"}'`},
		{`sh -c "x host=h;password=CANARY"`, `sh -c "x host='h;password=CANARY'"`},
	} {
		seen := map[string]string{}
		for _, line := range lines {
			clean, ok := Argument("", line, false)
			if !ok {
				continue
			}
			if other := seen[clean]; other != "" {
				t.Errorf("%q and %q are both %q", line, other, clean)
			}
			seen[clean] = line
		}
	}
	for in, want := range map[string]string{
		`psql host=h\;password=CANARY`:                        `psql 'host=h;password=[secret]'`,
		`psql host="h;password=CANARY"`:                       `psql 'host=h;password=[secret]'`,
		`psql "host=h;password=CANARY"`:                       `psql "host=h;password=[secret]"`,
		`psql host=h;password=CANARY`:                         `psql host=h;password=[secret]`,
		`x a\ "$b,password=CANARY"`:                           `x "a $b,password=[secret]"`,
		`x "a"#~,password="CANARY"`:                           `x "a#~,password=[secret]"`,
		`curl --header="Authorization: Bearer CANARY" h`:      `curl '--header=Authorization: [secret]' h`,
		`curl --data='{"a": "$b", "password": "CANARY"}' h`:   `curl '--data={"a": "$b", "password": "[secret]"}' h`,
		`curl -d "{\"a\":1,\"password\":\"CANARY\"}" h`:       `curl -d "{"a":1,"password":"[secret]"}" h`,
		`x "--url=https://u:CANARY@h/?"'a=CANARY&b=CANARY' y`: `x "--url=https://[secret]@h/?a=[secret]&b=[secret]" y`,
	} {
		if got, ok := Argument("", in, false); got != want || !ok {
			t.Errorf("%q: got %q, %t, want %q", in, got, ok, want)
		}
	}
	for _, line := range []string{`x '$a'$b,password=CANARY`, `x \*,*,password=CANARY`, `x $a\ \$b,password=CANARY`} {
		if got, ok := Argument("", line, false); ok {
			t.Errorf("%q: got %q, want that it is refused: no quotation marks say which of its bytes are quoted", line, got)
		}
	}
}
