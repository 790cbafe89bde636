package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// closing is how a test's person ends a case.
func closing(id notice.ID) notice.CaseClosing {
	return notice.CaseClosing{ID: id, Sees: func(notice.Case) bool { return true }, End: notice.CaseEnd{
		At: storetest.Noon.Add(time.Hour), How: notice.CaseResolved, ByKind: "person", ByID: "m-1", ByName: "운영자", Note: "구매자에게 돌려줌",
	}}
}

func closeCase(t *testing.T, s *store.Store, id notice.ID) notice.Case {
	t.Helper()
	c, err := s.CloseCase(t.Context(), closing(id))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCloseCase: a case that a person ended is found among the closed ones, its notice
// keeps its verdict, and the same message opens no other.
func TestCloseCase(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		lost := func(order, key string) notice.Inbound {
			r := storetest.Deposit(order, "D-"+order)
			r.Key = key
			return storetest.Told(storetest.Channel, order, r)
		}
		in := lost("nobody's", "m-1")
		settle(t, s, in)
		c, err := s.Case(t.Context(), in.ID)
		if err != nil || c.Kind != string(payment.Unmatched) || c.Merchant != storetest.Merchant || c.Mode == "" || !c.Closed.At.IsZero() {
			t.Fatalf("the open case is %+v, %v", c, err)
		}
		hidden := closing(in.ID)
		hidden.Sees = func(notice.Case) bool { return false }
		if _, err := s.CloseCase(t.Context(), hidden); !fault.Is(err, fault.NotFound) {
			t.Errorf("another's case: %v, want not found", err)
		}
		got := closeCase(t, s, in.ID)
		again, err := s.Case(t.Context(), in.ID)
		if diff := cmp.Diff(got, again); diff != "" || err != nil || got.Closed.Note != "구매자에게 돌려줌" {
			t.Errorf("the closed case (-closing +reading):\n%s%v", diff, err)
		}
		for _, id := range []notice.ID{in.ID, notice.ID(storetest.NewID()), "no id"} {
			if _, err := s.CloseCase(t.Context(), closing(id)); !fault.Is(err, fault.NotFound) {
				t.Errorf("closing %s: %v, want not found", id, err)
			}
		}
		if got := settle(t, s, lost("nobody's", "m-1"))[0]; got.Verdict != payment.Unmatched {
			t.Errorf("the same message: %s", got.Verdict)
		}
		if n := db.Count(t, `select count(*) from open_case`); n != 0 {
			t.Errorf("%d cases are open after the same message, want none", n)
		}
		other := lost("another's", "m-2")
		settle(t, s, other)
		if _, err := s.Case(t.Context(), other.ID); err != nil {
			t.Errorf("another message opened no case: %v", err)
		}
		list, err := s.ClosedCases(t.Context(), storetest.Merchant, storetest.Noon.Add(2*time.Hour), 10)
		if diff := cmp.Diff([]notice.Case{again}, list); diff != "" || err != nil {
			t.Errorf("the closed cases (-want +got):\n%s%v", diff, err)
		}
		verified(t, s)
	})
}

// TestClosePending: what waits for the PG ends with its answer.
func TestClosePending(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		in := byOrder("o-1")
		in.Ruled = &notice.Ruling{Verdict: payment.Pending, Reason: notice.ReasonConfirm, Channel: storetest.Channel}
		settle(t, s, in)
		if _, err := s.CloseCase(t.Context(), closing(in.ID)); !errors.Is(err, notice.ErrCasePending) {
			t.Errorf("closing it: %v, want ErrCasePending", err)
		}
	})
}
