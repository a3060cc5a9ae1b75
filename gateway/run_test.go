package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestRun tells where it serves, and which address cannot be served.
func TestRun(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		listen, operations, want string
		isOperations             bool
	}{
		{"nowhere", "", "want HOST:PORT", false},
		{"127.0.0.1:0", "nowhere", "want HOST:PORT", true},
		{"0.0.0.0:0", "", ErrNoClients.Error(), false},
	} {
		w.gateway.config.Listen, w.gateway.config.Operations = c.listen, c.operations
		err := w.gateway.Run(t.Context(), func(Ready) error { t.Errorf("%q, %q: ready", c.listen, c.operations); return nil })
		failed, ok := errors.AsType[*AddressError](err)
		if !ok || failed.Operations != c.isOperations || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v, want %s", c.listen, c.operations, err, c.want)
		}
	}
	w.gateway.config.Listen, w.gateway.config.Operations = "127.0.0.1:0", "127.0.0.1:0"
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	err := w.gateway.Run(ctx, func(r Ready) error {
		defer stop()
		res, err := http.Get("http://" + r.Operations + "/healthz")
		if err != nil {
			return err
		}
		if r.String() != r.URL+", operations on http://"+r.Operations || r.URL != "http://"+r.Address || res.StatusCode != http.StatusOK {
			t.Errorf("%+v, %s", r, res.Status)
		}
		return res.Body.Close()
	})
	if err != nil {
		t.Error(err)
	}
}
