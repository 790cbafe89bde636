package action

import (
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A CancelRequest asks for money to be given back.
type CancelRequest struct {
	payment.CancelRequest
	Account *provider.RefundAccount // nil if the merchant named none
	// Attempt, if not empty, is the one whose money is meant: of another's nothing is
	// given back. The payment counts as not paid if it is not by this one, and if it is
	// by others too, as several accounts that take any amount may be, that is
	// ErrPaidTwice.
	Attempt payment.TransactionID
	// IDs name the cancellation, so that the same request run again finds it
	// instead of refunding again; nil: each run is a request of its own.
	IDs payment.IDs
}

// ErrPaidTwice says that money of one attempt alone is to be given back, and others
// were paid too: what is left is not told for each.
var ErrPaidTwice = fault.Errorf(fault.Conflict, "money came in by several attempts at the payment: it is not given back by attempt")

// Cancel gives a payment's money back, in whole or in part (취소, 환불), and
// returns the payment and the cancellation: SUCCEEDED, with its transfer to the
// buyer pending, or REQUESTED if the PG's answer was lost. The request is
// committed before the PG is called and its outcome after.
//
// It reports fault.NotFound for a payment that the caller does not see, the
// errors of payment.RequestCancel, fault.Invalid and fault.Unsupported for what
// the PG cannot do, and *PGError. A request that an earlier run has made, by its
// IDs, is not made again: its cancellation is returned as it is by now.
func (a *Actions) Cancel(ctx context.Context, c Caller, id payment.ID, r CancelRequest) (payment.Payment, payment.Cancellation, error) {
	if err := checkText("reason", r.Reason, 1, maxName); err != nil {
		return payment.Payment{}, payment.Cancellation{}, err
	}
	var call refunding
	begun := now()
	p, err := a.act(ctx, func(v *view) (notice.Act, error) { return a.refunding(v, c, id, r, &call), nil })
	if err != nil {
		return p, payment.Cancellation{}, err
	}
	if call.refunder == nil {
		return cancellationOf(p, call.id)
	}
	ctx = context.WithoutCancel(ctx) // begun is to be ended
	calling, cancel := inTime(ctx, begun)
	defer cancel()
	got, err := call.refunder.Refund(calling, a.access(call.channel), call.refund)
	return a.refunded(ctx, c, p, call, got, pgError(err))
}

// A refunding is one refund under way.
type refunding struct {
	channel  merchant.Channel
	refunder provider.Refunder // nil: an earlier run of the request made it
	refund   provider.Refund
	id       string // of the cancellation
}

// refunding adds the cancellation, if payment and PG allow it.
func (a *Actions) refunding(v *view, c Caller, id payment.ID, r CancelRequest, x *refunding) notice.Act {
	env := payment.Env{Now: now(), NewID: a.newID}
	return notice.Act{Store: c.Store, ID: id, Env: env, Audit: c.onPayment("payment.cancel_asked", r.Reason), Do: func(known *payment.Payment) (notice.Acted, error) {
		p, t, err := seen(known, c, id)
		if err != nil {
			return notice.Acted{}, err
		}
		if r.Attempt != "" && r.Attempt != t.ID {
			return notice.Acted{}, payment.ErrNotPaid
		}
		if r.Attempt != "" && p.PaidBeside(t.ID) {
			return notice.Acted{}, ErrPaidTwice
		}
		asking := env
		if r.IDs != nil {
			made, id := p.MadeCancellation(r.IDs, env.Now)
			if made >= 0 {
				*x = refunding{id: id}
				return notice.Acted{Payment: p}, nil
			}
			asking.NewID = func() string { return id }
		}
		left := p.Cancellable()
		next, n, err := p.RequestCancel(r.CancelRequest, asking)
		if err != nil {
			return notice.Acted{}, err
		}
		ch, pg, err := a.use(v, c, t.Channel)
		if err != nil {
			return notice.Acted{}, err
		}
		refunder, ok := pg.(provider.Refunder)
		if !ok {
			return notice.Acted{}, cannot(pg, "gives deposits back")
		}
		*x = refunding{channel: ch, refunder: refunder, id: n.ID, refund: provider.Refund{
			Query: queryOf(p, t), Give: n.Amount, Rest: payment.Money{Amount: left.Total, Currency: n.Amount.Currency},
			Number: len(next.Cancellations), TaxFree: n.TaxFree, VAT: *n.VAT, Reason: r.Reason, Account: r.Account, Key: n.ID,
		}}
		if t.Charge != nil {
			x.refund.Card, x.refund.Account = true, nil
		}
		if err := refunder.CheckRefund(a.access(ch).Channel, x.refund); err != nil {
			return notice.Acted{}, err
		}
		return notice.Acted{Payment: next, Changed: true, Ask: env.Now.Add(askAfter)}, nil
	}}
}

// seen is a payment and its attempt, if the caller may know of it.
func seen(known *payment.Payment, c Caller, id payment.ID) (payment.Payment, payment.Transaction, error) {
	if known == nil || !c.Mode.Sees(known.Mode) {
		return payment.Payment{}, payment.Transaction{}, fault.Errorf(fault.NotFound, "there is no payment %q", id)
	}
	t, _ := known.Transaction()
	return *known, t, nil
}

// queryOf names an attempt for its PG.
func queryOf(p payment.Payment, t payment.Transaction) provider.Query {
	q := provider.Query{Order: t.Order, PGTx: t.PGTx, Amount: p.Amount, At: t.At}
	if t.Account != nil {
		q.Account = t.Account.Number
	}
	for _, d := range p.Deposits {
		if d.Transaction == t.ID && d.State == payment.DepositApplied {
			q.Deposit = d.Key
		}
	}
	return q
}

// refunded writes what became of a refund.
func (a *Actions) refunded(ctx context.Context, c Caller, before payment.Payment, x refunding, got provider.Refunded, failed error) (payment.Payment, payment.Cancellation, error) {
	unclear := isUnclear(failed)
	audit := c.onPayment("payment.cancelled", x.refund.Reason)
	if failed != nil {
		audit = c.onPayment("payment.cancel_refused", x.refund.Reason, member.Field{Name: "answer", Text: why(failed)})
	}
	p, err := a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		return notice.Act{Payment: before.Key, Env: env, Audit: audit, Do: func(known *payment.Payment) (notice.Acted, error) {
			switch {
			case unclear:
				d, err := known.CancelUnclear(x.id, env)
				out := a.written(v, d, env.Now, false)
				out.Ask = env.Now.Add(firstInquiry)
				return out, err
			case failed != nil:
				d, err := known.CancelRefused(x.id, env)
				return a.written(v, d, env.Now, false), err
			}
			d, err := known.CancelDone(x.id, payment.Cancellation{PGID: got.PGID, CancelledAt: stored(got.At), Refund: transfer(got, x.refund.Card)}, env)
			return a.written(v, d, env.Now, false), err
		}}, nil
	})
	switch {
	case unclear:
		a.asked(now().Add(firstInquiry))
	case failed != nil:
		return p, payment.Cancellation{}, failed
	}
	if err != nil {
		return p, payment.Cancellation{}, unwritten(err)
	}
	return cancellationOf(p, x.id)
}

// cancellationOf is a payment with one of its cancellations.
func cancellationOf(p payment.Payment, id string) (payment.Payment, payment.Cancellation, error) {
	i := slices.IndexFunc(p.Cancellations, func(c payment.Cancellation) bool { return c.ID == id })
	if i < 0 {
		return p, payment.Cancellation{}, payment.ErrNoCancellation
	}
	return p, p.Cancellations[i], nil
}

// transfer is how far a refund's transfer is: a bank's takes a day or more, so
// one of which the PG says nothing is pending. To a card none is made.
func transfer(got provider.Refunded, card bool) payment.RefundStatus {
	if got.Transfer == "" && !card {
		return payment.RefundPending
	}
	return got.Transfer
}

// Close has the PG close the account that a payment waits for a deposit on (말소),
// and returns when it did. The payment fails. It reports payment.ErrNotWaiting, and
// otherwise what Cancel does.
func (a *Actions) Close(ctx context.Context, c Caller, id payment.ID) (payment.Payment, time.Time, error) {
	return a.CloseAttempt(ctx, c, id, "")
}

// CloseAttempt is Close of the account of one attempt, which may be one of several
// that wait: the payment goes on with another. It reports payment.ErrNotWaiting if
// this one does not wait by now.
func (a *Actions) CloseAttempt(ctx context.Context, c Caller, id payment.ID, attempt payment.TransactionID) (payment.Payment, time.Time, error) {
	var x closing
	begun := now()
	p, err := a.act(ctx, func(v *view) (notice.Act, error) { return a.closing(v, c, id, attempt, &x), nil })
	if err != nil {
		return p, time.Time{}, err
	}
	ctx = context.WithoutCancel(ctx) // begun is to be ended
	calling, cancel := inTime(ctx, begun)
	defer cancel()
	at, failed := x.closer.Close(calling, a.access(x.channel), x.Closing)
	failed = pgError(failed)
	unclear := isUnclear(failed)
	audit := c.onPayment("payment.closed", "")
	if failed != nil {
		audit = c.onPayment("payment.close_refused", "", member.Field{Name: "answer", Text: why(failed)})
	}
	if at = stored(at); at.IsZero() {
		at = now()
	}
	p, err = a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		return notice.Act{Payment: p.Key, Env: env, Audit: audit, Do: func(known *payment.Payment) (notice.Acted, error) {
			switch {
			case unclear:
				return notice.Acted{Payment: *known, Ask: env.Now.Add(firstInquiry)}, nil
			case failed != nil:
				return a.written(v, known.CloseRefused(x.attempt, env), env.Now, false), nil
			}
			d, err := known.CloseDone(x.attempt, at, env)
			return a.written(v, d, env.Now, false), err
		}}, nil
	})
	switch {
	case unclear:
		a.asked(now().Add(firstInquiry))
		return p, at, failed
	case failed != nil:
		return p, at, failed
	}
	return p, at, unwritten(err)
}

// A closing is one close under way.
type closing struct {
	provider.Closing
	channel merchant.Channel
	closer  provider.Closer
	attempt payment.TransactionID
}

func (a *Actions) closing(v *view, c Caller, id payment.ID, attempt payment.TransactionID, x *closing) notice.Act {
	env := payment.Env{Now: now(), NewID: a.newID}
	return notice.Act{Store: c.Store, ID: id, Env: env, Audit: c.onPayment("payment.close_asked", ""), Do: func(known *payment.Payment) (notice.Acted, error) {
		p, t, err := seen(known, c, id)
		if err != nil {
			return notice.Acted{}, err
		}
		if attempt == "" {
			attempt = t.ID
		}
		if t, err = p.CheckClose(attempt); err != nil {
			return notice.Acted{}, err
		}
		ch, pg, err := a.use(v, c, t.Channel)
		if err != nil {
			return notice.Acted{}, err
		}
		closer, ok := pg.(provider.Closer)
		if !ok {
			return notice.Acted{}, cannot(pg, "closes virtual accounts")
		}
		*x = closing{channel: ch, closer: closer, attempt: t.ID, Closing: provider.Closing{
			Query: queryOf(p, t), Bank: t.Account.Bank, Reason: "가맹점 요청", Key: "close-" + string(t.ID),
		}}
		if err := closer.CheckClose(a.access(ch).Channel, x.Closing); err != nil {
			return notice.Acted{}, err
		}
		out := a.written(v, p.CloseAsked(t.ID, env), env.Now, false)
		out.Ask = env.Now.Add(askAfter)
		return out, nil
	}}
}
