package ingress

import (
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// longestAdopted is how long, in bytes, an order may be to become a payment's
// id. No PG documents half of it, and databases index only short texts.
const longestAdopted = 256

// adopt makes the payment from the notice, if its channel says so. On a live
// channel nothing is adopted: no PG's notice proves order, amount and state
// beyond doubt.
func (t trial) adopt(found []notice.Found) (notice.Ruling, bool) {
	if len(found) != 1 || found[0].DepositOf != "" || len(t.in.Notice.Order) > longestAdopted {
		return notice.Ruling{}, false
	}
	c, ok := t.channels.Channel(found[0].Channel)
	if !ok || c.Unknown != merchant.Adopt || c.Mode == merchant.Live {
		return notice.Ruling{}, false
	}
	env := payment.Env{Now: t.in.At, NewID: newID}
	p, err := payment.Adopt(t.in.Notice.Report, payment.Registration{
		Merchant: c.Merchant, Store: c.Store, Channel: c.Key, Mode: c.Mode,
		ID: payment.ID(t.in.Notice.Order), Order: t.in.Notice.Order,
	}, env)
	if err != nil {
		return notice.Ruling{}, false
	}
	r := notice.Ruling{Verdict: payment.Applied, Channel: c.Key, Payment: &p, Created: true, Changed: true, Claims: true}
	if t.in.Notice.Event == payment.EventIssued {
		return r, true
	}
	n := t.in.Notice
	n.Channel = c.Key
	d := p.Decide(n.Report, env)
	if d.Verdict != payment.Applied {
		return notice.Ruling{}, false
	}
	r = t.write(r, hit{channel: c, payment: p}, d)
	r.Created = true
	return r, true
}
