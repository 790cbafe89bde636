package action

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A DepositRequest asks for money to be paid into a payment's account.
type DepositRequest struct {
	Amount    int64  // in minor units; 0: what the account waits for
	Depositor string // empty: the customer
	Silent    bool   // the PG sends no notice, as if it were lost
}

// A Told is what became of a notice on trial.
type Told struct {
	Payment payment.Payment // as it is afterwards
	// Sent says that there was a notice. Then Answer is what the PG heard, Acked
	// whether it would stop sending, and Result what became of the notice.
	Sent, Acked bool
	Answer      provider.Reply
	Result      notice.Result
}

// A Deposited is what became of a deposit on trial.
type Deposited struct {
	provider.Paid
	Told
}

// How often a notice of a deposit is sent, and the pause before the second time,
// which doubles.
const (
	mostNotices = 5
	firstResend = 100 * time.Millisecond
)

// Deposit pays money into the account of a payment (모의 입금), and sends the PG's
// notice of it to the ingress, again while that says 503. It works on channels on
// trial alone: see provider.OnTrial. An account that was paid is told of once more.
//
// It reports fault.NotFound for a payment that the caller does not see,
// fault.Forbidden for a live one, fault.Unsupported for one whose PG is called for
// real, and fault.Conflict if the account takes no money.
func (a *Actions) Deposit(ctx context.Context, c Caller, id payment.ID, r DepositRequest) (Deposited, error) {
	if err := first(CheckPaymentID(id), checkText("depositor", r.Depositor, 0, maxName)); err != nil {
		return Deposited{}, err
	}
	if r.Amount < 0 || r.Amount > maxAmount {
		return Deposited{}, invalid("amount must be more than 0 and at most %d", int64(maxAmount))
	}
	p, err := a.Store.Payment(ctx, c.Store, id, c.Mode)
	if err != nil {
		return Deposited{}, err
	}
	t, _ := p.Transaction()
	ch, pg, err := a.depositary(ctx, c, p, t)
	if err != nil {
		return Deposited{}, err
	}
	d := provider.Deposit{
		Order: t.Order, PGTx: t.PGTx, Account: *t.Account, Secret: t.Secret, Amount: p.Amount,
		Depositor: cmp.Or(r.Depositor, p.Customer.Name),
	}
	if r.Amount > 0 {
		d.Give = payment.Money{Amount: r.Amount, Currency: p.Amount.Currency}
	}
	out := Deposited{}
	if out.Paid, err = pg.Deposit(ctx, a.access(ch), d); err != nil {
		return Deposited{}, err
	}
	if err := a.Store.Audit(ctx, c.ofTrial(p, "payment.deposit",
		member.Field{Name: "amount", Text: cmp.Or(d.Give, p.Amount).String()}, member.Field{Name: "notice", Text: strconv.FormatBool(!r.Silent)})); err != nil {
		return out, err
	}
	if !r.Silent {
		if err := a.notify(ctx, pg, out.Notice, &out.Told); err != nil {
			return out, err
		}
	}
	out.Payment, err = a.Store.Payment(ctx, c.Store, id, c.Mode)
	return out, err
}

// Tell has something happen to a payment at the side of a PG on trial (the bank takes
// a deposit back, the transfer of a refund ends), and sends the PG's notice of it:
// see provider.Depositary. It reports what Deposit does, and fault.Unsupported for
// what the PG sends no notice of.
func (a *Actions) Tell(ctx context.Context, c Caller, id payment.ID, e payment.Event) (Told, error) {
	if err := CheckPaymentID(id); err != nil {
		return Told{}, err
	}
	p, err := a.Store.Payment(ctx, c.Store, id, c.Mode)
	if err != nil {
		return Told{}, err
	}
	t, _ := p.Transaction()
	ch, pg, err := a.depositary(ctx, c, p, t)
	if err != nil {
		return Told{}, err
	}
	r, err := pg.Tell(ctx, a.access(ch), t.Order, e)
	if err != nil {
		return Told{}, err
	}
	if err := a.Store.Audit(ctx, c.ofTrial(p, "payment.told", member.Field{Name: "event", Text: string(e)})); err != nil {
		return Told{}, err
	}
	var out Told
	if err := a.notify(ctx, pg, r, &out); err != nil {
		return out, err
	}
	out.Payment, err = a.Store.Payment(ctx, c.Store, id, c.Mode)
	return out, err
}

// A payee is a PG that can be paid into.
type payee interface {
	provider.Provider
	provider.Depositary
}

// depositary finds what takes the money of an attempt.
func (a *Actions) depositary(ctx context.Context, c Caller, p payment.Payment, t payment.Transaction) (merchant.Channel, payee, error) {
	switch {
	case p.Mode != merchant.Test:
		return merchant.Channel{}, nil, fault.Errorf(fault.Forbidden, "the payment is a live one: money comes from the buyer's bank alone")
	case t.Account == nil || t.Account.Number == "":
		return merchant.Channel{}, nil, fault.Errorf(fault.Conflict, "the payment has no account that money could be paid into")
	}
	a.views.Refresh() // no transaction looks whether they are still in force
	v, err := a.views.Get(ctx, a.load)
	if err != nil {
		return merchant.Channel{}, nil, err
	}
	ch, pg, err := a.use(v, c, t.Channel)
	switch {
	case fault.Is(err, fault.NotFound):
		return ch, nil, fault.Errorf(fault.Conflict, "the payment's channel is not in use any more")
	case err != nil:
		return ch, nil, err
	}
	to, ok := pg.(payee)
	if !ok {
		return ch, nil, fault.Errorf(fault.Unsupported, "channel %q has base_url or the PG's credentials, so its PG is called for real: pay in there", string(ch.Key))
	}
	return ch, to, nil
}

// notify sends a notice until the ingress takes or refuses it.
func (a *Actions) notify(ctx context.Context, pg provider.Provider, r notice.Request, out *Told) error {
	pause := firstResend
	for n := 1; ; n++ {
		var err error
		out.Answer, out.Result, err = a.Notify(ctx, r)
		switch {
		case out.Answer.Status != http.StatusServiceUnavailable && err != nil:
			return err
		case out.Answer.Status != http.StatusServiceUnavailable:
			out.Sent, out.Acked = true, pg.Acked(out.Answer)
			return nil
		case n == mostNotices:
			return errNotTaken
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return errNotTaken
		}
		pause *= 2
	}
}

// errNotTaken says that it happened at the PG's side, and nobody took the notice.
var errNotTaken = fault.Errorf(fault.Unavailable, "the PG's notice was not taken: ask for the same again")
