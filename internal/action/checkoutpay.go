package action

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// TestCards lists the cards that windows of test channels offer, by how they end, with the
// number of each, which is published.
func TestCards() map[provider.Ending]secret.Text {
	return map[provider.Ending]secret.Text{provider.Approves: "4242424242424242", provider.Declines: "4000000000000002", provider.TimesOut: "4000000000001117"}
}

// An AccountChoice is the account that a buyer asks for.
type AccountChoice struct {
	Bank      payment.Bank
	Depositor string                 // who will send the money
	Receipt   *provider.ReceiptOrder // nil: no cash receipt
}

// A CheckoutChoice is what a buyer chose in a window, as its method has it: one field is
// set.
type CheckoutChoice struct {
	Account *AccountChoice
	// Ending is how a card or a wallet ends that is played.
	Ending provider.Ending
}

// AccountDays is how many days an account takes money if the page did not say: to the end
// of the last, in Korea.
const AccountDays = 3

// CheckoutDue is until when the account of a window takes money that is issued at a time.
func CheckoutDue(c payment.Checkout, issued time.Time) time.Time {
	if !c.AccountDue.IsZero() {
		return c.AccountDue
	}
	return endOfDay(issued, AccountDays)
}

// Checkout is a window as it stands now, with what it may show of its payment: see
// payment.Checkout.Stands and Seen. It reports payment.ErrNoCheckout.
func (a *Actions) Checkout(ctx context.Context, id payment.CheckoutID) (payment.Checkout, payment.Payment, error) {
	c, p, err := a.checkout(ctx, id)
	return c, c.Seen(p), err
}

// checkout is Checkout with all of the payment. An outcome that follows from the payment
// is written down.
func (a *Actions) checkout(ctx context.Context, id payment.CheckoutID) (c payment.Checkout, p payment.Payment, err error) {
	if c, err = a.Store.Checkout(ctx, id); err != nil {
		return c, p, err
	}
	p, err = a.Store.PaymentByKey(ctx, c.Payment)
	switch {
	case fault.Is(err, fault.NotFound):
		return c, p, payment.ErrNoCheckout // pruned
	case err != nil:
		return c, p, err
	}
	stands := c.Stands(p, now())
	if c.EndedAt.IsZero() && !stands.EndedAt.IsZero() {
		// Should this fail, it is found out by whoever looks next.
		if written, err := a.Store.EndCheckout(ctx, id, stands.Outcome, stands.EndedAt); err == nil {
			return written, p, nil
		}
	}
	return stands, p, nil
}

// PayCheckout does what the buyer of a window chose: it begins the window's attempt, asks
// the shop if there is a confirmUrl, and then the PG. However often and wherever it is
// called for one window, one attempt is made; a later call returns the window as it
// stands, which may be before its end.
//
// What keeps the payment from being made ends the window, and is its outcome, no error:
// a PG's no or the shop's, another attempt that began meanwhile, time that is over. It
// reports fault.Invalid for a choice that cannot be right, and ErrNoWindow and
// fault.Unavailable, also as payment.ErrTooManyAccounts: then nothing was done, and the
// buyer may try again.
func (a *Actions) PayCheckout(ctx context.Context, id payment.CheckoutID, x CheckoutChoice) (payment.Checkout, payment.Payment, error) {
	c, p, err := a.checkout(ctx, id)
	if _, begun := c.Own(p); err != nil || begun || !c.EndedAt.IsZero() {
		return c, c.Seen(p), err
	}
	if c.Amount != p.Amount || c.TaxFree != p.TaxFree {
		err = payment.ErrOtherAmount // the merchant's server said so since
	} else {
		err = a.pay(ctx, c, p, x)
	}
	a.tellCapped(ctx, c.Store, err)
	defer a.watch.poke(c.Payment)
	ctx = context.WithoutCancel(ctx)
	how, ends := outcomeOf(err)
	switch {
	case ends:
		if _, err := a.Store.EndCheckout(ctx, id, how, now()); err != nil {
			return c, c.Seen(p), err
		}
	case err != nil && !standsFor(err):
		return c, c.Seen(p), err
	}
	return a.Checkout(ctx, id)
}

// pay makes the attempt of a window.
func (a *Actions) pay(ctx context.Context, c payment.Checkout, p payment.Payment, x CheckoutChoice) error {
	by := Caller{Merchant: c.Merchant, Store: c.Store, Mode: c.Mode}
	switch c.Method {
	case payment.VirtualAccount:
		if x.Account == nil {
			return invalid("choose a bank")
		}
		g := c.Registration(p)
		g.Account = payment.Account{Bank: x.Account.Bank, ExpiresAt: CheckoutDue(c, now())}
		if err := checkChoice(c, *x.Account); err != nil {
			return err
		}
		_, err := a.Issue(ctx, by, IssueRequest{Registration: g, Receipt: x.Account.Receipt, Escrow: c.Escrow, window: &windowed{c}, depositor: x.Account.Depositor})
		return err
	case payment.ByCard:
		number, ok := TestCards()[x.Ending]
		if !ok {
			return invalid("choose a card")
		}
		if _, err := a.playing(ctx, c); err != nil {
			return err
		}
		_, err := a.Charge(ctx, by, ChargeRequest{
			Registration: c.Registration(p), Card: &provider.Card{Number: number, ExpiryYear: "39", ExpiryMonth: "12"}, window: &windowed{c},
		})
		return err
	case payment.ByWallet, payment.ByPayPal:
		if !slices.Contains(provider.Endings(), x.Ending) {
			return invalid("choose how the payment ends")
		}
		i, err := a.playing(ctx, c)
		if err != nil {
			return err
		}
		_, err = a.Charge(ctx, by, ChargeRequest{
			Registration: c.Registration(p), Wallet: &provider.WalletPay{Name: walletAsked(i, c.Asked), Ending: x.Ending}, window: &windowed{c},
		})
		return err
	}
	return ErrNoWindow
}

// playing is the module of the window's channel. It reports ErrNoWindow unless its PG is
// played here: no other is given the numbers of its cards, or a wallet that nobody has.
func (a *Actions) playing(ctx context.Context, c payment.Checkout) (i provider.Info, err error) {
	err = a.viewed(ctx, func(v *view) error {
		ch, p, err := a.use(v, Caller{Merchant: c.Merchant, Store: c.Store, Mode: c.Mode}, c.Channel)
		if err == nil && !a.played(p, ch) {
			err = ErrNoWindow
		}
		if err == nil {
			i = p.Info()
		}
		return err
	})
	return i, err
}

// checkChoice checks what a buyer wrote.
func checkChoice(c payment.Checkout, x AccountChoice) error {
	if err := checkText("depositor", x.Depositor, 0, maxDepositor); err != nil {
		return err
	}
	if x.Bank == "" || !x.Bank.Known() || len(c.Banks) > 0 && !slices.Contains(c.Banks, x.Bank) {
		return invalid("choose one of the banks")
	}
	if r := x.Receipt; r != nil && !digitsOf(r.Identity.Reveal(), 10, 13) && !digitsOf(r.Identity.Reveal(), 16, 18) {
		return invalid("the number of the cash receipt is of 10 to 18 digits: a phone, business or card number")
	}
	return nil
}

// maxDepositor is the longest name of a depositor, in bytes.
const maxDepositor = 100

// endOfDay is the last second of a day in Korea, so many days from at.
func endOfDay(at time.Time, days int) time.Time {
	y, m, d := at.In(wire.Seoul).Date()
	return time.Date(y, m, d+days, 23, 59, 59, 0, wire.Seoul).UTC()
}

// A windowed is what an attempt that is made in a window has beside others. The nil
// windowed is that of an attempt that is made in none.
type windowed struct {
	payment.Checkout
}

func (w *windowed) id() payment.CheckoutID {
	if w == nil {
		return ""
	}
	return w.ID
}

// madeOf is the function of that name, and for a window reports why its attempt may not
// begin, unless it has.
func (w *windowed) madeOf(ids payment.IDs, known *payment.Payment, at time.Time) (made bool, id payment.TransactionID, err error) {
	switch {
	case w == nil:
		made, id = madeOf(ids, known, at)
		return made, id, nil
	case known == nil:
		return false, "", payment.ErrNoCheckout
	}
	if _, own := w.Own(*known); own {
		return true, w.Transaction, nil
	}
	return false, w.Transaction, known.MayPay(w.Checkout, at)
}

// ended is what becomes of an attempt together with how its window ends, if it was made in
// one and did not come about: whoever looks at the payment alone could not tell the shop's no
// from the PG's.
func (w *windowed) ended(out notice.Acted, why error) notice.Acted {
	if how, ends := outcomeOf(why); w != nil && ends {
		out.Ends, out.Window = &how, w.ID
	}
	return out
}

// outcomeOf is how a window ends by what kept its payment from being made; ends is false
// if it does not.
func outcomeOf(err error) (how payment.Outcome, ends bool) {
	pg, isPG := errors.AsType[*PGError](err)
	no, isNo := errors.AsType[*ConfirmError](err)
	end := func(c payment.Code, text string) (payment.Outcome, bool) {
		return payment.Outcome{Code: c, Message: text}, true
	}
	switch {
	case err == nil, standsFor(err):
	case isNo:
		return end(payment.CodeConfirm, no.Error())
	case isPG && pg.cause != nil && isDeclined(pg.cause):
		return payment.Outcome{Code: payment.CodePG, Message: pg.Message, PGCode: pg.Code, PGMessage: pg.Message}, true
	case isPG:
		return end(payment.CodePG, pg.Message)
	case errors.Is(err, payment.ErrAlreadyPaid):
		return end(payment.CodeAlreadyPaid, err.Error())
	case errors.Is(err, payment.ErrOtherAmount), errors.Is(err, payment.ErrPinned):
		return end(payment.CodeOtherAmount, err.Error())
	case fault.Is(err, fault.Conflict), errors.Is(err, payment.ErrTooManyTransactions):
		return end(payment.CodeOvertaken, err.Error())
	}
	return payment.Outcome{}, false
}

func isDeclined(err error) bool {
	_, ok := errors.AsType[*provider.DeclinedError](err)
	return ok
}

// standsFor reports whether an error says only that the window stands somewhere else by
// now, or will: what its payment is tells the rest.
func standsFor(err error) bool {
	return isUnclear(err) || errors.Is(err, payment.ErrCheckoutEnded) || errors.Is(err, payment.ErrCheckoutExpired) || errors.Is(err, payment.ErrOvertaken)
}

// LeaveCheckout ends a window whose buyer went away, and with it the attempt that it had
// opened. If the PG was asked, what comes of that decides, and the window is returned as
// it stands; so is one that has ended.
func (a *Actions) LeaveCheckout(ctx context.Context, id payment.CheckoutID) (payment.Checkout, error) {
	c, p, err := a.checkout(ctx, id)
	if _, begun := c.Own(p); err != nil || begun || !c.EndedAt.IsZero() {
		return c, err
	}
	defer a.watch.poke(c.Payment)
	_, err = a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		return notice.Act{Payment: c.Payment, Window: c.ID, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
			d, err := known.Leave(c, env)
			out := a.written(v, d, env.Now, false)
			left := payment.Left()
			out.Ends = &left
			return out, err
		}}, nil
	})
	if err != nil && !errors.Is(err, payment.ErrUnderWay) && !errors.Is(err, payment.ErrCheckoutEnded) {
		return c, err
	}
	c, _, err = a.checkout(ctx, id)
	return c, err
}

// DepositCheckout pays into the account of a window on a test channel, as Deposit does:
// the PG's notice goes through the ingress. It reports what Deposit does, and
// fault.Conflict if the account is not what the payment waits for.
func (a *Actions) DepositCheckout(ctx context.Context, id payment.CheckoutID) (payment.Checkout, payment.Payment, error) {
	c, p, err := a.checkout(ctx, id)
	if err != nil {
		return c, c.Seen(p), err
	}
	if at, _ := p.Transaction(); at.ID != c.Transaction || at.Account == nil {
		return c, c.Seen(p), fault.Errorf(fault.Conflict, "the window has no account that waits for money")
	}
	if c.Mode != merchant.Test {
		return c, c.Seen(p), fault.Errorf(fault.Forbidden, "the payment is a live one: money comes from the buyer's bank alone")
	}
	if _, err := a.Deposit(ctx, Caller{Merchant: c.Merchant, Store: c.Store, Mode: merchant.Test}, c.PaymentID, DepositRequest{}); err != nil {
		return c, c.Seen(p), err
	}
	return a.Checkout(ctx, id)
}
