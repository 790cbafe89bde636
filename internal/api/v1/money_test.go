package v1

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/payment"
)

// A told payment is what tests read of one that money came and went for.
type toldPayment struct {
	shownPayment
	PaidAt      int64                    `json:"paid_at"`
	CancelledAt int64                    `json:"cancelled_at"`
	Reason      *string                  `json:"cancel_reason"`
	Cancels     []struct{ Amount int64 } `json:"cancel_history"`
	Deposits    []struct{ Amount int64 } `json:"deposit_history"`
}

func (s *site) told(uid string) (p toldPayment) {
	s.Helper()
	s.ok(s.call("GET", "/payments/"+uid, "main", ""), &p)
	return p
}

// TestReversal has the bank take a deposit back, and another one come: what was taken
// back is told of the attempt that it had paid, and of no other.
func TestReversal(t *testing.T) {
	onEach(t, func(s *site) {
		p := s.issue("main", "order-1")
		at := time.Now().UTC().Truncate(time.Second)
		report := payment.Report{Event: payment.EventDeposited, Key: "k-1", Deposit: "d-1", Amount: payment.Won(11000), HasAmount: true, At: at}
		s.settle(tossKey, "order-1", report)
		report.Event, report.Key, report.At = payment.EventReversed, "k-2", at.Add(time.Second)
		s.settle(tossKey, "order-1", report)
		gone := s.told(p.ImpUID)
		if gone.Status != "cancelled" || gone.CancelAmount != 11000 || gone.CancelledAt != at.Unix()+1 || gone.Reason == nil || *gone.Reason != payment.ReversalReason || len(gone.Cancels) != 1 {
			s.Errorf("taken back it is %+v", gone)
		}
		report.Event, report.Key, report.Deposit, report.At = payment.EventDeposited, "k-3", "d-2", at.Add(2*time.Second)
		s.settle(tossKey, "order-1", report)
		if diff := cmp.Diff(gone, s.told(p.ImpUID), cmp.AllowUnexported(toldPayment{})); diff != "" {
			s.Errorf("another deposit changed the attempt that was taken back (-before +after):\n%s", diff)
		}
		var found shownPayment
		s.ok(s.call("GET", "/payments/find/order-1/paid", "main", ""), &found)
		paid := s.told(found.ImpUID)
		if found.ImpUID == p.ImpUID || paid.Status != "paid" || paid.CancelAmount != 0 || paid.CancelledAt != 0 || paid.Reason != nil || len(paid.Cancels) != 0 {
			s.Errorf("paid again it is %+v", paid)
		}
		s.ok(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+paid.ImpUID+`","amount":1000,"checksum":11000`+refund), &found)
		if again := s.told(paid.ImpUID); again.CancelAmount != 1000 || len(again.Cancels) != 1 || again.Cancels[0].Amount != 1000 {
			s.Errorf("cancelled in part it is %+v", again)
		}
		if diff := cmp.Diff(gone, s.told(p.ImpUID), cmp.AllowUnexported(toldPayment{})); diff != "" {
			s.Errorf("a cancellation changed the attempt that was taken back (-before +after):\n%s", diff)
		}
	})
}

// TestSeveralPaid has money come to two accounts of one payment that take any amount:
// each tells its own, and none gives back what came to the other.
func TestSeveralPaid(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	first, second := s.issue("main", "order-1"), s.issue("main", "order-1")
	s.change("order-1", func(p *payment.Payment) {
		for _, x := range p.Transactions {
			x.Account.Type = payment.FixedUnlimited
		}
	})
	s.deposit(tossKey, "order-1")
	s.deposit(tossKey, "order-1R2")
	s.pg = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the PG is asked: %s", r.URL) })
	for _, body := range []string{`{"imp_uid":"` + second.ImpUID + `"`, `{"merchant_uid":"order-1","amount":1000`, `{"merchant_uid":"order-1"`} {
		s.want(s.call("POST", "/payments/cancel", "main", body+refund), 200, 1, "여러 가상계좌")
	}
	s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+first.ImpUID+`"`+refund), 200, 1, "결제되지 않은")
	for _, uid := range []string{first.ImpUID, second.ImpUID} {
		if p := s.told(uid); p.Status != "paid" || len(p.Deposits) != 1 || p.CancelAmount != 0 {
			t.Errorf("%s is %+v", uid, p)
		}
	}
}

// TestOtherCurrency cancels a payment whose amounts V1 does not tell rightly.
func TestOtherCurrency(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	p := s.issue("main", "order-1")
	s.deposit(tossKey, "order-1")
	s.change("order-1", func(p *payment.Payment) { p.Amount.Currency = "USD" })
	s.pg = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the PG is asked: %s", r.URL) })
	s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`","amount":1000`+refund), 200, 1, "원화(KRW)가 아닌")
}

// TestWindows lists by two times: the window bounds the one by which a list is sorted.
func TestWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := build(t, "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
		s.issue("main", "order-1")
		time.Sleep(10 * time.Minute)
		s.deposit(tossKey, "order-1")
		from := "from=" + strconv.FormatInt(time.Now().Unix()-60, 10)
		for query, want := range map[string]int{
			"": 0, "&sorting=started": 0, "&sorting=paid": 1, "&sorting=-paid": 1, "&sorting=-updated": 1,
		} {
			for _, status := range []string{"paid", "all"} {
				var got struct{ Total int }
				s.ok(s.call("GET", "/payments/status/"+status+"?"+from+query, "main", ""), &got)
				if got.Total != want {
					t.Errorf("%s%s lists %d, want %d", status, query, got.Total, want)
				}
			}
		}
	})
}

// TestPrepareAtOnce prepares a payment several times at one time: one call is first.
func TestPrepareAtOnce(t *testing.T) {
	onEach(t, func(s *site) {
		const calls = 6
		s.token("main")
		for round := range 5 {
			answers := make(chan answer, calls)
			for i := range calls {
				go func() {
					answers <- s.call("POST", "/payments/prepare", "main", fmt.Sprintf("merchant_uid=order-%d&amount=%d", round, 1000+i))
				}()
			}
			done := 0
			for range calls {
				if (<-answers).code == 0 {
					done++
				}
			}
			if done != 1 {
				s.Errorf("%d calls of one time were the first", done)
			}
		}
	})
}
