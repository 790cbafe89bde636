package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A moment is a row of a payment's timeline.
type moment struct {
	At     time.Time
	Who    string // "pg", "us", "person" or "shop"
	Text   string
	Detail string
	// Kind and Value are a state, shown as a chip; empty if there is none.
	Kind, Value string
	Path        string
	Parts       []string // what came of it, shown when the row is opened
	Shop        bool     // an answer of the shop's
	Failed      bool
	Future      bool   // it is planned
	Missing     bool   // it should be there, and is not
	Now         bool   // the line between what was and what is to come
	Gap         string // how long nothing happened before it; empty if that was short
}

// longGap is how long nothing must have happened for the timeline to say so.
const longGap = 5 * time.Minute

// timeline is what happened to a payment and what is to come, by three parties: the PG, us
// and the shop.
func (c *Console) timeline(v *visit, p payment.Payment, notices []store.NoticeRow, hooks []store.DeliveryRow) ([]moment, error) {
	events, err := c.Store.PaymentEvents(v.ctx(), p.Key)
	if err != nil {
		return nil, err
	}
	told := make(map[string][]store.PaymentEvent)
	for _, e := range events {
		told[string(e.Notice)] = append(told[string(e.Notice)], e)
	}
	var past []moment
	for _, t := range p.Transactions {
		if !t.Opened { // else its window tells of it
			past = append(past, v.attemptBegan(t))
		}
	}
	windows, err := c.Store.Checkouts(v.ctx(), p.Key, mostOfPayment)
	if err != nil {
		return nil, err
	}
	for _, w := range windows {
		past = append(past, v.windowMoments(w)...)
	}
	for _, n := range notices {
		past = append(past, v.noticeMoment(n, told[string(n.ID)]))
		delete(told, string(n.ID))
	}
	for _, list := range told {
		for _, e := range list {
			past = append(past, v.eventMoment(e))
		}
	}
	for _, x := range p.Cancellations {
		if x.Trigger != "" || x.ByHand != nil {
			past = append(past, v.cancelMoment(x))
		}
	}
	tried, err := c.tries(v, hooks)
	if err != nil {
		return nil, err
	}
	past = append(past, tried...)
	heard, err := c.heardBy(v, p)
	if err != nil {
		return nil, err
	}
	past = append(past, heard...)
	slices.SortStableFunc(past, func(a, b moment) int { return a.At.Compare(b.At) })
	for i := 1; i < len(past); i++ {
		if d := past[i].At.Sub(past[i-1].At); d >= longGap {
			past[i].Gap = stretchOf(v.Lang, d)
		}
	}
	return append(past, v.ahead(p, notices, hooks)...), nil
}

// attemptBegan is the row of an attempt at the payment.
func (v *visit) attemptBegan(t payment.Transaction) moment {
	m := moment{At: t.At, Who: "us", Text: v.t("payment.began")}
	switch {
	case t.Charge != nil && t.Charge.Wallet != "":
		m.Text = v.t("payment.began_wallet", "name", v.wallet(t.Charge.Wallet))
	case t.Charge != nil:
		m.Text = v.t("payment.began_card")
	case t.Account != nil:
		m.Text = v.t("payment.began_account")
		m.Detail = page.Bank(t.Account.Bank) + " " + v.account(t.Account.Number)
		if !t.Account.ExpiresAt.IsZero() {
			m.Detail += " " + v.t("payment.due", "time", t.Account.ExpiresAt.In(page.Location(v.zone())).Format("01-02 15:04"))
		}
	}
	return m
}

// noticeMoment is the row of a notice: what came of it and what the PG heard belong to it.
func (v *visit) noticeMoment(n store.NoticeRow, events []store.PaymentEvent) moment {
	m := moment{
		At: n.At, Who: "pg", Kind: "verdict", Value: string(n.Verdict), Path: object(v.reading(), "notices", string(n.ID)),
		Text: v.t("payment.notice", "event", v.t("told."+string(n.Event))), Detail: n.Provider + ", " + page.Visible(n.Peer), Failed: failed(n.Verdict),
	}
	switch n.Kind {
	case ingress.MethodByHand:
		m.Who, m.Text, m.Detail = "person", v.t("reason.by_hand"), ""
	case ingress.MethodInquiry:
		m.Who, m.Text, m.Detail = "us", v.t("reason.learnt_by_inquiry"), n.Provider
	default:
		answer := v.t("notices.ack_yes")
		if ingress.Outcome(n.Verdict) != 1 {
			answer = v.t("notices.ack_no")
		}
		m.Parts = append(m.Parts, v.t("payment.answered", "answer", answer))
	}
	if n.Reason != "" && n.Reason != payment.ReasonByHand && words.Has("reason."+string(n.Reason)) {
		m.Parts = append(m.Parts, v.t("reason."+string(n.Reason)))
	}
	for _, e := range events {
		if e.State != "" && e.Type != webhook.Attention {
			m.Parts = append(m.Parts, v.t("payment.became", "state", v.t("state.payment."+string(e.State))))
		}
	}
	return m
}

// eventMoment is the row of a transition that no notice made.
func (v *visit) eventMoment(e store.PaymentEvent) moment {
	m := moment{At: e.At, Who: "us", Text: string(e.Type)}
	if e.State != "" {
		m.Text, m.Detail = v.t("payment.became", "state", v.t("state.payment."+string(e.State))), string(e.Type)
	}
	return m
}

// cancelMoment is the row of a cancellation that was asked for here.
func (v *visit) cancelMoment(x payment.Cancellation) moment {
	m := moment{
		At: x.RequestedAt, Who: "us", Text: v.t("payment.cancel_asked", "amount", page.Money(x.Amount)), Detail: page.Visible(x.Reason),
		Failed: x.State == payment.CancelFailed, Kind: "cancellation", Value: string(x.State),
	}
	if x.ByHand != nil {
		m.Parts = append(m.Parts, v.t("payment.ended_by_hand", "reason", page.Visible(x.ByHand.Reason)))
	}
	return m
}

// tries are the rows of the webhooks' tries.
func (c *Console) tries(v *visit, hooks []store.DeliveryRow) (out []moment, err error) {
	read := make(map[webhook.DeliveryID]bool)
	byID := make(map[webhook.DeliveryID]store.DeliveryRow)
	for _, d := range hooks {
		byID[d.ID] = d
	}
	for _, d := range hooks {
		if read[d.Webhook] {
			continue
		}
		read[d.Webhook] = true
		list, err := c.Store.Attempts(v.ctx(), d.Webhook)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			of := byID[a.Delivery]
			if of.ID == "" {
				of = d
			}
			out = append(out, moment{
				At: a.At, Who: "shop", Shop: true, Failed: a.Outcome != webhook.Good, Path: object(v.reading(), "deliveries", string(of.ID)),
				Text:   v.t("payment.hook", "type", string(d.Type), "endpoint", page.Visible(v.endpointName(d.Endpoint, d.URL))),
				Detail: v.answer(a) + "  " + page.Lasts(a.Took) + "  " + v.t("payment.nth", "n", a.Number, "max", max(of.MaxTries, a.Number)),
				Kind:   "attempt", Value: string(a.Outcome),
			})
		}
	}
	return out, nil
}

// ahead is what is missing and what is to come.
func (v *visit) ahead(p payment.Payment, notices []store.NoticeRow, hooks []store.DeliveryRow) (out []moment) {
	now := v.now()
	if p.State == payment.Issued {
		if m, missing := v.missing(p, notices, now); missing {
			out = append(out, m)
		}
	}
	var plans []moment
	for _, d := range hooks {
		if d.DueAt.IsZero() || !d.EndedAt.IsZero() {
			continue
		}
		m := moment{
			At: d.DueAt, Who: "shop", Shop: true, Future: true, Path: object(v.reading(), "deliveries", string(d.ID)),
			Text:   v.t("payment.hook", "type", string(d.Type), "endpoint", page.Visible(v.endpointName(d.Endpoint, d.URL))),
			Detail: v.t("payment.nth", "n", d.Tries+1, "max", max(d.MaxTries, d.Tries+1)) + "  " + page.Until(v.Lang, d.DueAt.Sub(now)),
		}
		if d.State == webhook.Held {
			m.Detail = v.t("payments.webhook_held")
		}
		plans = append(plans, m)
	}
	if due := p.Deadline(); due.After(now) {
		plans = append(plans, moment{At: due, Who: "us", Future: true, Text: v.t("payment.deadline"), Detail: page.Until(v.Lang, due.Sub(now))})
	}
	slices.SortStableFunc(plans, func(a, b moment) int { return cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()) })
	if len(plans) > 0 {
		out = append(append(out, moment{At: now, Now: true, Text: v.t("payment.now")}), plans...)
	}
	return out
}

// missing is the row of a deposit's notice that did not come.
func (v *visit) missing(p payment.Payment, notices []store.NoticeRow, now time.Time) (moment, bool) {
	if slices.ContainsFunc(notices, func(n store.NoticeRow) bool { return n.Event == payment.EventDeposited }) {
		return moment{}, false
	}
	m := moment{At: now, Who: "pg", Missing: true, Text: v.t("payment.no_notice")}
	switch due := p.Deadline(); {
	case due.IsZero():
	case due.After(now):
		m.Text = v.t("payment.no_notice_due", "left", stretchOf(v.Lang, due.Sub(now)))
	default:
		m.Text, m.Failed = v.t("payment.no_notice_past", "ago", stretchOf(v.Lang, now.Sub(due))), true
	}
	return m, true
}

// only leaves the rows that a switch asks for.
func only(list []moment, which string) []moment {
	switch which {
	case "shop":
		list = slices.DeleteFunc(list, func(m moment) bool { return !m.Shop && !m.Now })
	case "failed":
		list = slices.DeleteFunc(list, func(m moment) bool { return !m.Failed })
	default:
		return list
	}
	for i := range list {
		list[i].Gap = "" // something happened in between
	}
	return list
}

// stretchOf is a stretch of time in words.
func stretchOf(l words.Lang, d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return words.Text(l, "payment.days", "d", int(d/(24*time.Hour)), "h", int(d%(24*time.Hour)/time.Hour))
	case d >= time.Hour:
		return words.Text(l, "payment.hours", "h", int(d/time.Hour), "m", int(d%time.Hour/time.Minute))
	case d >= time.Minute:
		return words.Text(l, "payment.minutes", "m", int(d/time.Minute))
	}
	return words.Text(l, "payment.seconds", "s", int(d/time.Second))
}
