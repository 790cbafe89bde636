package store_test

import (
	"fmt"
	"testing"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// refusedBy is a refused notice from an address.
func refusedBy(peer string) notice.Inbound {
	in, r := refusedFrom(peer)
	in.Ruled = &r
	return in
}

// TestRefusalsOfANeighbourhood refuses notices of senders who choose their
// address freely, and of others.
func TestRefusalsOfANeighbourhood(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		var batch []notice.Inbound
		for i := range store.RefusalCap + 5 {
			batch = append(batch, refusedBy(fmt.Sprintf("2001:db8:0:1::%x", i+1)))
		}
		batch = append(batch, refusedBy("2001:db8:0:2::1"), refusedBy("203.0.113.1"), refusedBy("203.0.113.2"), refusedBy("::ffff:203.0.113.2"))
		for _, r := range settle(t, s, batch...) {
			if r.Verdict != payment.Refused {
				t.Fatalf("verdict %s", r.Verdict)
			}
		}
		for peer, want := range map[string]int{"2001:db8:0:1::/64": store.RefusalCap, "2001:db8:0:2::/64": 1, "203.0.113.1": 1, "203.0.113.2": 2} {
			if n := db.Count(t, `select coalesce(max(kept), 0) from refusal where peer = $1`, peer); n != want {
				t.Errorf("%d are kept of %s, want %d", n, peer, want)
			}
		}
		if n := db.Count(t, `select sum(dropped) from refusal`); n != 5 {
			t.Errorf("%d were counted beyond the cap, want 5", n)
		}
		verified(t, s)
	})
}

// TestRefusedBytesAreCapped refuses notices when a day's room is almost used.
func TestRefusedBytesAreCapped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, refusedBy("203.0.113.1"))
		one := db.Count(t, `select bytes from refusal_day`)
		if one < len(refusedBy("203.0.113.1").Request.Body) {
			t.Errorf("a notice counts for %d bytes", one)
		}
		db.Exec(t, `update refusal_day set bytes = $1`, store.RefusedBytesCap-one-one/2)
		settle(t, s, refusedBy("203.0.113.2"), refusedBy("203.0.113.3"))
		settle(t, s, refusedBy("203.0.113.2"))
		if n := db.Count(t, `select count(*) from notice`); n != 2 {
			t.Errorf("%d notices are kept, want 2", n)
		}
		if kept, dropped := db.Count(t, `select sum(kept) from refusal`), db.Count(t, `select sum(dropped) from refusal`); kept != 2 || dropped != 2 {
			t.Errorf("kept %d and counted %d beyond the cap, want 2 and 2", kept, dropped)
		}
		next := refusedBy("203.0.113.2")
		next.At = next.At.AddDate(0, 0, 1)
		settle(t, s, next)
		if n := db.Count(t, `select count(*) from notice`); n != 3 {
			t.Errorf("%d notices are kept, want one of the next day too", n)
		}
		verified(t, s)
	})
}
