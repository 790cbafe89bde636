package action

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// deposit has the account of the payment paid into, and the PG's notice of it sent over the
// network; it reports whether that was taken.
func (x *pathing) deposit(ctx context.Context, p payment.Payment) (arrived bool, err error) {
	client, base, own := x.network()
	if base == "" {
		x.add(ctx, say(PartDeposit, StepFailed, "path.no_public_url"))
		return false, nil
	}
	module, _ := x.a.Providers(x.channel.Provider) // the channel was found by it
	r := rehearsal{
		a: x.a, client: client, base: base, provider: module, info: module.Info(), channel: x.channel, token: secret.Text(rand.Text() + rand.Text()),
	}
	key, began := "path.deposit_real", time.Now()
	if to, ok := x.pg.(payee); ok {
		key = "path.deposit_here"
		t, _ := p.Transaction()
		paid, err := to.Deposit(ctx, x.a.access(x.channel), provider.Deposit{
			Order: t.Order, PGTx: t.PGTx, Account: *t.Account, Secret: t.Secret, Amount: p.Amount, Depositor: pathDeposit,
		})
		if err != nil {
			return false, x.declined(ctx, PartDeposit, err, time.Since(began))
		}
		r.request, r.plan.Given = paid.Notice, true
	} else {
		n, err := r.notice(ctx, x.caller, p.ID)
		if err == nil {
			err = r.encode(n)
		}
		if err != nil {
			return false, x.declined(ctx, PartDeposit, err, time.Since(began))
		}
	}
	x.add(ctx, notice.PathRung{Part: PartDeposit, Outcome: string(StepOK), Took: time.Since(began), Key: key})
	if own {
		x.add(ctx, notice.PathRung{Part: PartNotice, Step: "address_own", Outcome: string(StepSkipped), Key: "path.own_address"})
	}
	return x.notify(ctx, r)
}

// notify sends the notice, and climbs as a test notice does.
func (x *pathing) notify(ctx context.Context, r rehearsal) (arrived bool, err error) {
	at := now()
	r.plan.Channel, r.plan.Until = x.channel.Key, at.Add(notice.RehearsalLife)
	if err := x.a.Store.BeginRehearsal(ctx, r.token, r.plan, at); err != nil {
		return false, err
	}
	l, err := r.run(ctx)
	if err != nil {
		return false, err
	}
	var list []notice.PathRung
	for _, g := range l.Rungs {
		list = append(list, notice.PathRung{
			Part: PartNotice, Step: string(g.Step), Outcome: string(g.Outcome), Took: g.Took, Key: "ladder." + string(g.Finding), Args: argTexts(g.Args), Notice: l.Notice,
		})
	}
	x.add(ctx, list...)
	return l.Good(), nil
}

// read reads the payment back, as the API tells of it.
func (x *pathing) read(ctx context.Context, want payment.State) error {
	p, err := x.a.Store.Payment(ctx, x.caller.Store, x.test.Payment, x.caller.Mode)
	if fault.Is(err, fault.NotFound) {
		x.add(ctx, say(PartRead, StepFailed, "path.read_none"))
		return nil
	}
	if err != nil {
		return err
	}
	x.test.Key = p.Key
	switch {
	case p.State != want:
		x.add(ctx, say(PartRead, StepFailed, "path.read_other", "state", p.State, "want", want))
	case want == payment.Cancelled:
		x.add(ctx, say(PartRead, StepOK, "path.read_cancelled", "amount", p.Amount.Amount, "currency", p.Amount.Currency))
	case p.CashReceipt != nil:
		x.add(ctx, say(PartRead, StepOK, "path.read_receipt", "amount", p.Amount.Amount, "currency", p.Amount.Currency))
	case x.account():
		x.add(ctx, say(PartRead, StepOK, "path.read_deposit", "amount", p.Amount.Amount, "currency", p.Amount.Currency))
	default:
		x.add(ctx, say(PartRead, StepOK, "path.read_paid", "amount", p.Amount.Amount, "currency", p.Amount.Currency))
	}
	return nil
}
