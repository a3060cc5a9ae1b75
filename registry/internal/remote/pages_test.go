package remote

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/runattest/runattest/internal/limits"
)

// A list of which each page comes within its time ends nevertheless.
func TestSlowPages(t *testing.T) {
	p := pages{timeout: time.Second}
	for i := range limits.ListAnswers {
		if err := p.follow(strconv.Itoa(i), true, time.Second); err != nil {
			t.Fatalf("page %d: %v", i, err)
		}
	}
	if err := p.follow("last", true, time.Millisecond); err == nil || !strings.HasPrefix(err.Error(), "takes longer than 30s") {
		t.Errorf("got %v", err)
	}
}
