package sigstore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"

	"github.com/digitorus/timestamp"

	"github.com/runattest/runattest/internal/limits"
)

// requestTimestamp has an authority stamp a signature (RFC 3161). The answer is for this request;
// whether the authority is to be trusted is the verifier's question.
func requestTimestamp(ctx context.Context, url string, signature []byte) ([]byte, error) {
	sum := sha256.Sum256(signature)
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	// with the authority's certificate in the answer, a trusted root need not name the leaf
	query, err := (&timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true, Nonce: nonce}).Marshal()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/timestamp-query")
	response, err := newClient(ctx).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if len(body) > limits.Timestamp {
		return nil, fmt.Errorf("the answer is a timestamp of %d bytes, want at most %d", len(body), limits.Timestamp)
	}
	stamped, err := readToken(body)
	if err == nil { // the library checks the signature, if there is a certificate
		err = guard(func() error { _, err := timestamp.ParseResponse(stamped.response); return err })
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer is not a timestamp that verifies: %w", err)
	case !stamped.isFor(signature):
		return nil, errors.New("the timestamp is over something else than the signature")
	case stamped.nonce != nil && stamped.nonce.Cmp(nonce) != 0:
		return nil, errors.New("the timestamp is for another request")
	}
	return body, nil
}
