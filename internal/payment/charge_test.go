package payment_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
)

// charging is a payment of 1000 won whose charge has begun at noon.
func charging(t interface{ Fatal(...any) }, known *payment.Payment) (payment.Payment, payment.TransactionID) {
	p, tx, err := payment.BeginCharge(known, payment.Registration{ID: "order-1", Channel: "channel-1", Mode: "test", Amount: payment.Won(1000), Order: "card-1"},
		payment.Charge{BillingKey: "billing-key-1", Schedule: "s-1"}, env(0))
	if err != nil {
		t.Fatal(err)
	}
	return p, tx.ID
}

// A move is something that may become of a charge.
type move struct {
	name string
	do   func(payment.Payment, payment.TransactionID, payment.Env) (payment.Decision, error)
}

var (
	done = move{"done", func(p payment.Payment, id payment.TransactionID, e payment.Env) (payment.Decision, error) {
		return p.ChargeDone(id, payment.Taken{PGTx: "pg-1", Card: payment.Card{Number: "4242-42**-****-4242"}, At: e.Now}, e)
	}}
	refused = move{"refused", func(p payment.Payment, id payment.TransactionID, e payment.Env) (payment.Decision, error) {
		return p.ChargeRefused(id, payment.Failure{Reason: "한도초과", PGCode: "51", PGMessage: "한도초과"}, e)
	}}
	unclear = move{"unclear", func(p payment.Payment, id payment.TransactionID, e payment.Env) (payment.Decision, error) {
		return p.ChargeUnclear(id, "", e)
	}}
	notice = func(ev payment.Event) move {
		return move{string(ev), func(p payment.Payment, _ payment.TransactionID, e payment.Env) (payment.Decision, error) {
			return p.Decide(payment.Report{Event: ev, Key: "k", PGOrder: "card-1", PGTx: "pg-1", Amount: payment.Won(1000), HasAmount: true, At: e.Now, OtherMethod: true}, e), nil
		}}
	}
	stands = func(name string, s payment.Standing) move {
		return move{name, func(p payment.Payment, id payment.TransactionID, e payment.Env) (payment.Decision, error) {
			return p.Stands(id, s, e, 3*time.Minute), nil
		}}
	}
	part = payment.CancelRecord{PGID: "c-1", Amount: payment.Won(300)}
)

// TestChargeEnds is every way in which a charge ends, and what comes after.
func TestChargeEnds(t *testing.T) {
	t.Parallel()
	paidStanding := payment.Standing{State: payment.Paid, PGTx: "pg-1", Amount: payment.Won(1000), HasAmount: true}
	for _, c := range []struct {
		moves []move
		want  payment.State
		told  []payment.Change
		sched payment.ScheduleState
	}{
		{[]move{done}, payment.Paid, []payment.Change{payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{done, done}, payment.Paid, []payment.Change{payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{done, refused, unclear}, payment.Paid, []payment.Change{payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{refused}, payment.Failed, []payment.Change{payment.ChangeFailed}, payment.ScheduleFailed},
		{[]move{refused, refused, unclear}, payment.Failed, []payment.Change{payment.ChangeFailed}, payment.ScheduleFailed},
		{[]move{refused, done}, payment.Paid, []payment.Change{payment.ChangeFailed, payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{unclear}, payment.PayPending, []payment.Change{payment.ChangePayPending}, payment.SchedulePending},
		{[]move{unclear, unclear, done}, payment.Paid, []payment.Change{payment.ChangePayPending, payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{unclear, refused}, payment.Failed, []payment.Change{payment.ChangePayPending, payment.ChangeFailed}, payment.ScheduleFailed},
		{[]move{notice(payment.EventApproved), done}, payment.Paid, []payment.Change{payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{done, notice(payment.EventApproved)}, payment.Paid, []payment.Change{payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{unclear, notice(payment.EventFailed)}, payment.Failed, []payment.Change{payment.ChangePayPending, payment.ChangeFailed}, payment.ScheduleFailed},
		{[]move{done, notice(payment.EventCancelled)}, payment.Cancelled, []payment.Change{payment.ChangePaid, payment.ChangeCancelled}, payment.ScheduleSucceeded},
		{[]move{unclear, stands("paid", paidStanding)}, payment.Paid, []payment.Change{payment.ChangePayPending, payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{stands("paid", paidStanding), done}, payment.Paid, []payment.Change{payment.ChangePaid}, payment.ScheduleSucceeded},
		{[]move{unclear, stands("failed", payment.Standing{State: payment.Failed, Failure: &payment.Failure{Reason: "도난카드"}})}, payment.Failed,
			[]payment.Change{payment.ChangePayPending, payment.ChangeFailed}, payment.ScheduleFailed},
		{[]move{unclear, stands("unknown, early", payment.Standing{AskedAt: at(1)})}, payment.PayPending, []payment.Change{payment.ChangePayPending}, payment.SchedulePending},
		{[]move{unclear, stands("unknown", payment.Standing{AskedAt: at(3)})}, payment.Failed, []payment.Change{payment.ChangePayPending, payment.ChangeFailed}, payment.ScheduleFailed},
		{[]move{unclear, stands("another amount", payment.Standing{State: payment.Paid, Amount: payment.Won(1), HasAmount: true})}, payment.PayPending,
			[]payment.Change{payment.ChangePayPending}, payment.SchedulePending},
		{[]move{unclear, stands("taken back", payment.Standing{State: payment.Cancelled, Cancellations: []payment.CancelRecord{{PGID: "c", Amount: payment.Won(1000)}}})},
			payment.Failed, []payment.Change{payment.ChangePayPending, payment.ChangeFailed}, payment.ScheduleFailed},
		{[]move{unclear, stands("partly taken back", payment.Standing{State: payment.PartiallyCancelled, PGTx: "pg-1", Cancellations: []payment.CancelRecord{part}})},
			payment.PartiallyCancelled, []payment.Change{payment.ChangePayPending, payment.ChangePaid, payment.ChangePartiallyCancelled}, payment.ScheduleSucceeded},
	} {
		p, id := charging(t, nil)
		name := ""
		var told []payment.Change
		for i, m := range c.moves {
			name += " " + m.name
			d, err := m.do(p, id, env(4+i))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, tr := range d.Transitions {
				told = append(told, tr.Change)
				if tr.Transaction != id {
					t.Errorf("%s tells of transaction %s, want %s", name, tr.Transaction, id)
				}
			}
			p = d.Payment
		}
		if _, sched, ok := p.Transactions[0].ScheduleOf(); p.State != c.want || !cmp.Equal(told, c.told) || !ok || sched != c.sched {
			t.Errorf("%s: %s, %v, schedule %s; want %s, %v, %s", name, p.State, told, sched, c.want, c.told, c.sched)
		}
		if over := c.want != payment.PayPending; p.Outstanding() == over {
			t.Errorf("%s: outstanding = %v", name, !over)
		}
		if p.State == payment.Failed && p.FailureReason == "" || (p.State != payment.Failed && p.State != payment.PayPending) == p.PaidAt.IsZero() {
			t.Errorf("%s: failed for %q, paid at %v", name, p.FailureReason, p.PaidAt)
		}
	}
}

// TestOneChargeAtATime: while a charge has not ended nothing else begins.
func TestOneChargeAtATime(t *testing.T) {
	t.Parallel()
	p, id := charging(t, nil)
	again := func(p payment.Payment) error {
		_, _, err := payment.BeginCharge(&p, payment.Registration{ID: "order-1", Mode: "test", Amount: payment.Won(1000)}, payment.Charge{}, env(1))
		if _, _, issue := payment.Begin(&p, payment.Registration{ID: "order-1", Mode: "test", Amount: payment.Won(1000)}, env(1)); !errors.Is(issue, err) {
			t.Errorf("an account may be issued for %v, a charge made for %v", issue, err)
		}
		return err
	}
	if err := again(p); !errors.Is(err, payment.ErrUnderWay) {
		t.Errorf("beside one that is READY: %v", err)
	}
	pending, _ := unclear.do(p, id, env(1))
	if err := again(pending.Payment); !errors.Is(err, payment.ErrUnderWay) {
		t.Errorf("beside one that is pending: %v", err)
	}
	failed, _ := refused.do(p, id, env(1))
	if err := again(failed.Payment); err != nil {
		t.Errorf("after one that failed: %v", err)
	}
	paid, _ := done.do(p, id, env(1))
	if err := again(paid.Payment); !errors.Is(err, payment.ErrAlreadyPaid) {
		t.Errorf("after one that is paid: %v", err)
	}
	for _, c := range []struct {
		name string
		p    *payment.Payment
		want error
	}{
		{"new", nil, nil}, {"failed", &failed.Payment, nil}, {"paid", &paid.Payment, payment.ErrPaidOrWaiting},
		{"pending", &pending.Payment, payment.ErrPaidOrWaiting}, {"under way", &p, payment.ErrPaidOrWaiting}, {"waiting", new(waiting()), payment.ErrPaidOrWaiting},
	} {
		if err := payment.CheckSchedule(c.p, payment.Schedule{Payment: "order-1", Mode: "test", Amount: payment.Won(1000)}); !errors.Is(err, c.want) {
			t.Errorf("scheduling one that is %s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := payment.CheckSchedule(&failed.Payment, payment.Schedule{Mode: "live", Amount: payment.Won(1000)}); !fault.Is(err, fault.Conflict) {
		t.Errorf("in another mode: %v", err)
	}
	if err := payment.CheckSchedule(&failed.Payment, payment.Schedule{Mode: "test", Amount: payment.Won(1)}); !fault.Is(err, fault.Conflict) {
		t.Errorf("for another amount: %v", err)
	}
}

// TestPaidTwice: money comes to an account while a card is charged. One of them pays
// the payment, and a person sees the other.
func TestPaidTwice(t *testing.T) {
	t.Parallel()
	p, id := charging(t, new(waiting()))
	d := p.Decide(deposited(1, deposit("d-1")), env(1))
	if d.Verdict != payment.Applied || d.Payment.Current != 0 {
		t.Fatalf("the deposit is %s, current %d", d.Verdict, d.Payment.Current)
	}
	for _, m := range []move{unclear, refused} {
		if out, err := m.do(d.Payment, id, env(2)); err != nil || out.Payment.State != payment.Paid || len(out.Transitions) != 0 || out.Listed {
			t.Errorf("%s: %s, %v, %v", m.name, out.Payment.State, out.Transitions, err)
		}
	}
	out, err := done.do(d.Payment, id, env(2))
	if err != nil || !out.Listed || len(out.Transitions) != 0 || out.Payment.Current != 0 || out.Payment.Transactions[1].State != payment.Paid {
		t.Errorf("charged too: %+v, %v", out, err)
	}
	// The other way round the deposit is a conflict.
	p, id = charging(t, new(waiting()))
	paid, _ := done.do(p, id, env(1))
	if d := paid.Payment.Decide(deposited(2, deposit("d-1")), env(2)); d.Verdict != payment.Conflict {
		t.Errorf("a deposit after the charge is %s", d.Verdict)
	}
	// A charge that is refused leaves the account waiting, and tells nobody.
	back, _ := refused.do(p, id, env(1))
	if back.Payment.State != payment.Issued || back.Payment.Current != 0 || len(back.Transitions) != 0 {
		t.Errorf("after a refusal: %s, current %d, %v", back.Payment.State, back.Payment.Current, back.Transitions)
	}
}

// TestNoticesOfAccounts leave a charge alone.
func TestNoticesOfAccounts(t *testing.T) {
	t.Parallel()
	p, _ := charging(t, new(waiting()))
	for _, r := range []payment.Report{report(payment.EventIssued, 1), report(payment.EventCancelled, 1), report(payment.EventExpired, 1)} {
		r.PGOrder = "order-1"
		if d := p.Decide(r, env(1)); d.Payment.Current != 1 || d.Payment.Transactions[1].Account != nil || d.Payment.Transactions[1].State != payment.Ready {
			t.Errorf("%s: %+v", r.Event, d.Payment.Transactions)
		}
	}
	p, _ = charging(t, nil)
	if d := p.Decide(deposited(1, func(r *payment.Report) { r.PGOrder = "card-1" }), env(1)); d.Verdict != payment.Conflict {
		t.Errorf("a deposit for a card is %s", d.Verdict)
	}
	late := payment.Report{Event: payment.EventFailed, PGOrder: "order-1", PGTx: "pg-0", At: at(1), OtherMethod: true}
	known := waiting(withoutAccount, inState(payment.Failed))
	known.Transactions[0].PGTx, known.Transactions[0].Charge = "pg-0", &payment.Charge{}
	p, _ = charging(t, &known)
	if d := p.Decide(late, env(1)); d.Changed {
		t.Errorf("the late failure of an earlier charge is %s, %+v", d.Verdict, d.Transitions)
	}
}

// TestChargeIsRefunded gives a charge back in parts, by whatever amounts.
func TestChargeIsRefunded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		begun, id := charging(t, nil)
		paid, err := done.do(begun, id, env(1))
		if err != nil {
			t.Fatal(err)
		}
		p, left := paid.Payment, int64(1000)
		for n := 0; left > 0 && n < 20; n++ {
			give := rapid.Int64Range(1, 1100).Draw(t, "give")
			next, c, err := p.RequestCancel(payment.CancelRequest{Amount: &give}, env(2+n))
			if give > left {
				if !errors.Is(err, payment.ErrCancelTooMuch) {
					t.Fatalf("%d of %d: %v", give, left, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			d, err := next.CancelDone(c.ID, payment.Cancellation{PGID: c.ID}, env(2+n))
			if err != nil {
				t.Fatal(err)
			}
			p, left = d.Payment, left-give
			if p.Remaining().Amount != left || (p.State == payment.Cancelled) != (left == 0) {
				t.Fatalf("%d is left of %s, want %d", p.Remaining().Amount, p.State, left)
			}
		}
	})
}
