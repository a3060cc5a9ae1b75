package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"hash/crc32"
	"strings"

	"cloud.google.com/go/kms/apiv1/kmspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const ring = "projects/p/locations/l/keyRings/r/cryptoKeys/"

// service holds one version of each key.
type service struct {
	kmspb.UnimplementedKeyManagementServiceServer
	keys map[string]*key // by name
}

type key struct {
	algorithm kmspb.CryptoKeyVersion_CryptoKeyVersionAlgorithm
	private   crypto.Signer
	options   crypto.SignerOpts
}

func newService() (*service, error) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return nil, err
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	large, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		return nil, err
	}
	return &service{keys: map[string]*key{
		"ecdsa-p256":   {kmspb.CryptoKeyVersion_EC_SIGN_P256_SHA256, p256, crypto.SHA256},
		"ecdsa-p384":   {kmspb.CryptoKeyVersion_EC_SIGN_P384_SHA384, p384, crypto.SHA384},
		"rsa-2048":     {kmspb.CryptoKeyVersion_RSA_SIGN_PKCS1_2048_SHA256, rsaKey, crypto.SHA256},
		"rsa-4096":     {kmspb.CryptoKeyVersion_RSA_SIGN_PKCS1_4096_SHA256, large, crypto.SHA256},
		"rsa-pss-2048": {kmspb.CryptoKeyVersion_RSA_SIGN_PSS_2048_SHA256, rsaKey, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}},
	}}, nil
}

// find wants a caller with a token, and a name of a key or of its one version.
func (s *service) find(ctx context.Context, name string) (*key, string, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	if a := headers.Get("authorization"); len(a) != 1 || !strings.HasPrefix(a[0], "Bearer ey") {
		return nil, "", status.Error(codes.Unauthenticated, "no token")
	}
	short, ok := strings.CutPrefix(name, ring)
	short, version, versioned := strings.Cut(short, "/cryptoKeyVersions/")
	k := s.keys[short]
	if !ok || k == nil || versioned && version != "1" {
		return nil, "", status.Errorf(codes.NotFound, "%s not found", name)
	}
	return k, ring + short, nil
}

func (s *service) GetCryptoKey(ctx context.Context, r *kmspb.GetCryptoKeyRequest) (*kmspb.CryptoKey, error) {
	_, name, err := s.find(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	return &kmspb.CryptoKey{Name: name, Purpose: kmspb.CryptoKey_ASYMMETRIC_SIGN}, nil
}

func (s *service) ListCryptoKeyVersions(ctx context.Context, r *kmspb.ListCryptoKeyVersionsRequest) (*kmspb.ListCryptoKeyVersionsResponse, error) {
	v, err := s.GetCryptoKeyVersion(ctx, &kmspb.GetCryptoKeyVersionRequest{Name: r.GetParent()})
	if err != nil {
		return nil, err
	}
	return &kmspb.ListCryptoKeyVersionsResponse{CryptoKeyVersions: []*kmspb.CryptoKeyVersion{v}, TotalSize: 1}, nil
}

func (s *service) GetCryptoKeyVersion(ctx context.Context, r *kmspb.GetCryptoKeyVersionRequest) (*kmspb.CryptoKeyVersion, error) {
	k, name, err := s.find(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	return &kmspb.CryptoKeyVersion{Name: name + "/cryptoKeyVersions/1", State: kmspb.CryptoKeyVersion_ENABLED, Algorithm: k.algorithm}, nil
}

func (s *service) GetPublicKey(ctx context.Context, r *kmspb.GetPublicKeyRequest) (*kmspb.PublicKey, error) {
	k, _, err := s.find(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		return nil, err
	}
	return &kmspb.PublicKey{Name: r.GetName(), Algorithm: k.algorithm, Pem: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}, nil
}

func (s *service) AsymmetricSign(ctx context.Context, r *kmspb.AsymmetricSignRequest) (*kmspb.AsymmetricSignResponse, error) {
	k, _, err := s.find(ctx, r.GetName())
	if err != nil {
		return nil, err
	}
	digest := r.GetDigest().GetSha256()
	if k.options.HashFunc() == crypto.SHA384 {
		digest = r.GetDigest().GetSha384()
	}
	if len(digest) != k.options.HashFunc().Size() || r.GetDigestCrc32C().GetValue() != checksum(digest) {
		return nil, status.Error(codes.InvalidArgument, "digest of another hash than the key's, or damaged")
	}
	sig, err := k.private.Sign(rand.Reader, digest, k.options)
	if err != nil {
		return nil, err
	}
	return &kmspb.AsymmetricSignResponse{
		Name: r.GetName(), Signature: sig, SignatureCrc32C: wrapperspb.Int64(checksum(sig)), VerifiedDigestCrc32C: true,
	}, nil
}

func checksum(data []byte) int64 {
	return int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
}
