package sigstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/tuf"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"github.com/runattest/runattest/internal/secrets"
)

// FetchTimeout is how long a TUF repository has to answer, all its files and retries included.
const FetchTimeout = time.Minute

// The files that Sigstore's TUF repositories hold.
const (
	trustedRootTarget   = "trusted_root.json"
	signingConfigTarget = "signing_config.v0.2.json"
)

// FetchOptions say where a trusted root comes from. The zero value is Sigstore's public service.
type FetchOptions struct {
	// Mirror is the URL of the TUF repository.
	Mirror string
	// Root is the root.json that the repository's metadata must lead back to: the one that this
	// program carries for the public service, or for Staging. Another repository needs its own.
	Root []byte
	// Staging asks Sigstore's staging service.
	Staging bool
	// Cache is a folder in which the repository's state is kept from one call to the next, so
	// that a mirror cannot go back to an older one. Without it nothing is kept.
	Cache string
	// SigningConfig asks for the services to sign with, too.
	SigningConfig bool
}

// URL is the repository that is asked.
func (o FetchOptions) URL() string {
	if o.Staging {
		return cmp.Or(o.Mirror, tuf.StagingMirror)
	}
	return cmp.Or(o.Mirror, tuf.DefaultMirror)
}

// Fetched are files as the repository has signed them, byte for byte. They have been read:
// ParseTrustedRoot and ParseSigningConfig take them.
type Fetched struct {
	TrustedRoot   []byte
	SigningConfig []byte // nil unless it was asked for
}

// RepositoryError says that a TUF repository is not to be believed: what it serves is not what
// was signed, or has expired, or is older than what it has served before.
type RepositoryError struct {
	URL string
	Err error
}

func (e *RepositoryError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("TUF repository %s: not to be believed", secrets.Shown(e.URL))
	}
	return fmt.Sprintf("TUF repository %s: not to be believed: %s", secrets.Shown(e.URL), oneLine([]error{e.Err}))
}

func (e *RepositoryError) Unwrap() error { return e.Err }

// Expired says that the metadata was good once.
func (e *RepositoryError) Expired() bool { return errors.Is(e.Err, &metadata.ErrExpiredMetadata{}) }

// FetchTrustedRoot gets a trusted root from a TUF repository. Errors are a *ServiceError where the
// repository cannot be asked, and a *RepositoryError where its answer is no.
func FetchTrustedRoot(ctx context.Context, o FetchOptions) (*Fetched, error) {
	if err := checkURL(o.URL(), false); err != nil {
		return nil, fmt.Errorf("TUF repository: %w", err)
	}
	switch {
	case o.Root == nil && o.Staging:
		o.Root = tuf.StagingRoot()
	case o.Root == nil:
		o.Root = tuf.DefaultRoot()
	default:
		trusted, err := trustedmetadata.New(o.Root)
		if err != nil {
			return nil, fmt.Errorf("TUF root: want a root.json, signed by its own keys: %w", oneLine([]error{err}))
		}
		if err := checkTUFKeys(&trusted.Root.Signed); err != nil {
			return nil, fmt.Errorf("TUF root: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, FetchTimeout)
	defer cancel()
	empty, err := os.MkdirTemp("", "runattest-tuf-") // where the library looks for what it has kept
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(empty)
	fetched, err := o.fetch(ctx, empty)
	if err != nil {
		return nil, o.sortError(err)
	}
	return fetched, nil
}

func (o FetchOptions) fetch(ctx context.Context, empty string) (*Fetched, error) {
	client, err := tuf.New(&tuf.Options{
		Root:              o.Root,
		RepositoryBaseURL: o.URL(),
		CachePath:         cmp.Or(o.Cache, empty),
		DisableLocalCache: o.Cache == "",
		Fetcher:           mirror{newClient(ctx)},
	})
	if err != nil {
		return nil, err
	}
	var f Fetched
	if f.TrustedRoot, err = client.GetTarget(trustedRootTarget); err != nil {
		return nil, err
	}
	if o.SigningConfig {
		if f.SigningConfig, err = client.GetTarget(signingConfigTarget); err != nil {
			return nil, err
		}
	}
	if err := f.check(); err != nil {
		return nil, &contentError{err}
	}
	return &f, nil
}

// contentError says that a file is as it was signed, and cannot be read.
type contentError struct{ error }

func (e *contentError) Unwrap() error { return e.error }

func (f *Fetched) check() error {
	if _, err := ParseTrustedRoot(f.TrustedRoot); err != nil {
		return err
	}
	if f.SigningConfig == nil {
		return nil
	}
	_, err := ParseSigningConfig(f.SigningConfig)
	return err
}

// sortError tells a repository that cannot be asked from one whose answer is no.
func (o FetchOptions) sortError(err error) error {
	var (
		unreachable *unreachableError
		status      *metadata.ErrDownloadHTTP
		path        *fs.PathError
		content     *contentError
	)
	switch {
	case errors.As(err, &unreachable):
		return &ServiceError{"TUF repository", o.URL(), unreachable.error}
	case errors.As(err, &status):
		return &ServiceError{"TUF repository", o.URL(), fmt.Errorf("answered %d %s for %s",
			status.StatusCode, http.StatusText(status.StatusCode), strings.TrimPrefix(status.URL, strings.TrimRight(o.URL(), "/")+"/"))}
	case errors.As(err, &content):
		return fmt.Errorf("TUF repository %s: %w", secrets.Shown(o.URL()), content.error)
	case errors.As(err, &path):
		return err
	}
	return &RepositoryError{o.URL(), err}
}

// unreachableError says that a file of the repository was not to be had.
type unreachableError struct{ error }

func (e *unreachableError) Unwrap() error { return e.error }

// mirror downloads with this package's HTTP client: deadline, bounded retries, whole answers.
type mirror struct{ *http.Client }

// DownloadFile gives an ErrDownloadHTTP for a file that is not there, by which go-tuf knows the newest
// root, an ErrDownloadLengthMismatch for one that is too long, and an unreachableError else.
func (m mirror) DownloadFile(url string, most int64, _ time.Duration) ([]byte, error) {
	response, err := m.Get(url)
	var status *statusError
	switch {
	case errors.As(err, &status) && strings.HasPrefix(status.status, "404"):
		return nil, &metadata.ErrDownloadHTTP{StatusCode: http.StatusNotFound, URL: url}
	case err != nil:
		return nil, &unreachableError{err}
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return nil, &unreachableError{err}
	case int64(len(data)) > most:
		return nil, &metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s: %d bytes, want at most %d", url, len(data), most)}
	}
	return data, nil
}
