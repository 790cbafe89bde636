package action

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// An InquiryStore is where inquiries wait. Its methods are safe for concurrent
// use.
type InquiryStore interface {
	// Inquiries takes up to n payments about which the PG is to be asked by now;
	// no other caller gets them before until. It also says when the next is due.
	Inquiries(ctx context.Context, now, until time.Time, n int) ([]notice.Inquiry, time.Time, error)
	// Settle decides on notices; see the store's.
	Settle(ctx context.Context, in []notice.Inbound, judge notice.Judge) ([]notice.Result, error)
}

// Inquiries asks PGs where payments stand (거래조회): those whose notice counts
// only once the PG confirms it, and those of which a call's answer was lost. What
// waits is in the store, so a crash delays it and loses nothing.
type Inquiries struct {
	Store   InquiryStore
	Actions *Actions
	// Learnt makes the notice of a deposit that the PG told of and no notice did.
	Learnt func(merchant.Channel, payment.Transaction, payment.Standing, time.Time) (notice.Inbound, error)
	Log    *slog.Logger
	// Idle is how long Run sleeps at most; zero: a minute. Another node's
	// inquiries are seen so.
	Idle time.Duration
	// Fit, if set, says whether this machine may go by its clock. While it may not,
	// nothing is asked: what a PG does not know could seem old. It must not block.
	Fit func() bool

	alarm alarm
}

// How inquiries go: how many at once, and the delays before each.
const (
	inquiriesAtOnce = 4
	firstInquiry    = 5 * time.Second
	inquiryTime     = 20 * time.Second
	forgetAfter     = 3 * time.Minute
	// muteAgain is when a PG that cannot be asked is thought of again: a notice or
	// a person may have ended what is outstanding, a newer module may have learnt
	// to ask. Until then the payment is listed for a person.
	muteAgain = 7 * 24 * time.Hour
)

// errNoInquiry says that a PG has no call that tells where a payment stands.
var errNoInquiry = errors.New("the PG cannot be asked")

// again is how long after a try the next one is.
func again(tries int) time.Duration {
	delays := []time.Duration{firstInquiry, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
	return delays[min(max(tries-1, 0), len(delays)-1)]
}

// Sooner tells that an inquiry is due at t. It does not block; any goroutine may
// call it.
func (q *Inquiries) Sooner(t time.Time) { q.alarm.set(t) }

// Run asks what is due until ctx ends, and returns nil once its last write is
// recorded. If the store fails it tries again for ever.
func (q *Inquiries) Run(ctx context.Context) error {
	idle := q.Idle
	if idle <= 0 {
		idle = time.Minute
	}
	var pause time.Duration
	for ctx.Err() == nil {
		untilFit(ctx, q.Fit)
		q.alarm.forget()
		at := now()
		list, next, err := q.Store.Inquiries(ctx, at, stored(at.Add(2*askAfter)), inquiriesAtOnce)
		switch {
		case ctx.Err() != nil && err != nil:
			return nil
		case err != nil:
			if pause == 0 {
				q.Log.ErrorContext(ctx, "no PG is asked for now", "err", err)
			}
			pause = min(max(2*pause, firstPause), lastPause)
			next = at.Add(pause)
		default:
			pause = 0
		}
		var all sync.WaitGroup
		for _, one := range list {
			all.Go(func() { q.ask(context.WithoutCancel(ctx), one) })
		}
		all.Wait()
		if !next.IsZero() {
			q.Sooner(next)
		}
		q.alarm.sleep(ctx, idle)
	}
	return nil
}

// ask asks about one payment, attempt by attempt, and notes when to ask again if
// something is left open.
func (q *Inquiries) ask(ctx context.Context, i notice.Inquiry) {
	next := now().Add(again(i.Tries))
	all, mute := true, true
	for _, t := range asking(i.Payment) {
		q.overdue(ctx, i, t)
		err := q.askAbout(ctx, i, t)
		mute = mute && errors.Is(err, errNoInquiry)
		if err != nil && !errors.Is(err, errNoInquiry) {
			all = false
			q.Log.WarnContext(ctx, "a PG was asked in vain", "payment_key", i.Payment.Key, "channel", t.Channel, "try", i.Tries, "err", err)
		}
	}
	if mute {
		next = now().Add(muteAgain)
		if i.Payment.Outstanding() {
			q.Log.WarnContext(ctx, "what became of it only a person can find out: the PG cannot be asked", "payment_key", i.Payment.Key, "payment", i.Payment.ID)
		}
	}
	_, err := q.Actions.Store.Act(ctx, notice.Act{Payment: i.Payment.Key, Do: func(known *payment.Payment) (notice.Acted, error) {
		out := notice.Acted{Payment: *known, Again: next, Taken: &i}
		if !all {
			out.Ask = next
		}
		return out, nil
	}})
	if err != nil {
		// It is due again when what was taken may be taken by others.
		q.Log.ErrorContext(ctx, "when to ask a PG again is not written down", "payment_key", i.Payment.Key, "err", err)
		next = i.Until
	}
	q.Sooner(next)
}

// askAbout asks about one attempt, and writes what follows from the answer.
func (q *Inquiries) askAbout(ctx context.Context, i notice.Inquiry, t payment.Transaction) error {
	asked := now()
	s, ch, err := q.inquire(ctx, i.Payment, t)
	if err != nil {
		return err
	}
	s.AskedAt = asked
	return q.told(ctx, i, t, ch, s)
}

// overdue has a charge pending of which nobody wrote the outcome in time: who made it
// is dead, and the PG may not be one that can be asked.
func (q *Inquiries) overdue(ctx context.Context, i notice.Inquiry, t payment.Transaction) {
	if t.Charge == nil || t.State != payment.Ready || now().Sub(t.At) < askAfter {
		return
	}
	_, err := q.Actions.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: q.Actions.newID}
		return notice.Act{Payment: i.Payment.Key, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
			d, err := known.ChargeUnclear(t.ID, "", env)
			out := q.Actions.written(v, d, env.Now, false)
			out.Ask, out.Taken = i.Until, &i // as it is
			return out, err
		}}, nil
	})
	if err != nil {
		q.Log.ErrorContext(ctx, "that a charge is pending is not written down", "payment_key", i.Payment.Key, "err", err)
	}
}

// asking are the attempts to ask about: those that wait for something, charges that
// were given up before the PG knew of them, and the current one.
func asking(p payment.Payment) []payment.Transaction {
	var out []payment.Transaction
	for i, t := range p.Transactions {
		if t.Opened {
			continue // no PG knows of it
		}
		if i == p.Current || t.State == payment.Ready || t.State == payment.Issued || t.State == payment.PayPending ||
			t.Charge != nil && t.Charge.Presumed {
			out = append(out, t)
		}
	}
	return out
}

// inquire asks an attempt's PG.
func (q *Inquiries) inquire(ctx context.Context, p payment.Payment, t payment.Transaction) (payment.Standing, merchant.Channel, error) {
	v, err := q.Actions.views.Get(ctx, q.Actions.load)
	if err != nil {
		return payment.Standing{}, merchant.Channel{}, err
	}
	ch, pg, err := q.Actions.use(v, Caller{Merchant: p.Merchant, Store: p.Store, Mode: merchant.Any}, t.Channel)
	if err != nil {
		return payment.Standing{}, ch, err
	}
	x, ok := pg.(provider.Inquirer)
	if !ok {
		return payment.Standing{}, ch, fmt.Errorf("%w: %w", errNoInquiry, cannot(pg, "tells where a payment stands"))
	}
	access, query := q.Actions.access(ch), queryOf(p, t)
	if err := x.CanInquire(access.Channel, query); err != nil {
		return payment.Standing{}, ch, err
	}
	ctx, cancel := context.WithTimeout(ctx, inquiryTime)
	defer cancel()
	s, err := x.Inquire(ctx, access, query)
	// What was asked about is what the answer is about.
	s.Order, s.PGTx = cmp.Or(s.Order, t.Order), cmp.Or(s.PGTx, t.PGTx)
	return s, ch, err
}

// told writes what follows from where an attempt stands at the PG. The inquiry goes
// on until its last part is written.
func (q *Inquiries) told(ctx context.Context, i notice.Inquiry, t payment.Transaction, ch merchant.Channel, s payment.Standing) error {
	p, err := q.Actions.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: q.Actions.newID}
		return notice.Act{
			Payment: i.Payment.Key, Env: env, Channel: t.Channel, Standing: &s,
			Names: keyOf(payment.Transaction{Channel: t.Channel, Order: t.Order, PGTx: s.PGTx, Account: &s.Account}),
			Do: func(known *payment.Payment) (notice.Acted, error) {
				d := known.Stands(t.ID, s, env, forgetAfter)
				out := q.Actions.written(v, d, env.Now, false)
				out.Emissions = append(out.Emissions, q.Actions.listed(v, ch, d, env.Now)...)
				out.Ask, out.Taken = i.Until, &i // as it is
				if wentBack(s) && waitsFor(d.Payment, t.ID) {
					out.Taken = nil // whoever asks: it takes two more transactions
				}
				return out, nil
			},
		}, nil
	})
	if err != nil || t.Charge != nil {
		return err
	}
	return q.learn(ctx, p, t, ch, s)
}
