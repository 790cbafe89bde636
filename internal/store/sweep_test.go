package store_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

func beat(t *testing.T, s *store.Store, after time.Duration) notice.Outage {
	t.Helper()
	o, err := s.Beat(t.Context(), storetest.Noon.Add(after), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestOutageIsTold: a time without a node is told until somebody has dealt with
// it, whoever else begins meanwhile, and two of them are one.
func TestOutageIsTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s, other := db.Open(t), db.Open(t)
		for _, at := range []time.Duration{0, time.Minute, 2 * time.Minute} {
			if o := beat(t, s, at); !o.IsZero() {
				t.Fatalf("an outage of %v while a node serves", o)
			}
		}
		want := notice.Outage{From: storetest.Noon.Add(2 * time.Minute), Until: storetest.Noon.Add(time.Hour)}
		for _, at := range []time.Duration{time.Hour, time.Hour + time.Second} {
			if o := beat(t, s, at); o != want {
				t.Errorf("outage = %v, want %v", o, want)
			}
		}
		want.Until = storetest.Noon.Add(3 * time.Hour)
		o := beat(t, other, 3*time.Hour)
		if o != want {
			t.Errorf("outages = %v, want %v", o, want)
		}
		if err := s.EndOutage(t.Context(), notice.Outage{From: o.From, Until: o.Until.Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if o := beat(t, other, 3*time.Hour); o != want {
			t.Errorf("outage = %v after another was dealt with", o)
		}
		if err := s.EndOutage(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if o := beat(t, other, 3*time.Hour+time.Second); !o.IsZero() {
			t.Errorf("outage = %v, which was dealt with", o)
		}
		if o := beat(t, s, time.Hour); !o.IsZero() { // a clock that is behind
			t.Errorf("outage = %v", o)
		}
		if o := beat(t, s, 3*time.Hour+time.Minute); !o.IsZero() {
			t.Errorf("outage = %v: the heartbeat went back", o)
		}
	})
}

// enlist has accounts with deadlines up to a time asked about at once.
func enlist(t *testing.T, s *store.Store, why notice.SweepReason, after, until time.Time) map[merchant.ChannelKey]int {
	t.Helper()
	waiting, err := s.Enlist(t.Context(), notice.Enlisting{Why: why, After: after, Until: until, When: func(c merchant.ChannelKey, _ time.Time) time.Time {
		if c != storetest.Channel {
			return time.Time{}
		}
		return storetest.Noon
	}})
	if err != nil {
		t.Fatal(err)
	}
	return waiting
}

func sweep(t *testing.T, s *store.Store, at time.Duration) ([]notice.Sweeping, map[merchant.ChannelKey]time.Time) {
	t.Helper()
	now := storetest.Noon.Add(at)
	list, next, err := s.Sweep(t.Context(), now, now.Add(time.Minute), []merchant.ChannelKey{storetest.Channel, storetest.OtherOne})
	if err != nil {
		t.Fatal(err)
	}
	return list, next
}

// TestSweep follows accounts that are asked about: one of a channel at a time, by
// one node, again after a crash, and no more once that was said.
func TestSweep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s, other := db.Open(t), db.Open(t)
		soon, late := storetest.Registration("o-1"), storetest.Registration("o-2")
		soon.Account.ExpiresAt, late.Account.ExpiresAt = storetest.Noon.Add(time.Hour), storetest.Noon.Add(48*time.Hour)
		register(t, s, soon)
		register(t, s, late)
		if n := enlist(t, s, notice.SweepDue, storetest.Noon, storetest.Noon.Add(time.Hour))[storetest.Channel]; n != 1 {
			t.Errorf("%d accounts wait until one o'clock", n)
		}
		if n := enlist(t, s, notice.SweepDue, storetest.Noon.Add(time.Hour), time.Time{})[storetest.Channel]; n != 1 {
			t.Errorf("%d accounts wait after one o'clock", n)
		}
		list, next := sweep(t, s, 0)
		if len(list) != 1 || list[0].Tries != 1 || list[0].Why != notice.SweepDue || !next[storetest.Channel].Equal(storetest.Noon) {
			t.Fatalf("taken %+v, next %v", list, next)
		}
		second, _ := sweep(t, other, 0)
		if len(second) != 1 || second[0].Payment.Key == list[0].Payment.Key {
			t.Fatalf("another node took %+v", second)
		}
		if third, next := sweep(t, other, time.Second); len(third) != 0 || !next[storetest.Channel].Equal(storetest.Noon.Add(time.Minute)) {
			t.Errorf("taken twice at once: %+v, next %v", third, next)
		}
		again := func(at time.Time, why notice.SweepReason) func(payment.Payment) (time.Time, notice.SweepReason) {
			return func(payment.Payment) (time.Time, notice.SweepReason) { return at, why }
		}
		if err := s.Swept(t.Context(), list[0], again(time.Time{}, "")); err != nil {
			t.Fatal(err)
		}
		crashed, _ := sweep(t, s, time.Hour)
		if len(crashed) != 1 || crashed[0].Payment.Key != second[0].Payment.Key || crashed[0].Tries != 2 {
			t.Fatalf("after a crash: %+v", crashed)
		}
		// An outage meanwhile makes all urgent, also what is just asked about.
		enlist(t, s, notice.SweepOutage, time.Time{}, time.Time{})
		if err := s.Swept(t.Context(), crashed[0], again(time.Time{}, "")); err != nil {
			t.Fatal(err)
		}
		listed, err := s.Sweeps(t.Context(), notice.SweepOutage, 10)
		if err != nil || len(listed) != 2 {
			t.Errorf("listed are %+v, %v", listed, err)
		}
		if listed, err := s.Sweeps(t.Context(), notice.SweepDue, 10); err != nil || len(listed) != 0 {
			t.Errorf("listed as due are %+v, %v", listed, err)
		}
		first, _ := sweep(t, s, 2*time.Hour)
		if err := s.Swept(t.Context(), first[0], again(storetest.Noon.Add(30*time.Hour), notice.SweepDue)); err != nil {
			t.Fatal(err)
		}
		rest, next := sweep(t, s, 2*time.Hour+time.Second)
		if len(rest) != 1 || rest[0].Payment.Key == first[0].Payment.Key {
			t.Errorf("taken %+v, next %v", rest, next)
		}
	})
}

// TestSweepsOfManyAtOnce: deadlines of a whole day end in the same second.
func TestSweepsOfManyAtOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		g := storetest.Registration("o-1")
		g.Account.ExpiresAt = storetest.Noon.Add(time.Hour)
		register(t, s, g)
		crowds[0].multiply(t, db, 1300)
		db.Exec(t, `update payment set deadline = $1`, storetest.Noon.Add(time.Hour).UnixMicro())
		for range 2 {
			if n := enlist(t, s, notice.SweepDue, storetest.Noon, storetest.Noon.Add(time.Hour))[storetest.Channel]; n != 1301 {
				t.Errorf("%d accounts wait, want 1301", n)
			}
		}
		if n := db.Count(t, `select count(*) from sweep`); n != 1301 {
			t.Errorf("%d accounts are enlisted, want 1301", n)
		}
		if n := enlist(t, s, notice.SweepDue, storetest.Noon.Add(time.Hour), time.Time{})[storetest.Channel]; n != 0 {
			t.Errorf("%d accounts wait after that", n)
		}
	})
}

// TestBrokenSweepStopsNobody: a payment that cannot be opened, or is gone, does
// not keep others from being asked about.
func TestBrokenSweepStopsNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i := range 2 {
			register(t, s, storetest.Registration(fmt.Sprint("o-", i)))
		}
		db.Exec(t, `update payment set doc = $1 where id = 'o-0'`, []byte("broken"))
		db.Exec(t, `insert into sweep (payment_key, channel_key, due_at, tries, why) values ($1, $2, 1, 0, 'due')`, storetest.NewID(), string(storetest.Channel))
		enlist(t, s, notice.SweepDue, storetest.Noon, time.Time{})
		var taken []payment.ID
		for i := range 4 {
			list, _ := sweep(t, s, time.Duration(i)*time.Second)
			for _, x := range list {
				taken = append(taken, x.Payment.ID)
			}
		}
		if len(taken) != 1 || taken[0] != "o-1" {
			t.Errorf("taken: %v, want o-1", taken)
		}
		if n := db.Count(t, `select count(*) from sweep`); n != 2 {
			t.Errorf("%d accounts are listed, want 2: one has no payment", n)
		}
	})
}

// TestSweepMovesToItsChannel: an account that waits on another channel by now is asked
// about on that one, not later than it was to be, and as urgently.
func TestSweepMovesToItsChannel(t *testing.T) {
	t.Parallel()
	for _, was := range []struct {
		channel merchant.ChannelKey
		due     time.Duration
		why     notice.SweepReason
		tries   int
		listed  store.ListedSweep // of it: what the rest has is the payment's
	}{
		{storetest.OtherOne, time.Hour, notice.SweepDue, 7, store.ListedSweep{Due: storetest.Noon}},
		{storetest.OtherOne, -time.Hour, notice.SweepOutage, 7, store.ListedSweep{Due: storetest.Noon.Add(-time.Hour)}},
		{storetest.Channel, time.Hour, notice.SweepDue, 7, store.ListedSweep{Due: storetest.Noon.Add(time.Hour), Tries: 7}},
	} {
		storetest.Each(t, func(t *testing.T, db *storetest.Database) {
			s := db.Open(t)
			register(t, s, storetest.Registration("o-1"))
			db.Exec(t, `insert into sweep (payment_key, channel_key, due_at, tries, why) select key, $1, $2, $3, $4 from payment`,
				string(was.channel), storetest.Noon.Add(was.due).UnixMicro(), was.tries, string(was.why))
			enlist(t, s, notice.SweepDue, storetest.Noon, time.Time{})
			listed := func() store.ListedSweep {
				list, err := s.Sweeps(t.Context(), "", 10)
				if err != nil || len(list) != 1 {
					t.Fatalf("listed are %+v, %v", list, err)
				}
				return list[0]
			}
			if x := listed(); x.Channel != storetest.Channel || !x.Due.Equal(was.listed.Due) || x.Why != was.why || x.Tries != was.listed.Tries {
				t.Errorf("it was %+v, and is listed as %+v", was, x)
			}
			db.Exec(t, `update sweep set channel_key = $1, tries = 19`, string(storetest.OtherOne))
			enlist(t, s, notice.SweepOutage, time.Time{}, time.Time{})
			if x := listed(); x.Channel != storetest.Channel || x.Why != notice.SweepOutage || x.Tries != 0 {
				t.Errorf("after an outage it is listed as %+v", x)
			}
		})
	}
}

// TestSweepsDue: the first of each channel is told.
func TestSweepsDue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		want := make(map[merchant.ChannelKey]time.Time)
		check := func() {
			if got, err := s.SweepsDue(t.Context()); err != nil || !maps.Equal(got, want) {
				t.Errorf("due are %v, %v, want %v", got, err, want)
			}
		}
		check()
		for i, c := range []merchant.ChannelKey{"b", "a", "c", "b", "a", "b"} {
			at := storetest.Noon.Add(time.Duration(10-i) * time.Hour)
			db.Exec(t, `insert into sweep (payment_key, channel_key, due_at, tries, why) values ($1, $2, $3, 0, 'due')`, storetest.NewID(), string(c), at.UnixMicro())
			want[c] = at
			check()
		}
	})
}

// TestExpiredAccountIsSwept: what expires is enlisted in the same transaction.
func TestExpiredAccountIsSwept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		now := storetest.Noon.Add(72 * time.Hour)
		_, err := s.Expire(t.Context(), now, 10, 0, func(p payment.Payment) (notice.Expiry, error) {
			x, err := expired(now)(p)
			x.Sweep = now.Add(10 * time.Minute)
			return x, err
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Sweeps(t.Context(), "", 10)
		if err != nil || len(list) != 1 || list[0].ID != "o-1" || !list[0].Due.Equal(now.Add(10*time.Minute)) || list[0].Why != notice.SweepDue {
			t.Errorf("listed are %+v, %v", list, err)
		}
	})
}

// TestUndatedAccounts: after an outage accounts without a deadline are asked about,
// too, but for unlimited ones, those that expired, and old ones.
func TestUndatedAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		undated := func(id string, kind payment.AccountType) {
			g := storetest.Registration(id)
			g.Account.ExpiresAt, g.Account.Type = time.Time{}, kind
			register(t, s, g)
		}
		undated("fixed", payment.Fixed)
		undated("unlimited", payment.FixedUnlimited)
		undated("old", payment.Normal)
		db.Exec(t, `update payment set requested_at = $1 where id = 'old'`, storetest.Noon.Add(-time.Hour).UnixMicro())
		register(t, s, storetest.Registration("expired"))
		now := storetest.Noon.Add(72 * time.Hour)
		if _, err := s.Expire(t.Context(), now, 10, 0, expired(now)); err != nil {
			t.Fatal(err)
		}
		waiting, err := s.Enlist(t.Context(), notice.Enlisting{Why: notice.SweepOutage, Undated: storetest.Noon.Add(-time.Minute),
			When: func(merchant.ChannelKey, time.Time) time.Time { return storetest.Noon }})
		if err != nil || waiting[storetest.Channel] != 1 {
			t.Errorf("%v wait, %v", waiting, err)
		}
		if list, err := s.Sweeps(t.Context(), notice.SweepOutage, 10); err != nil || len(list) != 1 || list[0].ID != "fixed" {
			t.Errorf("listed are %+v, %v", list, err)
		}
		db.Exec(t, `delete from sweep`)
		enlist(t, s, notice.SweepDue, storetest.Noon, time.Time{})
		if n := db.Count(t, `select count(*) from sweep`); n != 0 {
			t.Errorf("%d accounts without a deadline are asked about without an outage", n)
		}
	})
}
