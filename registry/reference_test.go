package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/runattest/runattest/registry"
)

var (
	hexDigits = strings.Repeat("4f", 32)
	runID     = "airun:1:sha256:" + hexDigits
)

func TestParseReference(t *testing.T) {
	for in, want := range map[string]string{
		"ghcr.io/acme/app":                              "oci://ghcr.io/acme/app",
		"oci://ghcr.io/acme/app:v1":                     "oci://ghcr.io/acme/app:v1",
		"localhost/app":                                 "oci://localhost/app",
		"127.0.0.1:5000/app@sha256:" + hexDigits:        "oci://127.0.0.1:5000/app@sha256:" + hexDigits,
		"[::1]:5000/app:v1@sha256:" + hexDigits:         "oci://[::1]:5000/app:v1@sha256:" + hexDigits,
		"ghcr.io/acme/runs@" + runID:                    "oci://ghcr.io/acme/runs@" + runID,
		"oci-layout://dir":                              "oci-layout://dir",
		"oci-layout:///a/b.tar:v1":                      "oci-layout:///a/b.tar:v1",
		"oci-layout://dir@sha256:" + hexDigits:          "oci-layout://dir@sha256:" + hexDigits,
		"oci-layout://../runs@" + runID:                 "oci-layout://../runs@" + runID,
		"oci-layout://C:/images:v1@sha256:" + hexDigits: "oci-layout://C:/images:v1@sha256:" + hexDigits,
	} {
		r, err := registry.ParseReference(in)
		if err != nil || r.String() != want {
			t.Errorf("%s: %q, %v; want %q", in, r, err, want)
			continue
		}
		if again, err := registry.ParseReference(r.String()); err != nil || again != r {
			t.Errorf("%s: parsed again: %q, %v", in, again, err)
		}
	}
}

func TestParseReferenceRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "names no registry",
		"app:v1":                             "names no registry",
		"library/alpine":                     "names no registry",
		"ghcr.io":                            "names no repository",
		"ghcr.io/App":                        "lower-case",
		"ghcr.io/app/../x":                   "lower-case",
		"ghcr.io/app:":                       "tag",
		"ghcr.io/app:a b":                    "tag",
		"ghcr.io/app@sha512:" + hexDigits:    "sha256: and 64",
		"ghcr.io/app@sha256:4F":              "sha256: and 64",
		"ghcr.io/app@airun:1:sha256:4f":      "2 hex digits",
		"ghcr.io/app:v1@" + runID:            "no tag",
		"oci-layout://":                      "names no path",
		"oci-layout://:v1":                   "names no path",
		"user:password@ghcr.io/app":          "digest",
		"https://ghcr.io/app":                "want oci://HOST",
		"ghcr.io:99999999/app":               "host",
		"gh cr.io/app":                       "host",
		"oci://ghcr.io/app?x=y":              "repository",
		"ghcr.io/app@" + runID + "@sha256:1": "hex digits",
	} {
		if r, err := registry.ParseReference(in); !errors.Is(err, registry.ErrReference) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want an error with %q", in, r, err, want)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{"ghcr.io/acme/app:v1@sha256:" + hexDigits, "oci-layout://a/b:v1", "localhost:5000/runs@" + runID, "oci-layout://a:b/c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := registry.ParseReference(s)
		if err != nil {
			return
		}
		if again, err := registry.ParseReference(r.String()); err != nil || again != r {
			t.Errorf("%q is %q, and that is %q, %v", s, r, again, err)
		}
	})
}
