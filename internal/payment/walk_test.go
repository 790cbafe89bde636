package payment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// drawPayment is any payment that a walk may begin with.
func drawPayment(t *rapid.T) payment.Payment {
	p := waiting()
	if rapid.Bool().Draw(t, "unregistered") {
		p = waiting(inState(rapid.SampledFrom([]payment.State{payment.Ready, payment.PayPending}).Draw(t, "state")), withoutAccount)
	} else {
		ofType(rapid.SampledFrom([]payment.AccountType{payment.Normal, payment.Fixed, payment.FixedUnlimited}).Draw(t, "type"))(&p)
	}
	for range rapid.IntRange(0, 2).Draw(t, "more attempts") {
		withAttempt(
			rapid.SampledFrom([]merchant.ChannelKey{"channel-1", "channel-2"}).Draw(t, "its channel"),
			rapid.SampledFrom([]string{"order-1", "o2"}).Draw(t, "its order"),
			rapid.SampledFrom([]secret.Account{number, otherNumber}).Draw(t, "its account"),
		)(&p)
		tx := &p.Transactions[p.Current]
		tx.Account.Type = rapid.SampledFrom([]payment.AccountType{payment.Normal, payment.FixedUnlimited}).Draw(t, "its type")
		tx.PGTx = rapid.SampledFrom([]string{"", "pg-1"}).Draw(t, "its id")
	}
	if rapid.Bool().Draw(t, "own cancel pending") {
		withCancellations(payment.Cancellation{ID: "own", State: payment.CancelRequested, Amount: payment.Won(300), Refund: payment.RefundPending})(&p)
	}
	return p
}

// drawReport is any report, from few enough values that they often meet.
func drawReport(t *rapid.T) payment.Report {
	minute := rapid.IntRange(0, 6).Draw(t, "minute") * 7
	r := report(rapid.SampledFrom(payment.Events()).Draw(t, "event"), minute,
		won(rapid.SampledFrom([]int64{1000, 1000, 1000, 300, 700, 0, -5}).Draw(t, "amount")))
	r.Account = secret.Account(rapid.SampledFrom([]string{"110-123-456789", "110123456789", "", "222"}).Draw(t, "account"))
	r.Deposit = rapid.SampledFrom([]string{"", "D1", "D2", "D3"}).Draw(t, "deposit")
	r.PGCancel = rapid.SampledFrom([]string{"", "P1", "P2"}).Draw(t, "cancel")
	r.PGOrder = rapid.SampledFrom([]string{"", "order-1", "o2"}).Draw(t, "order")
	r.Channel = rapid.SampledFrom([]merchant.ChannelKey{"", "channel-1", "channel-2"}).Draw(t, "channel")
	r.PGTx = rapid.SampledFrom([]string{"", "", "pg-1"}).Draw(t, "pg id")
	r.Closes = rapid.Bool().Draw(t, "closes")
	r.Reopens = rapid.Bool().Draw(t, "reopens")
	r.AmountEnforced = rapid.Bool().Draw(t, "enforced")
	switch rapid.IntRange(0, 9).Draw(t, "lacks") {
	case 0:
		noAmount(&r)
	case 1:
		noTime(&r)
	case 2:
		r.Amount.Currency = "USD"
	}
	return r
}

// A walk is a payment on its way, with what was seen of it.
type walk struct {
	p        payment.Payment
	applied  map[string]int // deposits by id: how often they were applied
	approved bool           // paid by another method
	minute   int
}

func (w *walk) take(t *rapid.T, r payment.Report) {
	w.minute++
	before := deepCopy(w.p)
	d := w.p.Decide(r, env(w.minute))
	if diff := cmp.Diff(before, w.p); diff != "" {
		t.Fatalf("Decide changed its receiver:\n%s", diff)
	}
	if twin := w.p.Decide(r, env(w.minute)); !cmp.Equal(d, twin) {
		t.Fatalf("the same decision twice differs:\n%s", cmp.Diff(d, twin))
	}
	checkDecision(t, before, r, d)
	checkAttempts(t, before, r, d.Payment)
	w.approved = w.approved || r.Event == payment.EventApproved && d.Verdict == payment.Applied
	checkPayment(t, d.Payment, w.approved)
	if d.Verdict == payment.Applied && r.Event == payment.EventDeposited && r.Deposit != "" {
		w.applied[r.Deposit]++
		if w.applied[r.Deposit] > 1 {
			t.Fatalf("deposit %s was applied %d times", r.Deposit, w.applied[r.Deposit])
		}
	}
	again := d.Payment.Decide(r, env(w.minute+1))
	if d.Verdict == payment.Applied && again.Verdict == payment.Applied && !mayRepeat(r) {
		t.Fatalf("%s was applied twice in a row", r.Event)
	}
	w.p = d.Payment
}

// mayRepeat reports whether a report's second telling is for its caller to
// recognise, by the message's key: a cancellation that the PG gave no id is
// not told from another one of the same amount, nor the refunds of two.
func mayRepeat(r payment.Report) bool {
	switch r.Event {
	case payment.EventPartiallyCancelled:
		return r.PGCancel == ""
	case payment.EventRefunded, payment.EventRefundFailed:
		return true
	default:
		return false
	}
}

// checkDecision checks what every decision keeps.
func checkDecision(t *rapid.T, before payment.Payment, r payment.Report, d payment.Decision) {
	after := d.Payment
	same := cmp.Equal(before, after)
	switch {
	case len(d.Transitions) > 1:
		t.Fatalf("%s made %d transitions", r.Event, len(d.Transitions))
	case !d.Changed && !same:
		t.Fatalf("%s, %s: changed without saying so:\n%s", r.Event, d.Verdict, cmp.Diff(before, after))
	case d.Verdict == payment.Conflict && (!same || d.Changed || len(d.Transitions) > 0):
		t.Fatalf("a conflict changed the payment:\n%s", cmp.Diff(before, after))
	case d.Verdict == payment.Applied && (same || !d.Changed):
		t.Fatalf("%s was applied and changed nothing", r.Event)
	case d.Verdict != payment.Applied && before.State != after.State:
		t.Fatalf("%s of verdict %s moved the payment from %s to %s", r.Event, d.Verdict, before.State, after.State)
	case before.State != after.State && len(d.Transitions) != 1:
		t.Fatalf("%s moved the payment from %s to %s and tells nobody", r.Event, before.State, after.State)
	case d.Verdict == payment.Conflict && d.Reason == payment.ReasonNone:
		t.Fatalf("a conflict about %s has no reason", r.Event)
	case after.StatusChangedAt.Before(before.StatusChangedAt):
		t.Fatalf("StatusChangedAt went back from %v to %v", before.StatusChangedAt, after.StatusChangedAt)
	}
	if d.Verdict != payment.Applied && d.Verdict != payment.Duplicate && d.Verdict != payment.Recorded && d.Verdict != payment.Conflict {
		t.Fatalf("Decide gave the verdict %s", d.Verdict)
	}
}

// checkAttempts checks that a report touches the attempt that it is about, and
// no other.
func checkAttempts(t *rapid.T, before payment.Payment, r payment.Report, after payment.Payment) {
	moved, waits := 0, false
	for i, tx := range after.Transactions {
		waits = waits || tx.State == before.State
		if i >= len(before.Transactions) || before.Transactions[i].State == tx.State {
			continue
		}
		moved++
		if before.Transactions[i].State == payment.Failed {
			t.Fatalf("%s moved attempt %d, which was closed, to %s", r.Event, i, tx.State)
		}
	}
	if moved > 1 {
		t.Fatalf("%s moved %d attempts", r.Event, moved)
	}
	cancel := r.Event == payment.EventCancelled || r.Event == payment.EventPartiallyCancelled
	if cancel && after.State == payment.Failed && before.State != payment.Failed && waits {
		t.Fatal("the payment failed while an attempt waits")
	}
	shown := before.Transactions[before.Current].Account
	stranger := shown != nil && r.Account != "" && r.PGTx == "" && plain(shown.Number) != plain(r.Account)
	if stranger && (cancel || r.Event == payment.EventExpired) && (after.State != before.State || after.Expired && !before.Expired) {
		t.Fatalf("%s of another account moved the payment from %s to %s", r.Event, before.State, after.State)
	}
}

func plain(a secret.Account) string { return strings.ReplaceAll(a.Reveal(), "-", "") }

// checkPayment checks what holds of a payment at any time.
func checkPayment(t *rapid.T, p payment.Payment, approved bool) {
	if p.Current < 0 || p.Current >= len(p.Transactions) {
		t.Fatalf("Current is %d of %d", p.Current, len(p.Transactions))
	}
	seen := make(map[string]bool)
	money, counts := false, 0
	for _, k := range p.Deposits {
		if k.Key != "" && seen[k.Key] {
			t.Fatalf("deposit %s is kept twice", k.Key)
		}
		seen[k.Key] = true
		if k.State == payment.DepositApplied {
			money, counts = true, counts+1
		}
	}
	a := p.Transactions[p.Current].Account
	if counts > 1 && (a == nil || a.Type != payment.FixedUnlimited) {
		t.Fatalf("%d deposits count for one payment", counts)
	}
	paid := p.State == payment.Paid || p.State == payment.PartiallyCancelled
	if holds := money || approved; p.State != payment.Cancelled && holds != paid {
		t.Fatalf("%s although money is there: %v", p.State, holds)
	}
	if p.State == payment.Paid && p.Remaining().Amount <= 0 {
		t.Fatalf("paid, and %v can be cancelled", p.Remaining())
	}
	if p.Remaining().Amount < 0 {
		t.Fatalf("%d was cancelled, %d more than was paid", p.CancelledAmount(), -p.Remaining().Amount)
	}
	if p.State == payment.Cancelled && p.Remaining().Amount != 0 {
		t.Fatalf("cancelled, and %v remains", p.Remaining())
	}
	if p.Transactions[p.Current].State != p.State {
		t.Fatalf("payment %s, its transaction %s", p.State, p.Transactions[p.Current].State)
	}
}

// deepCopy shares nothing with p that a decision may reach.
func deepCopy(p payment.Payment) payment.Payment {
	p.Transactions = slices.Clone(p.Transactions)
	for i, tx := range p.Transactions {
		if tx.Account != nil {
			a := *tx.Account
			p.Transactions[i].Account = &a
		}
	}
	p.Deposits, p.Cancellations = slices.Clone(p.Deposits), slices.Clone(p.Cancellations)
	return p
}

func TestWalks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := walk{p: drawPayment(t), applied: make(map[string]int), minute: 100}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			w.take(t, drawReport(t))
		}
	})
}

// TestOrderOfReversal tells a deposit and its reversal in any order, any
// number of times, among reports that move nothing.
func TestOrderOfReversal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in, out := deposited(1, deposit("D1")), reversed(9, deposit("D1"))
		list := []payment.Report{in, out}
		for range rapid.IntRange(0, 4).Draw(t, "resends") {
			list = append(list, rapid.SampledFrom([]payment.Report{in, out, report(payment.EventIssued, 0), report(payment.EventOther, 3)}).Draw(t, "resend"))
		}
		list = rapid.Permutation(list).Draw(t, "order")
		p, told := waiting(), ""
		paid, taken := 0, 0
		for i, r := range list {
			d := p.Decide(r, env(20+i))
			p, told = d.Payment, fmt.Sprintf("%s %s:%s", told, r.Event, d.Verdict)
			for _, x := range d.Transitions {
				switch x.Change {
				case payment.ChangePaid:
					paid++
				case payment.ChangeCancelled:
					taken++
				default:
				}
			}
			if d.Verdict == payment.Conflict {
				t.Fatalf("a conflict in%s", told)
			}
		}
		if p.State == payment.Paid || paid != taken || paid > 1 {
			t.Fatalf("ends %s with %d paid and %d taken back after%s", p.State, paid, taken, told)
		}
	})
}

// TestOrderOfReopening is the same for a PG that has one word for the issue and
// for a reversal, once the issue was told, while another attempt waits.
func TestOrderOfReopening(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		toss := func(e payment.Event, minute int, key string) payment.Report {
			return report(e, minute, deposit(key), order("o1"), noAmount, noAccount, enforced, func(r *payment.Report) {
				r.Reopens = e == payment.EventIssued
			})
		}
		issue, in, out := toss(payment.EventIssued, 0, "T0"), toss(payment.EventDeposited, 1, "T1"), toss(payment.EventIssued, 9, "T2")
		list := []payment.Report{in, out}
		for range rapid.IntRange(0, 4).Draw(t, "resends") {
			list = append(list, rapid.SampledFrom([]payment.Report{issue, in, out}).Draw(t, "resend"))
		}
		list = append([]payment.Report{issue}, rapid.Permutation(list).Draw(t, "order")...)
		p, told := twice(), ""
		for i, r := range list {
			d := p.Decide(r, env(20+i))
			p, told = d.Payment, fmt.Sprintf("%s %s:%s", told, r.Deposit, d.Verdict)
			if d.Verdict == payment.Conflict {
				t.Fatalf("a conflict in%s", told)
			}
		}
		if p.State != payment.Issued && p.State != payment.Cancelled {
			t.Fatalf("ends %s after%s", p.State, told)
		}
	})
}
