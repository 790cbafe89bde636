package action

import (
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// An Act is what happens to a test payment, and how its PG tells of it.
type Act string

// The acts.
const (
	ActIssue          Act = "issue"           // an account is issued
	ActDeposit        Act = "deposit"         // and paid
	ActWrongAmount    Act = "wrong-amount"    // with another amount
	ActReverse        Act = "reverse"         // and the bank takes the deposit back
	ActLate           Act = "late"            // with money that came after its deadline, as the PG says
	ActReorder        Act = "reorder"         // the reversal is told before the deposit
	ActBadSignature   Act = "bad-signature"   // told by somebody who has not the PG's keys
	ActUnknownAddress Act = "unknown-address" // or not its address
)

// Acts lists the acts.
func Acts() []Act {
	return []Act{ActIssue, ActDeposit, ActWrongAmount, ActReverse, ActLate, ActReorder, ActBadSignature, ActUnknownAddress}
}

// An Enactment asks for an act.
type Enactment struct {
	Channel   merchant.ChannelKey // a test channel whose PG is played here
	Provider  string              // or the module of one, if Channel is empty
	Payment   payment.ID          // empty: a payment is made for it
	Act       Act
	Amount    int64  // of a payment that is made; 0: 10,000 won
	Depositor string // empty: the customer
	Again     int    // how often each notice is sent once more
}

// MaxAgain bounds how often one notice is sent once more.
const MaxAgain = 20

// An Enacted is what came of an act.
type Enacted struct {
	Payment payment.Payment // as it is afterwards
	Channel merchant.Channel
	Issued  bool // the payment was made for it
	Notices []Played
}

// A Played is a notice as it was sent, and what became of it.
type Played struct {
	Event   payment.Event
	URL     string         // where it went; empty if it went no way over the network
	From    netip.Addr     // whose address it had, if it went no way over the network
	Request notice.Request // its bytes
	Charset string         // of its texts, as far as their bytes tell
	Again   bool           // the same bytes were sent before
	Took    time.Duration
	Answer  provider.Reply // zero if there was none
	Acked   bool           // the PG would not send it again
	Notice  notice.ID      // empty if it was not kept
	Verdict payment.Verdict
	Reason  payment.Reason
	Err     error // why there was no answer
}

// Enact has something happen to a test payment at the side of its PG, which is played
// here, and sends the PG's notices of it over the network to the ingress. It moves no
// money and touches no live payment: it reports fault.Forbidden for a live channel,
// fault.NotFound for one that the store does not use, fault.Unsupported for one whose
// PG is called for real and for what the PG does not tell, fault.Invalid for what cannot be
// asked for, and what Issue and Deposit report. That a notice is not taken is no error.
func (a *Actions) Enact(ctx context.Context, c Caller, e Enactment) (Enacted, error) {
	if err := e.check(); err != nil {
		return Enacted{}, err
	}
	x, err := a.stage(ctx, c, e)
	if err != nil {
		return Enacted{}, err
	}
	if i := x.pg.Info(); e.Act == ActBadSignature && i.Class == provider.AddressOnly { // before an account is issued for it
		return Enacted{}, fault.Errorf(fault.Unsupported, "%s proves nothing but its address", i.Name.EN)
	}
	out := Enacted{Channel: x.channel, Issued: e.Payment == ""}
	if out.Payment, err = x.payment(ctx); err != nil {
		return Enacted{}, err
	}
	notices, err := x.happen(ctx, out.Payment)
	if err != nil {
		return out, err
	}
	for _, n := range notices {
		for i := range 1 + e.Again {
			p := x.send(ctx, n)
			p.Again = i > 0
			out.Notices = append(out.Notices, p)
		}
	}
	out.Payment, err = a.Store.Payment(ctx, c.Store, out.Payment.ID, merchant.Test)
	return out, err
}

func (e Enactment) check() error {
	switch {
	case !slices.Contains(Acts(), e.Act):
		return invalid("there is no event %.40q: want issue, deposit, wrong-amount, reverse, late, reorder, bad-signature or unknown-address", string(e.Act))
	case e.Act == ActIssue && e.Payment != "":
		return invalid("issue makes a payment: leave paymentId out")
	case e.Amount < 0 || e.Amount > maxAmount:
		return invalid("amount must be from 1 to %d", int64(maxAmount))
	case e.Again < 0 || e.Again > MaxAgain:
		return invalid("a notice is sent once more %d times at most", MaxAgain)
	case e.Payment != "":
		return first(CheckPaymentID(e.Payment), checkText("depositor", e.Depositor, 0, maxName))
	}
	return checkText("depositor", e.Depositor, 0, maxName)
}

// An enacting is an act under way.
type enacting struct {
	Enactment
	a       *Actions
	caller  Caller
	channel merchant.Channel
	pg      payee
}

// stage finds the channel and what plays its PG.
func (a *Actions) stage(ctx context.Context, c Caller, e Enactment) (enacting, error) {
	x := enacting{Enactment: e, a: a, caller: c}
	a.views.Refresh() // a channel that was made a moment ago is there
	v, err := a.views.Get(ctx, a.load)
	if err != nil {
		return x, err
	}
	key := e.Channel
	if key == "" {
		if key, err = a.trialChannel(v, c, e.Provider); err != nil {
			return x, err
		}
	}
	ch, pg, err := a.use(v, c, key)
	if err != nil {
		return x, err
	}
	if ch.Mode != merchant.Test {
		return x, fault.Errorf(fault.Forbidden, "channel %q is a live one: nothing is played there; try its address with a test notice", string(ch.Key))
	}
	if i := pg.Info(); !i.SendsNotices() {
		return x, fault.Errorf(fault.Unsupported, "%s sends no notices: pay in a window of the channel instead", i.Name.EN)
	}
	to, ok := pg.(payee)
	if !ok {
		return x, fault.Errorf(fault.Unsupported, "channel %q has base_url or the PG's credentials, so its PG is called for real: pay in there", string(ch.Key))
	}
	x.channel, x.pg = ch, to
	return x, nil
}

// trialChannel is a store's test channel of a module, one whose PG is played if there
// is any.
func (a *Actions) trialChannel(v *view, c Caller, code string) (merchant.ChannelKey, error) {
	p, ok := a.Providers(code)
	if !ok {
		return "", invalid("there is no module %.40q", code)
	}
	var found merchant.ChannelKey
	for _, k := range v.channels.ByProvider(code) {
		ch, ok := v.channels.Channel(k)
		if !ok || ch.Merchant != c.Merchant || ch.Mode != merchant.Test || !ch.UsedBy(c.Store) {
			continue
		}
		if found = cmp.Or(found, k); provider.OnTrial(p, ch) {
			return k, nil
		}
	}
	if found == "" {
		return "", fault.Errorf(fault.NotFound, "the store has no test channel of %s: make one without the PG's credentials", code)
	}
	return found, nil
}

// usualAmount is what a payment that is made for an act is of, in won.
const usualAmount = 10_000

// payment is the payment that the act is about, made for it if need be.
func (x enacting) payment(ctx context.Context) (payment.Payment, error) {
	if x.Payment != "" {
		p, err := x.a.Store.Payment(ctx, x.caller.Store, x.Payment, merchant.Test)
		if err != nil {
			return p, err
		}
		if t, ok := p.Transaction(); !ok || t.Account == nil || t.Account.Number == "" || t.Channel != x.channel.Key {
			return p, fault.Errorf(fault.Conflict, "payment %s has no account on this channel", p.ID)
		}
		return p, nil
	}
	name := cmp.Or(x.Depositor, "홍길동")
	return x.a.Issue(ctx, x.caller, IssueRequest{Registration: payment.Registration{
		ID: payment.ID("trigger" + strings.ToLower(rand.Text()[:12])), Channel: x.channel.Key, OrderName: "시험 주문",
		Amount: payment.Won(cmp.Or(x.Amount, usualAmount)), Customer: payment.Customer{Name: name},
		Account: payment.Account{Bank: "SHINHAN", Type: payment.Normal, ExpiresAt: now().Add(24 * time.Hour)},
	}})
}

// A telling is a notice that is to be sent.
type telling struct {
	event   payment.Event
	request notice.Request
	from    netip.Addr // valid: as if it came from there
}

// happen has the act happen in the PG's books, and returns what the PG tells of it.
func (x enacting) happen(ctx context.Context, p payment.Payment) ([]telling, error) {
	if x.Act == ActIssue {
		return nil, nil // the API's answer told of it
	}
	t, _ := p.Transaction()
	give := p.Amount
	if x.Act == ActWrongAmount {
		give.Amount += max(give.Amount/10, 1)
	}
	paid, err := x.pg.Deposit(ctx, x.a.access(x.channel), provider.Deposit{
		Order: t.Order, PGTx: t.PGTx, Account: *t.Account, Secret: t.Secret, Amount: p.Amount, Give: give,
		Depositor: cmp.Or(x.Depositor, p.Customer.Name),
	})
	if err != nil {
		return nil, err
	}
	deposit := telling{payment.EventDeposited, paid.Notice, netip.Addr{}}
	switch x.Act { //nolint:exhaustive // the others are one notice, and told before
	case ActReverse, ActReorder:
		r, err := x.pg.Tell(ctx, x.a.access(x.channel), t.Order, payment.EventReversed)
		reversal := telling{payment.EventReversed, r, netip.Addr{}}
		if x.Act == ActReorder {
			return []telling{reversal, deposit}, err
		}
		return []telling{deposit, reversal}, err
	case ActLate:
		deposit.request, err = x.rewritten(paid.Notice, func(n *notice.Notice, _ merchant.Credentials) error {
			due := t.Account.ExpiresAt
			if due.IsZero() {
				due = now()
			}
			n.At = due.Add(10 * time.Minute).Truncate(time.Second)
			return nil
		})
	case ActBadSignature:
		deposit.request, err = x.rewritten(paid.Notice, x.misproved)
	case ActUnknownAddress:
		deposit.from = unknownSender
	}
	return []telling{deposit}, err
}

// unknownSender is of a block that belongs to nobody (RFC 5737).
var unknownSender = netip.MustParseAddr("203.0.113.77")

// rewritten is a notice written anew with something changed.
func (x enacting) rewritten(r notice.Request, change func(*notice.Notice, merchant.Credentials) error) (notice.Request, error) {
	n, err := x.pg.Decode(r)
	if err != nil {
		return r, err
	}
	keys := maps.Clone(x.channel.Credentials)
	if keys == nil {
		keys = merchant.Credentials{}
	}
	if err := change(&n, keys); err != nil {
		return r, err
	}
	out := x.pg.Encode(n, keys)
	out.Path = provider.NoticePath(out.Path, x.channel)
	return out, nil
}

// misproved puts wrong keys in place of all that the PG proves itself with.
func (x enacting) misproved(n *notice.Notice, keys merchant.Credentials) error {
	for _, f := range x.pg.Info().Fields {
		if f.Secret {
			keys[f.Name] = "not-the-key-of-this-channel"
		}
	}
	n.Proof = "not-the-secret-of-this-order"
	return nil
}
