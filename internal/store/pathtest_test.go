package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func pathTest(c merchant.ChannelKey) notice.PathTest {
	return notice.PathTest{
		ID: storetest.NewID(), Channel: c, Store: storetest.Store, By: "홍길동", Payment: "tongbotest1", Key: payment.Key(storetest.NewID()),
		StartedAt: storetest.Noon, SeenAt: storetest.Noon.Add(time.Second),
		Rungs: []notice.PathRung{{Part: "issue", Step: "issue", Subject: "가\u202e", Outcome: "ok", Took: time.Second, Key: "path.issued_here", Args: []string{"a", "opensesame"}}},
	}
}

// TestPathTests: what is kept is read as it was, sealed, and each channel has its newest.
func TestPathTests(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		first := pathTest("channel-key-1")
		other := pathTest("channel-key-2")
		for _, x := range []notice.PathTest{first, other} {
			if err := s.KeepPathTest(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
		first.Good, first.EndedAt = true, storetest.Noon.Add(time.Minute)
		if err := s.KeepPathTest(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		got, err := s.PathTest(t.Context(), first.ID)
		if d := cmp.Diff(first, got); d != "" || err != nil {
			t.Errorf("read back: %v\n%s", err, d)
		}
		if last, err := s.LastPathTest(t.Context(), "channel-key-1", ""); err != nil || last.ID != first.ID {
			t.Errorf("the last of its channel is %s, %v", last.ID, err)
		}
		var rows string
		if err := db.Raw.QueryRowContext(t.Context(), `select max(cast(doc as text)) from path_test`).Scan(&rows); err == nil && strings.Contains(rows, "opensesame") {
			t.Error("it is not sealed")
		}
		for range 25 {
			if err := s.KeepPathTest(t.Context(), pathTest("channel-key-1")); err != nil {
				t.Fatal(err)
			}
		}
		if n := db.Count(t, `select count(*) from path_test where channel_key = 'channel-key-1'`); n != 20 {
			t.Errorf("%d are kept of one channel, want 20", n)
		}
		if _, err := s.PathTest(t.Context(), first.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the oldest: %v, want it gone", err)
		}
		if got, err := s.LastPathTest(t.Context(), "channel-key-2", storetest.Store); err != nil || got.ID != other.ID {
			t.Errorf("another channel's: %s, %v", got.ID, err)
		}
		if _, err := s.LastPathTest(t.Context(), "channel-key-2", "store-x"); !fault.Is(err, fault.NotFound) {
			t.Errorf("of another store: %v", err)
		}
		if _, err := s.PathTest(t.Context(), "nothing"); !fault.Is(err, fault.NotFound) {
			t.Errorf("of no id: %v", err)
		}
		if list, err := s.FirstTriesOf(t.Context(), first.Key, webhook.Paid); err != nil || len(list) != 0 {
			t.Errorf("webhooks of a payment without any: %v, %v", list, err)
		}
	})
}
