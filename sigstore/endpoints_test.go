package sigstore

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEndpointsWith(t *testing.T) {
	own := Endpoints{Fulcio: "https://fulcio", OIDCIssuer: "https://login", Services: Services{
		TimestampAuthorities: []string{"https://tsa1", "https://tsa2"}, Logs: []Log{{URL: "https://log1", Version: 1}}, Timeout: time.Second,
	}}
	if got := own.With(Endpoints{}); !cmp.Equal(got, own) {
		t.Errorf("with nothing: %+v", got)
	}
	over := Endpoints{OIDCIssuer: "https://other", Services: Services{TimestampAuthorities: []string{"https://tsa3"}, Timeout: time.Minute}}
	want := Endpoints{Fulcio: own.Fulcio, OIDCIssuer: "https://other", Services: Services{
		TimestampAuthorities: []string{"https://tsa3"}, Logs: own.Services.Logs, Timeout: time.Minute,
	}}
	if diff := cmp.Diff(want, own.With(over)); diff != "" {
		t.Error(diff)
	}
}
