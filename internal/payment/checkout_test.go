package payment_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// numbered makes ids in their order, and a time.
func numbered(at time.Time) payment.Env {
	n := 0
	return payment.Env{Now: at, NewID: func() string { n++; return "id-" + strconv.Itoa(n) }}
}

var opened = time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)

// window is one of a shop's page for 10,000 won.
func window(id string) payment.Checkout {
	return payment.Checkout{
		ID: payment.CheckoutID("window-" + id), Merchant: "merchant-1", Store: "store-1", Mode: merchant.Test, Channel: "channel-1", PaymentID: "order-1",
		Transaction: payment.TransactionID("tx-" + id), CreatedAt: opened, ExpiresAt: opened.Add(payment.CheckoutLife),
		Asked: payment.Asked{Amount: payment.Won(10000), OrderName: "사과 " + id, Customer: payment.Customer{Name: "김 " + id}, Method: payment.VirtualAccount},
	}
}

// open opens a window for a payment.
func open(t *testing.T, known *payment.Payment, c payment.Checkout) payment.Payment {
	t.Helper()
	p, _, err := payment.Open(known, c, numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// act begins the attempt of a window.
func act(t *testing.T, p payment.Payment, c payment.Checkout, at time.Time) payment.Payment {
	t.Helper()
	if err := p.MayPay(c, at); err != nil {
		t.Fatal(err)
	}
	p, _, err := payment.Begin(&p, c.Registration(p), numbered(at))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func issue(t *testing.T, p payment.Payment, c payment.Checkout, at time.Time) payment.Payment {
	t.Helper()
	d, err := p.IssueDone(c.Transaction, payment.Issuance{Account: payment.Account{Bank: "KOOKMIN", Number: "1234567890", ExpiresAt: at.Add(time.Hour)}}, numbered(at))
	if err != nil {
		t.Fatal(err)
	}
	return d.Payment
}

// server is what the merchant's own server asks for.
func server(amount int64) payment.Registration {
	return payment.Registration{
		Merchant: "merchant-1", Store: "store-1", Channel: "channel-1", Mode: merchant.Test, ID: "order-1", OrderName: "배", Amount: payment.Won(amount),
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	one := window("1")
	p := open(t, nil, one)
	if p.State != payment.Ready || p.OrderName != "사과 1" || !p.OnlyOpened() || p.Begun() != 0 || p.Outstanding() || p.Unfinished() || !p.Deadline().IsZero() {
		t.Errorf("the opened payment is %+v", p)
	}
	if keys := p.MatchKeys(); len(keys) != 0 {
		t.Errorf("notices find it by %v, though no PG knows of it", keys)
	}
	if tr := p.Opened(); tr.Change != payment.ChangeReady || tr.Transaction != one.Transaction {
		t.Errorf("its transition is %+v", tr)
	}
	// A later window writes nothing into it, whatever it says of itself.
	two := window("2")
	again, made, err := payment.Open(&p, two, numbered(opened))
	if err != nil || made {
		t.Fatalf("Open = %v, %v", made, err)
	}
	if d := cmp.Diff(p, again); d != "" {
		t.Errorf("the second window changed it: %s", d)
	}
}

func TestOpenRefused(t *testing.T) {
	t.Parallel()
	p := open(t, nil, window("1"))
	paid := p
	paid.State = payment.Paid
	worn := p
	for i := range payment.MaxWindowAttempts {
		worn.Transactions = append(slices.Clip(worn.Transactions),
			payment.Transaction{ID: payment.TransactionID(strconv.Itoa(i)), Checkout: "x", State: payment.Failed})
	}
	for name, x := range map[string]struct {
		known payment.Payment
		edit  func(*payment.Checkout)
		want  error
	}{
		"a paid payment":       {paid, func(*payment.Checkout) {}, payment.ErrAlreadyPaid},
		"another amount":       {p, func(c *payment.Checkout) { c.Amount.Amount++ }, payment.ErrOtherAmount},
		"another currency":     {p, func(c *payment.Checkout) { c.Amount.Currency = "USD" }, payment.ErrOtherAmount},
		"another tax-free sum": {p, func(c *payment.Checkout) { c.TaxFree = 1 }, payment.ErrOtherAmount},
		"a worn out payment":   {worn, func(*payment.Checkout) {}, payment.ErrTooManyTransactions},
	} {
		c := window("2")
		x.edit(&c)
		if _, _, err := payment.Open(&x.known, c, numbered(opened)); !errors.Is(err, x.want) {
			t.Errorf("%s: Open = %v, want %v", name, err, x.want)
		}
	}
}

// TestLiveGoesFirst: a live window has the order that windows of test channels had, as
// long as nobody acted in one; the other way round nothing changes.
func TestLiveGoesFirst(t *testing.T) {
	t.Parallel()
	test, live := window("1"), window("2")
	live.Mode, live.Amount, live.Channel, live.CreatedAt = merchant.Live, payment.Won(20000), "channel-2", opened.Add(time.Hour)
	was := open(t, nil, test)
	left, err := was.Leave(test, numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	for name, known := range map[string]payment.Payment{"an open window": was, "a window that was left": left.Payment} {
		p, made, err := payment.Open(&known, live, numbered(opened.Add(time.Hour)))
		at, _ := p.Transaction()
		if err != nil || !made || p.Mode != merchant.Live || p.Amount != live.Amount || p.OrderName != live.OrderName || p.State != payment.Ready || !p.FailedAt.IsZero() || at.ID != live.Transaction {
			t.Fatalf("over %s: %+v, %v, %v", name, p, made, err)
		}
		if p.Key != known.Key || !p.RequestedAt.Equal(known.RequestedAt) || !p.OnlyOpened() || p.Opened().Transaction != live.Transaction {
			t.Errorf("over %s: %+v", name, p)
		}
		// The test window sees that it is over, and can neither pay nor leave any more.
		if s := test.Stands(p, opened); s.Outcome.Code != payment.CodeOvertaken || !errors.Is(p.MayPay(test, opened), payment.ErrOtherMode) {
			t.Errorf("the test window stands at %+v, and may pay: %v", s, p.MayPay(test, opened))
		}
		if d, err := p.Leave(test, numbered(opened)); err != nil || d.Changed {
			t.Errorf("leaving the test window: %+v, %v", d, err)
		}
		if again, made, err := payment.Open(&p, test, numbered(opened)); !errors.Is(err, payment.ErrOtherMode) || made || again.Mode != merchant.Live {
			t.Errorf("another test window = %v, %v", made, err)
		}
		p = act(t, p, live, opened)
		if len(p.Transactions) != 2 || p.Begun() != 1 {
			t.Errorf("the live window's buyer acts: %+v", p)
		}
	}
	begun := act(t, was, test, opened)
	if _, made, err := payment.Open(&begun, live, numbered(opened)); !errors.Is(err, payment.ErrOtherMode) || made {
		t.Errorf("over a test window whose buyer acted: %v, %v", made, err)
	}
}

// TestWindowTakesUp has the buyer of the window act that made the payment.
func TestWindowTakesUp(t *testing.T) {
	t.Parallel()
	c := window("1")
	p := open(t, nil, c)
	at := opened.Add(time.Minute)
	p = act(t, p, c, at)
	if len(p.Transactions) != 1 || p.Transactions[0].ID != c.Transaction || p.Transactions[0].Opened || !p.Outstanding() || p.Begun() != 1 || len(p.MatchKeys()) != 1 {
		t.Fatalf("the begun payment is %+v", p)
	}
	if err := p.MayPay(window("2"), at); !errors.Is(err, payment.ErrOvertaken) {
		t.Errorf("another window while it is under way: %v", err)
	}
	if s := c.Stands(p, at); !s.EndedAt.IsZero() {
		t.Errorf("the window has ended before the PG said anything: %+v", s)
	}
	p = issue(t, p, c, at)
	if s := c.Stands(p, at); s.EndedAt.IsZero() || s.Outcome != (payment.Outcome{}) {
		t.Errorf("once the account is issued, the window stands at %+v", s)
	}
	if s := window("2").Stands(p, at); s.Outcome.Code != payment.CodeOvertaken {
		t.Errorf("the other window stands at %+v", s)
	}
}

// TestWindowOfKnown has a window act on a payment that the merchant's server made: the
// payment keeps the words of its server.
func TestWindowOfKnown(t *testing.T) {
	t.Parallel()
	p, _, err := payment.Begin(nil, server(10000), numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.IssueRefused(p.Transactions[0].ID, "no", numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	c := window("1")
	c.Begun = d.Payment.Begun()
	got := act(t, open(t, &d.Payment, c), c, opened.Add(time.Minute))
	if got.OrderName != "배" || got.Customer.Name != "" || len(got.Transactions) != 2 || got.Current != 1 || got.Transactions[1].Checkout != c.ID {
		t.Errorf("the payment is %+v", got)
	}
	if seen := c.Seen(got); seen.OrderName != "사과 1" || len(seen.Transactions) != 1 || seen.Transactions[0].ID != c.Transaction {
		t.Errorf("the window sees %+v", seen)
	}
}

func TestMayPayRefused(t *testing.T) {
	t.Parallel()
	p := open(t, nil, window("1"))
	ended := window("1")
	ended.EndedAt = opened
	for name, x := range map[string]struct {
		c    payment.Checkout
		at   time.Time
		want error
	}{
		"an ended window":              {ended, opened, payment.ErrCheckoutEnded},
		"the moment its time is over":  {window("1"), opened.Add(payment.CheckoutLife), payment.ErrCheckoutExpired},
		"the moment before that":       {window("1"), opened.Add(payment.CheckoutLife - 1), nil},
		"a window of the same payment": {window("2"), opened, nil},
	} {
		if err := p.MayPay(x.c, x.at); !errors.Is(err, x.want) {
			t.Errorf("%s: MayPay = %v, want %v", name, err, x.want)
		}
	}
}

// TestServersAccount: the account that the merchant's server had issued stays what the
// payment waits for, whoever opens windows; one that a window had issued may be followed
// by another.
func TestServersAccount(t *testing.T) {
	t.Parallel()
	g := server(10000)
	g.Account = payment.Account{Number: "9876543210"}
	p, _, err := payment.Register(nil, g, numbered(opened))
	if err != nil {
		t.Fatal(err)
	}
	c := window("1")
	c.Begun = p.Begun()
	if err := open(t, &p, c).MayPay(c, opened); !errors.Is(err, payment.ErrServerIssued) {
		t.Errorf("beside the server's account: %v", err)
	}
	one, two := window("1"), window("2")
	p = issue(t, act(t, open(t, nil, one), one, opened), one, opened)
	two.Begun = p.Begun()
	if got := act(t, p, two, opened); got.Begun() != 2 || got.Transactions[0].State != payment.Issued {
		t.Errorf("beside a window's account: %+v", got)
	}
}

// TestSlowAnswer: a window whose buyer acted just in time waits for what comes of it.
func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	c := window("1")
	last := c.ExpiresAt.Add(-time.Second)
	p := act(t, open(t, nil, c), c, last)
	if s := c.Stands(p, c.ExpiresAt.Add(time.Minute)); !s.EndedAt.IsZero() {
		t.Errorf("while the PG is asked it stands at %+v", s)
	}
	if s := c.Stands(p, last.Add(5*time.Minute)); s.Outcome.Code != payment.CodeUnclear {
		t.Errorf("long after that it stands at %+v", s)
	}
	if s := c.Stands(issue(t, p, c, last), c.ExpiresAt.Add(time.Minute)); s.EndedAt.IsZero() || s.Outcome.Code != "" {
		t.Errorf("once the account is there it stands at %+v", s)
	}
}

func TestLeave(t *testing.T) {
	t.Parallel()
	c := window("1")
	p := open(t, nil, c)
	d, err := p.Leave(c, numbered(opened))
	if err != nil || d.Payment.State != payment.Failed || len(d.Transitions) != 1 || d.Transitions[0].Change != payment.ChangeFailed || d.Payment.Begun() != 0 {
		t.Fatalf("Leave = %+v, %v", d, err)
	}
	if again, err := d.Payment.Leave(c, numbered(opened)); err != nil || again.Changed {
		t.Errorf("a second Leave = %+v, %v", again, err)
	}
	if other, err := p.Leave(window("2"), numbered(opened)); err != nil || other.Changed {
		t.Errorf("Leave of a window that made nothing = %+v, %v", other, err)
	}
	if _, err := act(t, p, c, opened).Leave(c, numbered(opened)); !errors.Is(err, payment.ErrUnderWay) {
		t.Errorf("Leave while the PG is asked: %v", err)
	}
	// The buyer comes back in another window.
	back := act(t, d.Payment, window("2"), opened)
	if back.State != payment.Ready || back.Current != 1 || back.Begun() != 1 {
		t.Errorf("the payment is %+v", back)
	}
}

// TestServerGoesFirst has the merchant's server say what a payment is that a window was
// opened for, by whoever knew public ids.
func TestServerGoesFirst(t *testing.T) {
	t.Parallel()
	squatted := window("1")
	squatted.Amount, squatted.Mode = payment.Won(1), merchant.Live
	p := open(t, nil, squatted)
	t.Run("by an issue", func(t *testing.T) {
		t.Parallel()
		got, at, err := payment.Begin(&p, server(10000), numbered(opened))
		if err != nil || got.Amount != payment.Won(10000) || got.Mode != merchant.Test || got.OrderName != "배" || got.Transactions[got.Current].ID != at.ID || at.Order != "order-1" {
			t.Errorf("Begin = %+v, %v", got, err)
		}
		if got.Transactions[0].State != payment.Failed {
			t.Errorf("the opened attempt is %s", got.Transactions[0].State)
		}
		if s := squatted.Stands(got, opened); s.Outcome.Code != payment.CodeOvertaken {
			t.Errorf("the window stands at %+v", s)
		}
	})
	t.Run("by a registration", func(t *testing.T) {
		t.Parallel()
		g := server(10000)
		g.Account = payment.Account{Number: "9876543210"}
		got, changed, err := payment.Register(&p, g, numbered(opened))
		if err != nil || !changed || got.State != payment.Issued || got.Amount != payment.Won(10000) || got.OrderName != "배" || len(got.Transactions) != 2 {
			t.Errorf("Register = %+v, %v, %v", got, changed, err)
		}
	})
	t.Run("by a pre-registration", func(t *testing.T) {
		t.Parallel()
		amount := int64(10000)
		pin := payment.Pin{Amount: &amount}
		if keep, err := payment.Preregister(&p, pin); !keep || err != nil {
			t.Errorf("Preregister = %v, %v", keep, err)
		}
		if got, changed := pin.Over(p); !changed || got.Amount != payment.Won(10000) || p.Amount != payment.Won(1) {
			t.Errorf("Over = %+v, %v", got, changed)
		}
	})
	t.Run("by a schedule", func(t *testing.T) {
		t.Parallel()
		if err := payment.CheckSchedule(&p, payment.Schedule{Mode: merchant.Test, Amount: payment.Won(10000)}); err != nil {
			t.Errorf("CheckSchedule = %v", err)
		}
	})
	t.Run("not once a PG was asked", func(t *testing.T) {
		t.Parallel()
		begun := act(t, p, squatted, opened)
		if _, _, err := payment.Begin(&begun, server(10000), numbered(opened)); !fault.Is(err, fault.Conflict) {
			t.Errorf("Begin = %v", err)
		}
	})
}
