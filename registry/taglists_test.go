package registry_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	ours "github.com/runattest/runattest/registry"
)

// TestTagListThatIsNone: what comes with success in place of the list of tags is not an empty repository.
func TestTagListThatIsNone(t *testing.T) {
	s := newServer(t, true)
	target := open(t, s.host+"/app")
	d := descend(t, 1)
	push(t, target, d)
	for name, c := range map[string]struct {
		contentType, body string
		want, hint        string
	}{
		"a login page":      {"text/html", loginPage, "a page for people: Sign in to Acme", "login page"},
		"an error":          {"application/json", `{"errors":[{"code":"UNAVAILABLE","message":"maintenance until noon"}]}`, "maintenance until noon", ""},
		"an empty object":   {"application/json", `{}`, `want an object with "tags"`, ""},
		"of another":        {"application/json", `{"name":"login"}`, `want an object with "tags"`, ""},
		"an array":          {"application/json", `[]`, "the list of tags: it is of type array, want object", ""},
		"of numbers":        {"application/json", `{"name":"app","tags":[1]}`, "of type number, want string", ""},
		"nothing":           {"", "", "answers 200 with nothing in it", ""},
		"no tags, as null":  {"application/json", `{"name":"app","tags":null}`, "", ""},
		"no tags, and name": {"application/json", `{"name":"app"}`, "", ""},
	} {
		s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				typed(200, c.contentType, c.body)(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
		runs, errs := told(t, target, ours.RunsOptions{})
		if c.want == "" {
			if len(runs)+len(errs) > 0 {
				t.Errorf("%s: %v, %v", name, runs, errs)
			}
			continue
		}
		var failed *ours.Error
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), c.want) || strings.Contains(errs[0].Error(), "Go ") || !errors.As(errs[0], &failed) ||
			!strings.Contains(string(failed.Hint), c.hint) || errors.As(errs[0], new(*ours.SkippedError)) {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

// TestListedRunIsGone: a run whose tag is listed and whose manifest is not there is named, also where a run that descends from it
// was looked at before.
func TestListedRunIsGone(t *testing.T) {
	s := newServer(t, true)
	target := open(t, s.host+"/app")
	gone := descend(t, 1)
	child := descend(t, 2, gone)
	push(t, target, child)
	tags := []string{strings.ReplaceAll(gone.ID().String(), ":", "-"), strings.ReplaceAll(child.ID().String(), ":", "-")}
	for _, tags := range [][]string{tags, {tags[1], tags[0]}, fillPage([]string{tags[1], tags[0]}), {tags[1], tags[0], tags[0]}} {
		for _, ancestors := range []bool{false, true} {
			s.spoil(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/tags/list") && r.URL.Query().Get("last") == "":
					writeTags(w, tags)
				case strings.HasSuffix(r.URL.Path, "/tags/list"):
					writeTags(w, []string{})
				default:
					next.ServeHTTP(w, r)
				}
			})
			runs, errs := told(t, target, ours.RunsOptions{Ancestors: ancestors})
			var skipped *ours.SkippedError
			if !slices.Contains(runs, says(child, 0)) || len(errs) != 1 || !errors.As(errs[0], &skipped) || skipped.Run != gone.ID() {
				t.Errorf("of %d tags, ancestors %v: %v, %v", len(tags), ancestors, runs, errs)
			}
		}
	}
	// A parent that is not listed is not there.
	s.spoil(nil)
	if runs, errs := told(t, target, ours.RunsOptions{Ancestors: true}); len(errs) > 0 || !slices.Contains(runs, says(gone, -1)) {
		t.Errorf("%v, %v", runs, errs)
	}
}
