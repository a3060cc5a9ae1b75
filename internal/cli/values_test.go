package cli

import (
	"maps"
	"testing"
)

func TestParseTime(t *testing.T) {
	for text, good := range map[string]bool{
		"2026-01-31T12:00:00Z": true, "1970-01-01T00:00:00Z": true, "2026-01-31T12:00:00.5+02:00": true,
		"": false, "2026-01-31": false, "0001-01-01T00:00:00Z": false, "1969-12-31T23:59:59Z": false, "9999-12-31T23:59:59-01:00": false,
	} {
		if _, err := ParseTime(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParsePairs(t *testing.T) {
	got, err := ParsePairs("url=u, file = f=g,", []string{"url", "file"}, []string{"origin"})
	if err == nil {
		t.Errorf("a pair that is empty is read: %v", got)
	}
	got, err = ParsePairs("url=u, file = f=g", []string{"url", "file"}, []string{"origin"})
	if err != nil || !maps.Equal(got, map[string]string{"url": "u", "file": "f=g"}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "url=u", "url=u,file=", "url=u,file=f,url=u", "url=u,file=f,other=o", "url=u,file"} {
		if got, err := ParsePairs(text, []string{"url", "file"}, nil); err == nil {
			t.Errorf("%q is read: %v", text, got)
		}
	}
}

func TestParseNamed(t *testing.T) {
	got, err := ParseNamed([]string{"a=b=c", "d="})
	if err != nil || !maps.Equal(got, map[string]string{"a": "b=c", "d": ""}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, texts := range [][]string{{"a"}, {"a=\xff"}, {"=b"}, {"a=b", "a=c"}} {
		if got, err := ParseNamed(texts); err == nil {
			t.Errorf("%q is read: %v", texts, got)
		}
	}
}
