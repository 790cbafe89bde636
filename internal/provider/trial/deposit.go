package trial

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// Deposit pays money into an account. An account that was issued elsewhere is taken
// as it is described.
func (g PG) Deposit(ctx context.Context, a provider.Access, d provider.Deposit) (provider.Paid, error) {
	var paid provider.Paid
	_, err := g.change(ctx, a, d.Order, func(x *entry) error {
		if x.Order == "" {
			*x = entry{Order: d.Order, PGTx: d.PGTx, Secret: d.Secret.Reveal(), Amount: d.Amount, State: payment.Issued}
			x.setAccount(d.Account)
		}
		give := d.Give
		if give.IsZero() {
			give = x.Amount
		}
		paid = provider.Paid{Again: x.State == payment.Paid}
		switch {
		case x.charged():
			return errCard
		case paid.Again && (len(x.Refunds) > 0 || !d.Give.IsZero() && give != x.Paid):
			return fault.Errorf(fault.Conflict, "money came into the account before: it takes no more")
		case paid.Again && x.PaidAt.IsZero():
			return fault.Errorf(fault.Conflict, "a notice from elsewhere told of the account's money")
		case x.State == payment.Failed:
			return fault.Errorf(fault.Conflict, "the account was closed: it takes no money")
		case x.expired(a.Now):
			return fault.Errorf(fault.Conflict, "the account took money until %s", x.Account.ExpiresAt.Format(time.RFC3339))
		case give.Amount <= 0 || give.Currency != x.Amount.Currency:
			return fault.Errorf(fault.Invalid, "what is paid in must be more than 0 %s", x.Amount.Currency)
		}
		if !paid.Again {
			// PGs tell whole seconds.
			x.State, x.Paid, x.PaidAt, x.Depositor = payment.Paid, give, a.Now.Truncate(time.Second), cmp.Or(d.Depositor, "홍길동")
			x.Told = nil
		}
		var err error
		if paid.Notice, err = g.depositNotice(a.Channel, x); err != nil {
			return err
		}
		paid.Amount, paid.Depositor, paid.At = x.Paid, x.Depositor, x.PaidAt
		if paid.Again {
			return errKept
		}
		return nil
	})
	return paid, err
}

// depositNotice is the notice of an entry's money. It writes down how the PG names
// that money.
func (g PG) depositNotice(c merchant.Channel, x *entry) (notice.Request, error) {
	n := x.report(payment.EventDeposited, x.Paid, x.PaidAt)
	n.Depositor = x.Depositor
	r, told, err := g.write(c, n)
	switch {
	case err != nil:
		return r, err
	case told.AmountEnforced && x.Paid != x.Amount:
		return r, fault.Errorf(fault.Unsupported, "the banks of %s take no other amount than %d", g.Info().Name.EN, x.Amount.Amount)
	}
	x.Deposit = told.Deposit
	return r, nil
}

// Tell has something happen at the PG's side. Once nothing more of the kind can happen,
// the notice of what did is returned again: nobody may have taken it.
func (g PG) Tell(ctx context.Context, a provider.Access, order string, e payment.Event) (notice.Request, error) {
	if !slices.Contains([]payment.Event{payment.EventReversed, payment.EventRefunded, payment.EventRefundFailed}, e) {
		return notice.Request{}, fault.Errorf(fault.Invalid, "event %q: want %s, %s or %s", string(e), payment.EventReversed, payment.EventRefunded, payment.EventRefundFailed)
	}
	if !slices.Contains(g.Info().Events, e) {
		return notice.Request{}, fault.Errorf(fault.Unsupported, "%s sends no notice that says %s", g.Info().Name.EN, e)
	}
	var r notice.Request
	_, err := g.change(ctx, a, order, func(x *entry) error {
		h, err := x.happens(e, a.Now.Truncate(time.Second))
		if err != nil {
			var told bool
			if h, told = x.toldBefore(e); !told {
				return err
			}
		}
		x.Told = append(x.Told, h)
		r, _, err = g.write(a.Channel, x.tells(h))
		return err
	})
	return r, err
}

// toldBefore takes out what was told of an event, the earliest first: its notice may
// have been lost, and nothing more can happen.
func (x *entry) toldBefore(e payment.Event) (happening, bool) {
	i := slices.IndexFunc(x.Told, func(h happening) bool { return h.Event == e })
	if i < 0 {
		return happening{}, false
	}
	h := x.Told[i]
	x.Told = slices.Delete(x.Told, i, i+1)
	return h, true
}

// happens changes an entry by an event at the PG's side, and returns what is told.
func (x *entry) happens(e payment.Event, at time.Time) (happening, error) {
	if x.charged() {
		return happening{}, errCard
	}
	if e == payment.EventReversed {
		if x.State != payment.Paid || len(x.Refunds) > 0 || x.PaidAt.IsZero() {
			return happening{}, fault.Errorf(fault.Conflict, "there is no deposit that the bank could take back")
		}
		h := happening{Event: e, Amount: x.Paid, At: at, Deposit: x.Deposit, Depositor: x.Depositor}
		x.State, x.Paid, x.PaidAt, x.Deposit, x.Depositor = payment.Issued, payment.Money{}, time.Time{}, "", ""
		return h, nil
	}
	i := slices.IndexFunc(x.Refunds, func(r refund) bool { return r.Transfer == "" && r.Done.PGID != "" })
	if i < 0 {
		return happening{}, fault.Errorf(fault.Conflict, "no transfer of a refund is under way")
	}
	x.Refunds[i].Transfer = payment.RefundCompleted
	if e == payment.EventRefundFailed {
		x.Refunds[i].Transfer = payment.RefundFailed
	}
	return happening{Event: e, Amount: x.Refunds[i].Done.Amount, At: at, PGCancel: x.Refunds[i].Done.PGID}, nil
}

// tells is what the PG tells of what happened.
func (x *entry) tells(h happening) notice.Notice {
	n := x.report(h.Event, h.Amount, h.At)
	n.Deposit, n.Depositor, n.PGCancel = h.Deposit, h.Depositor, h.PGCancel
	return n
}

// report is what the PG tells of an entry.
func (x entry) report(e payment.Event, amount payment.Money, at time.Time) notice.Notice {
	n := notice.Notice{Order: x.Order, Proof: secret.Text(x.Secret)}
	n.Report = payment.Report{
		Event: e, Amount: amount, HasAmount: true, Account: secret.Account(x.Number), Bank: x.Account.Bank,
		Holder: x.Account.Holder, At: at, ExpiresAt: x.Account.ExpiresAt, PGTx: x.PGTx,
	}
	return n
}

// write is a notice as the PG sends it to a channel, and as its receiver reads it.
func (g PG) write(c merchant.Channel, n notice.Notice) (notice.Request, notice.Notice, error) {
	n.Merchant = c.MID
	r := g.Encode(n, c.Credentials)
	told, err := g.Decode(r)
	if err != nil {
		return r, told, fault.Errorf(fault.Invalid, "the PG's notice cannot tell of it: %w", err)
	}
	r.Path = provider.NoticePath(r.Path, c)
	return r, told, nil
}

// told is a notice of an order as its receiver would read it: with the ids that the
// PG gives what has none.
func (g PG) told(c merchant.Channel, order string, amount payment.Money) (notice.Notice, error) {
	_, told, err := g.write(c, entry{Order: order}.report(payment.EventDeposited, amount, time.Time{}))
	return told, err
}
