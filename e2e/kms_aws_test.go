package e2e

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// awsStandIn answers the three calls of the KMS API that signing takes, as AWS documents
// them, for keys alias/NAME.
type awsStandIn struct {
	keys    map[string]*heldKey
	rotated atomic.Pointer[heldKey] // signs in the place of every key, if set
	calls   atomic.Int64
}

var awsAlgorithms = map[string][]string{
	"ecdsa-p256": {"ECDSA_SHA_256"},
	"ecdsa-p384": {"ECDSA_SHA_384"},
	"ecdsa-p521": {"ECDSA_SHA_512"},
	"rsa-2048":   {"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PSS_SHA_256"},
	"rsa-4096":   {"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PSS_SHA_256"},
}

func (s *awsStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	var in struct {
		KeyId, MessageType, SigningAlgorithm string
		Message                              []byte
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	refuse := func(kind, why string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":%q,"message":%q}`, kind, why)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=TESTKEY/") {
		refuse("UnrecognizedClientException", "not signed by TESTKEY")
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse("ValidationException", err.Error())
		return
	}
	key := s.keys[strings.TrimPrefix(in.KeyId, "alias/")]
	if key == nil {
		refuse("NotFoundException", "Alias arn:aws:kms:xx-test-1:000000000000:"+in.KeyId+" is not found.")
		return
	}
	out, err := s.answer(key, strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService."), in.MessageType, in.SigningAlgorithm, in.Message)
	if err != nil {
		refuse("ValidationException", err.Error())
		return
	}
	_ = json.NewEncoder(w).Encode(out) // a client that went away
}

func (s *awsStandIn) answer(key *heldKey, call, messageType, algorithm string, message []byte) (map[string]any, error) {
	algorithms := awsAlgorithms[key.name]
	switch call {
	case "GetPublicKey":
		der, err := x509.MarshalPKIXPublicKey(key.private.Public())
		return map[string]any{"KeyId": "1", "PublicKey": der, "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": algorithms}, err
	case "DescribeKey":
		return map[string]any{"KeyMetadata": map[string]any{"KeyId": "1", "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": algorithms}}, nil
	case "Sign":
		if messageType != "DIGEST" || algorithm != algorithms[0] {
			return nil, fmt.Errorf("%s by %s", messageType, algorithm)
		}
		if other := s.rotated.Load(); other != nil {
			key = other
		}
		sig, err := key.sign(message)
		return map[string]any{"KeyId": "1", "Signature": sig, "SigningAlgorithm": algorithm}, err
	}
	return nil, fmt.Errorf("no call %q", call)
}

// TestKMSAWS proves that runattest signs and verifies through the real AWS client: request
// signing, TLS and the shape of each call are the SDK's. The other end is a stand-in on
// loopback that answers as AWS documents it: AWS itself was not asked.
func TestKMSAWS(t *testing.T) {
	cloud := &awsStandIn{keys: holdKeys(t)}
	address, trust := serveTLS(t, cloud)
	d := newKMSDesk(t, trust, "AWS_REGION=xx-test-1", "AWS_ACCESS_KEY_ID=TESTKEY", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1")
	ref := func(name string) string { return "awskms://" + address + "/alias/" + name }
	for name, key := range cloud.keys {
		t.Run(name, func(t *testing.T) { d.in(t).roundTrip(ref(name), key.algorithm) })
	}
	t.Run("no such key", func(t *testing.T) { d.in(t).fails(ref("none"), "NotFoundException") })
	t.Run("no AWS reference", func(t *testing.T) {
		d.in(t).fails("awskms://"+address+"/none", "kms specification should be in the format")
	})
	t.Run("wrong credentials", func(t *testing.T) {
		d.in(t).with("AWS_ACCESS_KEY_ID=OTHER").fails(ref("ecdsa-p256"), "UnrecognizedClientException")
	})
	t.Run("untrusted certificate", func(t *testing.T) {
		before := cloud.calls.Load()
		d.in(t).with("SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/dev/null").fails(ref("ecdsa-p256"), "certificate")
		if cloud.calls.Load() != before {
			t.Error("the stand-in was asked over a connection that is not to be trusted")
		}
	})
	t.Run("key rotated between", func(t *testing.T) {
		cloud.rotated.Store(holdKeys(t)["ecdsa-p256"])
		defer cloud.rotated.Store(nil)
		d := d.in(t)
		d.runattest("sign", "--key", ref("ecdsa-p256"), "--bundle", "none.sigstore.json", "run.json").failed("another key or key version signed")
		d.wroteNothing()
	})
	t.Run("a bundle is verified without the cloud", func(t *testing.T) {
		d := d.in(t)
		d.runattest("sign", "--key", ref("ecdsa-p256"), "--bundle", "offline.sigstore.json", "run.json").ok()
		d.write("offline.pub", d.runattest("public-key", "--key", ref("ecdsa-p256")).ok())
		before := cloud.calls.Load()
		d.verified("offline.pub", "offline.sigstore.json")
		if cloud.calls.Load() != before {
			t.Error("verifying with a file asked the cloud")
		}
	})
}
