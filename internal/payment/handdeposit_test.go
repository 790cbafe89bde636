package payment_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tongbo/tongbo/internal/payment"
)

// byHand makes a report a person's word.
func byHand(number string) edit {
	return func(r *payment.Report) {
		r.Deposit = number
		r.ByHand = &payment.HandDeposit{Number: number, Reason: "PG 관리자 화면에서 봄", At: at(10)}
	}
}

func TestDepositByHand(t *testing.T) {
	t.Parallel()
	day := 24 * 60
	unlimited := waiting(ofType(payment.FixedUnlimited))
	tell(t, []story{
		{"pays as a notice does", waiting(), []step{pays(deposited(1, byHand("T1")))}, func(t *testing.T, p payment.Payment) {
			k := p.Deposits[0]
			if k.ByHand == nil || k.Key != "T1" || !k.Unheard() {
				t.Errorf("the deposit is kept as %+v", k)
			}
		}},
		{"the notice under the same number", waiting(), []step{
			pays(deposited(1, byHand("T1"))), repeats(deposited(5*day, deposit("T1")), payment.Paid),
		}, nil},
		{"the notice under a name of its own, and again", waiting(), []step{
			pays(deposited(1, byHand("T1"))), repeats(deposited(300, deposit("D1")), payment.Paid), repeats(deposited(300, deposit("D1")), payment.Paid),
		}, func(t *testing.T, p payment.Payment) {
			k := p.Deposits[0]
			if len(p.Deposits) != 1 || k.Unheard() || k.Key != "D1" || k.ByHand.Number != "T1" || !k.At.Equal(at(300)) {
				t.Errorf("the deposit is kept as %+v", p.Deposits)
			}
		}},
		{"the notice without a name or a time", waiting(), []step{
			pays(deposited(1, byHand("T1"))), repeats(deposited(0, noTime), payment.Paid),
		}, nil},
		{"the notice of any time, if the person gave none", waiting(), []step{
			pays(deposited(0, byHand("T1"), noTime)), repeats(deposited(20*day, deposit("D1")), payment.Paid),
		}, nil},
		{"a second deposit once the notice came", waiting(), []step{
			pays(deposited(1, byHand("T1"))), repeats(deposited(1, deposit("D1")), payment.Paid),
			conflicts(deposited(3, deposit("D2")), payment.ReasonSecondDeposit, payment.Paid),
		}, nil},
		{"money of another day is another deposit", waiting(), []step{
			pays(deposited(1, byHand("T1"))), conflicts(deposited(2+day, deposit("D2")), payment.ReasonSecondDeposit, payment.Paid),
		}, nil},
		{"another amount, also under the number", waiting(), []step{
			pays(deposited(1, byHand("T1"))),
			conflicts(deposited(1, deposit("D1"), won(999)), payment.ReasonOtherAmount, payment.Paid),
			conflicts(deposited(1, deposit("T1"), won(999)), payment.ReasonOtherAmount, payment.Paid),
		}, nil},
		{"what the PG told of before", waiting(), []step{
			pays(deposited(1, deposit("D1"))), repeats(deposited(200, byHand("T1")), payment.Paid), repeats(deposited(0, byHand("D1"), noTime), payment.Paid),
		}, func(t *testing.T, p payment.Payment) {
			if p.Deposits[0].ByHand != nil || p.Deposits[0].Key != "D1" {
				t.Errorf("a person's word changed the PG's: %+v", p.Deposits[0])
			}
		}},
		{"another amount than the payment's is no rule of a person's", waiting(), []step{
			conflicts(deposited(1, byHand("T1"), won(999)), payment.ReasonOtherAmount, payment.Issued),
		}, nil},
		{"the bank takes it back, and its notice comes last of all", waiting(), []step{
			pays(deposited(1, byHand("T1"))), takenBack(reversed(5, deposit("D1"))),
			repeats(deposited(1, deposit("D1")), payment.Cancelled),
		}, nil},
		{"money that came and went before the word of it", waiting(), []step{
			{r: reversed(5, deposit("D1")), verdict: payment.Recorded, reason: payment.ReasonReversalForetold, state: payment.Issued},
			{r: deposited(1, byHand("T1")), verdict: payment.Recorded, reason: payment.ReasonReversedEarlier, state: payment.Issued},
		}, nil},
		{"an unlimited account: each money once", unlimited, []step{
			pays(deposited(1, byHand("T1"))), repeats(deposited(1, deposit("D1")), payment.Paid), pays(deposited(9, deposit("D2"))),
			repeats(deposited(9, byHand("T2")), payment.Paid), repeats(deposited(1, byHand("T1")), payment.Paid),
		}, nil},
	})
}

// TestHandDepositInAnyOrder: one deposit is told by a person and, before or after, by
// notices in the PG's forms, by inquiry and by the bank's reversal, in any order. The
// payment is paid at most once, and is unpaid at the end if the money went back.
func TestHandDepositInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]string{"T1", "D1"}).Draw(t, "number")
		hand := deposited(rapid.IntRange(-600, 600).Draw(t, "when, says the person"), byHand(number))
		if rapid.Bool().Draw(t, "no time") {
			noTime(&hand)
		}
		tellings := []payment.Report{hand, deposited(1, deposit("D1"))}
		for range rapid.IntRange(0, 3).Draw(t, "more notices") {
			r := deposited(1, deposit("D1"))
			switch rapid.IntRange(0, 3).Draw(t, "form") {
			case 0:
				r = deposited(1) // a form without an id
			case 1:
				r.Learnt = true
			case 2:
				r = deposited(1, func(r *payment.Report) { r.Learnt = true })
			}
			tellings = append(tellings, r)
		}
		went := rapid.Bool().Draw(t, "goes back")
		if went {
			tellings = append(tellings, reversed(700, deposit("D1")))
		}
		p, paid := waiting(), 0
		for i, r := range rapid.Permutation(tellings).Draw(t, "order") {
			d := p.Decide(r, env(i+800))
			if r.ByHand != nil && d.Verdict != payment.Applied {
				continue // it is refused, and nothing is kept of it
			}
			for _, tr := range d.Transitions {
				if tr.Change == payment.ChangePaid {
					paid++
				}
			}
			checkDecision(t, p, r, d)
			p = d.Payment
		}
		if paid > 1 || len(p.Deposits) > 1 {
			t.Fatalf("paid %d times, with %d deposits: %+v", paid, len(p.Deposits), p.Deposits)
		}
		if want := !went; (p.State == payment.Paid) != want {
			t.Fatalf("at the end the payment is %s, and the money went back: %v", p.State, went)
		}
	})
}

// TestHandDepositsOnUnlimited: of several deposits to one account a person enters one,
// before or after its notice. Each is counted once, in whatever order they are told.
func TestHandDepositsOnUnlimited(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := []string{"D0", "D1", "D2"}[:rapid.IntRange(1, 3).Draw(t, "deposits")]
		mine := rapid.IntRange(0, len(ids)-1).Draw(t, "the person's")
		number := rapid.SampledFrom([]string{"T1", ids[mine]}).Draw(t, "number")
		tellings := []payment.Report{deposited(10*mine+rapid.IntRange(-1, 1).Draw(t, "off by"), byHand(number))}
		for i, id := range ids {
			for range rapid.IntRange(1, 3).Draw(t, "times told") {
				tellings = append(tellings, deposited(10*i, deposit(id)))
			}
		}
		p := waiting(ofType(payment.FixedUnlimited))
		for i, r := range rapid.Permutation(tellings).Draw(t, "order") {
			d := p.Decide(r, env(i+100))
			checkDecision(t, p, r, d)
			p = d.Payment
		}
		if len(p.Deposits) != len(ids) {
			t.Fatalf("%d deposits counted, want %d: %+v", len(p.Deposits), len(ids), p.Deposits)
		}
	})
}
