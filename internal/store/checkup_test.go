package store_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

var _ doctor.Store = (*store.Store)(nil)

// TestCheckup: what a database tells a doctor.
func TestCheckup(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		v, err := s.Vitals(t.Context())
		if err != nil || v.Schema != v.Known || v.Schema < 1 || v.Bytes < 1<<10 || v.Durability == "" || !v.PrunedAt.IsZero() {
			t.Errorf("Vitals = %+v, %v", v, err)
		}
		if off := time.Since(v.Clock).Abs(); v.Clock.IsZero() == db.Postgres || db.Postgres && off > time.Minute {
			t.Errorf("the clock says %v", v.Clock)
		}
		queue := func(at time.Duration, waiting int, late bool) {
			t.Helper()
			q, err := s.Queue(t.Context(), storetest.Noon.Add(at))
			if err != nil || q.Waiting != waiting || q.Oldest.IsZero() == late {
				t.Errorf("after %v the queue is %+v, %v; want %d, late: %v", at, q, err, waiting, late)
			}
		}
		queue(time.Hour, 0, false)
		register(t, s, storetest.Registration("o-1"))
		settle(t, s, byOrder("o-1"))
		queue(-time.Hour, 2, false)
		queue(time.Hour, 2, true)
		db.Exec(t, `update endpoint set paused = true`)
		queue(time.Hour, 2, false)
		db.Exec(t, `update endpoint set paused = false`)

		for i, o := range []webhook.Outcome{webhook.BadAnswer, webhook.Good} {
			f := outcome(claim(t, s, time.Hour, 1, all).Jobs[0], time.Hour+time.Duration(i)*time.Minute, 0, o)
			f.Attempt.Endpoint, f.Attempt.ResponseHeader = storetest.Endpoint, "Location: /webhook/"
			finish(t, s, f)
		}
		tries, err := s.EndpointTries(t.Context(), storetest.Endpoint)
		if err != nil || len(tries) != 2 || tries[0].Outcome != webhook.Good || tries[1].ResponseHeader != "Location: /webhook/" {
			t.Errorf("EndpointTries = %+v, %v", tries, err)
		}
		if tries, err := s.EndpointTries(t.Context(), "nothing"); err != nil || tries != nil {
			t.Errorf("of no endpoint: %v, %v", tries, err)
		}

		refused, r := refusedFrom("10.0.0.4")
		refused.Ruled = &r
		refused.Ruled.Reason = notice.ReasonProxy
		settle(t, s, refused)
		own := byOrder("o-3")
		own.Peer, own.Ruled = netip.MustParseAddr("10.0.0.9"), &notice.Ruling{Verdict: payment.Recorded, Reason: notice.ReasonRehearsal, Channel: storetest.Channel}
		settle(t, s, own)
		clients, err := s.Clients(t.Context(), 10)
		want := []doctor.Client{{Peer: netip.MustParseAddr("10.0.0.4"), Count: 1, Proxied: 1}, {Peer: netip.MustParseAddr("203.0.113.7"), Count: 1}}
		if diff := cmp.Diff(want, clients, cmpopts.EquateComparable(netip.Addr{})); err != nil || diff != "" {
			t.Errorf("Clients: %v\n%s", err, diff)
		}
	})
}
