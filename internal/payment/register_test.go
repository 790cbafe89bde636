package payment_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// registration is that of the story's payment.
func registration(edits ...func(*payment.Registration)) payment.Registration {
	g := payment.Registration{
		Channel: "channel-1", Mode: "test", ID: "order-1", OrderName: "텀블러", Amount: payment.Won(1000),
		Account: payment.Account{Bank: "SHINHAN", Number: number, ExpiresAt: at(60)},
	}
	for _, edit := range edits {
		edit(&g)
	}
	return g
}

func register(t *testing.T, known *payment.Payment, g payment.Registration) payment.Payment {
	t.Helper()
	p, _, err := payment.Register(known, g, env(1))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRegister(t *testing.T) {
	t.Parallel()
	first := register(t, nil, registration())
	paid := first.Decide(deposited(5), env(5)).Payment
	closed := first.Decide(report(payment.EventCancelled, 5), env(5)).Payment
	ready := waiting(inState(payment.Ready), withoutAccount)
	other := func(g *payment.Registration) { g.Account.Number = "222" }
	for _, c := range []struct {
		name    string
		known   payment.Payment
		g       payment.Registration
		changed bool
		kind    fault.Kind
		txs     int
		state   payment.State
	}{
		{"the same again", first, registration(), false, 0, 1, payment.Issued},
		{"the same again, written with dashes", first, registration(func(g *payment.Registration) { g.Account.Number = "110123456789" }), false, 0, 1, payment.Issued},
		{"the same again, after it was paid", paid, registration(), false, 0, 1, payment.Paid},
		{"what was left out before", first, registration(func(g *payment.Registration) { g.Secret, g.PGTx = "ps_1", "pg-1" }), true, 0, 1, payment.Issued},
		{"another amount", first, registration(func(g *payment.Registration) { g.Amount = payment.Won(999) }), false, fault.Conflict, 0, ""},
		{"another currency", first, registration(func(g *payment.Registration) { g.Amount.Currency = "USD" }), false, fault.Conflict, 0, ""},
		{"the other mode", first, registration(func(g *payment.Registration) { g.Mode = "live" }), false, fault.Conflict, 0, ""},
		{"another account", first, registration(other), true, 0, 2, payment.Issued},
		{"another channel", first, registration(func(g *payment.Registration) { g.Channel = "channel-2" }), true, 0, 2, payment.Issued},
		{"another order at the PG", first, registration(func(g *payment.Registration) { g.Order = "pg-order-2" }), true, 0, 2, payment.Issued},
		{"another account of a paid payment", paid, registration(other), false, fault.Conflict, 0, ""},
		{"another account of a failed payment", closed, registration(other), true, 0, 2, payment.Issued},
		{"the account of a ready payment", ready, registration(), true, 0, 1, payment.Issued},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := c.known
			before.Transactions = slices.Clone(before.Transactions)
			p, changed, err := payment.Register(&c.known, c.g, env(30))
			if !cmp.Equal(before, c.known) {
				t.Errorf("the known payment was changed:\n%s", cmp.Diff(before, c.known))
			}
			if c.kind != 0 {
				if !fault.Is(err, c.kind) {
					t.Fatalf("Register = %v, want a %v", err, c.kind)
				}
				return
			}
			if err != nil || changed != c.changed {
				t.Fatalf("Register = changed %v, %v; want %v", changed, err, c.changed)
			}
			if len(p.Transactions) != c.txs || p.State != c.state {
				t.Errorf("%d transactions, %s; want %d, %s", len(p.Transactions), p.State, c.txs, c.state)
			}
			if !c.changed && !cmp.Equal(c.known, p) {
				t.Errorf("changed all the same:\n%s", cmp.Diff(c.known, p))
			}
			again, changed, err := payment.Register(&p, c.g, env(31))
			if changed || err != nil || !cmp.Equal(p, again) {
				t.Errorf("the same registration again: changed %v, %v", changed, err)
			}
		})
	}
}

func TestRegisterDefaults(t *testing.T) {
	t.Parallel()
	p := register(t, nil, registration())
	tx := p.Transactions[0]
	if tx.Order != "order-1" || tx.Account.Type != payment.Normal || !tx.Account.IssuedAt.Equal(at(1)) || p.State != payment.Issued {
		t.Errorf("registered as %+v with account %+v", tx, tx.Account)
	}
	if !p.Deadline().Equal(at(60)) {
		t.Errorf("Deadline() = %v, want %v", p.Deadline(), at(60))
	}
	if got := p.Decide(deposited(5), env(5)).Payment.Deadline(); !got.IsZero() {
		t.Errorf("a paid payment's deadline is %v", got)
	}
}

func TestAllOpenAccountsAreMatchable(t *testing.T) {
	t.Parallel()
	p := register(t, nil, registration())
	p = register(t, &p, registration(func(g *payment.Registration) { g.Account.Number, g.Order = "222", "order-1b" }))
	for _, c := range []struct {
		r    payment.Report
		want int
	}{{deposited(5), 0}, {deposited(5, on("222")), 1}} {
		d := p.Decide(c.r, env(5))
		if d.Verdict != payment.Applied || d.Payment.Current != c.want {
			t.Errorf("deposit on %s: %s, transaction %d, want %d", c.r.Account.Reveal(), d.Verdict, d.Payment.Current, c.want)
		}
	}
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	g := registration(func(g *payment.Registration) { g.Order, g.Account = "order-1", payment.Account{} })
	for _, c := range []struct {
		name string
		r    payment.Report
		g    payment.Registration
	}{
		{"cancelled", report(payment.EventCancelled, 1), g},
		{"reversed", reversed(1), g},
		{"approved", report(payment.EventApproved, 1), g},
		{"no amount, although the bank enforces it", deposited(1, noAmount, enforced), g},
		{"an amount of nothing", deposited(1, won(0)), g},
		{"no order", deposited(1), registration(func(g *payment.Registration) { g.Order = "" })},
	} {
		if _, err := payment.Adopt(c.r, c.g, env(1)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Adopt = %v, want fault.Invalid", c.name, err)
		}
	}
	r := deposited(1, deposit("D1"))
	p, err := payment.Adopt(r, g, env(1))
	if err != nil || !p.Adopted || p.State != payment.Issued || p.Amount != payment.Won(1000) {
		t.Fatalf("Adopt = %+v, %v", p, err)
	}
	p = p.Decide(r, env(1)).Payment
	if p.State != payment.Paid {
		t.Fatalf("the adopted payment is %s", p.State)
	}
	later := registration(func(g *payment.Registration) {
		g.Account.Type, g.Account.Holder = payment.FixedUnlimited, "가나상점"
	})
	attached, changed, err := payment.Register(&p, later, env(9))
	if err != nil || !changed || attached.Adopted || attached.OrderName != "텀블러" || attached.State != payment.Paid || len(attached.Transactions) != 1 {
		t.Errorf("attached as %+v, %v, %v", attached, changed, err)
	}
	if a := attached.Transactions[0].Account; a.Type != payment.FixedUnlimited || a.Holder != "가나상점" || !a.ExpiresAt.Equal(at(60)) {
		t.Errorf("the adopted account is %+v", a)
	}
	if _, _, err := payment.Register(&p, registration(func(g *payment.Registration) { g.Amount = payment.Won(1) }), env(9)); !fault.Is(err, fault.Conflict) {
		t.Errorf("registering another amount: %v, want fault.Conflict", err)
	}
}

func TestRegisterBoundsAttempts(t *testing.T) {
	g := payment.Registration{ID: "o-1", Amount: payment.Won(1000), Mode: "test", Channel: "c", Account: payment.Account{Number: "1"}}
	n := 0
	e := payment.Env{Now: time.Unix(1e9, 0), NewID: func() string { n++; return strconv.Itoa(n) }}
	p, _, err := payment.Register(nil, g, e)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2; i <= payment.MaxTransactions; i++ {
		g.Account.Number = secret.Account(strconv.Itoa(i))
		if p, _, err = payment.Register(&p, g, e); err != nil {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	if _, changed, err := payment.Register(&p, g, e); err != nil || changed {
		t.Errorf("the last attempt again: changed %v, %v", changed, err)
	}
	g.Account.Number = "one too many"
	if _, _, err := payment.Register(&p, g, e); !errors.Is(err, payment.ErrTooManyTransactions) {
		t.Errorf("one attempt too many: %v", err)
	}
}
