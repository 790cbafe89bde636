package payment

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// IDs name what a request makes: the n-th, from 0 on, is for the n-th time that
// it is made because what was made before came to nothing. The same request has
// the same IDs whenever it runs, so it finds what an earlier run made. They must
// be unique to the request and the payment.
type IDs func(n int) string

// MadeCancellation is what an earlier run of a request asked for: its index, or
// -1 and the id that a new cancellation is to get. What failed gave nothing back,
// and what is older than merchant.RepeatLife is another request's.
func (p Payment) MadeCancellation(ids IDs, now time.Time) (i int, id string) {
	for n := 0; ; n++ {
		id = ids(n)
		i = slices.IndexFunc(p.Cancellations, func(c Cancellation) bool { return c.ID == id })
		if i < 0 || p.Cancellations[i].State != CancelFailed && now.Sub(p.Cancellations[i].RequestedAt) < merchant.RepeatLife {
			return i, id
		}
	}
}

// MadeAttempt is MadeCancellation of attempts. One that failed came to nothing
// only if no account was issued for it.
func (p Payment) MadeAttempt(ids IDs, now time.Time) (i int, id TransactionID) {
	for n := 0; ; n++ {
		id = TransactionID(ids(n))
		i = slices.IndexFunc(p.Transactions, func(t Transaction) bool { return t.ID == id })
		if i < 0 {
			return i, id
		}
		t := p.Transactions[i]
		if t.Opened && t.State == Ready {
			return -1, id // it is to be taken up
		}
		if (t.State != Failed || t.Account != nil) && now.Sub(t.At) < merchant.RepeatLife {
			return i, id
		}
	}
}
