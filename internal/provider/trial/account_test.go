package trial_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

func TestClosed(t *testing.T) {
	t.Parallel()
	b, o := open(t, "kcp"), order("order1")
	b.issue(o)
	closing := provider.Closing{Query: provider.Query{Order: o.ID}}
	at, err := b.Close(t.Context(), b.access(), closing)
	if err != nil || !at.Equal(b.now) || b.stands(o.ID).State != payment.Failed {
		t.Errorf("Close = %v, %v; it stands at %s", at, err, b.stands(o.ID).State)
	}
	if _, err := b.deposit(o, 0); !fault.Is(err, fault.Conflict) {
		t.Errorf("a deposit after the close = %v", err)
	}
	if _, err := b.Close(t.Context(), b.access(), closing); code(err) != "TRIAL_NOT_WAITING" {
		t.Errorf("a second close = %v", err)
	}
	if _, err := b.refund(o, 1, 1, "r"); code(err) != "TRIAL_NOT_PAID" {
		t.Errorf("a refund of a closed account = %v", err)
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	b, o := open(t, "nice"), order("order1")
	b.issue(o)
	b.now = o.ExpiresAt
	if b.stands(o.ID).Expired {
		t.Error("it is expired at its deadline")
	}
	b.now = o.ExpiresAt.Add(time.Second)
	if s := b.stands(o.ID); !s.Expired || s.State != payment.Issued {
		t.Errorf("after its deadline it stands at %+v", s)
	}
	if _, err := b.deposit(o, 0); !fault.Is(err, fault.Conflict) {
		t.Errorf("a deposit after the deadline = %v", err)
	}
}

func TestOtherAmount(t *testing.T) {
	t.Parallel()
	b, o := open(t, "kcp"), order("order1")
	b.issue(o)
	for _, give := range []int64{-1} {
		if _, err := b.Deposit(t.Context(), b.access(), provider.Deposit{Order: o.ID, Give: payment.Won(give)}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a deposit of %d = %v", give, err)
		}
	}
	paid, err := b.deposit(o, 9000)
	if err != nil || paid.Amount != payment.Won(9000) || b.stands(o.ID).Amount != payment.Won(9000) {
		t.Errorf("Deposit = %+v, %v; it stands at %v", paid, err, b.stands(o.ID).Amount)
	}
	// Toss's banks take nothing but what was asked for, so its notice tells no amount.
	b = open(t, "tosspayments")
	b.issue(o)
	if _, err := b.deposit(o, 9000); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a deposit of another amount at Toss = %v", err)
	}
	if b.stands(o.ID).State != payment.Issued {
		t.Error("what the bank refused was booked")
	}
}

func TestFixed(t *testing.T) {
	t.Parallel()
	b := open(t, "settle")
	one, two := order("order1"), order("order2")
	one.Type, two.Type = payment.Fixed, payment.Fixed
	if err := b.CheckIssue(b.access().Channel, one); !fault.Is(err, fault.Invalid) {
		t.Errorf("a fixed account without a number = %v", err)
	}
	one.AccountID, two.AccountID = "customer-1", "customer-1"
	first, second := b.issue(one), b.issue(two)
	if first.Account.Number != second.Account.Number {
		t.Error("one id has two numbers")
	}
	if _, err := b.deposit(two, 0); err != nil || b.stands(one.ID).State != payment.Issued {
		t.Errorf("Deposit = %v; the other order stands at %s", err, b.stands(one.ID).State)
	}
	three := order("order3")
	three.Type, three.Number = payment.Fixed, "79012345678901"
	if got := b.issue(three).Account.Number; got != three.Number {
		t.Error("a number that the PG handed over is not kept")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := open(t, "ksnet")
	for name, edit := range map[string]func(*provider.Order){
		"another currency":                 func(o *provider.Order) { o.Amount.Currency = "USD" },
		"an order that no notice can tell": func(o *provider.Order) { o.ID = strings.Repeat("x", 90) },
	} {
		o := order("order1")
		edit(&o)
		if err := b.CheckIssue(b.access().Channel, o); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, to := range map[string]*provider.RefundAccount{
		"none": nil, "no bank": {Number: "1", Holder: "홍"}, "no number": {Bank: "KOOKMIN", Number: "-", Holder: "홍"},
		"letters": {Bank: "KOOKMIN", Number: "12a", Holder: "홍"}, "no holder": {Bank: "KOOKMIN", Number: "12"},
	} {
		if err := b.CheckRefund(b.access().Channel, provider.Refund{Account: to}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a refund account with %s: %v", name, err)
		}
	}
}

// TestElsewhere does what is done to accounts that were not issued here.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	b, o := open(t, "kcp"), order("order1")
	q := provider.Query{Order: o.ID, Account: "110123456789", Amount: o.Amount}
	if _, err := b.Inquire(t.Context(), b.access(), q); !fault.Is(err, fault.Unsupported) {
		t.Errorf("an inquiry = %v", err)
	}
	paid, err := b.Deposit(t.Context(), b.access(), provider.Deposit{
		Order: o.ID, PGTx: "20261102000001", Amount: o.Amount, Account: payment.Account{Bank: "SHINHAN", Number: "110123456789"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if told, err := b.Decode(paid.Notice); err != nil || told.Account != "110123456789" || told.PGTx != "20261102000001" {
		t.Errorf("the notice says %+v, %v", told, err)
	}
	// Of order2 a notice from elsewhere told; 4000 of it went back.
	if _, err := b.refund(order("order2"), 6001, 6000, "r1"); code(err) != "TRIAL_REFUND_TOO_MUCH" {
		t.Errorf("more than is left = %v", err)
	}
	if _, err := b.refund(order("order2"), 6000, 6000, "r2"); err != nil || b.stands("order2").State != payment.Cancelled {
		t.Errorf("Refund = %v; it stands at %s", err, b.stands("order2").State)
	}
	if _, err := b.Close(t.Context(), b.access(), provider.Closing{Query: provider.Query{Order: "order3"}}); err != nil {
		t.Errorf("Close = %v", err)
	}
}

// TestOddNames has somebody pay whose name no PG's bytes can hold: the money is told
// of all the same.
func TestOddNames(t *testing.T) {
	t.Parallel()
	for _, p := range all.Providers() {
		b, o := open(t, p.Info().Code), order("order1")
		o.Holder = "🍎 & <가게>"
		b.issue(o)
		paid, err := b.Deposit(t.Context(), b.access(), provider.Deposit{
			Order: o.ID, Amount: o.Amount, Depositor: "🍎똠방각하 & \\=" + strings.Repeat("긴이름", 100),
		})
		if err != nil {
			t.Errorf("%s: %v", p.Info().Code, err)
			continue
		}
		told, err := b.Decode(paid.Notice)
		if err != nil || told.Event != payment.EventDeposited || told.Order != o.ID || told.HasAmount && told.Amount != o.Amount {
			t.Errorf("%s tells %+v, %v", p.Info().Code, told, err)
		}
	}
}
