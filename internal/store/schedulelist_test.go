package store_test

import (
	"fmt"
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
