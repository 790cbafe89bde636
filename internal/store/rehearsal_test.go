package store_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// rehearse begins a rehearsal at noon and has what became of it written.
func rehearse(t *testing.T, s *store.Store, token secret.Text, r notice.Rehearsal) {
	t.Helper()
	if r.Until.IsZero() {
		r.Until = storetest.Noon.Add(notice.RehearsalLife)
	}
	if err := s.BeginRehearsal(t.Context(), token, r, storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

func TestRehearsal(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s, other := db.Open(t), db.Open(t) // two nodes
		ctx, noon := t.Context(), storetest.Noon
		want := notice.Rehearsal{
			Channel: storetest.Channel, Until: noon.Add(notice.RehearsalLife), Order: "order-1", PGTx: "tx", Amount: payment.Won(1000),
			Bank: "SHINHAN", Account: "5621-opensesame", Secret: "secret-opensesame",
		}
		rehearse(t, s, "the token", want)
		if _, err := s.Rehearsed(ctx, "the token"); !fault.Is(err, fault.NotFound) {
			t.Errorf("before it arrived: %v", err)
		}
		if _, err := other.TakeRehearsal(ctx, "another token", noon); !fault.Is(err, fault.NotFound) {
			t.Errorf("a token that was never given: %v", err)
		}
		got, err := other.TakeRehearsal(ctx, "the token", noon.Add(59*time.Second))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("TakeRehearsal: %v\n%s", err, diff)
		}
		for _, node := range []*store.Store{s, other} {
			if _, err := node.TakeRehearsal(ctx, "the token", noon.Add(59*time.Second)); !fault.Is(err, fault.NotFound) {
				t.Errorf("the second time: %v", err)
			}
		}
		seen := notice.Rehearsed{Notice: "n", At: noon, Took: 4 * time.Millisecond, Peer: netip.MustParseAddr("203.0.113.7"),
			Digest: "d", Verdict: payment.Refused, Reason: notice.ReasonProof, Detail: "x"}
		if err := other.EndRehearsal(ctx, "the token", seen); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Rehearsed(ctx, "the token"); err != nil || !cmp.Equal(seen, got, cmpopts.EquateComparable(netip.Addr{})) {
			t.Errorf("Rehearsed = %+v, %v", got, err)
		}

		rehearse(t, s, "late", want)
		if _, err := s.TakeRehearsal(ctx, "late", noon.Add(notice.RehearsalLife)); !fault.Is(err, fault.NotFound) {
			t.Errorf("a token that has ended: %v", err)
		}
		if err := s.EndRehearsal(ctx, "late", seen); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Rehearsed(ctx, "late"); !fault.Is(err, fault.NotFound) {
			t.Errorf("what was never taken has an end: %v", err)
		}
		// Neither the token nor what it is about stands in the clear.
		var rows string
		if err := db.Raw.QueryRowContext(ctx, `select max(id || ' ' || channel_key || ' ' || coalesce(seen, '') || ' ') from rehearsal`).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(rows, "token") || strings.Contains(rows, "opensesame") || db.Count(t, `select count(*) from rehearsal where cast(doc as text) like '%opensesame%'`) > 0 {
			t.Errorf("the table says %s", rows)
		}
		if err := s.BeginRehearsal(ctx, "much later", want, noon.Add(3*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := db.Count(t, `select count(*) from rehearsal`); n != 1 {
			t.Errorf("%d rehearsals are kept", n)
		}
	})
}
