package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestOverdue counts accounts whose deadline passed, of a channel and from a time on,
// and forgets them in the end.
func TestOverdue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i := range 4 {
			g := storetest.Registration(fmt.Sprint("o-", i))
			g.Account.ExpiresAt = storetest.Noon.Add(time.Duration(24*i) * time.Hour)
			register(t, s, g)
		}
		other := storetest.Registration("other")
		other.Channel = storetest.OtherOne
		register(t, s, other)
		now := storetest.Noon.Add(50 * time.Hour)
		for range 2 {
			if _, err := s.Expire(t.Context(), now, 10, 0, expired(now)); err != nil {
				t.Fatal(err)
			}
		}
		look := func(c merchant.ChannelKey, after time.Time, most, want int) {
			t.Helper()
			o, err := s.Overdue(t.Context(), c, after, most)
			if err != nil || o.Count != want || o.Oldest.IsZero() != (want == 0) {
				t.Errorf("overdue on %s after %v: %+v, %v; want %d", c, after, o, err, want)
			}
		}
		look(storetest.Channel, time.Time{}, 100, 3)
		look(storetest.Channel, time.Time{}, 2, 2)
		look(storetest.OtherOne, time.Time{}, 100, 1)
		look(storetest.LiveChannel, time.Time{}, 100, 0)
		look(storetest.Channel, storetest.Noon.Add(time.Second), 100, 0)
		db.Exec(t, `update overdue set due_at = 1 where payment_key in (select key from payment where id = 'o-0')`)
		if err := s.Prune(t.Context(), now, settings.Retention{}, func(settings.Pruned) {}); err != nil {
			t.Fatal(err)
		}
		look(storetest.Channel, time.Time{}, 100, 2)
	})
}

// TestHeard lists what came on a channel, and what of it counts.
func TestHeard(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		settle(t, s, byOrder("o-1"))
		asked := byOrder("o-2")
		asked.Request.Method = "INQUIRY"
		settle(t, s, asked)
		refused, r := refusedFrom("203.0.113.7")
		r.Channel = storetest.Channel
		refused.Ruled = &r
		settle(t, s, refused)
		list, err := s.Heard(t.Context(), storetest.Channel, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range list {
			got = append(got, fmt.Sprint(h.Verdict, " ", h.Learnt, " ", h.Peer))
		}
		if want := []string{"refused false 203.0.113.7", "unmatched true 203.0.113.7", "applied false 203.0.113.7"}; !cmp.Equal(got, want) {
			t.Errorf("heard: %s", cmp.Diff(want, got))
		}
		test := byOrder("o-3")
		test.Ruled = &notice.Ruling{Verdict: payment.Recorded, Reason: notice.ReasonRehearsal, Channel: storetest.Channel}
		settle(t, s, test)
		if list, err = s.Heard(t.Context(), storetest.Channel, 1); err != nil || !list[0].Test || list[0].Learnt {
			t.Errorf("a test notice is %+v, %v", list, err)
		}
		db.Exec(t, `delete from notice where reason = 'rehearsal'`)
		if list, err = s.Heard(t.Context(), storetest.Channel, 1); err != nil || len(list) != 1 || list[0].Verdict != payment.Refused {
			t.Errorf("the newest is %+v, %v", list, err)
		}
		if list, err = s.Decided(t.Context(), storetest.Channel, 10); err != nil || len(list) != 1 || list[0].Verdict != payment.Applied {
			t.Errorf("decided: %+v, %v", list, err)
		}
		if list, err = s.Heard(t.Context(), storetest.OtherOne, 10); err != nil || list != nil {
			t.Errorf("heard on another channel: %+v, %v", list, err)
		}
	})
}

// TestTellOnce tells once from a time on, whoever asks.
func TestTellOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		one, other := db.Open(t), db.Open(t)
		tell := func(at, since time.Duration) bool {
			t.Helper()
			em, err := storetest.Planner().Plan(webhook.Event{
				ID: webhook.EventID(storetest.NewID()), Type: webhook.Attention, At: storetest.Noon.Add(at),
				Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, Concern: &webhook.Concern{Kind: string(attention.ChannelSilent)},
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			one, other = other, one
			told, err := one.TellOnce(t.Context(), "silent/x", storetest.Noon.Add(since), em)
			if err != nil {
				t.Fatal(err)
			}
			return told
		}
		for _, step := range []struct {
			at, since time.Duration
			want      bool
		}{{0, -time.Hour, true}, {time.Hour, -time.Hour, false}, {time.Hour, 0, false}, {2 * time.Hour, time.Second, true}} {
			if got := tell(step.at, step.since); got != step.want {
				t.Errorf("at %v of what began at %v: told %v", step.at, step.since, got)
			}
		}
		if n := db.Count(t, `select count(*) from event where type = 'tongbo.attention'`); n != 2 {
			t.Errorf("%d events, want 2", n)
		}
	})
}
