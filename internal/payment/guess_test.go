package payment_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// told is a cancellation that the PG tells of by itself.
func told(t *testing.T, p payment.Payment, e payment.Env, event payment.Event, pgID string, amount int64) payment.Decision {
	t.Helper()
	return p.Decide(payment.Report{Event: event, Key: pgID, PGCancel: pgID, Amount: payment.Won(amount), HasAmount: true, At: e.Now}, e)
}

// TestTwoEqualRequests: the PG's notice of one of two equal cancellations cannot
// say which it is of. Whatever was guessed, the answers set it right.
func TestTwoEqualRequests(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	p, c1, err := paid(t, e).RequestCancel(payment.CancelRequest{Amount: new(int64(5000))}, e)
	if err != nil {
		t.Fatal(err)
	}
	p, c2, err := p.RequestCancel(payment.CancelRequest{Amount: new(int64(5000))}, e)
	if err != nil {
		t.Fatal(err)
	}
	early := told(t, p, e, payment.EventPartiallyCancelled, "B", 5000)
	if early.Verdict != payment.Applied || early.Payment.CancelledAmount() != 5000 {
		t.Fatalf("the notice = %s, %d cancelled", early.Verdict, early.Payment.CancelledAmount())
	}
	answered, err := early.Payment.CancelDone(c2.ID, payment.Cancellation{PGID: "B"}, e)
	if err != nil || answered.Payment.CancelledAmount() != 5000 || !hearsOf(answered, payment.ChangePartiallyCancelled, c2.ID) {
		t.Fatalf("the answer of the one that was told: %d cancelled, %v, %v", answered.Payment.CancelledAmount(), answered.Transitions, err)
	}
	t.Run("the other is refused", func(t *testing.T) {
		t.Parallel()
		d, err := answered.Payment.CancelRefused(c1.ID, e)
		if err != nil || d.Payment.CancelledAmount() != 5000 || d.Payment.Cancellable().Total != 6000 {
			t.Errorf("%d cancelled, %d left, %v", d.Payment.CancelledAmount(), d.Payment.Cancellable().Total, err)
		}
	})
	t.Run("the other is booked", func(t *testing.T) {
		t.Parallel()
		d, err := answered.Payment.CancelDone(c1.ID, payment.Cancellation{PGID: "A"}, e)
		if err != nil || d.Payment.CancelledAmount() != 10_000 || len(d.Transitions) != 1 || len(d.Payment.Cancellations) != 2 {
			t.Fatalf("%d cancelled in %d, %v, %v", d.Payment.CancelledAmount(), len(d.Payment.Cancellations), d.Transitions, err)
		}
		if late := told(t, d.Payment, e, payment.EventPartiallyCancelled, "A", 5000); late.Verdict != payment.Duplicate {
			t.Errorf("its notice afterwards = %s, want %s", late.Verdict, payment.Duplicate)
		}
	})
	t.Run("refused before the answer of the other", func(t *testing.T) {
		t.Parallel()
		d, err := early.Payment.CancelRefused(c1.ID, e) // for which the notice was taken
		if err != nil || d.Payment.CancelledAmount() != 5000 || !hearsOf(d, payment.ChangePartiallyCancelled, c2.ID) {
			t.Fatalf("%d cancelled, %v, %v", d.Payment.CancelledAmount(), d.Transitions, err)
		}
		d, err = d.Payment.CancelDone(c2.ID, payment.Cancellation{PGID: "B"}, e)
		if err != nil || d.Payment.CancelledAmount() != 5000 || d.Payment.Cancellable().Total != 6000 {
			t.Errorf("%d cancelled, %d left, %v", d.Payment.CancelledAmount(), d.Payment.Cancellable().Total, err)
		}
	})
	t.Run("booked before the answer of the other", func(t *testing.T) {
		t.Parallel()
		d, err := early.Payment.CancelDone(c1.ID, payment.Cancellation{PGID: "A"}, e)
		if err != nil || d.Payment.CancelledAmount() != 10_000 || len(d.Payment.Cancellations) != 2 {
			t.Fatalf("%d cancelled in %d, %v", d.Payment.CancelledAmount(), len(d.Payment.Cancellations), err)
		}
		d, err = d.Payment.CancelDone(c2.ID, payment.Cancellation{PGID: "B"}, e)
		if err != nil || d.Payment.CancelledAmount() != 10_000 || len(d.Transitions) != 0 {
			t.Errorf("%d cancelled, %v, %v", d.Payment.CancelledAmount(), d.Transitions, err)
		}
	})
}

// hearsOf reports whether merchants hear of one cancellation, and of nothing else.
func hearsOf(d payment.Decision, change payment.Change, id string) bool {
	return len(d.Transitions) == 1 && d.Transitions[0].Change == change && d.Transitions[0].Cancellation == id
}

// TestGuessSetRight: merchants who heard of one of two equal cancellations hear of
// the other once the notice turns out to be of that, by its name or for want of one.
func TestGuessSetRight(t *testing.T) {
	t.Parallel()
	const part, change = 5000, payment.ChangePartiallyCancelled
	for name, pgID := range map[string]string{"by its name": "B", "for want of a name": ""} {
		r := startRefunds(t)
		first, second := r.ask(part), r.ask(part)
		d := told(t, r.p, r.e, payment.EventPartiallyCancelled, pgID, part)
		if !hearsOf(d, change, first) {
			t.Fatalf("%s: the notice tells of %v", name, d.Transitions)
		}
		d, err := d.Payment.EndCancel(second, payment.CancelWord{Succeeded: true, PGID: pgID, Reason: "r"}, r.e)
		if err != nil || d.Payment.CancelledAmount() != part || !hearsOf(d, change, second) {
			t.Fatalf("%s: %d cancelled, %v, %v", name, d.Payment.CancelledAmount(), d.Transitions, err)
		}
		if got := d.Payment.Cancellations[0].State; got != payment.CancelRequested {
			t.Errorf("%s: the other is %s, want %s", name, got, payment.CancelRequested)
		}
		d, err = d.Payment.EndCancel(first, payment.CancelWord{Succeeded: true, Reason: "r"}, r.e)
		if err != nil || d.Payment.CancelledAmount() != 2*part || !hearsOf(d, change, first) {
			t.Errorf("%s: then %d cancelled, %v, %v", name, d.Payment.CancelledAmount(), d.Transitions, err)
		}
	}
}

// TestAllInThePGsPages: somebody cancels the rest in the PG's pages while a part
// that was asked for here is on its way.
func TestAllInThePGsPages(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	p, c, err := paid(t, e).RequestCancel(payment.CancelRequest{Amount: new(int64(3000))}, e)
	if err != nil {
		t.Fatal(err)
	}
	all := told(t, p, e, payment.EventCancelled, "ALL", 11_000)
	if all.Payment.State != payment.Cancelled {
		t.Fatalf("the notice leaves the payment %s (%s)", all.Payment.State, all.Reason)
	}
	for name, end := range map[string]func() (payment.Decision, error){
		"booked": func() (payment.Decision, error) {
			return all.Payment.CancelDone(c.ID, payment.Cancellation{PGID: "PART"}, e)
		},
		"refused": func() (payment.Decision, error) { return all.Payment.CancelRefused(c.ID, e) },
	} {
		d, err := end()
		if err != nil || d.Payment.State != payment.Cancelled || d.Payment.CancelledAmount() != 11_000 || len(d.Transitions) != 0 {
			t.Errorf("%s: %s with %d cancelled, %v, %v", name, d.Payment.State, d.Payment.CancelledAmount(), d.Transitions, err)
		}
	}
}

// TestLearntDeposit: what the PG told without a name when it was asked is no other
// money than its late notice, which is then a second deposit's first.
func TestLearntDeposit(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	p, _, err := payment.Register(nil, payment.Registration{ID: "o", Channel: "channel-key-1", Amount: payment.Won(1000),
		Account: payment.Account{Bank: "SHINHAN", Number: "1234"}}, e)
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decide(payment.Report{Event: payment.EventDeposited, Key: "inquiry", Amount: payment.Won(1000), HasAmount: true, Account: "1234", Learnt: true}, e)
	if d.Verdict != payment.Applied {
		t.Fatal(d.Reason)
	}
	r := payment.Report{Event: payment.EventDeposited, Key: "n1", Deposit: "D1", Amount: payment.Won(1000), HasAmount: true, Account: "1234", At: e.Now.Add(-time.Hour)}
	late := d.Payment.Decide(r, e)
	if late.Verdict != payment.Duplicate || !late.Changed || late.Payment.Deposits[0].Key != "D1" {
		t.Fatalf("the late notice = %s (%s), %+v", late.Verdict, late.Reason, late.Payment.Deposits)
	}
	r.Key, r.Deposit, r.At = "n2", "D2", e.Now
	if second := late.Payment.Decide(r, e); second.Verdict != payment.Conflict {
		t.Errorf("a second deposit = %s, want %s", second.Verdict, payment.Conflict)
	}
}

// TestLearntDepositOfAnotherDay: money that came days after what the PG told of is
// other money, though nothing else tells them apart.
func TestLearntDepositOfAnotherDay(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	for name, c := range map[string]struct {
		kind    payment.AccountType
		learnt  time.Time
		later   time.Duration
		verdict payment.Verdict
	}{
		"at once":                           {payment.Normal, e.Now, time.Minute, payment.Duplicate},
		"booked the next morning":           {payment.Normal, e.Now, day, payment.Duplicate},
		"told with an earlier time":         {payment.Normal, e.Now, -day, payment.Duplicate},
		"five days later":                   {payment.Normal, e.Now, 5 * day, payment.Conflict},
		"days later, the first at no time":  {payment.Normal, time.Time{}, 5 * day, payment.Duplicate},
		"on an account that takes it again": {payment.FixedUnlimited, e.Now, 5 * day, payment.Applied},
	} {
		p, _, err := payment.Register(nil, payment.Registration{ID: "o", Channel: "channel-key-1", Amount: payment.Won(1000),
			Account: payment.Account{Bank: "SHINHAN", Number: "1234", Type: c.kind}}, e)
		if err != nil {
			t.Fatal(err)
		}
		r := payment.Report{Event: payment.EventDeposited, Key: "inquiry", Amount: payment.Won(1000), HasAmount: true, Account: "1234", At: c.learnt, Learnt: true}
		d := p.Decide(r, e)
		if d.Verdict != payment.Applied {
			t.Fatalf("%s: the PG's answer = %s (%s)", name, d.Verdict, d.Reason)
		}
		r.Key, r.Deposit, r.At, r.Learnt = "n1", "D9", e.Now.Add(c.later), false
		if d := d.Payment.Decide(r, e); d.Verdict != c.verdict {
			t.Errorf("%s: the notice = %s (%s), want %s", name, d.Verdict, d.Reason, c.verdict)
		}
	}
}

// TestInquiryGuesses: an inquiry that gave a booking to one of two equal requests
// is set right by their answers.
func TestInquiryGuesses(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	start := paid(t, e)
	attempt := start.Transactions[0].ID
	p, a, err := start.RequestCancel(payment.CancelRequest{Amount: new(int64(3000))}, e)
	if err != nil {
		t.Fatal(err)
	}
	p, b, err := p.RequestCancel(payment.CancelRequest{Amount: new(int64(3000))}, e)
	if err != nil {
		t.Fatal(err)
	}
	list := payment.Standing{State: payment.PartiallyCancelled, Lists: true, Cancellations: []payment.CancelRecord{{PGID: "X", Amount: payment.Won(3000), At: e.Now}}}
	p = p.Stands(attempt, list, e, time.Minute).Payment // A is taken for X, which is B's
	d, err := p.CancelRefused(a.ID, e)
	if err != nil {
		t.Fatalf("the PG's no to the one that was guessed: %v", err)
	}
	p = d.Payment
	for _, c := range p.Cancellations {
		if want := map[string]payment.CancellationState{a.ID: payment.CancelFailed, b.ID: payment.CancelSucceeded}[c.ID]; c.State != want {
			t.Errorf("%s is %s, want %s", c.ID, c.State, want)
		}
	}
	if p.CancelledAmount() != 3000 {
		t.Errorf("%d cancelled, want 3000", p.CancelledAmount())
	}
}

// TestAllIsGone: a PG that names no cancellations, but says that all is cancelled,
// ends what was asked for if that is all.
func TestAllIsGone(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	start := paid(t, e)
	p, _, err := start.RequestCancel(payment.CancelRequest{Amount: new(int64(4000))}, e)
	if err != nil {
		t.Fatal(err)
	}
	gone := payment.Standing{State: payment.Cancelled, Cancellations: []payment.CancelRecord{{Amount: payment.Won(11_000)}}}
	if d := p.Stands(start.Transactions[0].ID, gone, e, 0); d.Changed {
		t.Errorf("a part of 4,000 was taken for all: %+v", d.Payment.Cancellations)
	}
	p, _, err = p.RequestCancel(payment.CancelRequest{}, e)
	if err != nil {
		t.Fatal(err)
	}
	d := p.Stands(start.Transactions[0].ID, gone, e, 0)
	if d.Payment.State != payment.Cancelled || d.Payment.CancelledAmount() != 11_000 || len(d.Transitions) != 2 {
		t.Errorf("%s with %d cancelled, %v", d.Payment.State, d.Payment.CancelledAmount(), d.Transitions)
	}
}
