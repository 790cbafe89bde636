package payment_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// unknown is a PG that knows nothing of the charge, asked after so many minutes.
func unknown(minutes int) move {
	return stands("unknown", payment.Standing{AskedAt: at(minutes)})
}

// TestChargeGivenUp: what was given up without the PG's own no is not final, and what
// the PG calls paid is.
func TestChargeGivenUp(t *testing.T) {
	t.Parallel()
	took := stands("paid", payment.Standing{State: payment.Paid, PGTx: "pg-1", Amount: payment.Won(1000), HasAmount: true})
	back := stands("taken back", payment.Standing{State: payment.Cancelled})
	const pending, failed, paid = payment.ChangePayPending, payment.ChangeFailed, payment.ChangePaid
	for _, c := range []struct {
		moves  []move
		want   payment.State
		told   []payment.Change
		listed bool
	}{
		{[]move{unclear, unknown(3), unclear}, payment.PayPending, []payment.Change{pending, failed, pending}, false},
		{[]move{unclear, unknown(3), unclear, unknown(8)}, payment.PayPending, []payment.Change{pending, failed, pending}, false},
		{[]move{unclear, unknown(3), unclear, unknown(9)}, payment.Failed, []payment.Change{pending, failed, pending, failed}, false},
		{[]move{unclear, unknown(3), unclear, done}, payment.Paid, []payment.Change{pending, failed, pending, paid}, false},
		{[]move{unclear, unknown(3), refused, unclear}, payment.Failed, []payment.Change{pending, failed}, false},
		{[]move{unclear, unknown(3), took}, payment.Paid, []payment.Change{pending, failed, paid}, false},
		{[]move{unclear, unknown(3), notice(payment.EventApproved), done}, payment.Paid, []payment.Change{pending, failed, paid}, false},
		{[]move{refused, took}, payment.Paid, []payment.Change{failed, paid}, false},
		{[]move{refused, notice(payment.EventApproved)}, payment.Paid, []payment.Change{failed, paid}, false},
		{[]move{unclear, stands("known", payment.Standing{State: payment.Ready, AskedAt: at(600)})}, payment.PayPending, []payment.Change{pending}, false},
		{[]move{unclear, stands("odd", payment.Standing{State: payment.PayPending, AskedAt: at(600)})}, payment.PayPending, []payment.Change{pending}, false},
		{[]move{notice(payment.EventCancelled), done}, payment.Failed, []payment.Change{failed}, true},
		{[]move{unclear, notice(payment.EventCancelled), unclear, done}, payment.Failed, []payment.Change{pending, failed}, true},
		{[]move{unclear, back, took, notice(payment.EventApproved), done}, payment.Failed, []payment.Change{pending, failed}, true},
		{[]move{unclear, unknown(3), notice(payment.EventCancelled), unclear, done}, payment.Failed, []payment.Change{pending, failed}, true},
	} {
		p, id := charging(t, nil)
		name, listed := "", false
		var told []payment.Change
		for i, m := range c.moves {
			name += " " + m.name
			d, err := m.do(p, id, env(4+i))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, tr := range d.Transitions {
				told = append(told, tr.Change)
			}
			p, listed = d.Payment, d.Listed
		}
		if p.State != c.want || !cmp.Equal(told, c.told) || listed != c.listed {
			t.Errorf("%s: %s, %v, listed %v; want %s, %v, %v", name, p.State, told, listed, c.want, c.told, c.listed)
		}
		if why := p.Transactions[0].Charge.Failure; (why == nil) != (p.State != payment.Failed) || p.Outstanding() != (c.want == payment.PayPending) {
			t.Errorf("%s: failed for %v, outstanding %v", name, why, p.Outstanding())
		}
	}
}

// TestChargeBesideAnAccount: a charge that ends without money gives way to the account
// that waits, however it ended; money that it took all the same counts, or is listed.
func TestChargeBesideAnAccount(t *testing.T) {
	t.Parallel()
	for _, m := range []move{refused, notice(payment.EventFailed), notice(payment.EventCancelled), unknown(10)} {
		for _, first := range [][]move{nil, {unclear}} {
			p, id := charging(t, new(waiting()))
			for i, b := range append(first, m) {
				d, err := b.do(p, id, env(1+i))
				if err != nil {
					t.Fatal(err)
				}
				p = d.Payment
			}
			if c := p.Transactions[1]; p.State != payment.Issued || p.Current != 0 || c.State != payment.Failed || c.Charge.Failure == nil {
				t.Fatalf("%s: %s, current %d, %+v", m.name, p.State, p.Current, c)
			}
			paid := p.Decide(deposited(5, deposit("d-1")), env(5))
			if paid.Verdict != payment.Applied || paid.Payment.Current != 0 {
				t.Errorf("a deposit after %s is %s", m.name, paid.Verdict)
			}
			late := notice(payment.EventApproved)
			if m.name == string(payment.EventCancelled) {
				late = done
			}
			twice, err := late.do(paid.Payment, id, env(6))
			if err != nil || !twice.Listed || len(twice.Transitions) != 0 || twice.Payment.Current != 0 || twice.Payment.State != payment.Paid {
				t.Errorf("%s after %s and a deposit: listed %v, %+v, %v", late.name, m.name, twice.Listed, twice.Transitions, err)
			}
			if m.name == string(payment.EventCancelled) {
				continue
			}
			alone, err := late.do(p, id, env(6))
			if err != nil || alone.Payment.State != payment.Paid || alone.Payment.Current != 1 || len(alone.Transitions) != 1 {
				t.Errorf("%s after %s: %s, %+v, %v", late.name, m.name, alone.Payment.State, alone.Transitions, err)
			}
		}
	}
	// What was given up is pending again beside the account, and nothing else begins.
	p, id := charging(t, new(waiting()))
	gone, _ := unknown(3).do(p, id, env(3))
	lost, err := unclear.do(gone.Payment, id, env(4))
	if err != nil || lost.Payment.State != payment.Issued || lost.Payment.Transactions[1].State != payment.PayPending || len(lost.Transitions) != 0 {
		t.Errorf("lost after it was given up: %+v, %v", lost.Payment, err)
	}
	if _, _, err := payment.BeginCharge(&lost.Payment, payment.Registration{ID: "order-1", Mode: "test", Amount: payment.Won(1000)}, payment.Charge{}, env(5)); !errors.Is(err, payment.ErrUnderWay) {
		t.Errorf("charged beside it: %v", err)
	}
	// Of another payment at the PG, or of other money, a notice says nothing of it.
	for _, r := range []payment.Report{
		{Event: payment.EventApproved, PGOrder: "card-2", PGTx: "pg-2", Amount: payment.Won(1000), HasAmount: true, OtherMethod: true},
		{Event: payment.EventApproved, PGOrder: "card-1", PGTx: "pg-1", Amount: payment.Won(1), HasAmount: true, OtherMethod: true},
		{Event: payment.EventPartiallyCancelled, PGOrder: "card-1", PGTx: "pg-1", Amount: payment.Won(1), HasAmount: true, OtherMethod: true},
	} {
		if d := gone.Payment.Decide(r, env(5)); d.Changed || d.Verdict == payment.Applied {
			t.Errorf("%s of %s, %v: %s", r.Event, r.PGOrder, r.Amount, d.Verdict)
		}
	}
}

// TestRegisterBesideACharge: an account that is registered for the charge's own order
// at the PG is another attempt, and none is added while the charge has not ended.
func TestRegisterBesideACharge(t *testing.T) {
	t.Parallel()
	g := registration(func(g *payment.Registration) { g.Order = "card-1" })
	begun, id := charging(t, nil)
	pending, _ := unclear.do(begun, id, env(1))
	for _, p := range []payment.Payment{begun, pending.Payment} {
		if _, changed, err := payment.Register(&p, g, env(2)); !errors.Is(err, payment.ErrUnderWay) || changed {
			t.Errorf("beside a charge that is %s: %v", p.State, err)
		}
	}
	failed, _ := refused.do(begun, id, env(1))
	p, _, err := payment.Register(&failed.Payment, g, env(2))
	if err != nil || len(p.Transactions) != 2 || p.Transactions[0].Account != nil || p.Transactions[0].State != payment.Failed || p.Current != 1 {
		t.Errorf("after a charge that failed: %+v, %v", p.Transactions, err)
	}
	paid, _ := done.do(begun, id, env(1))
	if _, _, err := payment.Register(&paid.Payment, g, env(2)); !fault.Is(err, fault.Conflict) {
		t.Errorf("after one that is paid: %v", err)
	}
	// An issue that began before the charge learns its account; the charge goes on.
	p, _, err = payment.Begin(nil, payment.Registration{ID: "order-1", Channel: "channel-1", Mode: "test", Amount: payment.Won(1000)}, env(0))
	if err != nil {
		t.Fatal(err)
	}
	p.Transactions[0].ID = "tx-1" // env gives both the same
	p, id = charging(t, &p)
	p, _, err = payment.Register(&p, registration(), env(1))
	if err != nil || p.State != payment.Ready || p.Current != 1 || p.Transactions[0].State != payment.Issued {
		t.Fatalf("the account of an earlier issue: %s, current %d, %v", p.State, p.Current, err)
	}
	if d, err := refused.do(p, id, env(2)); err != nil || d.Payment.State != payment.Issued || d.Payment.Current != 0 {
		t.Errorf("and the charge is refused: %s, %v", d.Payment.State, err)
	}
}

// TestIssueUndecided: an issue of which the PG says what nothing follows from goes on.
func TestIssueUndecided(t *testing.T) {
	t.Parallel()
	p, tx, err := payment.Begin(nil, payment.Registration{ID: "order-1", Channel: "channel-1", Mode: "test", Amount: payment.Won(1000)}, env(0))
	if err != nil {
		t.Fatal(err)
	}
	s := payment.Standing{State: payment.PayPending, PGTx: "pg-1", Account: payment.Account{Number: number}, AskedAt: at(600)}
	if d := p.Stands(tx.ID, s, env(600), 0); d.Changed || !d.Payment.Outstanding() {
		t.Errorf("it is %s", d.Payment.State)
	}
}
