package layout

import (
	"errors"
	"fmt"
	"testing"

	"github.com/runattest/runattest/internal/atomicfile"
	"github.com/runattest/runattest/registry/internal/store"
)

// TestMounted: of a layout that is mounted by itself the folder is to be mounted; nothing else can be written in its place.
func TestMounted(t *testing.T) {
	err := (&Layout{path: "l.tar"}).failed(fmt.Errorf("l.tar: %w", atomicfile.ErrMounted))
	var known *store.Error
	if !errors.As(err, &known) || known.Hint != "mount the folder that it is in" || !errors.Is(err, atomicfile.ErrMounted) {
		t.Errorf("%+v", err)
	}
}
