package cli

import (
	"context"
	"fmt"

	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// mostTail is how many of a kind are read at once.
const mostTail = 500

// ofPayment reads all that happened to the payments with an id: stores may use
// one id alike.
func (t *tail) ofPayment(ctx context.Context) (out []happening, err error) {
	list, err := t.payments(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		notices, err := t.store.NoticeRows(ctx, scopeOf(p), store.NoticeFilter{Payment: p.Key}, store.Page{Size: mostTail})
		if err != nil {
			return nil, err
		}
		for _, n := range notices.Rows {
			out = append(out, ofNotice(n.ListedNotice))
		}
		events, err := t.store.PaymentEvents(ctx, p.Key)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			out = append(out, t.ofEvent(p, e))
		}
		hooks, err := t.ofWebhooks(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, hooks...)
	}
	return out, nil
}

func scopeOf(p payment.Payment) store.Scope {
	return store.Scope{Merchant: p.Merchant, Store: p.Store, Mode: p.Mode}
}

// payments are those with the id that is asked for.
func (t *tail) payments(ctx context.Context) (out []payment.Payment, err error) {
	all, err := t.store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range all.Merchants {
		for _, mode := range []merchant.Mode{merchant.Live, merchant.Test} {
			list, err := t.store.PaymentsCalled(ctx, store.Scope{Merchant: m.ID, Mode: mode}, t.cmd.Payment)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
	}
	if len(out) == 0 {
		return nil, hint(fault.Errorf(fault.NotFound, "there is no payment %q", t.cmd.Payment), "It is the id that your server gave it, or the key that the console shows.")
	}
	return out, nil
}

func (t *tail) ofEvent(p payment.Payment, e store.PaymentEvent) happening {
	h := happening{At: e.At, Kind: "event", ID: string(e.ID), Payment: p.ID, Type: e.Type, State: e.State}
	for _, tr := range p.Transactions {
		if tr.ID == e.Transaction {
			h.Channel = tr.Channel
		}
	}
	return h
}

// ofWebhooks are the tries of a payment's webhooks, those of listen sessions
// among them.
func (t *tail) ofWebhooks(ctx context.Context, p payment.Payment) (out []happening, err error) {
	rows, err := t.store.DeliveryRows(ctx, scopeOf(p), store.DeliveryFilter{Payment: p.Key}, store.Page{Size: mostTail})
	if err != nil {
		return nil, err
	}
	known := map[webhook.DeliveryID]bool{}
	for _, d := range rows.Rows {
		if known[d.Webhook] {
			continue // the tries of all that bear the id are read together
		}
		known[d.Webhook] = true
		tries, err := t.store.Attempts(ctx, d.Webhook)
		if err != nil {
			return nil, err
		}
		for _, a := range tries {
			out = append(out, ofAttempt(d, a))
		}
	}
	heard, err := t.store.ListenedOf(ctx, p.Key, mostTail)
	if err != nil {
		return nil, err
	}
	for _, a := range heard {
		out = append(out, ofListened(a))
	}
	return out, nil
}

// ofAll reads what happened since a time, at most mostTail of a kind.
func (t *tail) ofAll(ctx context.Context, since time.Time) (out []happening, err error) {
	notices, err := t.store.Notices(ctx, store.NoticeQuery{Limit: mostTail})
	if err != nil {
		return nil, err
	}
	for _, n := range notices {
		if n.At.After(since) {
			out = append(out, ofNotice(n))
		}
	}
	news, err := t.store.News(ctx, since)
	if err != nil {
		return nil, err
	}
	events := map[payment.Key]map[string]happening{}
	for _, n := range news {
		if _, known := t.seen[map[string]string{"payments": "event/", "deliveries": "attempt/"}[n.Topic]+n.Row]; known {
			continue // no need to read it again
		}
		switch n.Topic {
		case "payments":
			if events[n.Payment] == nil {
				if events[n.Payment], err = t.eventsOf(ctx, n.Payment); err != nil {
					return nil, err
				}
			}
			if h, ok := events[n.Payment][n.Row]; ok {
				out = append(out, h)
			}
		case "deliveries":
			list, err := t.attempt(ctx, n)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
	}
	heard, err := t.store.ListenedSince(ctx, since, mostTail)
	if err != nil {
		return nil, err
	}
	for _, a := range heard {
		out = append(out, ofListened(a))
	}
	return out, nil
}

// eventsOf are a payment's events by their ids.
func (t *tail) eventsOf(ctx context.Context, k payment.Key) (map[string]happening, error) {
	out := map[string]happening{}
	p, err := t.store.PaymentByKey(ctx, k)
	if err != nil {
		return out, notMissing(err)
	}
	events, err := t.store.PaymentEvents(ctx, k)
	for _, e := range events {
		out[string(e.ID)] = t.ofEvent(p, e)
	}
	return out, err
}

// notMissing is err, but for what was pruned in between.
func notMissing(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// attempt is one try of a delivery.
func (t *tail) attempt(ctx context.Context, n store.News) ([]happening, error) {
	d, err := t.store.Delivery(ctx, store.Scope{Merchant: n.Merchant, Mode: n.Mode}, n.ID)
	if err != nil {
		return nil, notMissing(err)
	}
	for _, a := range d.Attempts {
		if string(a.ID) == n.Row {
			return []happening{ofAttempt(d.DeliveryRow, a)}, nil
		}
	}
	return nil, nil
}

func ofNotice(n store.ListedNotice) happening {
	return happening{
		At: n.At, Kind: "notice", ID: string(n.ID), Payment: n.PaymentID, Channel: merchant.ChannelKey(n.Channel), Provider: n.Provider,
		Event: n.Event, Peer: n.Peer, Amount: n.Amount, Verdict: n.Verdict, Reason: n.Reason,
	}
}

func ofAttempt(d store.DeliveryRow, a webhook.Attempt) happening {
	return happening{
		At: a.At, Kind: "attempt", ID: string(a.ID), Payment: d.PaymentID, Channel: d.Channel, Type: d.Type, Webhook: d.Webhook.WebhookID(),
		Endpoint: d.Endpoint, URL: a.URL, Outcome: a.Outcome, Status: a.Status, Error: a.Error, TookMS: milliseconds(a.Took),
		Number: a.Number, Most: max(d.MaxTries, a.Number),
	}
}

func ofListened(a webhook.Listened) happening {
	return happening{
		At: a.At, Kind: "listen", ID: fmt.Sprintf("%s/%s/%d", a.Listener, a.Item, a.Number), Payment: a.PaymentID, Type: a.Type,
		Webhook: webhook.ListenedID(a.Event), URL: a.URL, Status: a.Status, Error: a.Error, TookMS: milliseconds(a.Took), Number: a.Number,
	}
}
