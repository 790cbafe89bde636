package payment_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/payment"
)

// wordy is a window that says things of its own.
func wordy(id string) payment.Checkout {
	c := window(id)
	vat := int64(len(id))
	c.CustomData, c.NoticeURLs, c.VAT = "data "+id, []string{"https://shop.example/" + id}, &vat
	return c
}

// saidBy fails unless a payment is described as a window did.
func saidBy(t *testing.T, what string, p payment.Payment, c payment.Checkout) {
	t.Helper()
	got := payment.Words{OrderName: p.OrderName, Customer: p.Customer, CustomData: p.CustomData, NoticeURLs: p.NoticeURLs, VAT: p.VAT}
	want := payment.Words{OrderName: c.OrderName, Customer: c.Customer, CustomData: c.CustomData, NoticeURLs: c.NoticeURLs, VAT: c.VAT}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: the payment is not as its window said (-want +got): %s", what, d)
	}
}

func deposits(t *testing.T, p payment.Payment, order string, number payment.Account) payment.Payment {
	t.Helper()
	d := p.Decide(payment.Report{
		Event: payment.EventDeposited, PGOrder: order, Key: "key-" + order, Channel: "channel-1", Account: number.Number, Amount: p.Amount, HasAmount: true, At: opened.Add(time.Hour),
	}, numbered(opened.Add(time.Hour)))
	if d.Payment.State != payment.Paid {
		t.Fatalf("the deposit is %s (%s)", d.Verdict, d.Reason)
	}
	return d.Payment
}

// TestWordsOfThePayingWindow: whoever opens a window first, or acts in one beside the
// buyer who pays, says nothing of what that buyer paid for.
func TestWordsOfThePayingWindow(t *testing.T) {
	t.Parallel()
	squat, buyer, late := wordy("1"), wordy("22"), wordy("333")
	p := open(t, nil, squat)
	saidBy(t, "opened", p, squat)
	p = open(t, &p, buyer)
	saidBy(t, "opened again", p, squat)
	p = issue(t, act(t, p, buyer, opened), buyer, opened)
	saidBy(t, "issued", p, buyer)

	// Another window has an account issued, too; then money comes to the first.
	late.Begun = p.Begun()
	other, _, err := payment.Begin(&p, func() payment.Registration { g := late.Registration(p); g.Order = "order-1R2"; return g }(), numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	saidBy(t, "another acts", other, late)
	if seen := buyer.Seen(other); seen.Transactions[0].Words != nil || seen.CustomData != buyer.CustomData {
		t.Errorf("the buyer's window sees %+v", seen)
	}
	saidBy(t, "and its PG says no", must(other.IssueRefused(late.Transaction, "no", numbered(opened)))(t), buyer)
	d, err := other.IssueDone(late.Transaction, payment.Issuance{Account: payment.Account{Bank: "IBK", Number: "777"}}, numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	saidBy(t, "and has an account", d.Payment, late)
	saidBy(t, "paid by the first", deposits(t, d.Payment, "order-1", *d.Payment.Transactions[1].Account), buyer)
	saidBy(t, "paid by the other", deposits(t, d.Payment, "order-1R2", *d.Payment.Transactions[2].Account), late)
}

func must(d payment.Decision, err error) func(*testing.T) payment.Payment {
	return func(t *testing.T) payment.Payment {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return d.Payment
	}
}

// TestServersWords: what the merchant's server said of an order stays, whichever window
// is paid in, and wherever it comes among them.
func TestServersWords(t *testing.T) {
	t.Parallel()
	one, two := wordy("1"), wordy("22")
	begun := issue(t, act(t, open(t, nil, one), one, opened), one, opened)
	issued, at, err := payment.Begin(&begun, func() payment.Registration { g := server(10000); g.Order = "order-1R2"; return g }(), numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	g := server(10000)
	g.Order, g.Account = "order-1R2", payment.Account{Number: "9876543210"}
	registered, _, err := payment.Register(&begun, g, numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]payment.Payment{
		"issued":     must(issued.IssueRefused(at.ID, "no", numbered(opened)))(t),
		"registered": registered,
	} {
		if paid := deposits(t, p, "order-1", *p.Transactions[0].Account); p.OrderName != "배" || paid.OrderName != "배" || paid.Current != 0 || len(paid.NoticeURLs) != 0 || paid.CustomData != "" {
			t.Errorf("%s: the payment is %q, and paid in the window %+v", name, p.OrderName, paid)
		}
	}
	failed := must(issued.IssueRefused(at.ID, "no", numbered(opened)))(t)
	two.Begun = failed.Begun()
	if p := act(t, open(t, &failed, two), two, opened); p.OrderName != "배" || p.CustomData != "" || p.Transactions[p.Current].Words != nil {
		t.Errorf("a window after the server: %+v", p)
	}
}
