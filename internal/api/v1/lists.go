package v1

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// mostWindow is how far a list reaches, and how far back it goes if nothing is
// said.
const mostWindow = 90 * 24 * time.Hour

// states are those of payments by V1's statuses.
var states = map[string][]payment.State{
	"all":       nil,
	"ready":     {payment.Ready, payment.Issued, payment.PayPending},
	"paid":      {payment.Paid, payment.PartiallyCancelled},
	"cancelled": {payment.Cancelled},
	"failed":    {payment.Failed},
}

// listByStatus answers with a page of the payments of a status, each by its
// current attempt. The window bounds the time by which they are sorted: so an index
// has every list in its order.
func (a *API) listByStatus(c *call) (any, error) {
	status, err := statusOf(c.names[0])
	if err != nil {
		return nil, err
	}
	in := c.lookup()
	part, sorting := in.page(), in.word("sorting", sortings)
	from, until := in.window(time.Now())
	switch {
	case in.err != nil:
		return nil, in.err
	case part.number*part.size > store.MostListed:
		return nil, errNoPage
	}
	byChange := sorting != "started" && sorting != "-started"
	l := store.PaymentList{
		Stores: []merchant.StoreID{c.caller.Store}, Modes: modesOf(c.caller.Mode), States: states[status], From: from, Until: until,
		Changed: byChange, ByChange: byChange, Ascending: sorting[0] != '-',
		Offset: (part.number - 1) * part.size, Size: part.size,
	}
	keys, total, err := a.Store.Payments(c.ctx(), l)
	if err != nil {
		return nil, err
	}
	if part.number > 1 && l.Offset >= total {
		return nil, errNoPage
	}
	items, err := a.items(c, keys)
	return part.answer(total, items), err
}

// items are the payments with some keys, by their current attempts.
func (a *API) items(c *call, keys []payment.Key) ([]any, error) {
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	list, err := a.Store.OpenPayments(c.ctx(), keys)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, p := range list {
		if x, ok := currentOf(p); ok {
			out = append(out, v.render(c, x))
		}
	}
	return out, nil
}

// modesOf are the modes of payments that a credential sees.
func modesOf(sees merchant.Mode) (out []merchant.Mode) {
	for _, m := range []merchant.Mode{merchant.Live, merchant.Test} {
		if sees.Sees(m) {
			out = append(out, m)
		}
	}
	return out
}

// window reads the times that bound a list, both included: the last ninety days if
// nothing is said.
func (in *input) window(now time.Time) (from, until time.Time) {
	until = now
	if n := in.whole("to"); n != nil && *n != 0 {
		until = in.moment("to", *n).Add(time.Second - time.Microsecond) // to the end of that second
	}
	from = until.Add(-mostWindow)
	if n := in.whole("from"); n != nil && *n != 0 {
		from = in.moment("from", *n)
	}
	switch {
	case from.After(until) && in.fields["to"] != nil:
		in.wrong("from", "to보다 늦습니다.")
	case until.Sub(from) > mostWindow:
		in.wrong("from", "검색 기간은 최대 90일입니다.")
	}
	return from, until
}

// latestMoment is the last second of the year 9998.
const latestMoment = 253_370_764_799

// moment is a time in seconds since 1970.
func (in *input) moment(name string, seconds int64) time.Time {
	if seconds < 0 || seconds > latestMoment {
		in.wrong(name, "1970년부터의 초(Unix timestamp)여야 합니다.")
		return time.Unix(0, 0).UTC()
	}
	return time.Unix(seconds, 0).UTC()
}
