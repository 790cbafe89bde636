package payment_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestReversed is a long table: one story for each way in which a bank takes
// money back.
func TestReversed(t *testing.T) {
	t.Parallel()
	cancelled := step{r: report(payment.EventCancelled, 5), verdict: payment.Applied, state: payment.Cancelled, change: payment.ChangeCancelled}
	unknown := records(reversed(2, deposit("D9")), payment.ReasonReversalUnknown, payment.Paid)
	unknown.listed = true
	tell(t, []story{
		{"of the applied deposit", waiting(), []step{
			pays(deposited(1, deposit("D1"))), takenBack(reversed(2, deposit("D1"))),
			repeats(reversed(2, deposit("D1")), payment.Cancelled),
		}, func(t *testing.T, p payment.Payment) {
			c := p.Cancellations[0]
			if !c.Reversal || c.Reason != payment.ReversalReason || c.Refund != "" || c.State != payment.CancelSucceeded || c.Amount != payment.Won(1000) {
				t.Errorf("cancellation = %+v", c)
			}
			if p.Deposits[0].State != payment.DepositReversed || p.Transactions[0].State != payment.Cancelled {
				t.Errorf("deposit %s, transaction %s", p.Deposits[0].State, p.Transactions[0].State)
			}
		}},
		{"without ids, by account and amount", waiting(), []step{pays(deposited(1)), takenBack(reversed(2))}, nil},
		{"without ids, of another amount", waiting(), []step{
			pays(deposited(1)), conflicts(reversed(2, won(5)), payment.ReasonReversalUnknown, payment.Paid),
		}, nil},
		{"without ids, earlier than the deposit", waiting(), []step{
			pays(deposited(5)), conflicts(reversed(2), payment.ReasonReversalUnknown, payment.Paid),
		}, nil},
		{"under an id of its own", waiting(), []step{pays(deposited(1, deposit("D1"))), unknown}, nil},
		{"of two deposits that both fit", waiting(ofType(payment.FixedUnlimited)), []step{
			pays(deposited(1)), pays(deposited(10)), conflicts(reversed(20), payment.ReasonReversalUnknown, payment.Paid),
		}, nil},
		{"by id, although two without ids would fit", waiting(ofType(payment.FixedUnlimited)), []step{
			pays(deposited(1)), pays(deposited(10)), pays(deposited(15, deposit("D3"))),
			{reversed(20, deposit("D3")), payment.Applied, payment.ReasonReversed, payment.Paid, payment.ChangePartiallyCancelled, true},
		}, func(t *testing.T, p payment.Payment) {
			if p.Deposits[2].State != payment.DepositReversed {
				t.Errorf("deposits = %+v", p.Deposits)
			}
		}},
		{"before its deposit, with ids", waiting(), []step{
			records(reversed(2, deposit("D1")), payment.ReasonReversalForetold, payment.Issued),
			repeats(reversed(2, deposit("D1")), payment.Issued),
			records(deposited(1, deposit("D1")), payment.ReasonReversedEarlier, payment.Issued),
			repeats(deposited(1, deposit("D1")), payment.Issued),
			repeats(reversed(2, deposit("D1")), payment.Issued),
			pays(deposited(3, deposit("D2"))),
		}, nil},
		{"before its deposit, without ids", waiting(), []step{
			records(reversed(2), payment.ReasonReversalForetold, payment.Issued),
			records(deposited(1), payment.ReasonReversedEarlier, payment.Issued),
			repeats(deposited(1), payment.Issued),
			pays(deposited(9)),
		}, nil},
		{"before its deposit, without ids, and later money is new", waiting(), []step{
			records(reversed(2), payment.ReasonReversalForetold, payment.Issued),
			pays(deposited(9)),
		}, nil},
		{"before its deposit on an unlimited account counts nothing", waiting(ofType(payment.FixedUnlimited)), []step{
			records(reversed(2, deposit("D1")), payment.ReasonReversalForetold, payment.Issued),
			records(deposited(1, deposit("D1")), payment.ReasonReversedEarlier, payment.Issued),
			pays(deposited(3, deposit("D2"))),
		}, func(t *testing.T, p payment.Payment) {
			if p.Remaining() != payment.Won(1000) {
				t.Errorf("%v can be cancelled, want 1000 KRW", p.Remaining())
			}
		}},
		{"then a new deposit: a new transaction", waiting(), []step{
			pays(deposited(1, deposit("D1"))), takenBack(reversed(2, deposit("D1"))),
			repeats(deposited(1, deposit("D1")), payment.Cancelled),
			pays(deposited(3, deposit("D2"))),
			conflicts(deposited(4, deposit("D3")), payment.ReasonSecondDeposit, payment.Paid),
		}, func(t *testing.T, p payment.Payment) {
			if len(p.Transactions) != 2 || p.Current != 1 || p.Transactions[0].State != payment.Cancelled || p.Transactions[1].State != payment.Paid {
				t.Errorf("transactions = %+v, current %d", p.Transactions, p.Current)
			}
			if p.Transactions[0].ID == p.Transactions[1].ID {
				t.Error("the new transaction has the old one's id")
			}
			if p.Remaining() != payment.Won(1000) {
				t.Errorf("%v can be cancelled, want all that was paid again", p.Remaining())
			}
		}},
		{"then money that nothing tells from the old", waiting(), []step{
			pays(deposited(1, noTime)), takenBack(reversed(20)),
			conflicts(deposited(1, noTime), payment.ReasonSecondDeposit, payment.Cancelled),
		}, nil},
		{"after a refund of all", waiting(), []step{
			pays(deposited(1, deposit("D1"))), cancelled,
			conflicts(reversed(6, deposit("D1")), payment.ReasonReversalAfterward, payment.Cancelled),
		}, nil},
		{"after a refund was asked for", waiting(), []step{pays(deposited(1, deposit("D1")))}, func(t *testing.T, p payment.Payment) {
			p.Cancellations = []payment.Cancellation{{ID: "c", State: payment.CancelRequested, Amount: payment.Won(1000)}}
			tell(t, []story{{"reversed", p, []step{conflicts(reversed(6, deposit("D1")), payment.ReasonReversalAfterward, payment.Paid)}, nil}})
		}},
		{"after a refund that failed", waiting(withCancellations(payment.Cancellation{ID: "c", State: payment.CancelFailed, Amount: payment.Won(1000)})), []step{
			pays(deposited(1, deposit("D1"))), takenBack(reversed(6, deposit("D1"))),
		}, nil},
	})
}

// TestTossReopens is a long table: one story for each order in which one word
// is told for the issue and for a reversal.
func TestTossReopens(t *testing.T) {
	t.Parallel()
	wait := func(minute int, id string) payment.Report {
		return report(payment.EventIssued, minute, deposit(id), reopens, noAmount, noAccount)
	}
	done := func(minute int, id string) payment.Report {
		return deposited(minute, deposit(id), noAmount, noAccount, enforced)
	}
	early := func(r payment.Report) step {
		s := records(r, payment.ReasonReversalForetold, payment.Issued)
		s.listed = true
		return s
	}
	of := func(order string, r payment.Report) payment.Report {
		r.PGOrder = order
		return r
	}
	part := step{r: report(payment.EventPartiallyCancelled, 4, won(1)), verdict: payment.Applied, state: payment.PartiallyCancelled, change: payment.ChangePartiallyCancelled}
	tell(t, []story{
		{"waiting again after done is a reversal", waiting(), []step{
			records(wait(0, "T0"), "", payment.Issued), pays(done(2, "T1")), takenBack(wait(5, "T2")),
			records(wait(5, "T2"), "", payment.Cancelled), pays(done(9, "T3")),
		}, nil},
		{"a late copy of the issue is not", waiting(), []step{pays(done(2, "T1")), records(wait(0, "T0"), "", payment.Paid)}, nil},
		{"waiting at the same moment is not", waiting(), []step{pays(done(2, "T1")), records(wait(2, "T2"), "", payment.Paid)}, nil},
		{"waiting under the deposit's own key is not", waiting(), []step{pays(done(2, "T1")), records(wait(5, "T1"), "", payment.Paid)}, nil},
		{"waiting without a time is not", waiting(), []step{
			pays(done(2, "T1")), records(report(payment.EventIssued, 0, deposit("T2"), reopens, noTime), "", payment.Paid),
		}, nil},
		{"waiting after a refund began is for a person", waiting(), []step{
			pays(done(2, "T1")), part, conflicts(wait(5, "T2"), payment.ReasonReversalAfterward, payment.PartiallyCancelled),
		}, nil},
		{"waiting again before done, after the issue", waiting(), []step{
			records(wait(0, "T0"), "", payment.Issued), records(wait(0, "T0"), "", payment.Issued), early(wait(5, "T2")),
			records(wait(5, "T2"), "", payment.Issued),
			records(done(2, "T1"), payment.ReasonReversedEarlier, payment.Issued), repeats(done(2, "T1"), payment.Issued),
			pays(done(9, "T3")), records(wait(5, "T2"), "", payment.Paid), takenBack(wait(12, "T4")),
		}, func(t *testing.T, p payment.Payment) {
			if p.Deposits[0].Key != "T1" || p.Deposits[0].State != payment.DepositReversed || p.Deposits[0].Counted() || p.CancelledAmount() != 1000 {
				t.Errorf("deposits = %+v", p.Deposits)
			}
		}},
		{"waiting again before done and before the issue", waiting(), []step{
			records(wait(5, "T2"), "", payment.Issued), early(wait(0, "T0")),
			records(done(2, "T1"), payment.ReasonReversedEarlier, payment.Issued), pays(done(9, "T3")),
		}, nil},
		{"waiting again before done, twice", waiting(), []step{
			records(wait(0, "T0"), "", payment.Issued), early(wait(5, "T2")), early(wait(9, "T4")),
			records(done(7, "T3"), payment.ReasonReversedEarlier, payment.Issued),
			records(done(2, "T1"), payment.ReasonReversedEarlier, payment.Issued), pays(done(11, "T5")),
		}, nil},
		{"the issue alone takes back nothing, however late it says it was", waiting(), []step{
			records(wait(5, "T0"), "", payment.Issued), pays(done(2, "T1")),
		}, nil},
		{"two names at one moment are not told apart", waiting(), []step{
			records(wait(1, "T0"), "", payment.Issued), records(wait(1, "T2"), "", payment.Issued), pays(done(1, "T1")),
		}, nil},
		{"waiting again says nothing of the other attempt's money", twice(), []step{
			records(of("o1", wait(0, "T0")), "", payment.Issued), early(of("o1", wait(5, "T2"))),
			pays(of("o2", done(2, "T9"))), records(of("o1", wait(7, "T4")), "", payment.Paid),
			records(of("o1", done(2, "T1")), payment.ReasonReversedEarlier, payment.Paid),
		}, nil},
		{"waiting again is not the reversal that another PG tells", twice(), []step{
			records(of("o1", wait(0, "T0")), "", payment.Issued), early(of("o1", wait(5, "T2"))),
			records(reversed(5, on(otherNumber)), payment.ReasonReversalForetold, payment.Issued),
			records(deposited(4, on(otherNumber)), payment.ReasonReversedEarlier, payment.Issued),
		}, nil},
		{"of another PG an issue never reopens", waiting(), []step{
			pays(deposited(2, deposit("T1"))), records(report(payment.EventIssued, 5, deposit("T2")), "", payment.Paid),
		}, nil},
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	all := func(minute int, edits ...edit) payment.Report {
		return report(payment.EventCancelled, minute, edits...)
	}
	part := func(minute int, edits ...edit) payment.Report {
		return report(payment.EventPartiallyCancelled, minute, edits...)
	}
	partly := func(r payment.Report) step {
		return step{r: r, verdict: payment.Applied, state: payment.PartiallyCancelled, change: payment.ChangePartiallyCancelled}
	}
	whole := func(r payment.Report) step {
		return step{r: r, verdict: payment.Applied, state: payment.Cancelled, change: payment.ChangeCancelled}
	}
	own := func(amount int64) func(*payment.Payment) {
		return withCancellations(payment.Cancellation{ID: "own", State: payment.CancelRequested, Amount: payment.Won(amount), Reason: "고객 변심"})
	}
	tell(t, []story{
		{"the account was closed", waiting(), []step{
			{r: all(1), verdict: payment.Applied, state: payment.Failed, change: payment.ChangeFailed}, records(all(2), "", payment.Failed),
		}, func(t *testing.T, p payment.Payment) {
			if !p.FailedAt.Equal(at(1)) || p.Transactions[0].State != payment.Failed || len(p.Cancellations) != 0 {
				t.Errorf("closed as %+v", p)
			}
		}},
		{"a part of what was never paid", waiting(), []step{conflicts(part(1), payment.ReasonCancelTooLarge, payment.Issued)}, nil},
		{"paid", waiting(), []step{pays(deposited(1)), whole(all(2)), records(all(3), "", payment.Cancelled)}, nil},
		{"our own request that the PG reports", waiting(own(1000)), []step{pays(deposited(1)), whole(all(2, pgCancel("P1")))},
			func(t *testing.T, p payment.Payment) {
				if len(p.Cancellations) != 1 || p.Cancellations[0].State != payment.CancelSucceeded || p.Cancellations[0].PGID != "P1" || p.Cancellations[0].Reason != "고객 변심" {
					t.Errorf("cancellations = %+v", p.Cancellations)
				}
			}},
		{"our own request for a part", waiting(own(300)), []step{pays(deposited(1)), partly(part(2, won(300)))},
			func(t *testing.T, p payment.Payment) {
				if len(p.Cancellations) != 1 || p.CancelledAmount() != 300 {
					t.Errorf("cancellations = %+v", p.Cancellations)
				}
			}},
		{"another part than we asked for", waiting(own(300)), []step{pays(deposited(1)), partly(part(2, won(200)))},
			func(t *testing.T, p payment.Payment) {
				if len(p.Cancellations) != 2 || p.CancelledAmount() != 200 {
					t.Errorf("cancellations = %+v", p.Cancellations)
				}
			}},
		{"parts that sum to all", waiting(), []step{
			pays(deposited(1)), partly(part(2, won(300), pgCancel("P1"))), repeats(part(2, won(300), pgCancel("P1")), payment.PartiallyCancelled),
			partly(part(3, won(300), pgCancel("P2"))), conflicts(part(4, won(401)), payment.ReasonCancelTooLarge, payment.PartiallyCancelled),
			whole(part(4, won(400), pgCancel("P3"))),
		}, nil},
		{"the rest after a part", waiting(), []step{pays(deposited(1)), partly(part(2, won(300))), whole(all(3))},
			func(t *testing.T, p payment.Payment) {
				if p.CancelledAmount() != 1000 || p.Cancellations[1].Amount != payment.Won(700) {
					t.Errorf("cancellations = %+v", p.Cancellations)
				}
			}},
		{"all of it, with the amount of a part", waiting(), []step{pays(deposited(1)), conflicts(all(2, won(300)), payment.ReasonOtherAmount, payment.Paid)}, nil},
		{"all of it, with its amount", waiting(), []step{pays(deposited(1)), whole(all(2, won(1000)))}, nil},
		{"the rest, with the amount of all", waiting(), []step{pays(deposited(1)), partly(part(2, won(400))), whole(all(3, won(1000)))}, nil},
		{"a part without an amount", waiting(), []step{pays(deposited(1)), conflicts(part(2, noAmount), payment.ReasonNoAmount, payment.Paid)}, nil},
		{"a part of nothing", waiting(), []step{pays(deposited(1)), conflicts(part(2, won(0)), payment.ReasonCancelTooLarge, payment.Paid)}, nil},
		{"a part in another currency", waiting(), []step{pays(deposited(1)), conflicts(part(2, in("USD")), payment.ReasonOtherCurrency, payment.Paid)}, nil},
		{"paid again after a reversal", waiting(), []step{
			pays(deposited(1, deposit("D1"))), takenBack(reversed(2, deposit("D1"))), pays(deposited(3, deposit("D2"))),
			partly(part(4, won(400))), whole(all(5)),
		}, func(t *testing.T, p payment.Payment) {
			if p.Remaining() != payment.Won(0) {
				t.Errorf("%v remains", p.Remaining())
			}
		}},
	})
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	pending := payment.Cancellation{ID: "c", State: payment.CancelSucceeded, Amount: payment.Won(1000), Refund: payment.RefundPending}
	p := waiting(inState(payment.Cancelled), withCancellations(pending))
	refund := func(want payment.RefundStatus) func(*testing.T, payment.Payment) {
		return func(t *testing.T, p payment.Payment) {
			if got := p.Cancellations[0]; got.Refund != want || got.State != payment.CancelSucceeded {
				t.Errorf("cancellation = %+v, want its refund %s", got, want)
			}
		}
	}
	of := func(id string, amount int64) payment.Cancellation {
		return payment.Cancellation{ID: "c" + id, PGID: id, State: payment.CancelSucceeded, Amount: payment.Won(amount), Refund: payment.RefundPending}
	}
	three := waiting(inState(payment.Cancelled), withCancellations(of("R1", 400), of("R2", 600), of("R3", 600)))
	refunds := func(want string) func(*testing.T, payment.Payment) {
		return func(t *testing.T, p payment.Payment) {
			var got []string
			for _, c := range p.Cancellations {
				got = append(got, string(c.Refund))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("refunds = %v, want %s", got, want)
			}
		}
	}
	tell(t, []story{
		{"refunded", p, []step{
			{r: report(payment.EventRefunded, 9), verdict: payment.Applied, state: payment.Cancelled},
			conflicts(report(payment.EventRefunded, 10), payment.ReasonNoRefundPending, payment.Cancelled),
		}, refund(payment.RefundCompleted)},
		{"refund failed", p, []step{
			{report(payment.EventRefundFailed, 9), payment.Applied, payment.ReasonRefundFailed, payment.Cancelled, "", true},
		}, refund(payment.RefundFailed)},
		{"refund of another amount", p, []step{
			conflicts(report(payment.EventRefunded, 9, won(999)), payment.ReasonNoRefundPending, payment.Cancelled),
		}, refund(payment.RefundPending)},
		{"the second of three refunds, by its id", three, []step{
			{r: report(payment.EventRefunded, 9, noAmount, pgCancel("R2")), verdict: payment.Applied, state: payment.Cancelled},
		}, refunds("PENDING COMPLETED PENDING")},
		{"the second of three refunds, by its amount", three, []step{
			{report(payment.EventRefundFailed, 9, won(600), pgCancel("R9")), payment.Applied, payment.ReasonRefundFailed, payment.Cancelled, "", true},
		}, refunds("PENDING FAILED PENDING")},
		{"the last of three by its id, though another has its amount", three, []step{
			{r: report(payment.EventRefunded, 9, won(600), pgCancel("R3")), verdict: payment.Applied, state: payment.Cancelled},
		}, refunds("PENDING PENDING COMPLETED")},
		{"one of several refunds without a word which", three, []step{
			conflicts(report(payment.EventRefunded, 9, noAmount), payment.ReasonForAPerson, payment.Cancelled),
		}, refunds("PENDING PENDING PENDING")},
		{"a refund by its id with another amount", three, []step{
			conflicts(report(payment.EventRefunded, 9, won(1), pgCancel("R2")), payment.ReasonNoRefundPending, payment.Cancelled),
		}, refunds("PENDING PENDING PENDING")},
		{"refund of a payment without cancellation", waiting(), []step{
			conflicts(report(payment.EventRefunded, 9), payment.ReasonNoRefundPending, payment.Issued),
		}, nil},
	})
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	expired := records(report(payment.EventExpired, 1), "", payment.Issued)
	expired.change = payment.ChangeExpired
	forPerson := records(report(payment.EventOther, 1, listed), payment.ReasonForAPerson, payment.Issued)
	forPerson.listed = true
	approved := func(edits ...edit) payment.Report { return report(payment.EventApproved, 1, edits...) }
	tell(t, []story{
		{"expired keeps the state", waiting(), []step{expired, records(report(payment.EventExpired, 2), "", payment.Issued), pays(deposited(3))},
			func(t *testing.T, p payment.Payment) {
				if !p.Expired {
					t.Error("the payment is not flagged")
				}
			}},
		{"expired after it was paid", waiting(), []step{pays(deposited(1)), records(report(payment.EventExpired, 2), "", payment.Paid)}, nil},
		{"approved where it was started here", waiting(inState(payment.Ready), withoutAccount), []step{pays(approved(noAccount))}, nil},
		{"approved, pending", waiting(inState(payment.PayPending), withoutAccount), []step{pays(approved(noAccount))}, nil},
		{"approved with another amount", waiting(inState(payment.Ready), withoutAccount), []step{
			conflicts(approved(won(9)), payment.ReasonOtherAmount, payment.Ready)}, nil},
		{"approved although an account waits", waiting(), []step{records(approved(), payment.ReasonNotOurs, payment.Issued)}, nil},
		{"approved twice", waiting(inState(payment.Ready), withoutAccount), []step{
			pays(approved(noAccount)), records(approved(noAccount), payment.ReasonNotOurs, payment.Paid)}, nil},
		{"failed where it was started here", waiting(inState(payment.Ready), withoutAccount), []step{
			{r: report(payment.EventFailed, 1), verdict: payment.Applied, state: payment.Failed, change: payment.ChangeFailed}}, nil},
		{"failed elsewhere", waiting(), []step{records(report(payment.EventFailed, 1), payment.ReasonNotOurs, payment.Issued)}, nil},
		{"other", waiting(), []step{records(report(payment.EventOther, 1), "", payment.Issued)}, nil},
		{"other, for a person", waiting(), []step{forPerson}, nil},
		{"an event nobody knows", waiting(), []step{records(report("invented", 1), "", payment.Issued)}, nil},
	})
}
