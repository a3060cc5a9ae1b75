package secrets

import (
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		// What a WHATWG URL parser reads as user information.
		"https://u:CANARY@h/p": "https://[secret]@h/p", "https:u:CANARY@h": "https:[secret]@h", "https:/u:CANARY@h/": "https:/[secret]@h/", `https:\\u:CANARY@h`: `https:\\[secret]@h`,
		`https:/\u:CANARY@h/a`: `https:/\[secret]@h/a`, "HTTPS:u:CANARY@h": "HTTPS:[secret]@h", " \t\x01https://u:CANARY@h": " \t\x01https://[secret]@h", "ht\ntps:/\t/u:CAN\nARY@h\n": "ht\ntps:/\t/[secret]@h\n",
		"https:///u:CANARY@h": "https:///[secret]@h", "https://u%3ACANARY@h": "https://[secret]@h", "https://CANARY@h": "https://[secret]@h", "https://a@CANARY@h": "https://[secret]@h", "https://u:CAN ARY@h": "https://[secret]@h",
		"wss:u:CANARY@h": "wss:[secret]@h", "ftp:u:CANARY@h": "ftp:[secret]@h", "//u:CANARY@h/p": "//[secret]@h/p", "jdbc:mysql://u:CANARY@h/d": "jdbc:mysql://[secret]@h/d", "u:CANARY@h:8080": "[secret]@h:8080",
		"git+https://CANARY@h/o": "git+https://[secret]@h/o", "https://proxy/https://u:CANARY@h/": "https://proxy/https://[secret]@h/", "%68ttps://u:CANARY@h": "%68ttps://[secret]@h", "https:%2F%2Fu:CANARY@h": "https:[secret]@h",
		// Members of the path, query and fragment.
		"https://h/#access_token=CANARY&state=1": "https://h/#access_token=[secret]&state=1", "https://h/p;token=CANARY;v=1/q": "https://h/p;token=[secret];v=1/q", "https://h/#/x?token=CANARY": "https://h/#/x?token=[secret]",
		"https://h/?client_secret=CANARY": "https://h/?client_secret=[secret]", "https://h/?access_key=CANARY&x=1": "https://h/?access_key=[secret]&x=1", "https://h/?x-oss-signature=CANARY": "https://h/?x-oss-signature=[secret]",
		"https://h/?X-Amz-Credential=CANARY": "https://h/?X-Amz-Credential=[secret]", "https://h/?Sig=CANARY": "https://h/?Sig=[secret]", "https://h/?subscription-key=CANARY": "https://h/?subscription-key=[secret]", "https://h/?%73ig=CANARY": "https://h/?%73ig=[secret]",
		"https://h/?a=1;token=CANARY": "https://h/?a=1;token=[secret]", "https://h/?a=1?token=CANARY": "https://h/?a=1?token=[secret]", "https://h/?OSSAccessKeyId=CANARY": "https://h/?OSSAccessKeyId=[secret]", "https://h/?to\nken=CANARY": "https://h/?to\nken=[secret]",
		"https://h/?next=https%3A%2F%2Fu:CANARY%40h": "https://h/?next=[secret]", "https://h/?next=https%3A%2F%2Fh%2F%3Ftoken%3DCANARY": "https://h/?next=[secret]",
	} {
		got, _, ok := URL(in, false)
		if !ok || got != want || strings.Contains(got, "CANARY") {
			t.Errorf("%q: got %q (%v), want %q", in, got, ok, want)
		}
	}
	for in, want := range map[string]string{
		"https://h/p?a=CANARY&b&c=": "https://h/p?a=[secret]&[secret]&c=", "https://h/p;v=CANARY/mcp#a=CANARY": "https://h/p;v=[secret]/mcp#a=[secret]",
	} {
		if got, _, ok := URL(in, true); !ok || got != want {
			t.Errorf("%q: got %q (%v), want %q", in, got, ok, want)
		}
	}
	for _, s := range []string{
		"", "x", "https://h", "https://h/p?api-version=2024-10-21&page=1", "https://h/?x-oss-process=image/resize,w_1", "https://h/a@b", "https://h/?mail=a@b", "mailto@x", "git@github.com:o/r.git", "https://h/#section", "https://h/?page_token=2",
		"https://h/?sort_key=created_at", "https://h/a;v=1", "https://h/?keyword=x", "https://h/?next=https%3A%2F%2Fh%2Fp", "@modelcontextprotocol/server-x", `C:\files\x`, `\\.\pipe\docker`, "s3://bucket/key", "file:///a@b",
	} {
		if got, _, ok := URL(s, false); !ok || got != s {
			t.Errorf("%q: got %q (%v)", s, got, ok)
		}
	}
	for _, s := range []string{`https://good\@evil`, `https://good\.evil/`, `https://u:p\@h`} {
		if got, _, ok := URL(s, false); ok {
			t.Errorf("%q: got %q, want none: readers take different hosts", s, got)
		}
	}
}

// FuzzURL: nothing of the user information and of secret values is left of a URL.
func FuzzURL(f *testing.F) {
	f.Add("https://", "h.example/p", "q")
	f.Add("ht\ttps:\\", "h", "x-amz-credential")
	f.Add("a+b://", "h:1/?", "%73ig")
	f.Fuzz(func(t *testing.T, before, after, name string) {
		if m := authority.FindStringIndex(dropped(before + "x").text); m == nil || m[1] != len(dropped(before+"x").text)-1 || strings.ContainsAny(before+name, "&=?#;\\/@ \t\r\n") && strings.ContainsAny(name, "&=?#;") || strings.ContainsAny(before, "?#") {
			return
		}
		clean, _, ok := URL(before+"me:CANARY@h/p?"+name+"=CANARY&CANARY&z=CANARY#"+after, true)
		if ok && strings.Contains(strings.TrimSuffix(clean, after), "CANARY") {
			t.Fatalf("%q", clean)
		}
	})
}

// TestLongTexts reads texts that take a reader who scans to the end for each piece beyond any test's time.
func TestLongTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("reads long texts, which takes the race detector a minute")
	}
	const size = 1 << 17
	if text := strings.Repeat("key=x,", size/6); strings.Contains(Element("", text, true), "=x") {
		t.Error("a value is left")
	}
	for _, text := range []string{`{"a":`, `"key":{"a":`, `\`, `"key":\`, `"key":'"`, "{key: "} {
		Text(strings.Repeat(text, size/len(text)))
		List(strings.Repeat(text, size/len(text)))
	}
	if _, _, ok := URL(strings.Repeat("http:", size/5), false); !ok {
		t.Error("refused")
	}
}
