package payment_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// A refunds is a payment of 11,000 won some of which is given back, told by
// notices whose names for it are not those of the PG's answers.
type refunds struct {
	*testing.T
	p payment.Payment
	e payment.Env
}

func startRefunds(t *testing.T) *refunds {
	t.Helper()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	return &refunds{T: t, p: paid(t, e), e: e}
}

func (r *refunds) ask(won int64) (id string) {
	r.Helper()
	p, c, err := r.p.RequestCancel(payment.CancelRequest{Amount: new(won), Trigger: payment.TriggerAPI}, r.e)
	if err != nil {
		r.Fatal(err)
	}
	r.p = p
	return c.ID
}

func (r *refunds) answer(id, pgID string) {
	r.Helper()
	d, err := r.p.CancelDone(id, payment.Cancellation{PGID: pgID, CancelledAt: r.e.Now}, r.e)
	if err != nil {
		r.Fatal(err)
	}
	r.p = d.Payment
}

// hear is a notice under a number of notices alone, some time after now; empty:
// the notice has none.
func (r *refunds) hear(want payment.Verdict, number string, won int64, later time.Duration) {
	r.Helper()
	d := r.p.Decide(payment.Report{
		Event: payment.EventPartiallyCancelled, Key: number, PGCancel: number, CancelAlias: number != "",
		Amount: payment.Won(won), HasAmount: true, At: r.e.Now.Add(later),
	}, r.e)
	if d.Verdict != want {
		r.Fatalf("notice %q of %d won = %s (%s), want %s", number, won, d.Verdict, d.Reason, want)
	}
	r.p = d.Payment
}

// hearAll is a notice of a cancellation of all under a name of the PG's, or none,
// some time after now, with an amount unless that is 0.
func (r *refunds) hearAll(want payment.Verdict, pgID string, won int64, later time.Duration) {
	r.Helper()
	d := r.p.Decide(payment.Report{
		Event: payment.EventCancelled, Key: "all", PGCancel: pgID,
		Amount: payment.Won(won), HasAmount: won != 0, At: r.e.Now.Add(later),
	}, r.e)
	if d.Verdict != want || want == payment.Conflict && d.Reason != payment.ReasonForAPerson {
		r.Fatalf("notice %q of all, %d won = %s (%s), want %s", pgID, won, d.Verdict, d.Reason, want)
	}
	r.p = d.Payment
}

// given checks what is given back, and in how many cancellations.
func (r *refunds) given(won int64, parts int) {
	r.Helper()
	if got := r.p.CancelledAmount(); got != won || len(r.p.Cancellations) != parts {
		r.Errorf("%d won given back in %d parts, want %d in %d: %+v", got, len(r.p.Cancellations), won, parts, r.p.Cancellations)
	}
}

// TestNoticeOfOurRefund: a notice that calls our refund otherwise than the PG's
// answer did is no second one, once for each, and whatever else is given back in
// the PG's own pages counts.
func TestNoticeOfOurRefund(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	for name, tell := range map[string]func(*refunds){
		"told after the answer": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Recorded, "n1", 3000, minute)
			r.given(3000, 1)
		},
		"told without any number": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Recorded, "", 3000, minute)
			r.given(3000, 1)
		},
		"more than is left": func(r *refunds) {
			r.answer(r.ask(6000), "A")
			r.hear(payment.Recorded, "n1", 6000, minute)
			r.given(6000, 1)
		},
		"two equal ones": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.answer(r.ask(3000), "B")
			r.hear(payment.Recorded, "n1", 3000, minute)
			r.hear(payment.Recorded, "n2", 3000, minute)
			r.given(6000, 2)
		},
		"and one in the PG's pages": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Recorded, "n1", 3000, minute)
			r.hear(payment.Applied, "n2", 3000, 2*minute)
			r.given(6000, 2)
		},
		"and one of another amount in the PG's pages": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Applied, "n2", 2000, minute)
			r.hear(payment.Recorded, "n1", 3000, minute)
			r.given(5000, 2)
		},
		"one in the PG's pages before it": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Applied, "n0", 3000, -time.Hour)
			r.hear(payment.Recorded, "n1", 3000, minute)
			r.given(6000, 2)
		},
		"one in the PG's pages a month later": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Applied, "n9", 3000, 30*24*time.Hour)
			r.given(6000, 2)
		},
		"some days later, which may be either": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Conflict, "n1", 3000, 4*24*time.Hour)
			r.given(3000, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(startRefunds(t))
		})
	}
}

// TestNoticeOfOurRefundAsAWhole: a PG that has no word for a part tells of our refund
// as of a cancellation of all. The rest is not cancelled by it.
func TestNoticeOfOurRefundAsAWhole(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	for name, tell := range map[string]func(*refunds){
		"its amount, which is all that is left": func(r *refunds) {
			r.answer(r.ask(5500), "A")
			r.hearAll(payment.Recorded, "", 5500, minute)
			r.given(5500, 1)
			r.hearAll(payment.Applied, "", 5500, minute) // each once
			r.given(11_000, 2)
		},
		"its amount, some days later": func(r *refunds) {
			r.answer(r.ask(5500), "A")
			r.hearAll(payment.Conflict, "", 5500, 4*24*time.Hour)
			r.given(5500, 1)
		},
		"the payment's amount": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hearAll(payment.Conflict, "", 11_000, minute)
			r.given(3000, 1)
		},
		"the payment's amount, told with an earlier time": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hearAll(payment.Conflict, "", 11_000, -24*time.Hour)
			r.given(3000, 1)
		},
		"no amount": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hearAll(payment.Conflict, "", 0, minute)
			r.given(3000, 1)
		},
		"the payment's amount, a month later": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hearAll(payment.Applied, "", 11_000, 30*24*time.Hour)
			r.given(11_000, 2)
		},
		"the rest's amount": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hearAll(payment.Applied, "", 8000, minute)
			r.given(11_000, 2)
		},
		"another name": func(r *refunds) {
			r.answer(r.ask(5500), "A")
			r.hearAll(payment.Applied, "B", 5500, minute)
			r.given(11_000, 2)
		},
		"after a notice told of the part": func(r *refunds) {
			r.answer(r.ask(3000), "A")
			r.hear(payment.Recorded, "n1", 3000, minute)
			r.hearAll(payment.Applied, "", 11_000, minute)
			r.given(11_000, 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(startRefunds(t))
		})
	}
}

// TestNoticeBeforeTheAnswer: a notice may come while our request is under way, and
// of two equal ones it cannot say which it is of.
func TestNoticeBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	for name, tell := range map[string]func(*refunds){
		"told before the answer": func(r *refunds) {
			id := r.ask(3000)
			r.hear(payment.Applied, "n1", 3000, minute)
			r.answer(id, "A")
			r.given(3000, 1)
			if c := r.p.Cancellations[0]; c.PGID != "A" || c.Guessed {
				r.Errorf("the cancellation is %+v, want the answer's id", c)
			}
			r.hear(payment.Applied, "n2", 3000, minute) // another one
		},
		"told before the answers of two equal ones": func(r *refunds) {
			first, second := r.ask(3000), r.ask(3000)
			r.hear(payment.Applied, "n2", 3000, minute) // of the second
			r.answer(second, "B")
			r.given(3000, 2)
			r.answer(first, "A")
			r.given(6000, 2)
			r.hear(payment.Recorded, "n1", 3000, minute)
			r.given(6000, 2)
		},
		"told before the answer, and the other of two equal ones refused": func(r *refunds) {
			first, second := r.ask(5000), r.ask(5000)
			r.hear(payment.Applied, "n2", 5000, minute)
			r.answer(second, "B")
			d, err := r.p.CancelRefused(first, r.e)
			if err != nil {
				r.Fatal(err)
			}
			r.p = d.Payment
			r.given(5000, 2)
			if r.p.State != payment.PartiallyCancelled || r.p.Cancellable().Total != 6000 {
				r.Errorf("the payment is %s with %d left", r.p.State, r.p.Cancellable().Total)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(startRefunds(t))
		})
	}
}

// TestNoticeByTheSameName: where notices use the names of the answers, those
// decide, however alike two cancellations are.
func TestNoticeByTheSameName(t *testing.T) {
	t.Parallel()
	r := startRefunds(t)
	r.answer(r.ask(3000), "A")
	if d := told(t, r.p, r.e, payment.EventPartiallyCancelled, "B", 3000); d.Verdict != payment.Applied || d.Payment.CancelledAmount() != 6000 {
		t.Errorf("another one = %s, %d given back", d.Verdict, d.Payment.CancelledAmount())
	}
	d := told(t, r.p, r.e, payment.EventPartiallyCancelled, "A", 3000)
	if d.Verdict != payment.Duplicate || d.Payment.CancelledAmount() != 3000 {
		t.Fatalf("its own = %s, %d given back", d.Verdict, d.Payment.CancelledAmount())
	}
	// What was told by its name takes up no notice without one.
	r.p = d.Payment
	r.hear(payment.Applied, "", 3000, time.Minute)
	r.given(6000, 2)
}
