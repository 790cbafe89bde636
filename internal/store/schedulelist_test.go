package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestListsOfSchedules: schedules and billing keys go by time.
func TestListsOfSchedules(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		one, two := aKey(t, s, "billing-key-1"), aKey(t, s, "billing-key-2")
		var ids []payment.ScheduleID
		for i, k := range []payment.BillingKey{one, two, one} {
			ids = append(ids, schedule(t, s, aSchedule(payment.ID(fmt.Sprint("o-", i)), k.ID, time.Duration(i+1)*time.Hour)).ID)
		}
		if _, err := s.RevokeSchedules(t.Context(), storetest.Store, merchant.Test, "", ids[2:], storetest.Noon); err != nil {
			t.Fatal(err)
		}
		w := store.Window{
			Stores: []merchant.StoreID{storetest.Store, "store-2"}, Modes: store.AllModes, From: storetest.Noon, Until: storetest.Noon.Add(24 * time.Hour), Size: 10,
		}
		for _, c := range []struct {
			name  string
			edit  func(*store.ScheduleList)
			want  []int
			total int
		}{
			{"the latest first", func(*store.ScheduleList) {}, []int{2, 1, 0}, 3},
			{"the first first", func(l *store.ScheduleList) { l.Ascending = true }, []int{0, 1, 2}, 3},
			{"a page", func(l *store.ScheduleList) { l.Offset, l.Size = 1, 1 }, []int{1}, 3},
			{"behind the end", func(l *store.ScheduleList) { l.Offset = 9 }, nil, 3},
			{"of a key", func(l *store.ScheduleList) { l.BillingKey = two.ID }, []int{1}, 1},
			{"in a state", func(l *store.ScheduleList) { l.States = []payment.ScheduleState{payment.ScheduleRevoked} }, []int{2}, 1},
			{"by their end", func(l *store.ScheduleList) { l.By, l.Ascending = store.ByEnd, true }, []int{2, 0, 1}, 3},
			{"in an hour", func(l *store.ScheduleList) { l.Until = storetest.Noon.Add(time.Hour) }, []int{0}, 1},
			{"of another store", func(l *store.ScheduleList) { l.Stores = l.Stores[1:] }, nil, 0},
			{"in live mode", func(l *store.ScheduleList) { l.Modes = []merchant.Mode{merchant.Live} }, nil, 0},
		} {
			l := store.ScheduleList{Window: w}
			c.edit(&l)
			list, total, err := s.Schedules(t.Context(), l)
			var got []int
			for _, x := range list {
				for i, id := range ids {
					if x.ID == id {
						got = append(got, i)
					}
				}
			}
			if err != nil || total != c.total || !cmp.Equal(got, c.want) {
				t.Errorf("%s: %v of %d, %v; want %v of %d", c.name, got, total, err, c.want, c.total)
			}
		}
		if _, err := s.ChangeBillingKey(t.Context(), two.ID, func(k payment.BillingKey) (payment.BillingKey, []webhook.Emission, error) {
			k.State, k.ChangedAt = payment.KeyDeleted, storetest.Noon.Add(time.Hour)
			return k, nil, nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			l    store.KeyList
			want []payment.BillingKeyID
		}{
			{store.KeyList{Window: w, Issued: true, Deleted: true}, []payment.BillingKeyID{two.ID, one.ID}},
			{store.KeyList{Window: w, Issued: true}, []payment.BillingKeyID{one.ID}},
			{store.KeyList{Window: w, Deleted: true, ByChange: true}, []payment.BillingKeyID{two.ID}},
		} {
			list, total, err := s.BillingKeys(t.Context(), c.l)
			var got []payment.BillingKeyID
			for _, k := range list {
				got = append(got, k.ID)
			}
			if err != nil || total != len(c.want) || !cmp.Equal(got, c.want) {
				t.Errorf("keys %v of %d, %v; want %v", got, total, err, c.want)
			}
		}
	})
}

// TestRevokeTakenUp: a schedule that was taken up may be revoked until its attempt is
// begun, by its id and by its key; whoever took it up begins nothing then.
func TestRevokeTakenUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		k, other := aKey(t, s, "billing-key-1"), aKey(t, s, "billing-key-2")
		schedule(t, s, aSchedule("o-1", k.ID, time.Hour))
		schedule(t, s, aSchedule("o-2", k.ID, time.Hour+time.Second))
		schedule(t, s, aSchedule("o-3", k.ID, time.Hour+2*time.Second))
		schedule(t, s, aSchedule("o-4", other.ID, time.Hour+3*time.Second))
		list, _ := due(t, s, 2*time.Hour, 10)
		if len(list) != 4 {
			t.Fatalf("%d are due", len(list))
		}
		if err := beginFor(t, s, list[0], nil); err != nil {
			t.Fatal(err)
		}
		revoke := func(key payment.BillingKeyID, ids ...payment.ScheduleID) ([]payment.ScheduleID, error) {
			return s.RevokeSchedules(t.Context(), storetest.Store, merchant.Test, key, ids, storetest.Noon)
		}
		if got, err := revoke("", list[0].ID, list[1].ID); !errors.Is(err, payment.ErrScheduleProcessed) || got != nil {
			t.Errorf("one that was begun: %v, %v", got, err)
		}
		if got, err := revoke("", list[1].ID); err != nil || !cmp.Equal(got, []payment.ScheduleID{list[1].ID}) {
			t.Errorf("by its id: %v, %v", got, err)
		}
		if got, err := revoke(k.ID); err != nil || !cmp.Equal(got, []payment.ScheduleID{list[2].ID}) {
			t.Errorf("by its key: %v, %v", got, err)
		}
		for _, x := range list[1:3] {
			if err := beginFor(t, s, x, nil); !errors.Is(err, payment.ErrScheduleTaken) {
				t.Errorf("%s is begun: %v", x.Payment, err)
			}
			if err := s.FailSchedule(t.Context(), x, storetest.Noon); err != nil || stateOf(t, s, x.ID) != payment.ScheduleRevoked {
				t.Errorf("%s: %v, %s", x.Payment, err, stateOf(t, s, x.ID))
			}
		}
		if list, next := due(t, s, 100*time.Hour, 10); len(list) != 1 || list[0].Payment != "o-4" {
			t.Errorf("due are %v, next %v", list, next)
		}
		verified(t, s)
	})
}

// TestRevokeMany has more schedules of a key revoked than may be named by their ids.
func TestRevokeMany(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		k := aKey(t, s, "billing-key-1")
		x := schedule(t, s, aSchedule("o-1", k.ID, time.Hour))
		const many = 1200
		for i := range many {
			db.Exec(t, `insert into schedule select $1, merchant_id, store_id, mode, $2, billing_key, state, created_at, time_to_pay, due_at, started_at, ended_at, doc
				from schedule where id = $3`, storetest.NewID(), fmt.Sprint("more-", i), string(x.ID))
		}
		list, err := s.RevokeSchedules(t.Context(), storetest.Store, merchant.Any, k.ID, nil, storetest.Noon)
		if err != nil || len(list) != many+1 || !slices.IsSorted(list) {
			t.Errorf("revoked %d, %v", len(list), err)
		}
		if n := db.Count(t, `select count(*) from schedule where due_at is not null or ended_at is null or state <> 'REVOKED'`); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}
