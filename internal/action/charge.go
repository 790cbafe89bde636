package action

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A ChargeRequest asks for money from a card, by its number or by a billing key, or from a
// wallet that is played: exactly one of Card, BillingKey and Wallet is set. The registration's
// account is of no use, and its channel may be left out with a billing key, which has its own.
type ChargeRequest struct {
	payment.Registration
	Card       *provider.Card
	BillingKey payment.BillingKeyID
	Wallet     *provider.WalletPay
	Terms      payment.Terms
	Quiet      bool // its success is told to no endpoint
	// IDs name the attempt, so that the same request run again finds it instead of
	// charging again; nil: each run is a request of its own.
	IDs payment.IDs
	// window is that in which a buyer pays; nil: none.
	window *windowed
}

// Charge takes money from a card or a wallet for a new or known payment, and returns the payment
// that is paid. The attempt is committed before the PG is called and its outcome
// after: after a crash or a lost answer between the payment is PAY_PENDING until the
// PG was asked.
//
// A card's number is taken on test channels alone, and a wallet where its PG is played, else it
// is fault.Unsupported. It reports what Issue does, payment.ErrUnderWay, payment.ErrScheduled, payment.ErrNoKey,
// payment.ErrKeyDeleted, and *PGError.
func (a *Actions) Charge(ctx context.Context, c Caller, r ChargeRequest) (payment.Payment, error) {
	if err := prepareCharge(&r); err != nil {
		return payment.Payment{}, err
	}
	if p, id, made, err := a.madeAttempt(ctx, c, r.ID, r.IDs); made || err != nil {
		if err == nil {
			p, err = chargedBefore(p, id)
		}
		return p, err
	}
	x := charging{ChargeRequest: r, begun: now()}
	p, err := a.beginCharge(ctx, c, &x)
	switch {
	case err != nil:
		return p, err
	case x.made:
		return chargedBefore(p, x.attempt)
	}
	return a.call(ctx, x, p)
}

// A charging is one charge under way.
type charging struct {
	ChargeRequest
	channel  merchant.Channel
	charger  provider.Charger
	charge   provider.Charge
	attempt  payment.TransactionID
	begun    time.Time
	made     bool              // by an earlier run of the request
	schedule *payment.Schedule // that it is made for; nil: none
}

// beginCharge writes the attempt down.
func (a *Actions) beginCharge(ctx context.Context, c Caller, x *charging) (payment.Payment, error) {
	asked := x.ChargeRequest
	return a.act(ctx, func(v *view) (notice.Act, error) {
		x.ChargeRequest = asked
		if err := a.charging(ctx, v, c, x); err != nil {
			return notice.Act{}, err
		}
		known, err := a.Store.Payment(ctx, x.Store, x.ID, merchant.Any)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return notice.Act{}, err
		}
		return x.begin(a, orderFor(x.Registration, known.Begun())), nil
	})
}

// call has the PG charge what was begun, and writes what became of it.
func (a *Actions) call(ctx context.Context, x charging, p payment.Payment) (payment.Payment, error) {
	ctx = context.WithoutCancel(ctx) // begun is to be ended
	calling, cancel := inTime(ctx, x.begun)
	defer cancel()
	if err := x.window.confirm(calling, a, p, x.attempt); err != nil {
		return a.charged(ctx, x, provider.Charged{}, err)
	}
	got, err := x.charger.Charge(calling, a.access(x.channel), x.charge)
	return a.charged(ctx, x, got, pgError(err))
}

// errCardNumber says where card numbers are taken.
var errCardNumber = fault.Errorf(fault.Unsupported, "card numbers are taken on test channels only: those of real cards never pass through this server")

// errPlayedWallet says where wallets pay.
var errPlayedWallet = fault.Errorf(fault.Unsupported, "wallets pay on test channels whose PG is played here only: live, in the PG's own window")

// charging finds what a charge needs, by one version of the settings.
func (a *Actions) charging(ctx context.Context, v *view, c Caller, x *charging) error {
	r := x.ChargeRequest
	order := provider.Charge{
		Name: r.OrderName, Amount: r.Amount, TaxFree: r.TaxFree, VAT: vatOf(r.Registration), Customer: r.Customer, Card: r.Card, Wallet: r.Wallet, Terms: r.Terms,
	}
	if r.BillingKey != "" {
		k, err := a.Store.BillingKey(ctx, c.Store, r.BillingKey, c.Mode)
		if err == nil {
			err = k.Usable()
		}
		if err != nil {
			return err
		}
		if r.Channel != "" && r.Channel != k.Channel {
			return fault.Errorf(fault.NotFound, "the billing key is not of channel %q", string(r.Channel))
		}
		r.Channel = k.Channel
		order.BillingKey = &provider.BillingKey{Key: k.PGKey, Customer: customerOf(k.ID)}
	}
	ch, p, err := a.use(v, c, r.Channel)
	if err != nil {
		return err
	}
	if r.Card != nil && ch.Mode != merchant.Test {
		return errCardNumber
	}
	if r.Wallet != nil && !a.played(p, ch) {
		return errPlayedWallet
	}
	charger, ok := p.(provider.Charger)
	if !ok {
		return cannot(p, "charges cards")
	}
	r.Merchant, r.Store, r.Mode = c.Merchant, c.Store, ch.Mode
	x.ChargeRequest, x.channel, x.charger, x.charge = r, ch, charger, order
	return nil
}

// begin is an issuing's, of a charge.
func (x *charging) begin(a *Actions, order string) notice.Act {
	env := payment.Env{Now: now(), NewID: a.newID}
	act := notice.Act{
		Store: x.Store, ID: x.ID, Env: env, Begins: true, BillingKey: x.BillingKey, Window: x.window.id(),
		Names: keyOf(payment.Transaction{Channel: x.channel.Key, Order: order}),
		Do: func(known *payment.Payment) (notice.Acted, error) {
			made, id, err := x.madeOf(known, env.Now)
			if err != nil {
				return notice.Acted{}, err
			}
			if x.attempt, x.made = id, made; made {
				return notice.Acted{Payment: *known}, nil
			}
			g, attempts := x.Registration, 0
			if known != nil {
				attempts = known.Begun()
			}
			g.Attempt = id
			if g.Order = orderFor(g, attempts); g.Order != order {
				return notice.Acted{}, fault.Errorf(fault.Stale, "payment %q has had another attempt meanwhile", g.ID)
			}
			p, t, err := payment.BeginCharge(known, g, x.kept(), env)
			if err != nil {
				return notice.Acted{}, err
			}
			x.charge.ID, x.charge.Key, x.attempt = g.Order, string(t.ID), t.ID
			if err := x.charger.CheckCharge(a.access(x.channel).Channel, x.charge); err != nil {
				return notice.Acted{}, err
			}
			return notice.Acted{Payment: p, Changed: true, Ask: env.Now.Add(askAfter)}, nil
		},
	}
	if x.schedule != nil {
		act.Schedule, act.Lease = x.schedule.ID, x.schedule.Until
	}
	return act
}

// kept is what is kept of the charge.
func (x *charging) kept() payment.Charge {
	c := payment.Charge{BillingKey: x.BillingKey, Quiet: x.Quiet}
	if x.Wallet != nil {
		c.Wallet = x.Wallet.Name
	}
	if x.Terms.Months > 1 {
		c.Card.Months = x.Terms.Months
	}
	if x.schedule != nil {
		c.Schedule = x.schedule.ID
	}
	return c
}

// madeOf reports whether an earlier run of the request made an attempt, and the id
// of that or of the next one; without IDs it names none. The one attempt of a schedule
// bears the schedule's: should the database lose that it was begun, as by a restore of a
// backup, the PG is asked under the same key, and answers as it did.
func (x *charging) madeOf(known *payment.Payment, at time.Time) (made bool, id payment.TransactionID, err error) {
	if x.schedule != nil {
		return false, payment.TransactionID(x.schedule.ID), nil
	}
	return x.window.madeOf(x.IDs, known, at)
}

// chargedBefore is what a request is answered whose attempt was made by an earlier
// run, which died.
func chargedBefore(p payment.Payment, id payment.TransactionID) (payment.Payment, error) {
	i := slices.IndexFunc(p.Transactions, func(t payment.Transaction) bool { return t.ID == id })
	if i < 0 || p.Transactions[i].PaidAt.IsZero() {
		return p, errUnclear(nil)
	}
	p.Current = i
	return p, nil
}

// charged writes what became of a charge.
func (a *Actions) charged(ctx context.Context, x charging, got provider.Charged, failed error) (payment.Payment, error) {
	unclear := isUnclear(failed)
	got.At = stored(got.At)
	got.Card.Months = max(got.Card.Months, x.kept().Card.Months)
	p, err := a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		names := keyOf(payment.Transaction{Channel: x.channel.Key, Order: x.charge.ID, PGTx: got.PGTx})
		return notice.Act{Store: x.Store, ID: x.ID, Env: env, Names: names, Do: func(known *payment.Payment) (notice.Acted, error) {
			switch {
			case known == nil:
				return notice.Acted{}, fault.Errorf(fault.NotFound, "there is no payment %q any more", x.ID)
			case unclear:
				d, err := known.ChargeUnclear(x.attempt, got.PGTx, env)
				out := a.written(v, d, env.Now, false)
				out.Ask = env.Now.Add(firstInquiry)
				return out, err
			case failed != nil:
				d, err := known.ChargeRefused(x.attempt, failureOf(failed), env)
				return x.window.ended(a.written(v, d, env.Now, false), failed), err
			}
			d, err := known.ChargeDone(x.attempt, got, env)
			out := a.written(v, d, env.Now, x.Quiet)
			out.Emissions = append(out.Emissions, a.listed(v, x.channel, d, env.Now)...)
			return out, err
		}}, nil
	})
	switch {
	case unclear:
		a.asked(now().Add(firstInquiry))
		return p, failed
	case failed != nil:
		return p, failed
	case err != nil:
		return p, unwritten(err)
	}
	return chargedBefore(p, x.attempt)
}

// listed asks the merchant to look at a decision that a person is to see. The event is
// kept although no endpoint names its type, and the log tells of it.
func (a *Actions) listed(v *view, ch merchant.Channel, d payment.Decision, at time.Time) []webhook.Emission {
	if !d.Listed {
		return nil
	}
	if a.Log != nil {
		a.Log.Error("a person is to look at a payment: what was charged is not what pays it", "payment_key", d.Payment.Key, "payment", d.Payment.ID, "channel", ch.Key)
	}
	e := webhook.Event{
		ID: webhook.EventID(a.newID()), Type: webhook.Attention, At: at, Merchant: ch.Merchant, Store: d.Payment.Store, Mode: ch.Mode,
		Payment: d.Payment.Key, PaymentID: d.Payment.ID, State: d.Payment.State,
		Concern: &webhook.Concern{Kind: "listed", Reason: string(d.Reason), Channel: ch.Key, Subject: string(d.Payment.ID)},
	}
	out, err := v.planner.Plan(e, nil)
	if err != nil {
		out = webhook.Emission{Event: e} // as in written
	}
	return []webhook.Emission{out}
}

// failureOf is what a payment keeps of a charge that came to nothing.
func failureOf(err error) payment.Failure {
	out := payment.Failure{Reason: why(err)}
	if pg, ok := errors.AsType[*PGError](err); ok {
		out.PGCode, out.PGMessage = pg.Code, pg.Message
	}
	return out
}

// prepareCharge checks a request for all that needs no settings.
func prepareCharge(r *ChargeRequest) error {
	r.Order = "" // it follows from the payment's id
	if err := first(checkSale(r.Registration), checkParts(r.Registration), checkTerms(r.Terms)); err != nil {
		return err
	}
	by := 0
	for _, given := range []bool{r.Card != nil, r.BillingKey != "", r.Wallet != nil} {
		if given {
			by++
		}
	}
	switch {
	case by != 1:
		return invalid("a charge is by a card's number, by a billing key or by a wallet")
	case r.Wallet != nil:
		if !r.Wallet.Name.Known() || !slices.Contains(provider.Endings(), r.Wallet.Ending) {
			return invalid("there is no wallet %.40q, or it does not end by %.40q", string(r.Wallet.Name), string(r.Wallet.Ending))
		}
		return checkText("channelKey", string(r.Channel), 1, maxName)
	case r.Card != nil:
		return first(checkText("channelKey", string(r.Channel), 1, maxName), checkCard(*r.Card))
	}
	return checkText("billingKey", string(r.BillingKey), 1, maxName)
}

// maxMonths is how many instalments Korean cards have at most.
const maxMonths = 36

func checkTerms(t payment.Terms) error {
	if t.Months < 0 || t.Months > maxMonths {
		return invalid("installmentMonth must be from 0 to %d", maxMonths)
	}
	return nil
}

// checkCard reports what cannot be a card, quoting none of it.
func checkCard(c provider.Card) error {
	month := c.ExpiryMonth.Reveal()
	switch {
	case !digitsOf(c.Number.Reveal(), 13, 19):
		return invalid("credential.number must have 13 to 19 digits")
	case !digitsOf(c.ExpiryYear.Reveal(), 2, 2):
		return invalid("credential.expiryYear must have two digits")
	case !digitsOf(month, 2, 2) || month < "01" || month > "12":
		return invalid("credential.expiryMonth must be from 01 to 12")
	case c.Identity != "" && !digitsOf(c.Identity.Reveal(), 6, 6) && !digitsOf(c.Identity.Reveal(), 10, 10):
		return invalid("credential.birthOrBusinessRegistrationNumber must have 6 or 10 digits")
	case c.Password != "" && !digitsOf(c.Password.Reveal(), 2, 2):
		return invalid("credential.passwordTwoDigits must have two digits")
	}
	return nil
}

func digitsOf(s string, least, most int) bool {
	return len(s) >= least && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

// customerOf is the name under which a PG knows the holder of a billing key's card.
func customerOf(id payment.BillingKeyID) string {
	return strings.TrimPrefix(string(id), payment.BillingKeyPrefix)
}
