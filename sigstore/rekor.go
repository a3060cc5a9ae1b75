package sigstore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"

	"github.com/go-openapi/runtime"
	httptransport "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	rekorv1 "github.com/sigstore/rekor/pkg/generated/client"
	"github.com/sigstore/rekor/pkg/generated/client/entries"
	"github.com/sigstore/rekor/pkg/generated/models"
	"github.com/sigstore/sigstore-go/pkg/sign"

	"github.com/runattest/runattest/attest/evidence"
	"google.golang.org/protobuf/encoding/protojson"
)

// rekorV2 is the one call of Rekor v2, with this package's HTTP client: the library's own takes none.
type rekorV2 struct {
	client *http.Client
	url    string
}

var _ sign.RekorV2Client = rekorV2{}

// Add publishes a *rekortiles.HashedRekordRequestV002.
func (r rekorV2) Add(ctx context.Context, entry any) (*protorekor.TransparencyLogEntry, error) {
	record, ok := entry.(*rekortiles.HashedRekordRequestV002)
	if !ok {
		return nil, fmt.Errorf("no support for entries of type %T", entry)
	}
	body, err := protojson.Marshal(&rekortiles.CreateEntryRequest{
		Spec: &rekortiles.CreateEntryRequest_HashedRekordRequestV002{HashedRekordRequestV002: record},
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/api/v2/log/entries", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusConflict {
		// from a try whose answer was lost; the proof is not given twice
		return nil, fmt.Errorf("%w: %w", &statusError{response.Status, errorText(answer)}, evidence.ErrSignAgain)
	}
	if response.StatusCode != http.StatusCreated {
		return nil, &statusError{response.Status, errorText(answer)}
	}
	logged := &protorekor.TransparencyLogEntry{}
	if err := readProto(answer, logged); err != nil {
		return nil, fmt.Errorf("the answer is no log entry: %w", err)
	}
	return logged, nil
}

func newRekorV1(client *http.Client, text string) (sign.RekorClient, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	path := u.Path
	if path == "" {
		path = rekorv1.DefaultBasePath
	}
	transport := httptransport.NewWithClient(u.Host, path, []string{u.Scheme}, client)
	for kind := range transport.Consumers {
		transport.Consumers[kind] = runtime.ConsumerFunc(func(io.Reader, any) error { return errNotJSON })
	}
	transport.Consumers["*/*"] = runtime.ConsumerFunc(func(io.Reader, any) error { return errNotJSON })
	transport.Consumers["application/json"] = runtime.JSONConsumer()
	transport.Producers["application/json"] = runtime.JSONProducer()
	return rekorV1{rekorv1.New(transport, strfmt.Default).Entries}, nil
}

// rekorV1 hands sigstore-go answers that it can use: it looks the entry up by the header ETag, which may be missing or
// weakened on the way, and takes for granted what an entry should have.
type rekorV1 struct{ sign.RekorClient }

func (r rekorV1) CreateLogEntry(params *entries.CreateLogEntryParams, opts ...entries.ClientOption) (*entries.CreateLogEntryCreated, error) {
	created, err := r.RekorClient.CreateLogEntry(params, opts...)
	if there, ok := errors.AsType[*entries.CreateLogEntryConflict](err); ok {
		if name := path.Base(there.Location.String()); name == "." || name == "/" {
			return nil, errors.New("answered 409 Conflict, and does not say where the entry is that it has already")
		}
		return nil, err // the entry is asked for
	}
	if err != nil {
		return nil, inWords(err, http.StatusCreated)
	}
	created.ETag, err = onlyEntry(created.Payload)
	return created, err
}

func (r rekorV1) GetLogEntryByUUID(params *entries.GetLogEntryByUUIDParams, opts ...entries.ClientOption) (*entries.GetLogEntryByUUIDOK, error) {
	found, err := r.RekorClient.GetLogEntryByUUID(params, opts...)
	if coded, ok := errors.AsType[interface {
		error
		Code() int
	}](err); ok {
		return nil, fmt.Errorf("answered %d %s when it was asked for the entry that it has already", coded.Code(), http.StatusText(coded.Code()))
	}
	if err != nil {
		return nil, inWords(err, http.StatusOK)
	}
	_, err = onlyEntry(found.Payload)
	return found, err
}

var errNotJSON = errors.New("the answer is not a log entry in JSON")

// inWords says of an answer that the generated client cannot use what is wrong with it.
func inWords(err error, want int) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var status *runtime.APIError
	switch {
	case errors.As(err, &syntax), errors.As(err, &kind):
		return errNotJSON
	case errors.As(err, &status) && status.Code < 300:
		return fmt.Errorf("answered %d %s, want %d %s", status.Code, http.StatusText(status.Code), want, http.StatusText(want))
	}
	return err
}

// onlyEntry is under which name an answer holds its entry, which has to be whole, and of values that a log can have.
func onlyEntry(answer models.LogEntry) (string, error) {
	if len(answer) != 1 {
		return "", fmt.Errorf("the answer holds %d log entries, want one", len(answer))
	}
	var uuid string
	var entry models.LogEntryAnon
	for uuid, entry = range answer {
	}
	var verification models.LogEntryAnonVerification
	if entry.Verification != nil {
		verification = *entry.Verification
	}
	var proof models.InclusionProof
	if verification.InclusionProof != nil {
		proof = *verification.InclusionProof
	}
	for _, part := range []struct {
		name  string
		there bool
	}{
		{"body", entry.Body != nil},
		{"logID", entry.LogID != nil},
		{"logIndex", entry.LogIndex != nil},
		{"integratedTime", entry.IntegratedTime != nil},
		{"inclusionProof", verification.InclusionProof != nil},
		{"inclusionProof.logIndex", proof.LogIndex != nil},
		{"inclusionProof.rootHash", proof.RootHash != nil},
		{"inclusionProof.treeSize", proof.TreeSize != nil},
		{"inclusionProof.checkpoint", proof.Checkpoint != nil},
	} {
		if !part.there {
			return "", fmt.Errorf("the answer is a log entry without %s", part.name)
		}
	}
	if _, ok := entry.Body.(string); !ok {
		return "", errors.New("the answer is a log entry whose body is not a string: want base64")
	}
	for _, i := range []struct {
		name string
		at   int64
	}{{"logIndex", *entry.LogIndex}, {"inclusionProof.logIndex", *proof.LogIndex}} {
		if i.at < 0 {
			return "", fmt.Errorf("the answer is a log entry whose %s is %d, want 0 or more", i.name, i.at)
		}
	}
	return uuid, nil
}
