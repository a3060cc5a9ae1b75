package pkcs11

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/ThalesGroup/crypto11"
)

// Variables of the environment that stand in for parts that a reference leaves out.
const (
	moduleVariable = "PKCS11_MODULE_PATH"
	pinVariable    = "PKCS11_PIN"
)

// uri is an RFC 7512 URI in its parts. A path attribute that is not there matches everything.
type uri struct {
	token, serial, object string
	id                    []byte
	slot                  *int
	module                string
	pinSource             string
}

// parseURI reads pkcs11://PATH?QUERY, which is RFC 7512 with // put in: attributes NAME=VALUE,
// percent-encoded, separated by ; in the path and & in the query. An attribute that is not
// understood is refused, since leaving it out could match another key.
func parseURI(ref string) (*uri, error) {
	rest, ok := strings.CutPrefix(ref, "pkcs11://")
	if !ok {
		return nil, fmt.Errorf("%q: want pkcs11://token=TOKEN;object=KEY", ref)
	}
	path, query, _ := strings.Cut(rest, "?")
	u := new(uri)
	if err := eachAttribute(path, ";", u.setPath); err != nil {
		return nil, err
	}
	if err := eachAttribute(query, "&", u.setQuery); err != nil {
		return nil, err
	}
	named := 0
	for _, given := range []bool{u.token != "", u.serial != "", u.slot != nil} {
		if given {
			named++
		}
	}
	if named != 1 {
		return nil, errors.New("want exactly one of token=LABEL, serial=NUMBER and slot-id=NUMBER")
	}
	if u.object == "" && len(u.id) == 0 {
		return nil, errors.New("want object=LABEL or id=%HEX of the key, or both")
	}
	return u, nil
}

func eachAttribute(text, separator string, set func(name, value string) error) error {
	if text == "" {
		return nil
	}
	seen := map[string]bool{}
	for attribute := range strings.SplitSeq(text, separator) {
		name, encoded, ok := strings.Cut(attribute, "=")
		value, err := url.PathUnescape(encoded)
		switch {
		case !ok:
			return fmt.Errorf("attribute %q: want NAME=VALUE", attribute)
		case err != nil:
			return fmt.Errorf("attribute %s: %w", name, err)
		case seen[name]:
			return fmt.Errorf("attribute %s stands twice", name)
		case value == "":
			return fmt.Errorf("attribute %s is empty", name)
		}
		seen[name] = true
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (u *uri) setPath(name, value string) error {
	switch name {
	case "token":
		u.token = value
	case "serial":
		u.serial = value
	case "object":
		u.object = value
	case "id":
		u.id = []byte(value)
	case "slot-id":
		slot, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return fmt.Errorf("attribute slot-id: %q is not a slot number", value)
		}
		n := int(slot)
		u.slot = &n
	case "type":
		if value != "private" {
			return fmt.Errorf("attribute type: %q, want private", value)
		}
	default:
		return fmt.Errorf("attribute %s is not supported: want token, serial, slot-id, object, id", name)
	}
	return nil
}

func (u *uri) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.module = value
	case "pin-source":
		u.pinSource = value
	case "pin-value":
		return fmt.Errorf("attribute pin-value would show the PIN in the list of processes: set %s, or pin-source=FILE", pinVariable)
	default:
		return fmt.Errorf("attribute %s is not supported: want module-path, pin-source", name)
	}
	return nil
}

// config is the URI with what the environment adds.
func (u *uri) config() (*crypto11.Config, error) {
	c := &crypto11.Config{
		Path: u.module, TokenLabel: u.token, TokenSerial: u.serial, SlotNumber: u.slot,
		MaxSessions: 2, // one to sign, one that crypto11 keeps open
	}
	if c.Path == "" {
		c.Path = os.Getenv(moduleVariable)
	}
	if c.Path == "" {
		return nil, fmt.Errorf("no PKCS#11 module: set %s to the module's .so file, or module-path=FILE in the reference", moduleVariable)
	}
	if _, err := os.Stat(c.Path); err != nil {
		return nil, fmt.Errorf("PKCS#11 module: %w", err)
	}
	var err error
	if c.Pin, err = u.pin(); err != nil {
		return nil, err
	}
	c.LoginNotSupported = c.Pin == "" // a wrong login can lock a token: none is tried without a PIN
	return c, nil
}

func (u *uri) pin() (string, error) {
	if u.pinSource == "" {
		return os.Getenv(pinVariable), nil
	}
	data, err := os.ReadFile(strings.TrimPrefix(u.pinSource, "file:"))
	if err != nil {
		return "", fmt.Errorf("pin-source: %w", err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// key names the key in errors.
func (u *uri) key() string {
	var parts []string
	if u.object != "" {
		parts = append(parts, fmt.Sprintf("object=%q", u.object))
	}
	if len(u.id) > 0 {
		parts = append(parts, "id="+hex.EncodeToString(u.id))
	}
	return strings.Join(parts, " ")
}
