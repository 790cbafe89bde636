package store_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// acts changes nothing of a payment but when its PG is to be asked.
func acts(t *testing.T, s *store.Store, k payment.Key, out notice.Acted) {
	t.Helper()
	_, err := s.Act(t.Context(), notice.Act{Payment: k, Do: func(known *payment.Payment) (notice.Acted, error) {
		out.Payment = *known
		return out, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func inquiries(t *testing.T, s *store.Store, at time.Duration) ([]notice.Inquiry, time.Time) {
	t.Helper()
	now := storetest.Noon.Add(at)
	list, next, err := s.Inquiries(t.Context(), now, now.Add(time.Minute), 10)
	if err != nil {
		t.Fatal(err)
	}
	return list, next
}

func registered(t *testing.T, s *store.Store, order string) payment.Payment {
	t.Helper()
	p, _, err := s.Register(t.Context(), storetest.Registration(order), storetest.Registering(storetest.Noon))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestInquiriesGoOn: an inquiry that was taken and not ended, as by a crash, is
// taken again; one that was ended is not.
func TestInquiriesGoOn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := registered(t, s, "o-1")
		acts(t, s, p.Key, notice.Acted{Ask: storetest.Noon})
		list, next := inquiries(t, s, 0)
		if len(list) != 1 || list[0].Payment.ID != "o-1" || list[0].Tries != 1 || !next.Equal(storetest.Noon.Add(time.Minute)) {
			t.Fatalf("taken: %+v, next at %v", list, next)
		}
		if again, _ := inquiries(t, s, time.Second); len(again) != 0 {
			t.Errorf("taken twice at once: %+v", again)
		}
		list, _ = inquiries(t, s, time.Minute)
		if len(list) != 1 || list[0].Tries != 2 {
			t.Fatalf("not taken again after a crash: %+v", list)
		}
		acts(t, s, p.Key, notice.Acted{Taken: &list[0]})
		if list, next := inquiries(t, s, time.Hour); len(list) != 0 || !next.IsZero() {
			t.Errorf("taken after it was ended: %+v, next at %v", list, next)
		}
	})
}

// TestHastenedInquiryStays: what comes up while a PG is asked is not put off, nor
// forgotten, by whoever asked.
func TestHastenedInquiryStays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := registered(t, s, "o-1")
		acts(t, s, p.Key, notice.Acted{Ask: storetest.Noon})
		list, _ := inquiries(t, s, 0)
		acts(t, s, p.Key, notice.Acted{Ask: storetest.Noon.Add(time.Second)}) // a call whose answer was lost
		acts(t, s, p.Key, notice.Acted{Taken: &list[0]})
		acts(t, s, p.Key, notice.Acted{Taken: &list[0], Ask: storetest.Noon.Add(time.Hour)})
		if list, _ := inquiries(t, s, time.Second); len(list) != 1 {
			t.Errorf("taken a second later: %+v, want the payment", list)
		}
	})
}

// TestBrokenInquiryStopsNobody: a payment that cannot be opened, or is gone, does
// not keep others from being asked about.
func TestBrokenInquiryStopsNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		broken, whole := registered(t, s, "o-1"), registered(t, s, "o-2")
		acts(t, s, broken.Key, notice.Acted{Ask: storetest.Noon})
		acts(t, s, whole.Key, notice.Acted{Ask: storetest.Noon.Add(time.Second)})
		db.Exec(t, `update payment set doc = $1 where key = $2`, []byte("broken"), string(broken.Key))
		db.Exec(t, `insert into inquiry (payment_key, due_at, tries) values ($1, 1, 0)`, storetest.NewID())
		list, _ := inquiries(t, s, time.Minute)
		if len(list) != 1 || list[0].Payment.ID != "o-2" {
			t.Errorf("taken: %+v, want o-2 alone", list)
		}
		if n := db.Count(t, `select count(*) from inquiry`); n != 2 {
			t.Errorf("%d inquiries are kept, want 2: the one without a payment is of no use", n)
		}
	})
}

func TestActOnNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		_, err := s.Act(t.Context(), notice.Act{Payment: payment.Key(storetest.NewID()), Do: func(*payment.Payment) (notice.Acted, error) {
			t.Error("an act on no payment was asked for")
			return notice.Acted{}, nil
		}})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("Act = %v, want fault.NotFound", err)
		}
	})
}
