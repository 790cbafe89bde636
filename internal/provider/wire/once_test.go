package wire

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
)

// TestCalledOnce breaks a connection that was used before, as a request with an
// Idempotency-Key is on it: it is not sent again.
func TestCalledOnce(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	pg := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if calls.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(pg.Close)
	header := http.Header{"Idempotency-Key": {"k"}}
	if _, err := PostJSON(t.Context(), pg.Client(), pg.URL, header, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := PostJSON(t.Context(), pg.Client(), pg.URL, header, 1); !fault.Is(err, fault.Unclear) {
		t.Errorf("over a broken connection = %v, want fault.Unclear", err)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("%d calls came, want 2", n)
	}
}
