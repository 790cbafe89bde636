package action

import (
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
)

// key is a billing key of the bench.
func (b *bench) key() payment.BillingKey {
	b.Helper()
	k, err := b.IssueKey(b.Context(), shop, KeyRequest{Channel: "channel-1", Card: *charge("x").Card})
	if err != nil {
		b.Fatal(err)
	}
	return k
}

// keyWhile is a billing key that is issued while the PG says something else.
func (b *bench) keyWhile(g *cardPG, says error) payment.BillingKey {
	b.Helper()
	before := g.says
	g.says = says
	defer func() { g.says = before }()
	return b.key()
}

// byKey is a charge by a billing key.
func byKey(id payment.ID, k payment.BillingKey) ChargeRequest {
	r := charge(id)
	r.Card, r.BillingKey, r.Channel = nil, k.ID, ""
	return r
}

// plan schedules a payment so long from now.
func (b *bench) plan(id payment.ID, k payment.BillingKey, in time.Duration) payment.Schedule {
	b.Helper()
	s, err := b.Schedule(b.Context(), shop, ScheduleRequest{ChargeRequest: byKey(id, k), TimeToPay: time.Now().Add(in)})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// schedules runs the schedules of the bench.
func (b *bench) schedules() (stop func()) {
	s := &Schedules{Store: b.store, Actions: b.Actions, Log: slog.New(slog.DiscardHandler)}
	b.Scheduled = s.Sooner
	return b.run(s.Run)
}

func (b *bench) scheduled(id payment.ScheduleID) payment.Schedule {
	b.Helper()
	s, err := b.store.Schedule(b.Context(), "store-1", id, merchant.Any)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func TestKeys(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		k := b.key()
		if k.State != payment.KeyIssued || k.IssuedAt.IsZero() || !g.keys[k.PGKey.Reveal()] {
			t.Fatalf("issued: %+v", k)
		}
		p, err := b.Charge(b.Context(), shop, byKey("o1", k))
		if err != nil || p.State != payment.Paid || p.Transactions[0].Charge.BillingKey != k.ID || p.Method() != payment.ByCard {
			t.Fatalf("charged: %+v, %v", p, err)
		}
		other := byKey("o2", k)
		other.Channel = "channel-2"
		if _, err := b.Charge(b.Context(), shop, other); !fault.Is(err, fault.NotFound) {
			t.Errorf("through another channel: %v", err)
		}
		if _, err := b.Charge(b.Context(), Caller{Merchant: "merchant-2", Store: "store-2", Mode: merchant.Any}, byKey("o2", k)); !errors.Is(err, payment.ErrNoKey) {
			t.Errorf("by another store: %v", err)
		}
		if _, err := b.Charge(b.Context(), Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Live}, byKey("o2", k)); !errors.Is(err, payment.ErrNoKey) {
			t.Errorf("with a live credential: %v", err)
		}
		// The PG's answer is lost; asked again, it has the key no more.
		g.says, g.does = fault.Errorf(fault.Unclear, "lost"), true
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); !isUnclear(err) {
			t.Errorf("deleted, and the answer lost: %v", err)
		}
		if _, err := b.Charge(b.Context(), shop, byKey("o2", k)); !errors.Is(err, payment.ErrKeyDeleted) {
			t.Errorf("charged meanwhile: %v", err)
		}
		g.says, g.does = nil, false
		if at, err := b.DeleteKey(b.Context(), shop, k.ID, false); err != nil || at.IsZero() {
			t.Errorf("deleted again: %v, %v", at, err)
		}
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); !errors.Is(err, payment.ErrKeyDeleted) {
			t.Errorf("deleted once more: %v", err)
		}
		kept, err := b.store.BillingKey(b.Context(), "store-1", k.ID, merchant.Test)
		if err != nil || kept.PGKey != "" || kept.State != payment.KeyDeleted {
			t.Errorf("what is kept: %+v, %v", kept, err)
		}
		// Refused by the PG.
		k = b.key()
		g.says = &provider.DeclinedError{Code: "X", Message: "no"}
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err == nil {
			t.Error("the PG's no is no error")
		}
		lasting := b.keyWhile(g, nil)
		g.says = fault.Errorf(fault.Unsupported, "no such call")
		if _, err := b.DeleteKey(b.Context(), shop, lasting.ID, false); err != nil {
			t.Errorf("at a PG that deletes none: %v", err)
		}
		if kept, err := b.store.BillingKey(b.Context(), "store-1", lasting.ID, merchant.Test); err != nil || kept.PGKey != "" || kept.State != payment.KeyDeleted {
			t.Errorf("what is kept of it: %+v, %v", kept, err)
		}
		g.says = &provider.DeclinedError{Code: "X", Message: "no"}
		if _, err := b.IssueKey(b.Context(), shop, KeyRequest{Channel: "channel-1", Card: *charge("x").Card}); err == nil {
			t.Error("the PG's no to an issue is no error")
		}
		g.says = nil
		if _, err := b.Charge(b.Context(), shop, byKey("o2", k)); err != nil {
			t.Errorf("charged after the PG did not delete it: %v", err)
		}
	})
}

func TestKeyRefuses(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.cards()
		b.save(func(a *settings.All) {
			live := a.Channels[0]
			live.Key, live.Mode, live.MID = "channel-live", merchant.Live, "L1"
			a.Channels = append(a.Channels, live)
		})
		whoever := Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Any}
		for _, c := range []struct {
			name string
			edit func(*KeyRequest)
			want fault.Kind
		}{
			{"on a live channel", func(r *KeyRequest) { r.Channel = "channel-live" }, fault.Unsupported},
			{"on no channel", func(r *KeyRequest) { r.Channel = "" }, fault.Invalid},
			{"on another's", func(r *KeyRequest) { r.Channel = "x" }, fault.NotFound},
			{"of no card", func(r *KeyRequest) { r.Card = provider.Card{} }, fault.Invalid},
		} {
			r := KeyRequest{Channel: "channel-1", Card: *charge("x").Card}
			c.edit(&r)
			if _, err := b.IssueKey(b.Context(), whoever, r); !fault.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	})
}

// TestScheduled has payments charged when their time comes: one that is approved, one
// that is declined, one whose answer is lost, and one that cannot be charged any more.
func TestScheduled(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		b.ask()
		b.schedules()
		k := b.key()
		s := b.plan("approved", k, 24*time.Hour)
		sleep(24*time.Hour - time.Microsecond)
		if got := b.scheduled(s.ID); got.State != payment.Scheduled || g.asked != 0 {
			t.Fatalf("before its time it is %s", got.State)
		}
		if _, err := b.Charge(b.Context(), shop, byKey("approved", k)); !errors.Is(err, payment.ErrScheduled) {
			t.Errorf("charged beside its schedule: %v", err)
		}
		sleep(2 * time.Microsecond)
		p := b.payment("approved")
		if got := b.scheduled(s.ID); got.State != payment.ScheduleSucceeded || got.StartedAt.IsZero() || got.EndedAt.IsZero() || p.State != payment.Paid || b.webhooks(p) != "Paid" {
			t.Errorf("at its time: %+v, payment %s, told %q", got, p.State, b.webhooks(p))
		}
		if at, _ := p.Transaction(); at.Charge.Schedule != s.ID || at.Charge.BillingKey != k.ID {
			t.Errorf("the attempt is %+v", at.Charge)
		}
		g.says = &provider.DeclinedError{Code: "51", Message: "한도초과"}
		s = b.plan("declined", k, time.Hour)
		sleep(time.Hour)
		p = b.payment("declined")
		if got := b.scheduled(s.ID); got.State != payment.ScheduleFailed || p.State != payment.Failed || b.webhooks(p) != "Failed" || p.Transactions[0].Charge.Failure.PGCode != "51" {
			t.Errorf("declined: %+v, payment %+v", got, p)
		}
		g.says, g.does = fault.Errorf(fault.Unclear, "lost"), true
		s = b.plan("lost", k, time.Hour)
		sleep(time.Hour)
		if got := b.scheduled(s.ID); got.State != payment.SchedulePending || b.payment("lost").State != payment.PayPending {
			t.Errorf("lost: %+v", got)
		}
		sleep(time.Minute)
		if got := b.scheduled(s.ID); got.State != payment.ScheduleSucceeded || b.webhooks(b.payment("lost")) != "PayPending Paid" {
			t.Errorf("found out: %+v", got)
		}
		g.says, g.does = nil, false
		s = b.plan("gone", k, time.Hour)
		b.save(func(a *settings.All) { a.Channels[0].Disabled = true })
		asked := g.asked
		sleep(time.Hour)
		p = b.payment("gone")
		if got := b.scheduled(s.ID); got.State != payment.ScheduleFailed || p.State != payment.Failed || b.webhooks(p) != "Failed" || g.asked != asked {
			t.Errorf("of a channel that is gone: %+v, payment %s for %q", got, p.State, p.FailureReason)
		}
	})
}

// TestScheduledOverCrashes: whoever took a schedule up dies before its attempt, or
// after; it is charged once, and late.
func TestScheduledOverCrashes(t *testing.T) {
	for _, c := range []struct {
		name  string
		crash func(*bench, *cardPG)
		asked int
		want  payment.State
	}{
		{"no server for a week", func(b *bench, _ *cardPG) {
			sleep(7 * 24 * time.Hour)
			b.schedules()
		}, 1, payment.Paid},
		{"taken up, and died", func(b *bench, _ *cardPG) {
			sleep(time.Hour)
			if list, _, err := b.store.DueSchedules(b.Context(), now(), now().Add(takeFor), 10); err != nil || len(list) != 1 {
				b.Fatal(list, err)
			}
			b.schedules()
			sleep(takeFor - time.Microsecond)
			if s, _ := b.store.Payment(b.Context(), "store-1", "o1", merchant.Any); s.ID != "" {
				b.Error("begun before the other's time was over")
			}
		}, 1, payment.Paid},
		{"died before the PG was called", func(b *bench, g *cardPG) {
			g.before = runtime.Goexit
			b.schedules()
			sleep(time.Hour + time.Second)
			g.before = nil
		}, 0, payment.Failed},
		{"died after the PG was called", func(b *bench, g *cardPG) {
			g.after = runtime.Goexit
			b.schedules()
			sleep(time.Hour + time.Second)
			g.after = nil
		}, 1, payment.Paid},
		{"several servers", func(b *bench, _ *cardPG) {
			for range 3 {
				b.schedules()
			}
		}, 1, payment.Paid},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				g := b.cards()
				b.ask()
				s := b.plan("o1", b.key(), time.Hour)
				c.crash(b, g)
				sleep(2 * time.Hour)
				if p := b.payment("o1"); p.State != c.want || len(p.Transactions) != 1 || g.asked != c.asked {
					t.Errorf("the payment is %s after %d attempts, the PG was asked %d times; want %s, %d", p.State, len(p.Transactions), g.asked, c.want, c.asked)
				}
				if got := b.scheduled(s.ID); !got.State.Over() {
					t.Errorf("the schedule is %s", got.State)
				}
			})
		})
	}
}

func TestManyScheduled(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		k := b.key()
		for i := range 50 {
			b.plan(payment.ID("o"+string(rune('A'+i))), k, time.Hour)
		}
		g.before = func() { time.Sleep(time.Second) }
		b.schedules()
		sleep(time.Hour + 8*time.Second)
		if g.asked != 50 || len(g.taken) != 50 {
			t.Errorf("the PG was asked %d times, for %d payments", g.asked, len(g.taken))
		}
	})
}

func TestScheduleRefuses(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.cards()
		k := b.key()
		b.plan("o1", k, time.Hour)
		if _, err := b.Charge(b.Context(), shop, byKey("paid", k)); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			edit func(*ScheduleRequest)
			want error
			kind fault.Kind
		}{
			{"now", func(r *ScheduleRequest) { r.TimeToPay = time.Now() }, nil, fault.Invalid},
			{"in ten years", func(r *ScheduleRequest) { r.TimeToPay = time.Now().AddDate(10, 0, 0) }, nil, fault.Invalid},
			{"by a card's number", func(r *ScheduleRequest) { r.ChargeRequest = charge("o2") }, nil, fault.Invalid},
			{"by no key", func(r *ScheduleRequest) { r.BillingKey = "billing-key-x" }, payment.ErrNoKey, fault.NotFound},
			{"a second time", func(r *ScheduleRequest) { r.ID = "o1" }, payment.ErrScheduled, fault.Conflict},
			{"one that is paid", func(r *ScheduleRequest) { r.ID = "paid" }, payment.ErrPaidOrWaiting, fault.Conflict},
			{"what the PG cannot do", func(r *ScheduleRequest) { r.Amount.Amount = 1_000_001 }, nil, fault.Unsupported},
		} {
			r := ScheduleRequest{ChargeRequest: byKey("o2", k), TimeToPay: time.Now().Add(time.Hour)}
			c.edit(&r)
			if _, err := b.Schedule(b.Context(), shop, r); !fault.Is(err, c.kind) || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.kind)
			}
		}
		if err := b.Preregister(b.Context(), shop, "pinned", payment.Pin{Amount: new(int64(5))}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Schedule(b.Context(), shop, ScheduleRequest{ChargeRequest: byKey("pinned", k), TimeToPay: time.Now().Add(time.Hour)}); !errors.Is(err, payment.ErrPinned) {
			t.Errorf("not as it was pre-registered: %v", err)
		}
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); !errors.Is(err, payment.ErrKeyScheduled) {
			t.Errorf("a key with a schedule is deleted: %v", err)
		}
	})
}

func TestRevoke(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		k, other := b.key(), b.key()
		one, two := b.plan("o1", k, time.Hour), b.plan("o2", k, time.Hour)
		three := b.plan("o3", other, time.Hour)
		revoke := func(key payment.BillingKeyID, ids ...payment.ScheduleID) ([]payment.ScheduleID, error) {
			list, _, err := b.RevokeSchedules(b.Context(), shop, key, ids)
			return list, err
		}
		if _, err := revoke(""); !fault.Is(err, fault.Invalid) {
			t.Errorf("of nothing: %v", err)
		}
		if _, err := revoke("", one.ID, "00000000-0000-7000-8000-000000000000"); !errors.Is(err, payment.ErrNoSchedule) {
			t.Errorf("of one that is not there: %v", err)
		}
		if _, err := revoke(other.ID, one.ID); !errors.Is(err, payment.ErrNoSchedule) {
			t.Errorf("of another key's: %v", err)
		}
		if list, err := revoke("", one.ID, one.ID); err != nil || len(list) != 1 {
			t.Errorf("of one: %v, %v", list, err)
		}
		if _, err := revoke("", one.ID); !errors.Is(err, payment.ErrScheduleRevoked) {
			t.Errorf("again: %v", err)
		}
		b.schedules()
		b.plan("o1", k, 2*time.Hour) // once more
		sleep(time.Hour)
		if _, err := revoke("", two.ID); !errors.Is(err, payment.ErrScheduleProcessed) {
			t.Errorf("of one that was charged: %v", err)
		}
		if list, err := revoke(k.ID); err != nil || len(list) != 1 {
			t.Errorf("of a key: %v, %v", list, err)
		}
		sleep(2 * time.Hour)
		if got := b.scheduled(three.ID); got.State != payment.ScheduleSucceeded || g.asked != 2 {
			t.Errorf("the third is %s, the PG was asked %d times", got.State, g.asked)
		}
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err != nil {
			t.Errorf("a key without schedules is not deleted: %v", err)
		}
		if _, err := revoke(k.ID); !errors.Is(err, payment.ErrKeyDeleted) {
			t.Errorf("of a deleted key: %v", err)
		}
	})
}
