package jsontree

import "testing"

func TestTexts(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":"x","b":""}`: "", `{}`: "0 labels, want 1 to 2", `{"a":"","b":"","c":""}`: "3 labels, want 1 to 2",
		`[]`: "is of type array, want object", `{"":"x"}`: `"": want a name and a string`, `{"a":1}`: `"a": want a name and a string`,
	} {
		root, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Texts(root, 2, "labels")
		switch {
		case want == "" && (err != nil || got["a"] != "x" || len(got) != 2):
			t.Errorf("%s: %v, %v", text, got, err)
		case want != "" && (err == nil || err.Error() != want):
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
