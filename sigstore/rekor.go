package sigstore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-openapi/runtime"
	httptransport "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekortiles "github.com/sigstore/rekor-tiles/v2/pkg/generated/protobuf"
	rekorv1 "github.com/sigstore/rekor/pkg/generated/client"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/runattest/runattest/attest"
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
		return nil, fmt.Errorf("%w: %w", &statusError{response.Status, errorText(answer)}, attest.ErrSignAgain)
	}
	if response.StatusCode != http.StatusCreated {
		return nil, &statusError{response.Status, errorText(answer)}
	}
	logged := &protorekor.TransparencyLogEntry{}
	if err := protojson.Unmarshal(answer, logged); err != nil {
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
	transport.Consumers["application/json"] = runtime.JSONConsumer()
	transport.Producers["application/json"] = runtime.JSONProducer()
	return rekorv1.New(transport, strfmt.Default).Entries, nil
}
