package trial

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// numberDigits is how long the account numbers are that are made up.
const numberDigits = 14

// CheckIssue refuses what no Korean PG issues, and an order that the PG's notices
// could not name.
func (g PG) CheckIssue(c merchant.Channel, o provider.Order) error {
	switch {
	case !g.Info().SendsNotices():
		return fault.Errorf(fault.Unsupported, "%s issues no virtual accounts", g.Info().Name.EN)
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "virtual accounts take KRW only")
	case o.Type == payment.Fixed && o.Number == "" && o.AccountID == "":
		return fault.Errorf(fault.Invalid, "a fixed account needs its number or an id")
	}
	told, err := g.told(c, o.ID, o.Amount)
	if err != nil || told.Order != o.ID {
		return fault.Errorf(fault.Invalid, "the notices of %s cannot tell order %q: use letters and digits, and fewer of them", g.Info().Name.EN, o.ID)
	}
	return nil
}

// Issue enters an account. The same Key gets the same account.
func (g PG) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	told, err := g.told(a.Channel, o.ID, o.Amount)
	if err != nil {
		return provider.Issue{}, fault.Errorf(fault.Invalid, "order %q: %w", o.ID, err)
	}
	x, err := g.change(ctx, a, o.ID, func(x *entry) error {
		switch {
		case x.Order != "" && x.Key == o.Key:
			return errKept
		case x.Order != "":
			return declined(codeTaken, "the order has an account already")
		}
		*x = entry{Order: o.ID, Key: o.Key, Amount: o.Amount, State: payment.Issued, PGTx: cmp.Or(told.PGTx, made("pg", string(a.Channel.Key), o.ID)[:24])}
		if g.Info().OrderSecret {
			x.Secret = told.Proof.Reveal()
		}
		x.setAccount(payment.Account{
			Bank: o.Bank, Number: number(a.Channel, o), Type: o.Type, Holder: o.Holder, IssuedAt: a.Now, ExpiresAt: o.ExpiresAt,
		})
		return nil
	})
	if err != nil {
		return provider.Issue{}, unclear(err)
	}
	return provider.Issue{PGTx: x.PGTx, Account: x.account(), Secret: secret.Text(x.Secret), At: x.Account.IssuedAt}, nil
}

// number is a fixed account's own number, that of its id, or one for the attempt.
func number(c merchant.Channel, o provider.Order) secret.Account {
	switch {
	case o.Number != "":
		return o.Number
	case o.AccountID != "":
		return secret.Account(digits(numberDigits, "fixed", string(c.Key), string(o.Bank), o.AccountID))
	}
	return secret.Account(digits(numberDigits, "account", string(c.Key), o.Key))
}

// CanInquire allows every inquiry.
func (PG) CanInquire(merchant.Channel, provider.Query) error { return nil }

// Inquire tells where an order stands. It reports fault.Unsupported for an account
// that was issued elsewhere and never paid here.
func (g PG) Inquire(ctx context.Context, a provider.Access, q provider.Query) (provider.Standing, error) {
	x, err := g.change(ctx, a, q.Order, func(*entry) error { return errKept })
	switch {
	case err != nil:
		return provider.Standing{}, err
	case x.Order == "" && q.Account != "":
		return provider.Standing{}, fault.Errorf(fault.Unsupported, "the account was not issued by the PG that is played here")
	case x.Order == "":
		return provider.Standing{}, nil
	}
	s := provider.Standing{
		State: x.state(), Order: x.Order, PGTx: x.PGTx, Amount: x.Amount, HasAmount: true, Account: x.account(),
		Expired: x.expired(a.Now), Deposit: x.Deposit, Depositor: x.Depositor, PaidAt: x.PaidAt, Secret: secret.Text(x.Secret), Lists: true,
	}
	if x.State == payment.Paid {
		s.Amount = x.Paid
	}
	if x.charged() {
		s.Receipt, s.Failure = x.Receipt, x.Failure
	}
	if x.Card != nil {
		s.Card = *x.Card
	}
	for _, r := range x.Refunds {
		s.Cancellations = append(s.Cancellations, r.Done)
	}
	return s, nil
}

// CheckClose allows every close.
func (PG) CheckClose(merchant.Channel, provider.Closing) error { return nil }

// Close closes an account that waits for money.
func (g PG) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	x, err := g.change(ctx, a, q.Order, func(x *entry) error {
		x.assume(q.Query)
		if x.State != payment.Issued {
			return declined(codeClosed, "the account does not wait for money")
		}
		x.State, x.ClosedAt, x.Told = payment.Failed, a.Now, nil
		return nil
	})
	return x.ClosedAt, unclear(err)
}

// CheckRefund wants the buyer's account for money that came by an account, as PGs do.
func (PG) CheckRefund(_ merchant.Channel, r provider.Refund) error {
	switch {
	case r.Card:
		return nil
	case r.Account == nil:
		return fault.Errorf(fault.Invalid, "refundAccount is missing: the refund of a virtual account needs bank, number and holderName")
	case !r.Account.Bank.Known(), strings.Trim(r.Account.Number.Reveal(), "0123456789-") != "", strings.Trim(r.Account.Number.Reveal(), "-") == "", r.Account.Holder == "":
		return fault.Errorf(fault.Invalid, "refundAccount needs a bank, a number of digits and the holder's name")
	}
	return nil
}

// Refund gives money back, once for each Key.
func (g PG) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	var done payment.CancelRecord
	_, err := g.change(ctx, a, q.Order, func(x *entry) error {
		x.assumePaid(q)
		for _, r := range x.Refunds {
			if r.Key != "" && r.Key == q.Key {
				done = r.Done
				return errKept
			}
		}
		switch {
		case x.State != payment.Paid:
			return declined(codeUnpaid, "no money came in")
		case q.Give.Amount > x.left():
			return declined(codeOver, "%d is left, which is less than %d", x.left(), q.Give.Amount)
		}
		done = payment.CancelRecord{PGID: strings.ToUpper(made("refund", string(a.Channel.Key), q.Order, q.Key)[:20]), Amount: q.Give, At: a.Now}
		x.Refunds = append(x.Refunds, refund{Key: q.Key, Done: done})
		return nil
	})
	if err != nil {
		return provider.Refunded{}, unclear(err)
	}
	out := provider.Refunded{PGID: done.PGID, At: done.At}
	if !q.Card { // to a card there is no transfer
		out.Transfer = payment.RefundPending
	}
	return out, nil
}

// assume fills an entry that is not there by what the caller says of an account that
// was made known to the program, and not issued here.
func (x *entry) assume(q provider.Query) {
	if x.Order == "" {
		*x = entry{Order: q.Order, PGTx: q.PGTx, Amount: q.Amount, Number: q.Account.Reveal(), State: payment.Issued}
	}
}

// assumePaid takes the caller's word for money of which a notice from elsewhere told,
// and for what went back of it.
func (x *entry) assumePaid(q provider.Refund) {
	x.assume(q.Query)
	if x.State != payment.Issued {
		return
	}
	x.State, x.Paid = payment.Paid, q.Amount
	if earlier := q.Amount.Amount - q.Rest.Amount; earlier > 0 {
		x.Refunds = []refund{{Done: payment.CancelRecord{Amount: payment.Money{Amount: earlier, Currency: q.Amount.Currency}}}}
	}
}
