package store

import (
	"database/sql"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// caseListed is the kind of a case that waits for a person's eyes only.
const caseListed = "listed"

// putCase opens, joins or ends the case of a notice.
func (t *tx) putCase(in notice.Inbound, r notice.Ruling) error {
	known, err := t.caseOf(r.Channel, in.Notice.Key)
	if err != nil {
		return err
	}
	kind := string(r.Verdict)
	switch {
	case r.Verdict.Open() && known != "":
		return t.must(`update open_case set resends = resends + 1, kind = $2, reason = $3 where id = $1`,
			known, kind, string(r.Reason))
	case r.Verdict.Open():
	case r.Listed:
		kind = caseListed
	case known != "" && r.Claims:
		// The same message was held, and now it is decided: so is the case.
		return t.endCase(known, in, r)
	}
	if !r.Verdict.Open() && !r.Listed {
		return nil
	}
	return t.openCase(in, r, kind)
}

func (t *tx) caseOf(c merchant.ChannelKey, key string) (id string, err error) {
	if key == "" {
		return "", nil
	}
	// Index: open_case_by_key.
	_, err = t.has(`select id from open_case where channel_key = $1 and notice_key = $2 and notice_key <> ''`,
		[]any{string(c), key}, &id)
	return id, err
}

func (t *tx) openCase(in notice.Inbound, r notice.Ruling, kind string) error {
	var owner payment.Payment
	if r.Payment != nil {
		owner = *r.Payment
	}
	c := merchant.Channel{Merchant: owner.Merchant, Store: owner.Store}
	if r.Channel != "" {
		if _, err := t.has(`select merchant_id, store_id from channel where key = $1`, []any{string(r.Channel)}, &c.Merchant, &c.Store); err != nil {
			return err
		}
	}
	// A listed notice is decided: nothing may join it.
	key := in.Notice.Key
	if kind == caseListed {
		key = ""
	}
	if err := t.must(`insert into open_case (id, kind, channel_key, merchant_id, store_id, notice_key, payment_key, reason, opened_at, resends)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) on conflict do nothing`,
		string(in.ID), kind, string(r.Channel), string(c.Merchant), string(c.Store), text(key), orNull(owner.Key),
		string(r.Reason), micros(in.At)); err != nil {
		return err
	}
	if kind == caseListed {
		return nil
	}
	for _, k := range in.Keys() {
		if err := t.must(`insert into case_key (channel_key, kind, value, case_id) values ($1, $2, $3, $4)
			on conflict do nothing`, string(k.Channel), string(k.Kind), text(k.Value), string(in.ID)); err != nil {
			return err
		}
	}
	return nil
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

// casesFor are the held notices that a payment's names lead to, in the PG's
// order of time. Those that wait for the PG's answer are not among them.
func (t *tx) casesFor(keys []payment.MatchKey) ([]notice.Inbound, error) {
	seen := make(map[string]bool)
	var out []notice.Inbound
	for _, k := range keys {
		var ids []string
		// Index: case_key_pkey.
		if err := t.each(`select case_id from case_key where channel_key = $1 and kind = $2 and value = $3`,
			[]any{string(k.Channel), string(k.Kind), text(k.Value)}, func(rows *sql.Rows) error {
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
			in, waits, err := t.heldNotice(id)
			if err != nil {
				return nil, err
			}
			if !waits {
				continue
			}
			in.Channels = []merchant.ChannelKey{k.Channel}
			out = append(out, in)
		}
	}
	sortByPGTime(out)
	return out, nil
}
