package pkcs11

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestParseURI proves that each attribute of RFC 7512 that names a key is read, decoded.
func TestParseURI(t *testing.T) {
	slot := 7
	for ref, want := range map[string]*uri{
		"pkcs11://token=ci;object=signer":                                {token: "ci", object: "signer"},
		"pkcs11://token=My%20token;id=%01%ff;type=private":               {token: "My token", id: []byte{1, 0xff}},
		"pkcs11://slot-id=7;object=a%3Bb":                                {slot: &slot, object: "a;b"},
		"pkcs11://serial=00ff;object=k?module-path=/m.so":                {serial: "00ff", object: "k", module: "/m.so"},
		"pkcs11://token=t;object=k?pin-source=file:/p&module-path=/m.so": {token: "t", object: "k", pinSource: "file:/p", module: "/m.so"},
	} {
		got, err := parseURI(ref)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", ref, got, err, want)
		}
	}
}

// TestParseURIRefuses proves that nothing is guessed: what is not understood could name another key.
func TestParseURIRefuses(t *testing.T) {
	for ref, want := range map[string]string{
		"pkcs11:token=t;object=k":                  "want pkcs11://",
		"pkcs11://":                                "exactly one of token",
		"pkcs11://object=k":                        "exactly one of token",
		"pkcs11://token=t;serial=1;object=k":       "exactly one of token",
		"pkcs11://token=t":                         "want object=LABEL or id",
		"pkcs11://token=t;object=":                 "attribute object is empty",
		"pkcs11://token=t;object=a;object=b":       "stands twice",
		"pkcs11://token=t;object":                  "want NAME=VALUE",
		"pkcs11://token=t;object=%zz":              "attribute object",
		"pkcs11://token=t;object=k;type=public":    "want private",
		"pkcs11://token=t;object=k;manufacturer=m": "attribute manufacturer is not supported",
		"pkcs11://slot-id=-1;object=k":             "is not a slot number",
		"pkcs11://token=t;object=k?pin-value=1234": "would show the PIN",
		"pkcs11://token=t;object=k?module-name=x":  "attribute module-name is not supported",
	} {
		if u, err := parseURI(ref); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "1234") {
			t.Errorf("%s: %+v, %v; want %q", ref, u, err, want)
		}
	}
}

// TestConfig proves where the module and the PIN come from, and that without a PIN no login is
// tried: wrong ones lock tokens.
func TestConfig(t *testing.T) {
	t.Setenv(moduleVariable, "")
	t.Setenv(pinVariable, "")
	dir := t.TempDir()
	module, pin := filepath.Join(dir, "m.so"), filepath.Join(dir, "pin")
	for file, text := range map[string]string{module: "", pin: "12 34\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u := &uri{token: "t", object: "k"}
	if _, err := u.config(); err == nil || !strings.Contains(err.Error(), moduleVariable) {
		t.Errorf("no module: %v", err)
	}
	t.Setenv(moduleVariable, module)
	c, err := u.config()
	if err != nil || c.Path != module || !c.LoginNotSupported {
		t.Errorf("no PIN: %+v, %v", c, err)
	}
	t.Setenv(pinVariable, "from the environment")
	if c, err = u.config(); err != nil || c.Pin != "from the environment" || c.LoginNotSupported {
		t.Errorf("PIN from the environment: %+v, %v", c, err)
	}
	u.pinSource = "file:" + pin
	if c, err = u.config(); err != nil || c.Pin != "12 34" {
		t.Errorf("PIN from a file: %+v, %v", c, err)
	}
	u.pinSource, u.module = filepath.Join(dir, "none"), filepath.Join(dir, "none.so")
	if _, err := u.config(); err == nil {
		t.Error("neither module nor PIN are there")
	}
}
