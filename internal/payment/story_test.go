package payment_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

var seoul = time.FixedZone("KST", 9*3600)

// noon is when the account of a story is issued.
var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, seoul)

// at is so many minutes after noon.
func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// env is a decision's surroundings so many minutes after noon. Ids count up
// from a number that no other minute uses.
func env(minutes int) payment.Env {
	n := minutes * 1000
	return payment.Env{Now: at(minutes), NewID: func() string { n++; return fmt.Sprintf("id-%06d", n) }}
}

// number is the account of every story.
const number secret.Account = "110-123-456789"

// waiting is a payment of 1000 won whose account was issued at noon and closes
// a day later.
func waiting(edits ...func(*payment.Payment)) payment.Payment {
	p := payment.Payment{
		Key: "key-1", ID: "order-1", Mode: "test", State: payment.Issued, Amount: payment.Won(1000),
		Transactions: []payment.Transaction{{
			ID: "tx-1", Channel: "channel-1", Order: "order-1", State: payment.Issued, At: noon,
			Account: &payment.Account{
				Bank: "SHINHAN", Number: number, Type: payment.Normal, Holder: "가나상점",
				IssuedAt: noon, ExpiresAt: at(24 * 60),
			},
		}},
		RequestedAt: noon, UpdatedAt: noon, StatusChangedAt: noon,
	}
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

func inState(s payment.State) func(*payment.Payment) {
	return func(p *payment.Payment) {
		p.State, p.Transactions[0].State = s, s
	}
}

func withoutAccount(p *payment.Payment) { p.Transactions[0].Account = nil }

func ofType(a payment.AccountType) func(*payment.Payment) {
	return func(p *payment.Payment) { p.Transactions[0].Account.Type = a }
}

func withCancellations(list ...payment.Cancellation) func(*payment.Payment) {
	return func(p *payment.Payment) { p.Cancellations = list }
}

// An edit changes a report.
type edit = func(*payment.Report)

// report is one about 1000 won on the story's account, told at a minute.
func report(e payment.Event, minute int, edits ...edit) payment.Report {
	r := payment.Report{
		Event: e, Key: fmt.Sprintf("%s/%d", e, minute), Amount: payment.Won(1000), HasAmount: true,
		Account: number, At: at(minute), Depositor: "홍길동",
	}
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

func deposited(minute int, edits ...edit) payment.Report {
	return report(payment.EventDeposited, minute, edits...)
}

func reversed(minute int, edits ...edit) payment.Report {
	return report(payment.EventReversed, minute, edits...)
}

func deposit(id string) edit { return func(r *payment.Report) { r.Deposit = id } }
func won(n int64) edit       { return func(r *payment.Report) { r.Amount = payment.Won(n) } }
func in(c payment.Currency) edit {
	return func(r *payment.Report) { r.Amount.Currency = c }
}
func on(a secret.Account) edit { return func(r *payment.Report) { r.Account = a } }
func pgCancel(id string) edit  { return func(r *payment.Report) { r.PGCancel = id } }
func noTime(r *payment.Report) { r.At = time.Time{} }
func noAmount(r *payment.Report) {
	r.Amount, r.HasAmount = payment.Money{}, false
}
func enforced(r *payment.Report)  { r.AmountEnforced = true }
func noAccount(r *payment.Report) { r.Account = "" }
func reopens(r *payment.Report)   { r.Reopens = true }
func listed(r *payment.Report)    { r.Listed = true }

// A step is a report with what must come of it.
type step struct {
	r       payment.Report
	verdict payment.Verdict
	reason  payment.Reason
	state   payment.State
	change  payment.Change // empty: nobody is told
	listed  bool
}

// A story is a payment and what happens to it.
type story struct {
	name  string
	p     payment.Payment
	steps []step
	check func(*testing.T, payment.Payment) // of the end; may be nil
}

func tell(t *testing.T, stories []story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := s.p
			for i, step := range s.steps {
				d := p.Decide(step.r, env(i+10))
				checkStep(t, i, step, p, d)
				p = d.Payment
			}
			if s.check != nil {
				s.check(t, p)
			}
		})
	}
}

func checkStep(t *testing.T, i int, want step, before payment.Payment, d payment.Decision) {
	t.Helper()
	got := step{want.r, d.Verdict, d.Reason, d.Payment.State, "", d.Listed}
	if len(d.Transitions) > 0 {
		got.change = d.Transitions[0].Change
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(step{})); diff != "" {
		t.Fatalf("step %d, %s (-want +got):\n%s", i+1, want.r.Event, diff)
	}
	if !d.Changed && !cmp.Equal(before, d.Payment) {
		t.Errorf("step %d: the payment differs although nothing was changed:\n%s", i+1, cmp.Diff(before, d.Payment))
	}
}

// pays and the functions below are the steps that most stories are made of.
func pays(r payment.Report) step {
	return step{r: r, verdict: payment.Applied, state: payment.Paid, change: payment.ChangePaid}
}

func takenBack(r payment.Report) step {
	return step{r, payment.Applied, payment.ReasonReversed, payment.Cancelled, payment.ChangeCancelled, true}
}

func conflicts(r payment.Report, why payment.Reason, s payment.State) step {
	return step{r: r, verdict: payment.Conflict, reason: why, state: s}
}

func records(r payment.Report, why payment.Reason, s payment.State) step {
	return step{r: r, verdict: payment.Recorded, reason: why, state: s}
}

func repeats(r payment.Report, s payment.State) step {
	return step{r: r, verdict: payment.Duplicate, state: s}
}
