package action

import (
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// unaskable reports whether an error of an inquiry says that nothing was sent, and
// nothing will be: an id is missing that the PG's call needs.
func unaskable(err error) bool {
	return fault.Is(err, fault.Unsupported) || fault.Is(err, fault.Invalid)
}

// A swept is an attempt that was asked about.
type swept struct {
	payment.Transaction
	err error // why the PG told nothing
}

// one asks about all attempts of one account that wait for money, on whatever channel,
// and notes when to ask again if none came.
func (w *Sweeps) one(ctx context.Context, v *view, x notice.Sweeping) (got []swept) {
	for _, t := range waiting(x.Payment, v) {
		if i := slices.IndexFunc(got, func(g swept) bool { return g.Channel == t.Channel && g.err != nil && !unaskable(g.err) }); i >= 0 {
			got = append(got, swept{t, got[i].err}) // the PG is away: others' turns come first
			continue
		}
		i := notice.Inquiry{Payment: x.Payment, Tries: x.Tries, Until: x.Until}
		err := w.Inquiries.askAbout(ctx, i, t)
		if err != nil {
			w.Log.WarnContext(ctx, "a PG was asked about an account in vain", "payment_key", x.Payment.Key, "channel", t.Channel, "try", x.Tries, "err", err)
		}
		got = append(got, swept{t, err})
	}
	var learnt merchant.ChannelKey
	err := w.Store.Swept(ctx, x, func(p payment.Payment) (time.Time, notice.SweepReason) {
		learnt = learntBy(p, x.Payment)
		return after(got, p, x, v)
	})
	switch {
	case err != nil:
		// It is due again when what was taken may be taken by others.
		w.Log.ErrorContext(ctx, "when to ask about an account again is not written down", "payment_key", x.Payment.Key, "err", err)
	case learnt != "":
		w.Log.WarnContext(ctx, "a deposit was found by asking the PG: no notice told of it", "payment_key", x.Payment.Key, "channel", learnt)
	}
	return got
}

// after says when to ask about an account again, by the payment as it is once it was
// asked about, and why; the zero time: not any more.
func after(got []swept, p payment.Payment, x notice.Sweeping, v *view) (next time.Time, why notice.SweepReason) {
	failed := false
	for _, t := range waiting(p, v) {
		i := slices.IndexFunc(got, func(g swept) bool { return g.ID == t.ID })
		switch {
		case i >= 0 && unaskable(got[i].err):
			continue
		case i >= 0 && got[i].err != nil:
			failed = true
		}
		if at := nextSweep(t.Account.ExpiresAt, now()); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	switch {
	case !failed:
		return next, notice.SweepDue
	case x.Tries >= mostSweeps:
		return time.Time{}, ""
	}
	return now().Add(sweepAgain(x.Tries)), x.Why
}

// learntBy is the channel of a deposit that a payment has by asking, and had not before;
// empty if there is none.
func learntBy(p, before payment.Payment) merchant.ChannelKey {
	for _, d := range p.Deposits[min(len(before.Deposits), len(p.Deposits)):] {
		i := slices.IndexFunc(p.Transactions, func(t payment.Transaction) bool { return t.ID == d.Transaction })
		if d.Learnt && i >= 0 {
			return p.Transactions[i].Channel
		}
	}
	return ""
}

// sweepAgain is how long after a try in vain the next one is.
func sweepAgain(tries int) time.Duration {
	return min(10*time.Minute<<min(max(tries-1, 0), 8), 6*time.Hour)
}

// waiting are the attempts of a payment that wait for money on channels whose PG can
// be asked; none once it needs no money any more.
func waiting(p payment.Payment, v *view) []payment.Transaction {
	switch p.State {
	case payment.Paid, payment.PartiallyCancelled, payment.Cancelled, payment.Failed:
		return nil
	default:
	}
	return slices.DeleteFunc(slices.Clone(p.Transactions), func(t payment.Transaction) bool {
		return t.State != payment.Issued || t.Account == nil || !v.askable[t.Channel]
	})
}
