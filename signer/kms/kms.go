package kms

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/common"

	"github.com/runattest/runattest/signer"
)

// DefaultTimeout bounds one call of a plugin: long enough for a person to touch a token,
// short enough not to block a queue for ever.
const DefaultTimeout = time.Minute

// Option changes how plugins are called.
type Option func(*plugin)

// Timeout bounds each call of a plugin, besides the context's own deadline. Without it, or
// with a duration that is not positive, the bound is DefaultTimeout.
func Timeout(d time.Duration) Option {
	return func(p *plugin) {
		if d > 0 {
			p.timeout = d
		}
	}
}

// Messages passes a plugin's standard error on while it runs, up to limits.PluginMessages
// bytes a call, unchanged: it may hold terminal escapes. Without this option, standard error
// is used only in errors.
func Messages(w io.Writer) Option { return func(p *plugin) { p.messages = w } }

// Load asks the plugin for the key's public part and returns a signer that calls the
// plugin for each signature. The errors are *MissingError, *Error, and others for a
// malformed reference.
func Load(ctx context.Context, ref string, options ...Option) (signer.Signer, error) {
	p, err := newPlugin(ref, options)
	if err != nil {
		return nil, err
	}
	public, err := p.publicKey(ctx)
	if err != nil {
		return nil, err
	}
	return &remote{p, public}, nil
}

// PublicKey asks the plugin for the key's public part. The errors are those of Load.
func PublicKey(ctx context.Context, ref string, options ...Option) (*signer.PublicKey, error) {
	p, err := newPlugin(ref, options)
	if err != nil {
		return nil, err
	}
	return p.publicKey(ctx)
}

// IsReference tells the references to keys in a KMS, NAME://KEY, from files and env://NAME, which package signer loads.
func IsReference(ref string) bool {
	scheme, _, ok := strings.Cut(ref, "://")
	return ok && scheme != "env"
}

// LoadAny loads the private key that ref names, wherever it is: NAME://KEY as Load does, a file or env://NAME as
// signer.Load does, with the password. The errors are theirs.
func LoadAny(ctx context.Context, ref string, password signer.Password, options ...Option) (signer.Signer, error) {
	if IsReference(ref) {
		return Load(ctx, ref, options...)
	}
	return signer.Load(ctx, ref, password)
}

// PublicKeyOfAny finds the public key that ref names: NAME://KEY as PublicKey does, a file or env://NAME as
// signer.LoadPublicKey does. Only the first calls a plugin, and can open a connection.
func PublicKeyOfAny(ctx context.Context, ref string, options ...Option) (*signer.PublicKey, error) {
	if IsReference(ref) {
		return PublicKey(ctx, ref, options...)
	}
	return signer.LoadPublicKey(ref)
}

// remote signs with a key behind a plugin.
type remote struct {
	plugin *plugin
	public *signer.PublicKey
}

var _ signer.Signer = (*remote)(nil)

func (r *remote) PublicKey() *signer.PublicKey { return r.public }

// Sign lets the plugin sign the message and verifies the signature: if the key was rotated or
// replaced since Load, or signs with another scheme, Sign fails.
func (r *remote) Sign(ctx context.Context, message []byte) ([]byte, error) {
	hash := r.public.Algorithm().Hash()
	response, err := r.plugin.call(ctx, hash, &common.MethodArgs{
		MethodName: common.SignMessageMethodName,
		SignMessage: &common.SignMessageArgs{SignOptions: &common.SignOptions{
			MessageOptions: common.MessageOptions{HashFunc: &hash},
		}},
	}, message)
	if err != nil {
		return nil, err
	}
	if response.SignMessage == nil || len(response.SignMessage.Signature) == 0 {
		return nil, r.plugin.fail(errors.New("no signature in the answer"))
	}
	signature := response.SignMessage.Signature
	if err := r.public.Verify(message, signature); err != nil {
		return nil, r.plugin.fail(fmt.Errorf("%w under the public key that it gave (%s): another key or key version signed, or the scheme differs (RSA must be PKCS #1 v1.5)",
			err, r.public.Algorithm()))
	}
	return bytes.Clone(signature), nil
}

func (p *plugin) publicKey(ctx context.Context) (*signer.PublicKey, error) {
	response, err := p.call(ctx, crypto.SHA256, &common.MethodArgs{
		MethodName: common.PublicKeyMethodName,
		PublicKey:  &common.PublicKeyArgs{PublicKeyOptions: &common.PublicKeyOptions{}},
	}, nil)
	if err != nil {
		return nil, err
	}
	if response.PublicKey == nil || len(response.PublicKey.PublicKeyPEM) == 0 {
		return nil, p.fail(errors.New("no public key in the answer"))
	}
	key, err := signer.ParsePublicKey(response.PublicKey.PublicKeyPEM)
	if err != nil {
		return nil, p.fail(err)
	}
	return key, nil
}
