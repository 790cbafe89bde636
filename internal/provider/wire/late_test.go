package wire

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// stoodStill is a context whose machine slept: its deadline has passed, and it has not
// ended.
type stoodStill struct {
	context.Context
	until *time.Time
}

func (s stoodStill) Deadline() (time.Time, bool) { return *s.until, true }

type trip func(*http.Request) (*http.Response, error)

func (t trip) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		until, during time.Duration // before the call, and while it connects
		kind          fault.Kind
		body          string
	}{
		{"in time", time.Hour, time.Hour, 0, "{}"},
		{"before the call", -time.Second, -time.Second, fault.Unavailable, ""},
		{"while it connects", time.Hour, -time.Second, fault.Unavailable, ""},
	} {
		until, got := time.Now().Add(c.until), ""
		client := &http.Client{Transport: trip(func(r *http.Request) (*http.Response, error) {
			until = time.Now().Add(c.during)
			b, err := io.ReadAll(r.Body)
			if got = string(b); err != nil {
				return nil, err
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(got))}, nil
		})}
		a, err := PostJSON(stoodStill{t.Context(), &until}, client, "http://pg.invalid/", nil, struct{}{})
		switch {
		case c.kind == 0 && (err != nil || string(a.Body) == ""):
			t.Errorf("%s: %v", c.name, err)
		case c.kind != 0 && (!fault.Is(err, c.kind) || got != ""):
			t.Errorf("%s: %v, sent %q", c.name, err, got)
		}
	}
}
