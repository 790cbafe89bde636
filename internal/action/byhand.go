package action

import (
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A HandDeposit is money that a person enters for a payment (수동 입금), because the PG
// says elsewhere that it came and no notice told of it.
type HandDeposit struct {
	Number    string    // the PG's transaction number
	Reason    string    // what the person goes by
	Amount    int64     // in minor units; 0: what the payment waits for
	PaidAt    time.Time // when the PG says that it came; zero: the person does not know
	Depositor string    // may be empty
	// Attempt is the one that was paid; empty: the current one.
	Attempt payment.TransactionID
	Dry     bool // nothing is written: what would come of it is returned
}

// earliest is how long before an account was issued or registered its money may have come:
// a registration may be late.
const earliest = 24 * time.Hour

// DepositByHand enters money for a payment: the money rules decide as on the PG's own
// notice, and the same webhook follows. The PG's late notice of it becomes a Duplicate.
//
// It reports fault.Invalid without a number or a reason, and for a time that cannot be;
// fault.NotFound for a payment that the caller does not see; fault.Conflict if it waits for
// no account's money, and, as *RuledOutError, if the rules do not let it apply: then it
// also returns what would have become of it.
func (a *Actions) DepositByHand(ctx context.Context, c Caller, id payment.ID, w HandDeposit) (notice.Redecided, error) {
	w.PaidAt = stored(w.PaidAt)
	if err := first(CheckPaymentID(id), w.check()); err != nil {
		return notice.Redecided{}, err
	}
	p, err := a.Store.Payment(ctx, c.Store, id, c.Mode)
	if err != nil {
		return notice.Redecided{}, err
	}
	t, err := w.attempt(p)
	if err != nil {
		return notice.Redecided{}, err
	}
	word := notice.HandWord{
		HandDeposit: payment.HandDeposit{Number: w.Number, Reason: w.Reason, At: now()},
		Amount:      p.Amount, PaidAt: w.PaidAt, Depositor: w.Depositor,
	}
	if w.Amount > 0 {
		word.Amount.Amount = w.Amount
	}
	return a.redecide(ctx, func(v *view) (notice.Redecision, error) {
		ch, err := a.channel(v, c, t.Channel)
		if fault.Is(err, fault.NotFound) {
			err = fault.Errorf(fault.Conflict, "the payment's channel is not in use any more")
		}
		if err != nil {
			return notice.Redecision{}, err
		}
		in, err := a.ByHand(ch, t, word)
		return notice.Redecision{
			New: &in, Dry: w.Dry,
			Check: func(r notice.Redecided) error {
				if r.Is != nil && r.Is.Key != p.Key {
					return &RuledOutError{payment.Conflict, notice.ReasonAmbiguous}
				}
				return ruledOut(r, payment.Applied)
			},
			Audit: c.onHandDeposit(p, w),
		}, err
	})
}

// check reports fault.Invalid for what cannot be a word on a deposit.
func (w *HandDeposit) check() error {
	switch {
	case w.Amount < 0 || w.Amount > maxAmount:
		return invalid("amount must be more than 0 and at most %d", int64(maxAmount))
	case w.PaidAt.After(now()):
		return invalid("the money cannot have come in the future")
	}
	return first(checkText("the PG's transaction number", w.Number, 1, maxName), checkText("reason", w.Reason, 1, maxName),
		checkText("depositor", w.Depositor, 0, maxName))
}

// attempt is the one that the money is for.
func (w *HandDeposit) attempt(p payment.Payment) (payment.Transaction, error) {
	t, ok := p.Transaction()
	if w.Attempt != "" {
		i := slices.IndexFunc(p.Transactions, func(t payment.Transaction) bool { return t.ID == w.Attempt })
		if i < 0 {
			return t, fault.Errorf(fault.NotFound, "the payment has no attempt %q", string(w.Attempt))
		}
		t = p.Transactions[i]
	}
	switch {
	case !ok || t.Charge != nil || t.Opened:
		return t, fault.Errorf(fault.Conflict, "the payment waits for no deposit: only money for an account is entered by hand")
	case t.Account != nil && t.Account.Type == payment.FixedUnlimited && w.PaidAt.IsZero():
		return t, invalid("the account takes any number of deposits: say when this one came")
	case t.Account != nil && !w.PaidAt.IsZero() && !t.Account.IssuedAt.IsZero() && w.PaidAt.Before(t.Account.IssuedAt.Add(-earliest)):
		return t, invalid("the money cannot have come before the account was issued")
	}
	return t, nil
}

// onHandDeposit makes the entry of money that a person entered.
func (c Caller) onHandDeposit(p payment.Payment, w HandDeposit) func(notice.Redecided) []member.Entry {
	return func(r notice.Redecided) []member.Entry {
		e := c.entry("payment.deposit_by_hand", "payment", string(p.ID), w.Reason)
		e.Mode = p.Mode
		e.Before, e.After = decided(r)
		e.After = append(e.After, member.Field{Name: "pg_number", Text: w.Number}, member.Field{Name: "notice", Text: string(r.Before.ID)})
		return []member.Entry{e}
	}
}
