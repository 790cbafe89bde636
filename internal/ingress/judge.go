package ingress

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A judge decides on notices by one version of the settings. It is pure.
type judge struct {
	channels  merchant.Directory
	planner   webhook.Planner
	providers map[string]module
}

func newJudge(all settings.All, providers []provider.Provider) *judge {
	j := &judge{channels: all.Directory(), planner: all.Planner(newID), providers: make(map[string]module, len(providers))}
	for _, p := range providers {
		m := module{p, p.Info()}
		j.providers[m.info.Code] = m
	}
	return j
}

// A hit is a payment that a notice may mean, in one of its channels.
type hit struct {
	found   notice.Found
	channel merchant.Channel
	payment payment.Payment
}

// A ruling in the making.
type trial struct {
	*judge
	in notice.Inbound
	p  module
}

// Rule is a notice.Judge.
func (j *judge) Rule(in notice.Inbound, found []notice.Found) notice.Ruling {
	p, ok := j.providers[in.Provider]
	if !ok {
		return notice.Ruling{Verdict: payment.Unmatched, Reason: notice.ReasonUnknownChannel}
	}
	if in.Request.IsRehearsal() {
		return rehearsal(found)
	}
	if in.Notice.Event == "" {
		n, err := decodeAny(p, in.Request, in.At)
		if err != nil { // it decoded when it came; this release reads it no more
			return notice.Ruling{Verdict: payment.Unmatched, Reason: notice.ReasonUnreadable, Detail: err.Error()}
		}
		in.Notice = n
	}
	in.Notice.PGOrder = in.Notice.Order
	r := trial{judge: j, in: in, p: p}.ruling(found)
	if lost := in.Notice.Damaged; len(lost) > 0 && r.Detail == "" {
		r.Detail = "came unreadable and was left out: " + strings.Join(lost, ", ")
	}
	return r
}

func (t trial) ruling(found []notice.Found) notice.Ruling {
	hits := t.hits(found)
	if len(hits) == 0 {
		return t.unknown(found)
	}
	meant := t.byAccount(t.proved(hits))
	switch len(meant) {
	case 0:
		return t.refuse(hits)
	case 1:
		return t.rule(meant[0])
	}
	return t.hold(found, notice.ReasonAmbiguous)
}

func (t trial) hits(found []notice.Found) []hit {
	var out []hit
	for _, f := range found {
		c, ok := t.channels.Channel(f.Channel)
		if !ok {
			continue
		}
		for _, p := range f.Payments {
			// A key that was another merchant's once leads nowhere now.
			if p.Merchant == c.Merchant {
				out = append(out, hit{f, c, p})
			}
		}
	}
	return out
}

// proved keeps the hits whose proof holds, else those that have nothing to
// check it with.
func (t trial) proved(hits []hit) []hit {
	var out, unproved []hit
	for _, h := range hits {
		if learnt(t.in.Request) {
			return hits // it is our own word, by the PG's answer
		}
		err := t.p.Verify(t.in.Request, t.in.Notice, h.channel, h.payment)
		switch {
		case err == nil:
			out = append(out, h)
		case errors.Is(err, provider.ErrUnproved):
			unproved = append(unproved, h)
		}
	}
	if len(out) == 0 {
		return unproved
	}
	return out
}

// byAccount narrows several hits to the one whose account the notice names.
// One hit alone is kept whatever its account: a wrong one is a Conflict.
func (t trial) byAccount(hits []hit) []hit {
	if len(hits) < 2 {
		return hits
	}
	var out []hit
	for _, h := range hits {
		for _, k := range payment.ReportKeys(h.channel.Key, "", payment.Report{Account: t.in.Notice.Account}) {
			if slices.Contains(h.payment.MatchKeys(), k) {
				out = append(out, h)
			}
		}
	}
	if len(out) == 1 {
		return out
	}
	return hits
}

func (t trial) refuse(hits []hit) notice.Ruling {
	r := notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonProof}
	if len(hits) == 1 {
		r.Channel = hits[0].channel.Key
		r.Emissions = t.attention(hits[0].channel, string(r.Verdict), r.Reason, string(t.in.ID), nil, t.in.At)
	}
	return r
}

// unrefuted leaves out the channels whose credentials alone show that the
// notice is not theirs. A proof that needs the payment waits for it.
func (t trial) unrefuted(found []notice.Found) (left []notice.Found, refuted []hit) {
	for _, f := range found {
		c, ok := t.channels.Channel(f.Channel)
		err := t.p.Verify(t.in.Request, t.in.Notice, c, payment.Payment{})
		if ok && err != nil && !errors.Is(err, provider.ErrUnproved) {
			refuted = append(refuted, hit{found: f, channel: c})
			continue
		}
		left = append(left, f)
	}
	return left, refuted
}

// unknown rules on a notice for which no payment was found.
func (t trial) unknown(found []notice.Found) notice.Ruling {
	n := t.in.Notice
	found, refuted := t.unrefuted(found)
	if len(found) == 0 && len(refuted) > 0 {
		return t.refuse(refuted)
	}
	for _, f := range found {
		c, _ := t.channels.Channel(f.Channel)
		switch {
		case f.Claimed:
			return notice.Ruling{Verdict: payment.Duplicate, Channel: f.Channel}
		case c.Mode == merchant.Live && n.Test, c.Mode == merchant.Test && f.OtherMode:
			// It claims no key: the real one may bear the same.
			return notice.Ruling{Verdict: payment.Recorded, Reason: notice.ReasonTestNotice, Channel: f.Channel}
		}
	}
	switch n.Event {
	case payment.EventOther, payment.EventApproved, payment.EventFailed, payment.EventExpired:
		return t.keep(found)
	case payment.EventIssued, payment.EventDeposited:
		if r, ok := t.adopt(found); ok {
			return r
		}
	case payment.EventReversed, payment.EventCancelled, payment.EventPartiallyCancelled,
		payment.EventRefunded, payment.EventRefundFailed:
	}
	if n.OtherMethod {
		return t.keep(found)
	}
	return t.hold(found, notice.ReasonUnknownOrder)
}

// keep records a notice that moves nothing here.
func (t trial) keep(found []notice.Found) notice.Ruling {
	r := notice.Ruling{Verdict: payment.Recorded, Reason: payment.ReasonNotOurs, Listed: t.in.Notice.Listed}
	if len(found) == 1 {
		r.Channel, r.Claims = found[0].Channel, true
	}
	return r
}

// hold leaves a notice Unmatched until a registration or a person comes. It
// belongs to a channel only if one alone is possible.
func (t trial) hold(found []notice.Found, why payment.Reason) notice.Ruling {
	r := notice.Ruling{Verdict: payment.Unmatched, Reason: why}
	if len(found) == 1 {
		r.Channel = found[0].Channel
		if c, ok := t.channels.Channel(r.Channel); ok {
			r.Emissions = t.attention(c, string(r.Verdict), why, string(t.in.ID), nil, t.in.At)
		}
	}
	return r
}

// rule decides on the one payment that is meant.
func (t trial) rule(h hit) notice.Ruling {
	n := t.in.Notice
	n.Channel = h.channel.Key
	r := notice.Ruling{Channel: h.channel.Key, Payment: &h.payment}
	switch {
	case h.payment.Mode != h.channel.Mode, h.channel.Mode == merchant.Live && n.Test:
		r.Verdict, r.Reason = payment.Recorded, notice.ReasonTestNotice
		return r
	case n.Event == payment.EventDeposited && h.found.DepositOf != "" && h.found.DepositOf != h.payment.Key:
		return t.dispute(r, h, notice.ReasonDepositElsewher)
	case h.found.Claimed:
		if n.Event == payment.EventDeposited {
			if d := h.payment.Decide(n.Report, payment.Env{Now: t.in.At, NewID: newID}); otherMoney(d.Reason) {
				return t.dispute(r, h, d.Reason) // known, and told otherwise now
			}
		}
		r.Verdict = payment.Duplicate
		return r
	case takesBack(n.Event) && h.found.By == payment.ByPGTx && n.Order != "" && !h.has(n.Order):
		return t.dispute(r, h, notice.ReasonOtherOrder)
	}
	d := h.payment.Decide(n.Report, payment.Env{Now: t.in.At, NewID: newID})
	switch {
	case learnt(t.in.Request):
		if d.Verdict == payment.Applied && d.Reason == payment.ReasonNone {
			d.Reason = reasonLearnt(t.in.Request)
		}
		return t.write(r, h, d)
	case !t.mustAsk(h, d):
		return t.write(r, h, d)
	case h.found.Standing == nil || h.found.By != notice.ByPerson && !isAbout(n, *h.found.Standing):
		r.Verdict, r.Reason, r.Ask = payment.Pending, notice.ReasonConfirm, true
		return r
	}
	report, why := confirmed(n.Report, *h.found.Standing, h.payment)
	switch {
	case why != payment.ReasonNone && !h.found.Standing.Final:
		r.Verdict, r.Reason = payment.Pending, notice.ReasonConfirm // the PG may not know yet
		return r
	case why != payment.ReasonNone:
		return t.dispute(r, h, why)
	}
	return t.write(r, h, h.payment.Decide(report, payment.Env{Now: t.in.At, NewID: newID}))
}

// dispute leaves a notice to a person: it contradicts what is known.
func (t trial) dispute(r notice.Ruling, h hit, why payment.Reason) notice.Ruling {
	r.Verdict, r.Reason = payment.Conflict, why
	r.Emissions = t.attention(h.channel, string(r.Verdict), r.Reason, string(t.in.ID), &h.payment, t.in.At)
	return r
}

// otherMoney reports whether a notice of a known deposit tells it otherwise
// than the first one did.
func otherMoney(why payment.Reason) bool {
	return why == payment.ReasonOtherAmount || why == payment.ReasonOtherCurrency || why == payment.ReasonOtherAccount
}

// takesBack reports whether an event undoes what was paid. Such a notice must
// not find a payment by a transaction whose order it denies.
func takesBack(e payment.Event) bool {
	switch e {
	case payment.EventReversed, payment.EventCancelled, payment.EventPartiallyCancelled, payment.EventRefunded, payment.EventRefundFailed:
		return true
	default:
		return false
	}
}

// has reports whether an attempt of the payment has the PG's order id.
func (h hit) has(order string) bool {
	return slices.ContainsFunc(h.payment.Transactions, func(t payment.Transaction) bool { return t.Order == order })
}

// mustAsk reports whether the PG has to confirm before a decision counts.
// What moves nothing needs no confirmation.
func (t trial) mustAsk(h hit, d payment.Decision) bool {
	if !t.p.info.Confirms(h.channel) && !t.doubts(h.channel) || t.in.Notice.Event == payment.EventIssued && !t.in.Notice.Reopens {
		return false
	}
	moves := endsCharge(h.payment, d.Payment)
	for _, tr := range d.Transitions {
		moves = moves || tr.Change != payment.ChangeIssued
	}
	return moves || d.Reason == payment.ReasonNoAmount
}

// doubts reports whether a notice that was refused when it came counts only by the word
// of its PG. One that is played here knows nothing of what it did not send itself.
func (t trial) doubts(c merchant.Channel) bool {
	return t.in.Doubted && !provider.OnTrial(t.p.Provider, c) && provider.CanBeAsked(t.p.Provider, c)
}

// endsCharge reports whether a decision ends a charge, which is told to nobody if the
// payment goes on otherwise.
func endsCharge(before, after payment.Payment) bool {
	for i, t := range before.Transactions {
		if t.Charge != nil && i < len(after.Transactions) && (t.State != after.Transactions[i].State || t.Charge.TakenBack != after.Transactions[i].Charge.TakenBack) {
			return true
		}
	}
	return false
}

// write turns a decision into a ruling, with the events it makes.
func (t trial) write(r notice.Ruling, h hit, d payment.Decision) notice.Ruling {
	r.Verdict, r.Reason, r.Listed, r.Changed = d.Verdict, d.Reason, d.Listed, d.Changed
	r.Payment = &d.Payment
	r.Claims = d.Verdict == payment.Applied || d.Verdict == payment.Recorded
	for _, tr := range d.Transitions {
		r.Emissions = append(r.Emissions, t.emission(d.Payment, tr))
	}
	if kind := concernOf(d); kind != "" {
		r.Emissions = append(r.Emissions, t.attention(h.channel, kind, d.Reason, string(t.in.ID), &d.Payment, t.in.At)...)
	}
	return r
}

// concernOf names the kind of attention that a decision asks for.
func concernOf(d payment.Decision) string {
	switch {
	case d.Verdict == payment.Conflict:
		return string(payment.Conflict)
	case d.Listed:
		return "listed"
	}
	return ""
}

// emission is the event of a transition, with its deliveries.
func (t trial) emission(p payment.Payment, tr payment.Transition) webhook.Emission {
	e := webhook.EventOf(p, tr, t.in.At, newID())
	e.Deposited = t.in.Notice.Event == payment.EventDeposited
	if p.Quiet(tr) {
		return webhook.Emission{Event: e}
	}
	out, err := t.planner.Plan(e, p.NoticeURLs)
	if err != nil {
		// A payload that can't be written is a mistake in this program: the
		// event is kept, and told to nobody.
		return webhook.Emission{Event: e}
	}
	return out
}

// attention asks the merchant to look, once per kind and channel in ten
// minutes.
func (j *judge) attention(c merchant.Channel, kind string, why payment.Reason, subject string, p *payment.Payment, at time.Time) []webhook.Emission {
	e := webhook.Event{
		ID: webhook.EventID(newID()), Type: webhook.Attention, At: at, Merchant: c.Merchant, Store: c.Store, Mode: c.Mode,
		Concern: &webhook.Concern{Kind: kind, Reason: string(why), Channel: c.Key, Subject: subject},
	}
	if p != nil {
		e.Payment, e.PaymentID, e.State = p.Key, p.ID, p.State
	}
	out, err := j.planner.Plan(e, nil)
	if err != nil || len(out.Deliveries) == 0 {
		return nil // nobody asked to be told
	}
	out.Throttle = kind + "/" + string(c.Key)
	return []webhook.Emission{out}
}
