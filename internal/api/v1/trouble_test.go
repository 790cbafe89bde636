package v1

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// TestPGsNo has the PG refuse: its words are told, and what was not sent is too.
func TestPGsNo(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	p, waits := s.issue("main", "order-1"), s.issue("main", "order-2")
	s.deposit(tossKey, "order-1")
	s.pg = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"code":"NOT_TODAY","message":"오늘은 안 됩니다."}`))
	})
	const no = "오늘은 안 됩니다. (NOT_TODAY)"
	s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`"`+refund), 200, 1, no)
	s.want(s.call("POST", "/vbanks", "main", "merchant_uid=order-3&amount=1000&vbank_code=88&vbank_due="+due()), 200, 1, no)
	s.want(s.call("DELETE", "/vbanks/"+waits.ImpUID, "main", ""), 400, 1, no)
	s.pg = nil // what is called then fails before anything is sent
	s.api.Actions.HTTP.Transport = away{}
	s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`"`+refund), 200, 1, "아무것도 처리되지 않았으니")
	var got shownPayment
	s.ok(s.call("GET", "/payments/"+p.ImpUID, "main", ""), &got)
	if got.Status != "paid" || got.CancelAmount != 0 {
		s.Errorf("what the PG refused left %+v", got)
	}
	s.ok(s.call("GET", "/payments/find/order-3", "main", ""), &got)
	if got.Status != "failed" {
		s.Errorf("what the PG did not issue is %+v", got)
	}
	// A channel that is gone takes no calls, and shows what is kept.
	s.all.Channels = s.all.Channels[1:]
	s.save()
	s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`"`+refund), 200, 1, "채널이 삭제")
	s.want(s.call("DELETE", "/vbanks/"+waits.ImpUID, "main", ""), 400, 1, "채널이 삭제")
	s.ok(s.call("GET", "/payments/"+p.ImpUID, "main", ""), &got)
}

// away is a PG that is not reached.
type away struct{}

// RoundTrip fails.
func (away) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

// TestDatabaseAway has the database not answer in time: clients are told to come again, and the
// log why.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	token := s.token("main")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/payments/x", "/banks"} {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		s.api.Routes().ServeHTTP(w, r)
		got := s.sound(r, w.Result(), w.Body.String())
		s.want(got, 503, -1, "잠시 후")
		if got.header.Get("Retry-After") != "1" || strings.Contains(got.text, "sql") {
			s.Errorf("%v %s", got.header, got.text)
		}
	}
	if !strings.Contains(s.log.String(), "request not served") {
		s.Errorf("the log is %q", s.log)
	}
}

// TestOutcomes renders payments that are hard to come by.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	unlimited := payment.Transaction{
		ID: "t-1", Channel: "gone", State: payment.Paid, At: at(10), PGTx: "pg-1", PaidAt: at(30),
		Account: &payment.Account{Bank: "WOORI", Number: "1002-1", Type: payment.FixedUnlimited, IssuedAt: at(20)},
	}
	p := payment.Payment{
		ID: "m-1", Mode: merchant.Live, State: payment.PartiallyCancelled, Amount: payment.Won(100), StatusChangedAt: at(60), PaidAt: at(30),
		CancelledAt: at(60), Transactions: []payment.Transaction{unlimited},
		Deposits: []payment.Deposit{
			{Key: "d-1", State: payment.DepositApplied, Transaction: "t-1", Amount: payment.Won(100), Depositor: "홍길동", At: at(30)},
			{Key: "d-2", State: payment.DepositForetold, Amount: payment.Won(100), At: at(31)},
		},
		Cancellations: []payment.Cancellation{
			{ID: "c-1", State: payment.CancelFailed, Amount: payment.Won(10), Reason: "no"},
			{ID: "c-2", State: payment.CancelSucceeded, Amount: payment.Won(30), Reason: "변심", CancelledAt: at(60)},
			{ID: "c-3", State: payment.CancelRequested, Amount: payment.Won(5), Reason: "later"},
		},
		CashReceipt: &payment.CashReceipt{Number: "r-1"},
	}
	x, _ := currentOf(p)
	got := (&view{}).answer(x)
	if got.Status != "paid" || got.CancelAmount != 30 || got.PGProvider != nil || got.Sandbox || !got.CashReceiptIssued || *got.CancelReason != "변심" ||
		got.CancelledAt != 60 || got.VbankDate != 0 || got.VbankIssuedAt != 20 || got.PaidAt != 30 {
		t.Errorf("the payment is %+v", got)
	}
	name := "홍길동"
	if diff := cmp.Diff([]depositAnswer{{"d-1", 100, &name, 30}}, got.DepositHistory); diff != "" {
		t.Error(diff)
	}
	if h := got.CancelHistory; len(h) != 1 || h[0].CancellationID != "c-2" || h[0].PGTID != "pg-1" {
		t.Errorf("cancel_history is %+v", h)
	}

	// The other attempts share nothing of that.
	other := unlimited
	other.ID, other.State = "t-2", payment.Failed
	p.Transactions = append(p.Transactions, other)
	second := attemptsOf(p)[1]
	if got := (&view{}).answer(second); got.Status != "failed" || got.CancelAmount != 0 || got.FailedAt != 30 || got.CashReceiptIssued || len(got.CancelHistory) > 0 {
		t.Errorf("the other attempt is %+v", got)
	}
	p.State, p.FailedAt, p.FailureReason = payment.Failed, at(70), "가상계좌 말소"
	x, _ = currentOf(p)
	if got := (&view{}).answer(x); got.Status != "failed" || got.FailedAt != 70 || *got.FailReason != "가상계좌 말소" {
		t.Errorf("the failed payment is %+v", got)
	}
	p.State = payment.Cancelled
	x, _ = currentOf(p)
	if got := (&view{}).answer(x).Status; got != "cancelled" {
		t.Errorf("the cancelled payment is %s", got)
	}
}

// TestReceipts reads the cash receipt of a deposit.
func TestReceipts(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	p := s.issue("main", "order-1")
	s.receipt = &payment.CashReceipt{Number: "A123", Type: "소득공제"}
	s.deposit(tossKey, "order-1")
	var got receiptAnswer
	s.ok(s.call("GET", "/receipts/"+p.ImpUID, "main", ""), &got)
	if got.ImpUID != p.ImpUID || got.ApplyNum != "A123" || got.Type == nil || *got.Type != "person" || got.Amount != 11000 || got.VAT != 1000 || got.AppliedAt == 0 {
		s.Errorf("the receipt is %+v", got)
	}
}

// TestOtherAttempts asks for what is not of the attempt that is current by then, as
// when another one begins between reading and asking: nothing is sent to the PG.
func TestOtherAttempts(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	s.issue("main", "order-1")
	s.deposit(tossKey, "order-1")
	s.issue("main", "order-2")
	s.pg = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the PG is asked: %s", r.URL) })
	c := action.Caller{Merchant: acme, Store: mainStore, Mode: merchant.Test}
	if _, _, err := s.api.Actions.Cancel(t.Context(), c, "order-1", action.CancelRequest{
		Attempt: "another", CancelRequest: payment.CancelRequest{Reason: "변심"},
		Account: &provider.RefundAccount{Bank: "WOORI", Number: "1002", Holder: "홍길동"},
	}); !errors.Is(err, payment.ErrNotPaid) {
		t.Errorf("Cancel of another attempt = %v", err)
	}
	if _, _, err := s.api.Actions.CloseAttempt(t.Context(), c, "order-2", "another"); !errors.Is(err, payment.ErrNotWaiting) {
		t.Errorf("CloseAttempt of another attempt = %v", err)
	}
}
