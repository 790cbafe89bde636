package payment_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tongbo/tongbo/internal/payment"
)

// counter makes ids that differ.
func counter() func() string {
	n := 0
	return func() string {
		n++
		return "id-" + strconv.Itoa(n)
	}
}

// paid is a payment of 11,000 won, 1,000 of it free of tax, that was paid.
func paid(t interface{ Fatal(...any) }, e payment.Env) payment.Payment {
	p, _, err := payment.Register(nil, payment.Registration{
		ID: "order-1", Channel: "channel-key-1", Mode: "test", Amount: payment.Won(11_000), TaxFree: 1000, VAT: new(int64(909)),
		Account: payment.Account{Bank: "SHINHAN", Number: "1234"},
	}, e)
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decide(payment.Report{Event: payment.EventDeposited, Key: "k", Deposit: "d", Amount: payment.Won(11_000), HasAmount: true, Account: "1234", At: e.Now}, e)
	if d.Verdict != payment.Applied {
		t.Fatal(d.Reason)
	}
	return d.Payment
}

func TestRequestCancel(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	whole := paid(t, e)
	some, _, err := whole.RequestCancel(payment.CancelRequest{Amount: new(int64(5000)), TaxFree: new(int64(600))}, e)
	if err != nil {
		t.Fatal(err)
	}
	waits, _, err := payment.Register(nil, payment.Registration{ID: "o", Amount: payment.Won(1), Account: payment.Account{Number: "1"}}, e)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		p    payment.Payment
		r    payment.CancelRequest
		want payment.Parts
		err  error
	}{
		{"all of it", whole, payment.CancelRequest{}, payment.Parts{Total: 11_000, TaxFree: 1000, VAT: 909}, nil},
		{"all of it, told", whole, payment.CancelRequest{Amount: new(int64(11_000)), TaxFree: new(int64(1000))}, payment.Parts{Total: 11_000, TaxFree: 1000, VAT: 909}, nil},
		{"a taxed part", whole, payment.CancelRequest{Amount: new(int64(1100))}, payment.Parts{Total: 1100, VAT: 100}, nil},
		{"a part, free of tax", whole, payment.CancelRequest{Amount: new(int64(1000)), TaxFree: new(int64(1000))}, payment.Parts{Total: 1000, TaxFree: 1000}, nil},
		{"the rest", some, payment.CancelRequest{}, payment.Parts{Total: 6000, TaxFree: 400, VAT: 509}, nil},
		{"as believed", some, payment.CancelRequest{Believed: new(int64(6000))}, payment.Parts{Total: 6000, TaxFree: 400, VAT: 509}, nil},
		{"not as believed", some, payment.CancelRequest{Believed: new(int64(11_000))}, payment.Parts{}, payment.ErrOtherRest},
		{"more than is left", some, payment.CancelRequest{Amount: new(int64(6001))}, payment.Parts{}, payment.ErrCancelTooMuch},
		{"more free of tax than is left", some, payment.CancelRequest{Amount: new(int64(1000)), TaxFree: new(int64(401))}, payment.Parts{}, payment.ErrCancelTaxFree},
		{"more taxed than is left", some, payment.CancelRequest{Amount: new(int64(6000)), TaxFree: new(int64(0))}, payment.Parts{}, payment.ErrCancelTaxed},
		{"parts over the amount", whole, payment.CancelRequest{Amount: new(int64(1000)), TaxFree: new(int64(500)), VAT: new(int64(501))}, payment.Parts{}, payment.ErrCancelParts},
		{"before any money", waits, payment.CancelRequest{}, payment.Parts{}, payment.ErrNotPaid},
	} {
		p, got, err := c.p.RequestCancel(c.r, e)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
			continue
		}
		if err != nil {
			continue
		}
		if have := (payment.Parts{Total: got.Amount.Amount, TaxFree: got.TaxFree, VAT: *got.VAT}); have != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, have, c.want)
		}
		if p.State != c.p.State || len(p.Cancellations) != len(c.p.Cancellations)+1 {
			t.Errorf("%s: the request moved the payment to %s, or is not kept", c.name, p.State)
		}
	}
	for _, n := range []int64{0, -1} {
		if _, _, err := whole.RequestCancel(payment.CancelRequest{Amount: new(n)}, e); err == nil {
			t.Errorf("a cancellation of %d is let in", n)
		}
	}
}

func TestCancelEnds(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	p, c, err := paid(t, e).RequestCancel(payment.CancelRequest{Amount: new(int64(5000))}, e)
	if err != nil {
		t.Fatal(err)
	}
	unclear, err := p.CancelUnclear(c.ID, e)
	if err != nil || len(unclear.Transitions) != 1 || unclear.Transitions[0].Change != payment.ChangeCancelPending || unclear.Payment.State != payment.Paid {
		t.Errorf("unclear = %+v, %v, want one CancelPending of a paid payment", unclear.Transitions, err)
	}
	if again, err := unclear.Payment.CancelUnclear(c.ID, e); err != nil || len(again.Transitions) != 0 {
		t.Errorf("unclear again tells %v, %v, want nothing", again.Transitions, err)
	}
	refused, err := p.CancelRefused(c.ID, e)
	if err != nil || refused.Payment.State != payment.Paid || refused.Payment.Cancellable().Total != 11_000 {
		t.Errorf("refused = %s, %d left, %v, want all of a paid payment", refused.Payment.State, refused.Payment.Cancellable().Total, err)
	}
	done, err := unclear.Payment.CancelDone(c.ID, payment.Cancellation{PGID: "pg-1", Refund: payment.RefundPending}, e)
	if err != nil || done.Payment.State != payment.PartiallyCancelled || done.Transitions[0].Cancellation != c.ID {
		t.Errorf("done = %s, %+v, %v, want a part cancelled", done.Payment.State, done.Transitions, err)
	}
	if again, err := done.Payment.CancelDone(c.ID, payment.Cancellation{}, e); err != nil || len(again.Transitions) != 0 {
		t.Errorf("done again tells %v, %v, want nothing", again.Transitions, err)
	}
	if _, err := done.Payment.CancelRefused(c.ID, e); !errors.Is(err, payment.ErrNotPending) {
		t.Errorf("refused after it was done: %v, want %v", err, payment.ErrNotPending)
	}
	// The PG's notice was quicker than its answer.
	told := p.Decide(payment.Report{Event: payment.EventPartiallyCancelled, Key: "n", PGCancel: "pg-1", Amount: payment.Won(5000), HasAmount: true, At: e.Now}, e)
	late, err := told.Payment.CancelDone(c.ID, payment.Cancellation{PGID: "pg-1", Refund: payment.RefundPending}, e)
	if err != nil || len(late.Transitions) != 0 || late.Payment.CancelledAmount() != 5000 || late.Payment.Cancellations[0].Refund != payment.RefundPending {
		t.Errorf("the answer after the notice = %+v, %v, want no second cancellation", late.Payment.Cancellations, err)
	}
}

// TestCancelArithmetic plays random requests and endings: never is more given
// back than came in, in all or in a part, and the state always says how much.
func TestCancelArithmetic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
		p := paid(t, e)
		var open []string
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			amount := rapid.Int64Range(-1, 12_000)
			maybe := func(name string) *int64 {
				if rapid.Bool().Draw(t, name) {
					return nil
				}
				return new(amount.Draw(t, name))
			}
			r := payment.CancelRequest{Amount: maybe("amount"), TaxFree: maybe("tax free"), VAT: maybe("vat")}
			before := p.Cancellable()
			next, c, err := p.RequestCancel(r, e)
			if err == nil {
				if c.Amount.Amount > before.Total || c.TaxFree > before.TaxFree {
					t.Fatalf("%+v was let in with %+v left", c, before)
				}
				p, open = next, append(open, c.ID)
			} else if next.Cancellable() != before {
				t.Fatalf("a refused request changed what is left")
			}
			if len(open) > 0 && rapid.Bool().Draw(t, "ends") {
				id := open[0]
				open = open[1:]
				end := p.CancelRefused
				if rapid.Bool().Draw(t, "done") {
					end = func(id string, e payment.Env) (payment.Decision, error) {
						return p.CancelDone(id, payment.Cancellation{}, e)
					}
				}
				d, err := end(id, e)
				if err != nil {
					t.Fatal(err)
				}
				p = d.Payment
			}
			sum := p.CancelledAmount()
			want := payment.Paid
			switch {
			case sum == 11_000:
				want = payment.Cancelled
			case sum > 0:
				want = payment.PartiallyCancelled
			}
			left := p.Cancellable()
			if sum > 11_000 || p.State != want || left.Total < 0 || left.TaxFree < 0 || left.TaxFree > left.Total || left.VAT < 0 {
				t.Fatalf("%d cancelled, state %s, left %+v", sum, p.State, left)
			}
		}
	})
}

func TestBegin(t *testing.T) {
	t.Parallel()
	e := payment.Env{Now: time.Unix(1_800_000_000, 0), NewID: counter()}
	g := payment.Registration{ID: "order-1", Channel: "channel-key-1", Mode: "test", Amount: payment.Won(1000)}
	p, first, err := payment.Begin(nil, g, e)
	if err != nil || p.State != payment.Ready {
		t.Fatal(p.State, err)
	}
	done, err := p.IssueDone(first.ID, payment.Issuance{PGTx: "pg-1", Account: payment.Account{Bank: "SHINHAN", Number: "1"}}, e)
	if err != nil || done.Payment.State != payment.Issued || len(done.Transitions) != 1 {
		t.Fatalf("IssueDone = %s, %v, %v", done.Payment.State, done.Transitions, err)
	}
	again, second, err := payment.Begin(&done.Payment, g, e)
	if err != nil || again.State != payment.Ready || again.Current != 1 {
		t.Fatalf("a second attempt = %s at %d, %v", again.State, again.Current, err)
	}
	back, err := again.IssueRefused(second.ID, "no", e)
	if err != nil || back.Payment.State != payment.Issued || back.Payment.Current != 0 || len(back.Transitions) != 0 {
		t.Errorf("a refused second attempt = %s at %d, %v, want the first to wait on", back.Payment.State, back.Payment.Current, back.Transitions)
	}
	closed, err := back.Payment.CloseDone(first.ID, e.Now, e)
	if err != nil || closed.Payment.State != payment.Failed || closed.Transitions[0].Change != payment.ChangeFailed {
		t.Errorf("CloseDone = %s, %v, %v, want a failed payment", closed.Payment.State, closed.Transitions, err)
	}
	paid := paid(t, e)
	g.Amount = paid.Amount
	if _, _, err := payment.Begin(&paid, g, e); !errors.Is(err, payment.ErrAlreadyPaid) {
		t.Errorf("an attempt at a paid payment: %v, want %v", err, payment.ErrAlreadyPaid)
	}
}
