package sigstore

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/attest"
	"github.com/runattest/runattest/attest/evidence"
	"github.com/runattest/runattest/internal/testing/keytest"
	"github.com/runattest/runattest/signer"
)

// signedBy is an envelope of a key that Generate makes.
func signedBy(t *testing.T, algorithm signer.Algorithm) (evidence.Envelope, *signer.PublicKey) {
	t.Helper()
	by := keytest.New(t, algorithm)
	e := evidence.Envelope{MediaType: attest.BundleMediaType, PayloadType: attest.PayloadType, Payload: statement(t), KeyHint: by.PublicKey().Hint()}
	var err error
	if e.Signature, err = by.Sign(t.Context(), e.Message()); err != nil {
		t.Fatal(err)
	}
	return e, by.PublicKey()
}

// TestRekorV1Answers: what the body of an answer says counts, whatever a proxy has done to its headers, and what it does not
// say is an error in words.
func TestRekorV1Answers(t *testing.T) {
	w := newWorld(t)
	e, key := signedBy(t, signer.ECDSAP256)
	holding := func(entry map[string]any, path []string) (in map[string]any, name string) {
		for _, name := range path[:len(path)-1] {
			entry = entry[name].(map[string]any)
		}
		return entry, path[len(path)-1]
	}
	without := func(path ...string) func(entry, header map[string]any) {
		return func(entry, _ map[string]any) {
			in, name := holding(entry, path)
			delete(in, name)
		}
	}
	set := func(value any, path ...string) func(entry, header map[string]any) {
		return func(entry, _ map[string]any) {
			in, name := holding(entry, path)
			in[name] = value
		}
	}
	etag := func(text string) func(entry, header map[string]any) {
		return func(_, header map[string]any) { header["ETag"] = text }
	}
	location := func(text string) func(entry, header map[string]any) {
		return func(_, header map[string]any) { header["Location"] = text }
	}
	get := func(status int, contentType string) func(entry, header map[string]any) { // of the entry that is there already
		return func(_, header map[string]any) { header["status"], header["Content-Type"] = status, contentType }
	}
	const lacks = "the answer is a log entry without "
	for name, c := range map[string]struct {
		edit    func(entry, header map[string]any)
		entries int
		status  int
		says    string
	}{
		"as it is":         {etag("uuid"), 1, 201, ""},
		"no ETag":          {etag(""), 1, 201, ""},
		"weak ETag":        {etag(`W/"uuid"`), 1, 201, ""},
		"quoted ETag":      {etag(`"uuid"`), 1, 201, ""},
		"another ETag":     {etag("other"), 1, 201, ""},
		"two entries":      {etag("uuid"), 2, 201, "the answer holds 2 log entries, want one"},
		"none":             {etag("uuid"), 0, 201, "the answer holds 0 log entries, want one"},
		"no proof":         {without("verification", "inclusionProof"), 1, 201, lacks + "inclusionProof"},
		"no verification":  {without("verification"), 1, 201, lacks + "inclusionProof"},
		"no checkpoint":    {without("verification", "inclusionProof", "checkpoint"), 1, 201, lacks + "inclusionProof.checkpoint"},
		"no size":          {without("verification", "inclusionProof", "treeSize"), 1, 201, lacks + "inclusionProof.treeSize"},
		"no root hash":     {without("verification", "inclusionProof", "rootHash"), 1, 201, lacks + "inclusionProof.rootHash"},
		"no log":           {without("logID"), 1, 201, lacks + "logID"},
		"no index":         {without("logIndex"), 1, 201, lacks + "logIndex"},
		"no time":          {without("integratedTime"), 1, 201, lacks + "integratedTime"},
		"no body":          {without("body"), 1, 201, lacks + "body"},
		"odd body":         {set(map[string]any{"a": 1}, "body"), 1, 201, "whose body is not a string"},
		"negative index":   {set(-1, "logIndex"), 1, 201, "whose logIndex is -1, want 0 or more"},
		"negative, proved": {set(-1, "verification", "inclusionProof", "logIndex"), 1, 201, "whose inclusionProof.logIndex is -1, want 0 or more"},
		"milliseconds":     {set(time.Now().UnixMilli(), "integratedTime"), 1, 201, "the entry has no usable time: its promise states the time 1"},
		"there already":    {etag(""), 1, 409, ""},
		"there, not whole": {without("verification"), 1, 409, lacks + "inclusionProof"},
		"there, and gone":  {etag(""), 0, 409, "the answer holds 0 log entries, want one"},
		"there, nowhere":   {location(""), 1, 409, "answered 409 Conflict, and does not say where the entry is"},
		"there, at a root": {location("/"), 1, 409, "answered 409 Conflict, and does not say where the entry is"},
		"there, 409 again": {get(http.StatusConflict, ""), 1, 409, "answered 409 Conflict when it was asked for the entry"},
		"there, 202":       {get(http.StatusAccepted, ""), 1, 409, "answered 202 Accepted, want 200 OK"},
		"there, 204":       {get(http.StatusNoContent, ""), 1, 409, "answered 204 No Content, want 200 OK"},
		"there, text":      {get(http.StatusOK, "text/plain"), 1, 409, "the answer is not a log entry in JSON"},
		"there, bytes":     {get(http.StatusOK, "application/x-tar"), 1, 409, "the answer is not a log entry in JSON"},
		"there, a page":    {get(http.StatusOK, "text/html"), 1, 409, "answered 200 OK: the answer is a page of HTML"},
	} {
		t.Run(name, func(t *testing.T) {
			var entry map[string]any
			url, _ := serve(t, func(out http.ResponseWriter, r *http.Request) {
				header := map[string]any{}
				if r.Method == http.MethodPost {
					var err error
					if entry, err = w.logged(r); err != nil {
						t.Error(err)
					}
				}
				c.edit(entry, header)
				out.Header().Set("Content-Type", "application/json")
				if tag, _ := header["ETag"].(string); tag != "" {
					out.Header().Set("ETag", tag)
				}
				status := c.status
				out.Header().Set("Location", "/api/v1/log/entries/"+strings.Repeat("ab", 32))
				if to, ok := header["Location"].(string); ok {
					out.Header().Set("Location", to)
				}
				if r.Method == http.MethodGet {
					status = http.StatusOK
					if said, ok := header["status"].(int); ok {
						status = said
					}
					if said, _ := header["Content-Type"].(string); said != "" {
						out.Header().Set("Content-Type", said)
					}
				}
				out.WriteHeader(status)
				if status == http.StatusNoContent {
					return
				}
				if status == http.StatusConflict {
					_, _ = out.Write([]byte(`{"code":409,"message":"an equivalent entry already exists"}`))
					return
				}
				answer := map[string]any{}
				for _, name := range []string{"uuid", "second"}[:c.entries] {
					answer[name] = entry
				}
				_ = json.NewEncoder(out).Encode(answer)
			})
			got, err := Services{Logs: []Log{{url, 1}}, Key: key}.Witness(t.Context(), e)
			switch {
			case c.says == "" && (err != nil || len(got.LogEntries) != 1):
				t.Errorf("got %v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("got %v\nwant %s", err, c.says)
			}
		})
	}
}

// TestLogAlgorithms: a signature that a log would refuse is refused before anything is asked of a service.
func TestLogAlgorithms(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		algorithm signer.Algorithm
		version   int
		says      string
	}{
		{signer.ECDSAP256, 1, ""},
		{signer.RSA2048, 1, ""},
		{signer.Ed25519, 1, ""},
		{signer.ECDSAP384, 1, "Rekor v1 verifies signatures with SHA-256 alone, and a key of ecdsa-p384 signs with SHA-384"},
		{signer.ECDSAP521, 1, "Rekor v1 verifies signatures with SHA-256 alone, and a key of ecdsa-p521 signs with SHA-512"},
		{signer.Ed25519, 2, "Rekor v2 takes no Ed25519 signatures"},
	} {
		e, key := signedBy(t, c.algorithm)
		stamper, stamps := serve(t, w.stamper(func() []byte { return e.Signature }))
		log, logs := serve(t, w.rekorV1())
		services := Services{TimestampAuthorities: []string{stamper}, Logs: []Log{{log, c.version}}, Key: key}
		checked := services.Check()
		_, err := services.Witness(t.Context(), e)
		if c.says == "" {
			if checked != nil || err != nil {
				t.Errorf("%s, v%d: %v, %v", c.algorithm, c.version, checked, err)
			}
			continue
		}
		for _, err := range []error{checked, err} {
			var refused *LogAlgorithmError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s, v%d: got %v", c.algorithm, c.version, err)
			}
		}
		if stamps.Load()+logs.Load() != 0 {
			t.Errorf("%s, v%d: services were asked", c.algorithm, c.version)
		}
	}
}

// TestRekorV1OddAnswers: an answer that is not the API's is named in plain words.
func TestRekorV1OddAnswers(t *testing.T) {
	e, key := signedBy(t, signer.ECDSAP256)
	for name, c := range map[string]struct {
		status int
		text   string
		says   string
	}{
		"a web page":    {201, "<html>", "the answer is not a log entry in JSON"},
		"a list":        {201, "[1]", "the answer is not a log entry in JSON"},
		"other members": {201, `{"uuid":5}`, "the answer is not a log entry in JSON"},
		"status 200":    {200, "{}", "answered 200 OK, want 201 Created"},
	} {
		url, _ := serve(t, func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(c.status)
			_, _ = out.Write([]byte(c.text))
		})
		if _, err := (Services{Logs: []Log{{url, 1}}, Key: key}).Witness(t.Context(), e); err == nil || !strings.HasSuffix(err.Error(), ": "+c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
