package action

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// An IssueRequest asks for a virtual account. Of the registration's account,
// bank, type, holder and deadline count, and for a fixed account the number.
type IssueRequest struct {
	payment.Registration
	AccountID string // of a fixed account, where the PG maps an id to a number
	Receipt   *provider.ReceiptOrder
	Escrow    bool
	Quiet     bool // no webhook of the issue
	// IDs name the attempt, so that the same request run again finds it instead of
	// having another account issued; nil: each run is a request of its own.
	IDs payment.IDs
	// window is that in which a buyer asks for it; nil: none.
	window *windowed
	// depositor is who will send the money, if it is another than the customer.
	depositor string
}

// Issue has the channel's PG issue a virtual account (가상계좌 발급) for a new or
// known payment, and returns the payment that waits for its deposit. The
// attempt is committed before the PG is called and its outcome after: a crash or
// a lost answer between leaves the payment READY until the PG was asked.
//
// It reports what RegisterAccount does, payment.ErrAlreadyPaid, and *PGError. A
// request that an earlier run has made, by its IDs, is not made again: its attempt
// is the current one of the payment returned, or is reported as unclear.
func (a *Actions) Issue(ctx context.Context, c Caller, r IssueRequest) (payment.Payment, error) {
	if p, id, made, err := a.madeAttempt(ctx, c, r.ID, r.IDs); made || err != nil {
		if err == nil {
			p, err = issuedBefore(p, id)
		}
		return p, err
	}
	if err := prepareIssue(&r); err != nil {
		return payment.Payment{}, err
	}
	var call issuing
	begun := now()
	p, err := a.act(ctx, func(v *view) (notice.Act, error) {
		var err error
		if call, err = a.issuing(v, c, r); err != nil {
			return notice.Act{}, err
		}
		known, err := a.Store.Payment(ctx, call.Store, call.ID, merchant.Any)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return notice.Act{}, err
		}
		return call.begin(a, orderFor(r.Registration, known.Begun())), nil
	})
	if err != nil {
		return p, err
	}
	if call.made {
		return issuedBefore(p, call.attempt)
	}
	ctx = context.WithoutCancel(ctx) // begun is to be ended
	calling, cancel := inTime(ctx, begun)
	defer cancel()
	if err := call.window.confirm(calling, a, p, call.attempt); err != nil {
		return a.issued(ctx, call, provider.Issue{}, err)
	}
	got, err := call.issuer.Issue(calling, a.access(call.channel), call.order)
	return a.issued(ctx, call, got, pgError(err))
}

// An issuing is one issue under way.
type issuing struct {
	IssueRequest
	channel merchant.Channel
	issuer  provider.Issuer
	order   provider.Order
	attempt payment.TransactionID
	made    bool // by an earlier run of the request
}

// issuedBefore is what a request is answered whose attempt was made by an earlier
// run, which died.
func issuedBefore(p payment.Payment, id payment.TransactionID) (payment.Payment, error) {
	i := slices.IndexFunc(p.Transactions, func(t payment.Transaction) bool { return t.ID == id })
	if i < 0 || p.Transactions[i].Account == nil {
		return p, errUnclear(nil)
	}
	p.Current = i
	return p, nil
}

func (a *Actions) issuing(v *view, c Caller, r IssueRequest) (issuing, error) {
	ch, p, err := a.use(v, c, r.Channel)
	if err != nil {
		return issuing{}, err
	}
	issuer, ok := p.(provider.Issuer)
	if !ok || p.Info().Wallet != nil {
		return issuing{}, cannot(p, "issues virtual accounts")
	}
	r.Merchant, r.Store, r.Mode = c.Merchant, c.Store, ch.Mode
	buyer := r.Customer
	buyer.Name = cmp.Or(r.depositor, buyer.Name)
	x := issuing{IssueRequest: r, channel: ch, issuer: issuer, order: provider.Order{
		Name: r.OrderName, Amount: r.Amount, TaxFree: r.TaxFree, VAT: vatOf(r.Registration), Bank: r.Account.Bank, Type: r.Account.Type,
		Number: r.Account.Number, AccountID: r.AccountID, Holder: r.Account.Holder, Customer: buyer,
		ExpiresAt: r.Account.ExpiresAt, Receipt: r.Receipt, Escrow: r.Escrow,
		NoticeURL: a.noticeURL(p, ch),
	}}
	return x, nil
}

// noticeURL is where the PG's notices of a channel go; empty if nobody said how PGs
// reach this server, or the PG sends none.
func (a *Actions) noticeURL(p provider.Provider, c merchant.Channel) string {
	i := p.Info()
	if a.PublicURL == "" || !i.SendsNotices() {
		return ""
	}
	return a.PublicURL + provider.NoticePath(i.Paths[0], c)
}

// vatOf is what of the amount is VAT: an eleventh of what is taxed, unless the
// merchant says otherwise.
func vatOf(g payment.Registration) int64 {
	if g.VAT != nil {
		return *g.VAT
	}
	return (g.Amount.Amount - g.TaxFree) / 11
}

// begin adds the attempt, under an order that is locked before the payment is read:
// notices of it wait. If the payment has had another attempt meanwhile, the order is
// stale.
func (x *issuing) begin(a *Actions, order string) notice.Act {
	env := payment.Env{Now: now(), NewID: a.newID}
	return notice.Act{
		Store: x.Store, ID: x.ID, Env: env, Begins: true, Window: x.window.id(), Names: keyOf(payment.Transaction{Channel: x.channel.Key, Order: order}),
		Do: func(known *payment.Payment) (notice.Acted, error) {
			g := x.Registration
			made, id, err := x.window.madeOf(x.IDs, known, env.Now)
			if err != nil {
				return notice.Acted{}, err
			}
			if x.attempt, x.made = id, made; made {
				return notice.Acted{Payment: *known}, nil
			}
			attempts := 0
			if known != nil {
				attempts = known.Begun()
			}
			g.Attempt = id
			if g.Order = orderFor(g, attempts); g.Order != order {
				return notice.Acted{}, fault.Errorf(fault.Stale, "payment %q has had another attempt meanwhile", g.ID)
			}
			p, t, err := payment.Begin(known, g, env)
			if err != nil {
				return notice.Acted{}, err
			}
			x.order.ID, x.order.Key, x.attempt = g.Order, string(t.ID), t.ID
			access := a.access(x.channel)
			if err := x.issuer.CheckIssue(access.Channel, x.order); err != nil {
				return notice.Acted{}, err
			}
			return notice.Acted{Payment: p, Changed: true, Ask: env.Now.Add(askAfter)}, nil
		},
	}
}

// orderFor is the PG's order id of the next attempt: the payment's id, and with a
// number behind it from the second attempt on, since PGs take an order once, and
// some nothing but letters and digits.
func orderFor(g payment.Registration, attempts int) string {
	order := g.Order
	if order == "" {
		order = string(g.ID)
	}
	if attempts > 0 {
		order += "R" + strconv.Itoa(attempts+1)
	}
	return order
}

// issued writes what became of an issue.
func (a *Actions) issued(ctx context.Context, x issuing, got provider.Issue, failed error) (payment.Payment, error) {
	unclear := isUnclear(failed)
	account := got.Account
	if account.Type == "" {
		account.Type = x.Account.Type
	}
	if account.ExpiresAt.IsZero() {
		account.ExpiresAt = x.Account.ExpiresAt
	}
	account.ExpiresAt, account.IssuedAt = stored(account.ExpiresAt), stored(account.IssuedAt)
	names := keyOf(payment.Transaction{Channel: x.channel.Key, Order: x.order.ID, PGTx: got.PGTx, Account: &account})
	p, err := a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		return notice.Act{Store: x.Store, ID: x.ID, Env: env, Names: names, Do: func(known *payment.Payment) (notice.Acted, error) {
			switch {
			case known == nil:
				return notice.Acted{}, fault.Errorf(fault.NotFound, "there is no payment %q any more", x.ID)
			case unclear:
				d := known.IssueNamed(x.attempt, got.PGTx, env)
				out := a.written(v, d, env.Now, x.Quiet)
				out.Ask = env.Now.Add(firstInquiry)
				return out, nil
			case failed != nil:
				d, err := known.IssueRefused(x.attempt, why(failed), env)
				return x.window.ended(a.written(v, d, env.Now, x.Quiet), failed), err
			}
			d, err := known.IssueDone(x.attempt, payment.Issuance{
				Account: account, PGTx: got.PGTx, Secret: got.Secret, Key: got.Key, At: stored(got.At),
			}, env)
			return a.written(v, d, env.Now, x.Quiet), err
		}}, nil
	})
	switch {
	case unclear:
		a.asked(now().Add(firstInquiry))
		return p, failed
	case failed != nil:
		return p, failed
	}
	return p, unwritten(err)
}

// prepareIssue checks a request for all that needs no settings.
func prepareIssue(r *IssueRequest) error {
	g := &r.Registration
	if g.Account.Type == "" {
		g.Account.Type = payment.Normal
	}
	number := g.Account.Number
	if number == "" {
		g.Account.Number = "0" // the PG tells it; the rest is checked as of any account
	}
	err := prepare(g)
	g.Account.Number = number
	if err != nil {
		return err
	}
	if err := checkParts(*g); err != nil {
		return err
	}
	switch {
	case g.Account.Type != payment.Normal && g.Account.Type != payment.Fixed:
		return invalid("method.virtualAccount.option.type %q: want NORMAL or FIXED", string(g.Account.Type))
	case g.Account.Type == payment.Normal && (number != "" || r.AccountID != ""):
		return invalid("method.virtualAccount.option.fixed goes with type FIXED only")
	case g.Account.ExpiresAt.IsZero() || !g.Account.ExpiresAt.After(time.Now()):
		return invalid("method.virtualAccount.expiry must be in the future")
	}
	return nil
}

// checkParts checks the parts of an amount against it.
func checkParts(g payment.Registration) error {
	switch {
	case g.TaxFree < 0 || g.TaxFree > g.Amount.Amount:
		return invalid("amount.taxFree must be from 0 to amount.total")
	case g.VAT != nil && (*g.VAT < 0 || *g.VAT > g.Amount.Amount-g.TaxFree):
		return ErrParts
	}
	return nil
}

// ErrParts says that the parts of an amount are more than the amount.
var ErrParts = fault.Errorf(fault.Conflict, "amount.taxFree and amount.vat are together more than amount.total")
