package e2e

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// azureStandIn answers the two calls of Key Vault's API that signing takes, as Azure
// documents them, for keys /keys/NAME.
type azureStandIn struct {
	keys     map[string]*heldKey
	resource string // what a token has to be for
}

// azureKinds are the keys that sigstore's Azure client can sign with as runattest verifies:
// it signs with RS384 and RS512 for larger RSA keys.
var azureKinds = map[string]struct{ algorithm, curve string }{
	"ecdsa-p256": {"ES256", "P-256"}, "ecdsa-p384": {"ES384", "P-384"}, "ecdsa-p521": {"ES512", "P-521"},
	"rsa-2048": {"RS256", ""}, "rsa-4096": {"RS512", ""},
}

const azureToken = "token-of-the-test"

func (s *azureStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer "+azureToken {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization="https://login.invalid/tenant", resource="%s"`, s.resource))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/") // keys, NAME, [VERSION], [sign]
	var key *heldKey
	if len(parts) >= 2 && parts[0] == "keys" {
		key = s.keys[parts[1]]
	}
	if key == nil {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"KeyNotFound","message":"no such key"}}`)
		return
	}
	var out map[string]any
	var err error
	if r.Method == http.MethodGet {
		out = map[string]any{"key": jwk(key), "attributes": map[string]any{"enabled": true}}
	} else {
		out, err = s.sign(key, r)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"error": map[string]any{"code": "BadParameter", "message": err.Error()}}
	}
	_ = json.NewEncoder(w).Encode(out) // a client that went away
}

func (s *azureStandIn) sign(key *heldKey, r *http.Request) (map[string]any, error) {
	var in struct{ Alg, Value string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	if want := azureKinds[key.name].algorithm; in.Alg != want || !strings.HasSuffix(r.URL.Path, "/sign") {
		return nil, fmt.Errorf("%s %s, want sign %s", r.URL.Path, in.Alg, want)
	}
	digest, err := base64.RawURLEncoding.DecodeString(in.Value)
	if err != nil {
		return nil, err
	}
	if in.Alg == "RS512" && len(digest) != 64 {
		return nil, errors.New("RS512 signs digests of 64 bytes")
	}
	sig, err := key.sign(digest)
	if err != nil {
		return nil, err
	}
	if public, ok := key.private.Public().(*ecdsa.PublicKey); ok { // Azure gives r and s side by side
		var rs struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(sig, &rs); err != nil {
			return nil, err
		}
		size := (public.Params().BitSize + 7) / 8
		sig = append(rs.R.FillBytes(make([]byte, size)), rs.S.FillBytes(make([]byte, size))...)
	}
	return map[string]any{"kid": "https://vault/keys/k/1", "value": base64.RawURLEncoding.EncodeToString(sig)}, nil
}

func jwk(key *heldKey) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	switch public := key.private.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			return nil
		}
		half := len(point) / 2
		return map[string]any{"kid": "https://vault/keys/k/1", "kty": "EC", "crv": azureKinds[key.name].curve, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:])}
	case *rsa.PublicKey:
		return map[string]any{"kid": "https://vault/keys/k/1", "kty": "RSA", "n": b64(public.N.Bytes()), "e": b64(big.NewInt(int64(public.E)).Bytes())}
	}
	return nil
}

// managedIdentity is the endpoint by which a program in Azure App Service gets its tokens.
func managedIdentity(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Identity-Header") != "secret" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"expires_on":"4102444800","resource":%q,"token_type":"Bearer"}`, azureToken, r.URL.Query().Get("resource"))
}

// TestKMSAzure proves that runattest signs and verifies through the real Azure client:
// managed identity, the vault's challenge, TLS and the shape of each call are the SDK's. The
// other end is a stand-in on loopback that answers as Azure documents it: Azure itself was not asked.
func TestKMSAzure(t *testing.T) {
	cloud := &azureStandIn{keys: holdKeys(t)}
	address, trust := serveTLS(t, cloud)
	// The client demands that the vault's host ends in that of the resource; a loopback address has no other end.
	cloud.resource = "https://" + strings.TrimPrefix(address, "127.")
	identity := httptest.NewServer(http.HandlerFunc(managedIdentity))
	t.Cleanup(identity.Close)
	d := newKMSDesk(t, trust, "AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential",
		"IDENTITY_ENDPOINT="+identity.URL, "IDENTITY_HEADER=secret")
	ref := func(name string) string { return "azurekms://" + address + "/" + name }
	for name, key := range cloud.keys {
		if name == "rsa-4096" {
			continue
		}
		t.Run(name, func(t *testing.T) { d.in(t).roundTrip(ref(name), key.algorithm) })
	}
	t.Run("larger RSA is refused", func(t *testing.T) {
		d := d.in(t)
		d.runattest("sign", "--key", ref("rsa-4096"), "--bundle", "none.sigstore.json", "run.json").failed("RS512 signs digests of 64 bytes")
		d.wroteNothing()
	})
	t.Run("no such key", func(t *testing.T) { d.in(t).fails(ref("none"), "KeyNotFound") })
	t.Run("no Azure reference", func(t *testing.T) { d.in(t).fails("azurekms://x", "kms specification should be in the format") })
	t.Run("no identity", func(t *testing.T) {
		d.in(t).with("IDENTITY_HEADER=wrong").fails(ref("ecdsa-p256"), "ManagedIdentityCredential")
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		d.in(t).with("SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/dev/null").fails(ref("ecdsa-p256"), "certificate")
	})
}
