package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// Redecide decides one notice at a person's wish, in one transaction, by what Settle goes
// by: a kept one again, or one that the person enters. A notice whose verdict is final, or
// that comes to the same, is left as it is. What becomes of it is returned, and written
// unless x.Dry or x.Check says otherwise.
//
// It reports what x.Check does, fault.NotFound for a notice that is not there,
// notice.ErrBodyGone, notice.ErrLinkChannel and notice.ErrLinkOther, fault.Stale if the
// settings changed, and notice.ErrBusy if another node is deciding about what it means.
func (s *Store) Redecide(ctx context.Context, x notice.Redecision) (out notice.Redecided, err error) {
	err = s.write(ctx, func(t *tx) error {
		out, err = t.redecide(x)
		return err
	})
	return out, err
}

func (t *tx) redecide(x notice.Redecision) (out notice.Redecided, err error) {
	var kept notice.Kept
	var in notice.Inbound
	if x.New != nil {
		in = *x.New
		kept.Inbound = in
	} else {
		if kept, err = t.keptNotice(x.ID); err != nil {
			return out, err
		}
		if notice.Final(kept.Verdict) {
			out = notice.Redecided{Before: kept, Verdict: kept.Verdict, Reason: kept.Reason, Detail: kept.Detail, Channel: kept.Channel}
			return out, x.Check(out)
		}
		in = x.Admit(kept)
		if kept.Verdict == payment.Pending && x.Payment == "" {
			x.Payment = kept.Payment // a person may have named it
		}
	}
	k, taken, err := t.know([]notice.Inbound{in})
	switch {
	case err != nil:
		return out, err
	case x.Version != t.version:
		return out, fault.Errorf(fault.Stale, "the settings changed")
	case taken[0]:
		return out, busy(in)
	}
	r, found, err := t.ruleAgain(k, in, x)
	if err != nil {
		return out, err
	}
	out = redecided(kept, in, r, found)
	if err := x.Check(out); err != nil || x.Dry || !out.Changes {
		return out, err
	}
	if x.Audit != nil {
		if err := t.audit(x.Audit(out)); err != nil {
			return out, err
		}
	}
	if x.New != nil {
		return out, t.record(k, in, r, found)
	}
	return out, t.rewrite(k, in, x, r, found)
}

// ruleAgain rules on a notice as it is to be ruled on now.
func (t *tx) ruleAgain(k *known, in notice.Inbound, x notice.Redecision) (notice.Ruling, []notice.Found, error) {
	if in.Ruled != nil {
		return *in.Ruled, nil, nil
	}
	found := k.find(in)
	if x.Payment != "" {
		var err error
		if found, err = t.foundByPerson(found, x.Payment); err != nil {
			return notice.Ruling{}, nil, err
		}
	}
	in.At = x.At
	r, err := t.rule(in, found, x.Judge)
	return r, found, err
}

// foundByPerson is what a judge is told of a notice that a person says means a payment.
func (t *tx) foundByPerson(found []notice.Found, k payment.Key) ([]notice.Found, error) {
	p, err := t.paymentByKey(k)
	if isNoRows(err) {
		return nil, fault.Errorf(fault.NotFound, "there is no payment %s", string(k))
	}
	if err != nil {
		return nil, err
	}
	var out []notice.Found
	for _, f := range found {
		if len(f.Payments) > 0 && !slices.ContainsFunc(f.Payments, func(o payment.Payment) bool { return o.Key == k }) {
			return nil, notice.ErrLinkOther
		}
		if slices.ContainsFunc(p.Transactions, func(at payment.Transaction) bool { return at.Channel == f.Channel }) {
			f.By, f.Payments, f.OtherMode = notice.ByPerson, []payment.Payment{p}, false
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return nil, notice.ErrLinkChannel
	}
	return out, nil
}

// redecided says what a ruling makes of a notice.
func redecided(kept notice.Kept, in notice.Inbound, r notice.Ruling, found []notice.Found) notice.Redecided {
	out := notice.Redecided{
		Before: kept, Notice: in.Notice, Verdict: r.Verdict, Reason: r.Reason, Detail: r.Detail, Channel: r.Channel,
		Is: r.Payment, Emissions: r.Emissions, Asks: r.Ask,
	}
	for _, f := range found {
		for _, p := range f.Payments {
			if r.Payment != nil && p.Key == r.Payment.Key {
				out.Was = &p
			}
		}
	}
	out.Changes = r.Ask || r.Verdict != kept.Verdict || r.Reason != kept.Reason || r.Channel != kept.Channel || paymentOf(r) != kept.Payment
	return out
}

// rewrite writes what became of a kept notice.
func (t *tx) rewrite(k *known, in notice.Inbound, x notice.Redecision, r notice.Ruling, found []notice.Found) error {
	if err := t.putVerdict(in.ID, x.At, r); err != nil {
		return err
	}
	if err := t.putReading(in, r, k.channels[r.Channel]); err != nil {
		return err
	}
	if err := t.recase(k, in, r); err != nil {
		return err
	}
	if x.Payment != "" && r.Verdict.Open() {
		t.leadTo(in.ID, r)
	}
	in.At = x.At
	return t.putRuling(in, r, found)
}

// leadTo has a case found under the orders of the payment that a person said it is about.
func (t *tx) leadTo(id notice.ID, r notice.Ruling) {
	for _, mk := range r.Payment.MatchKeys() {
		if mk.Kind == payment.ByOrder && mk.Channel == r.Channel {
			t.put(newCaseKey, string(mk.Channel), string(mk.Kind), t.s.nameOf(mk), string(id))
		}
	}
}

// putReading writes what a kept notice says, as it is read now.
func (t *tx) putReading(in notice.Inbound, r notice.Ruling, c channelOwner) error {
	n := in.Notice
	// Index: notice_pkey.
	if err := t.must(`update notice set channel_key = $2, merchant_id = $3, store_id = $4, mode = $5, event = $6, kind = $7, order_id = $8,
		key = $9, amount = $10, currency = $11, occurred_at = $12, pg_tx = $13, charset = $14 where id = $1`,
		string(in.ID), string(r.Channel), string(c.merchant), string(c.store), string(c.mode), string(n.Event), text(n.Kind), text(n.Order),
		text(n.Key), sql.NullInt64{Int64: n.Amount.Amount, Valid: n.HasAmount}, string(n.Amount.Currency), microsOrNull(n.At), text(n.PGTx),
		n.Charset); err != nil {
		return err
	}
	b, err := json.Marshal(keptOf(in))
	if err != nil {
		return err
	}
	sealed, err := t.s.key.Seal(b, "notice_body/"+string(in.ID))
	if err != nil {
		return err
	}
	// Index: notice_body_pkey.
	return t.must(`update notice_body set request = $2 where id = $1`, string(in.ID), sealed)
}

// recase ends the case that a notice has of its own, and opens, joins or ends another as
// for one that comes now. How often its message came again stays.
func (t *tx) recase(k *known, in notice.Inbound, r notice.Ruling) error {
	c, err := t.openCaseOf(in.ID)
	own := err == nil
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if own {
		if err := t.dropCase(string(in.ID)); err != nil {
			return err
		}
		for at, id := range k.cases {
			if id == string(in.ID) {
				delete(k.cases, at)
			}
		}
	}
	if err := t.putCase(k, in, r); err != nil || !own {
		return err
	}
	return t.must(`update open_case set resends = $2 where id = $1`, string(in.ID), c.Resends)
}

// wasRefused reports whether a notice that is kept was refused at some time.
func (t *tx) wasRefused(id notice.ID) (bool, error) {
	var number int64
	// Index: verdict_by_notice.
	return t.has(`select number from verdict where notice_id = $1 and verdict = $2 limit 1`, []any{string(id), string(payment.Refused)}, &number)
}

// keptNotice loads a notice with its verdict, and keeps others from deciding it. It
// reports fault.NotFound and notice.ErrBodyGone.
func (t *tx) keptNotice(id notice.ID) (k notice.Kept, err error) {
	none := fault.Errorf(fault.NotFound, "there is no notice %q", string(id))
	if !isID(string(id)) {
		return k, none // PostgreSQL would not look it up
	}
	row := keptRow{}
	// Index: notice_pkey.
	found, err := t.has(keptQuery+t.d.forUpdate, []any{string(id)}, row.dest()...)
	switch {
	case err != nil:
		return k, err
	case !found:
		return k, none
	}
	row.Payment, row.ID = payment.Key(row.payment.String), id
	if k = row.Kept; notice.Final(k.Verdict) {
		return k, nil
	}
	k.Inbound, _, err = loadNotice(t.ctx, t.q, t.s.Reader, id)
	if errors.Is(err, sql.ErrNoRows) {
		return k, notice.ErrBodyGone
	}
	if err == nil {
		k.Doubted, err = t.wasRefused(id)
	}
	return k, err
}

// keptQuery reads what a Kept has beside its bytes. Index: notice_pkey, payment_pkey.
const keptQuery = `select verdict, reason, detail, channel_key, merchant_id, store_id, mode, payment_key,
	coalesce((select p.store_id from payment p where p.key = notice.payment_key), '') from notice where id = $1`

type keptRow struct {
	notice.Kept
	payment sql.NullString
}

func (r *keptRow) dest() []any {
	return []any{&r.Verdict, &r.Reason, &r.Detail, &r.Channel, &r.Merchant, &r.Store, &r.Mode, &r.payment, &r.PaymentStore}
}
