package action

import (
	"context"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// entry is what the audit log gets of something that the caller does to an object
// of its store. It stays out of the log if nobody is named.
func (c Caller) entry(what, kind, object, reason string) member.Entry {
	e := member.Entry{
		Merchant: c.Merchant, Store: c.Store, By: c.By, Action: what, Kind: kind, Object: object, Reason: reason,
	}
	if c.Mode != merchant.Any {
		e.Mode = c.Mode
	}
	return e
}

// onPayment makes the entry of a change of a payment: none if the change touches
// nothing that an entry tells. more is told besides.
func (c Caller) onPayment(what, reason string, more ...member.Field) func(before, after payment.Payment) []member.Entry {
	if c.By.IsZero() {
		return nil
	}
	return func(before, after payment.Payment) []member.Entry {
		e := c.entry(what, "payment", string(after.ID), reason)
		e.Mode = after.Mode
		e.Before, e.After = member.Differences(paymentFields(before), paymentFields(after))
		if len(e.Before)+len(e.After) == 0 {
			return nil
		}
		e.After = append(e.After, more...)
		return []member.Entry{e}
	}
}

// paymentFields are what of a payment verbs change.
func paymentFields(p payment.Payment) (out []member.Field) {
	if p.Key == "" {
		return nil
	}
	out = append(out, member.Field{Name: "state", Text: string(p.State)}, member.Field{Name: "amount", Text: p.Amount.String()})
	for _, t := range p.Transactions {
		text := string(t.ID) + " " + string(t.State)
		if !t.Closing.IsZero() && t.State == payment.Issued {
			text += " closing since " + t.Closing.UTC().Format(time.RFC3339)
		}
		out = append(out, member.Field{Name: "attempt", Text: text})
	}
	for _, x := range p.Cancellations {
		out = append(out, member.Field{Name: "cancellation", Text: fmt.Sprintf("%s %s %s", x.ID, x.Amount, x.State)})
	}
	return out
}

// ofTrial is the entry of something that happens to a payment at a PG that is played
// here.
func (c Caller) ofTrial(p payment.Payment, what string, after ...member.Field) member.Entry {
	e := c.entry(what, "payment", string(p.ID), "")
	e.Mode, e.After = p.Mode, after
	return e
}

// onKey makes the entry of a change of a billing key, given what it was before.
func (c Caller) onKey(what string, before *payment.BillingKey) func(payment.BillingKey) []member.Entry {
	return func(after payment.BillingKey) []member.Entry {
		if before.State == after.State {
			return nil
		}
		e := c.entry(what, "billing_key", string(after.ID), "")
		e.Mode = after.Mode
		e.Before = []member.Field{{Name: "state", Text: string(before.State)}}
		e.After = []member.Field{{Name: "state", Text: string(after.State)}}
		return []member.Entry{e}
	}
}

// onSchedules makes the entries of schedules that are revoked.
func (c Caller) onSchedules(key payment.BillingKeyID) func([]payment.ScheduleID) []member.Entry {
	return func(revoked []payment.ScheduleID) (out []member.Entry) {
		for _, id := range revoked {
			e := c.entry("schedule.revoked", "schedule", string(id), "")
			if key != "" {
				e.Before = []member.Field{{Name: "billing_key", Text: string(key)}}
			}
			e.After = []member.Field{{Name: "state", Text: string(payment.ScheduleRevoked)}}
			out = append(out, e)
		}
		return out
	}
}

// onResend makes the entry of a webhook that is sent once more.
func (c Caller) onResend(p payment.Payment) func(webhook.Delivery) []member.Entry {
	return func(d webhook.Delivery) []member.Entry {
		e := c.entry("webhook.resent", "payment", string(p.ID), "")
		e.Mode = p.Mode
		e.After = []member.Field{{Name: "webhook", Text: d.WebhookID()}, {Name: "delivery", Text: string(d.ID)}, {Name: "type", Text: string(d.Type)}}
		return []member.Entry{e}
	}
}

// Exported writes down that somebody took a list away, such as "payment" or "audit",
// with the filter that it went through.
func (a *Actions) Exported(ctx context.Context, c Caller, what, filter string) error {
	e := c.entry(what+".exported", what, "", "")
	if filter != "" {
		e.After = []member.Field{{Name: "filter", Text: filter}}
	}
	return a.Store.Audit(ctx, e)
}
