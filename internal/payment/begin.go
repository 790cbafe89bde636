package payment

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// Begin adds an attempt for which the PG is to issue an account, to a payment
// that has the id (known; nil if none). The attempt is READY until IssueDone or
// IssueRefused; an account that waits already goes on waiting. Of the
// registration's account nothing counts yet. An attempt of the registration's id that
// was merely opened is taken up; others that were end. It reports fault.Conflict if
// amount or mode differ, ErrAlreadyPaid if the payment takes no further attempt, and
// ErrUnderWay if a charge of it has not ended. Of a payment of which no more is known
// than windows, amount and mode are what the merchant's server says. A window's words
// describe the order if windows alone described it before; see Payment.ByWindows.
func Begin(known *Payment, g Registration, e Env) (Payment, Transaction, error) {
	if g.Order == "" {
		g.Order = string(g.ID)
	}
	byWindows := g.Checkout != "" && known != nil && known.ByWindows()
	t := Transaction{ID: g.Attempt, Channel: g.Channel, Order: g.Order, State: Ready, At: e.Now, Checkout: g.Checkout}
	if t.ID == "" {
		t.ID = TransactionID(e.NewID())
	}
	var p Payment
	if known != nil {
		was := known.clone()
		was.yield(g)
		known = &was
	}
	switch {
	case known == nil:
		p = Payment{
			Key: Key(e.NewID()), Merchant: g.Merchant, Store: g.Store, ID: g.ID, Mode: g.Mode,
			Amount: g.Amount, RequestedAt: e.Now,
		}
	case known.Mode != g.Mode:
		return p, t, fault.Errorf(fault.Conflict, "payment %q exists in %s mode; the channel is %s", g.ID, known.Mode, g.Mode)
	case known.charging():
		return p, t, ErrUnderWay
	case known.State != Ready && known.State != Issued && known.State != Failed:
		return p, t, ErrAlreadyPaid
	case known.Amount != g.Amount:
		return p, t, fault.Errorf(fault.Conflict, "payment %q is registered with %v, not %v", g.ID, known.Amount, g.Amount)
	case len(known.Transactions) >= MaxTransactions && !known.opened(g.Attempt):
		return p, t, ErrTooManyTransactions
	default:
		p = *known // a copy by now
	}
	switch {
	case byWindows:
		w := g.words()
		t.Words = &w
		p.say(w)
	case g.Checkout == "" || known == nil:
		p.describe(g)
	}
	p.Current = slices.IndexFunc(p.Transactions, func(o Transaction) bool { return o.ID == t.ID && o.Opened })
	if p.Current >= 0 {
		p.Transactions[p.Current] = t
	} else {
		p.Transactions = append(p.Transactions, t)
		p.Current = len(p.Transactions) - 1
	}
	p.overtake(t.ID)
	p.State, p.UpdatedAt, p.StatusChangedAt, p.Expired = Ready, e.Now, e.Now, false
	return p, t, nil
}

// An Issuance is an account that a PG issued for an attempt.
type Issuance struct {
	Account Account
	PGTx    string
	Secret  secret.Text // the PG's for this order alone
	Key     string      // the PG's name for the issue; see Transaction.IssueKey
	At      time.Time   // the PG's time; zero if it told none
}

// IssueDone ends the issue of an attempt's account. If a notice of it was quicker,
// only what that did not tell is filled in.
func (p Payment) IssueDone(id TransactionID, x Issuance, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e, r: Report{At: x.At}}
	i := d.attempt(id)
	if i < 0 {
		return Decision{}, errNoSuchAttempt
	}
	t := &d.p.Transactions[i]
	if t.PGTx == "" {
		t.PGTx = x.PGTx
	}
	if t.Secret == "" {
		t.Secret = x.Secret
	}
	if t.IssueKey == "" {
		t.IssueKey, t.IssueToldAt = x.Key, x.At
	}
	if t.Account == nil || t.Account.Number == "" {
		a := x.Account
		if a.IssuedAt.IsZero() {
			a.IssuedAt = d.at()
		}
		t.Account = &a
	} else {
		t.Account.complete(x.Account)
	}
	switch {
	case t.State != Ready:
		return d.remembered(ReasonNone), nil
	case i == d.p.Current && d.p.State == Ready:
		t.State = Issued
		return d.applied(Issued, ChangeIssued, ""), nil
	}
	t.State = Issued // of a payment that went on without it
	return d.remembered(ReasonNone), nil
}

// IssueNamed notes the PG's id of an issue whose outcome is not known yet, where
// the caller of the PG makes that id.
func (p Payment) IssueNamed(id TransactionID, pgTx string, e Env) Decision {
	d := decider{p: p.clone(), before: p, e: e}
	i := d.attempt(id)
	if i < 0 || pgTx == "" || d.p.Transactions[i].PGTx != "" {
		return d.recorded(ReasonNone)
	}
	d.p.Transactions[i].PGTx = pgTx
	return d.remembered(ReasonNone)
}

// IssueRefused ends an attempt for which the PG issued no account. The payment
// goes on with another account that waits, and fails if there is none.
func (p Payment) IssueRefused(id TransactionID, why string, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	i := d.attempt(id)
	switch {
	case i < 0:
		return Decision{}, errNoSuchAttempt
	case d.p.Transactions[i].State != Ready:
		return d.recorded(ReasonNone), nil
	}
	return d.fail(i, why), nil
}

// CheckClose returns the attempt with an id, and reports ErrNotWaiting unless it
// waits for a deposit. The payment may have been paid by another one.
func (p Payment) CheckClose(id TransactionID) (Transaction, error) {
	i := slices.IndexFunc(p.Transactions, func(t Transaction) bool { return t.ID == id })
	if i < 0 || p.Transactions[i].State != Issued || p.Transactions[i].Account == nil {
		return Transaction{}, ErrNotWaiting
	}
	return p.Transactions[i], nil
}

// CloseAsked notes that the PG is asked to close an attempt's account. It is
// outstanding until CloseDone or CloseRefused, or until the PG says where it stands.
func (p Payment) CloseAsked(id TransactionID, e Env) Decision {
	d := decider{p: p.clone(), before: p, e: e}
	i := d.attempt(id)
	if i < 0 || !d.p.Transactions[i].open() {
		return d.recorded(ReasonNone)
	}
	d.p.Transactions[i].Closing = e.Now
	return d.remembered(ReasonNone)
}

// CloseRefused notes that the PG did not close an attempt's account.
func (p Payment) CloseRefused(id TransactionID, e Env) Decision {
	d := decider{p: p.clone(), before: p, e: e}
	i := d.attempt(id)
	if i < 0 || d.p.Transactions[i].Closing.IsZero() {
		return d.recorded(ReasonNone)
	}
	d.p.Transactions[i].Closing = time.Time{}
	return d.remembered(ReasonNone)
}

// CloseDone ends an attempt whose account the PG closed. It changes nothing if
// money came, or the account was closed, in the meantime.
func (p Payment) CloseDone(id TransactionID, at time.Time, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e, r: Report{At: at}}
	i := d.attempt(id)
	switch {
	case i < 0:
		return Decision{}, errNoSuchAttempt
	case !d.p.Transactions[i].open():
		return d.recorded(ReasonNone), nil
	}
	return d.fail(i, string(ReasonClosed)), nil
}

func (d *decider) attempt(id TransactionID) int {
	return slices.IndexFunc(d.p.Transactions, func(t Transaction) bool { return t.ID == id })
}

// fail ends attempt i without money.
func (d *decider) fail(i int, why string) Decision {
	d.p.Transactions[i].State = Failed
	if i != d.p.Current {
		return d.remembered(ReasonNone)
	}
	for n, t := range slices.Backward(d.p.Transactions) {
		if t.open() {
			d.p.show(n)
			d.p.State, d.p.Expired = t.State, t.Expired
			d.p.StatusChangedAt = d.e.Now
			return d.remembered(Reason(""))
		}
	}
	d.p.FailedAt, d.p.FailureReason = d.at(), why
	return d.applied(Failed, ChangeFailed, "")
}
