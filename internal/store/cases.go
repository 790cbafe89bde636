package store

import (
	"slices"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// caseListed is the kind of a case that waits for a person's eyes only.
const caseListed = notice.CaseListed

// putCase opens, joins or ends the case of a notice.
func (t *tx) putCase(k *known, in notice.Inbound, r notice.Ruling) error {
	at := keyIn{r.Channel, name(in.Notice.Key)}
	open := k.cases[at]
	if r.Verdict.Open() {
		if open == "" {
			if closed, err := t.lookedAt(in, r); err != nil || closed {
				return err
			}
			t.openCase(k, in, r, string(r.Verdict))
			if in.Notice.Key != "" {
				k.cases[at] = string(in.ID)
			}
			return nil
		}
		return t.must(`update open_case set resends = resends + 1, kind = $2, reason = $3, payment_key = coalesce(payment_key, $4) where id = $1`,
			open, string(r.Verdict), string(r.Reason), orNull(paymentOf(r)))
	}
	if open != "" && r.Claims {
		// The same message was held, and now it is decided: so is the case.
		delete(k.cases, at)
		if err := t.endCase(open, in, r); err != nil {
			return err
		}
	}
	if r.Listed {
		t.openCase(k, in, r, caseListed)
	}
	return nil
}

// What is written for a case. Another node may open one for the same message:
// one is enough.
var (
	newCase = inserting("open_case", `id uuid, kind text, channel_key text, merchant_id text, store_id text, notice_key text,
		payment_key uuid, reason text, opened_at bigint, resends bigint`, "on conflict do nothing")
	newCaseKey = inserting("case_key", "channel_key text, kind text, value text, case_id uuid", "on conflict do nothing")
)

func (t *tx) openCase(k *known, in notice.Inbound, r notice.Ruling, kind string) {
	owner, ok := k.channels[r.Channel]
	if !ok && r.Payment != nil {
		owner = channelOwner{merchant: r.Payment.Merchant, store: r.Payment.Store}
	}
	// A listed notice is decided: nothing may join it.
	key := in.Notice.Key
	if kind == caseListed {
		key = ""
	}
	t.put(newCase, string(in.ID), kind, string(r.Channel), string(owner.merchant), string(owner.store), name(key),
		orNull(paymentOf(r)), string(r.Reason), micros(in.At), 0)
	if kind == caseListed {
		return
	}
	for _, mk := range in.Keys() {
		t.put(newCaseKey, string(mk.Channel), string(mk.Kind), t.s.nameOf(mk), string(in.ID))
	}
}

// endCase closes the case of an earlier notice that this one decided too.
func (t *tx) endCase(id string, in notice.Inbound, r notice.Ruling) error {
	first := r
	first.Verdict, first.Reason = payment.Duplicate, "decided_by_resend"
	if err := t.putVerdict(notice.ID(id), in.At, first); err != nil {
		return err
	}
	return t.dropCase(id)
}

func (t *tx) dropCase(id string) error {
	// Index: case_key_by_case.
	if err := t.must(`delete from case_key where case_id = $1`, id); err != nil {
		return err
	}
	return t.must(`delete from open_case where id = $1`, id)
}

// A held is a notice that waits in a case, with the name that led to it.
type held struct {
	in   notice.Inbound // for a Judge
	said payment.Report // what the store knows that it says
	name payment.MatchKey
	why  payment.Reason // that it waits for
	is   payment.Verdict
}

// casesFor are the held notices that a payment's names lead to, in the PG's
// order of time. Those that wait for the PG's answer are among them: the
// channel's settings may no longer ask for one.
func (t *tx) casesFor(keys []payment.MatchKey) ([]held, error) {
	seen := make(map[string]bool)
	var out []held
	for _, k := range keys {
		var ids []string
		// Index: case_key_pkey.
		if err := t.each(`select case_id from case_key where channel_key = $1 and kind = $2 and value = $3`,
			[]any{string(k.Channel), string(k.Kind), t.s.nameOf(k)}, func(rows rowSet) error {
				var id string
				err := rows.Scan(&id)
				ids = append(ids, id)
				return err
			}); err != nil {
			return nil, err
		}
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			h, waits, err := t.heldNotice(id)
			if err != nil {
				return nil, err
			}
			if !waits {
				continue
			}
			h.in.Channels, h.name = []merchant.ChannelKey{k.Channel}, k
			out = append(out, h)
		}
	}
	slices.SortStableFunc(out, func(a, b held) int {
		if c := a.said.At.Compare(b.said.At); c != 0 {
			return c
		}
		return a.in.At.Compare(b.in.At)
	})
	return out, nil
}

// heldNotice loads a notice that is waiting in a case. waits is false if the
// case is gone or waits for something else than a registration.
func (t *tx) heldNotice(id string) (h held, waits bool, err error) {
	var kind string
	found, err := t.has(`select kind, reason from open_case where id = $1`+t.d.forUpdate, []any{id}, &kind, &h.why)
	if err != nil || !found || kind == caseListed {
		return h, false, err
	}
	h.is = payment.Verdict(kind)
	if h.in, h.said, err = loadNotice(t.ctx, t.q, t.s.Reader, notice.ID(id)); err == nil {
		h.in.Doubted, err = t.wasRefused(h.in.ID)
	}
	return h, err == nil, err
}

// foundFor is what a Judge is told of a held notice, as payment p begins to
// wait. An account number means p only if p expects the notice, and only if
// no other payment does.
func (t *tx) foundFor(h held, p payment.Payment) (f notice.Found, meant bool, err error) {
	f = notice.Found{Channel: h.name.Channel, By: h.name.Kind, Payments: []payment.Payment{p}}
	if h.why == notice.ReasonAmbiguous && h.name.Kind != payment.ByAccount {
		// Payments of several channels were meant when it came. That one of
		// them is registered again does not make it the only one.
		return f, false, nil
	}
	if h.name.Kind == payment.ByOrder && h.name.Value != payment.Shorten(h.in.Notice.Order) {
		f.By = notice.ByPerson // who wrote this name beside the notice's own
	}
	if h.name.Kind == payment.ByAccount {
		if f.Payments, err = t.named(h.name, h.said); err != nil {
			return f, false, err
		}
		if !slices.ContainsFunc(f.Payments, func(x payment.Payment) bool { return x.Key == p.Key }) {
			return f, false, nil
		}
	}
	f.Claimed, f.DepositOf, err = t.seen(f.Channel, notice.Notice{Report: h.said})
	return f, true, err
}
