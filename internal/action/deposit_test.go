package action

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kcp"
)

// TestNotifyAgain sends a notice to an ingress that says 503 so many times first.
func TestNotifyAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		busy, tries int
		took        time.Duration
		want        fault.Kind
	}{
		{0, 1, 0, -1},
		{2, 3, 300 * time.Millisecond, -1},
		{9, mostNotices, 1500 * time.Millisecond, fault.Unavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			a := &Actions{Notify: func(context.Context, notice.Request) (provider.Reply, notice.Result, error) {
				if tries++; tries <= tt.busy {
					return provider.Reply{Status: http.StatusServiceUnavailable}, notice.Result{}, fault.Errorf(fault.Unavailable, "not now")
				}
				return kcp.V1.Ack(notice.Request{}, provider.Received), notice.Result{Verdict: payment.Applied}, nil
			}}
			var out Told
			began := time.Now()
			err := a.notify(t.Context(), kcp.V1, notice.Request{}, &out)
			if (err != nil) != (tt.want >= 0) || err != nil && !fault.Is(err, tt.want) {
				t.Errorf("busy %d times: %v", tt.busy, err)
			}
			if good := tt.want < 0; out.Sent != good || out.Acked != good || tries != tt.tries || time.Since(began) != tt.took {
				t.Errorf("busy %d times: %+v after %d tries and %v", tt.busy, out, tries, time.Since(began))
			}
		})
	}
}

// TestNotifyGivesUp ends with the caller.
func TestNotifyGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	a := &Actions{Notify: func(context.Context, notice.Request) (provider.Reply, notice.Result, error) {
		cancel()
		return provider.Reply{Status: http.StatusServiceUnavailable}, notice.Result{}, fault.Errorf(fault.Unavailable, "not now")
	}}
	var out Told
	if err := a.notify(ctx, kcp.V1, notice.Request{}, &out); !fault.Is(err, fault.Unavailable) || out.Sent {
		t.Errorf("notify = %v, %+v", err, out)
	}
}
