package store

import (
	"database/sql"
	"errors"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// pageSize is how many rows Verify holds at a time.
const pageSize = 500

// firstID is before every id.
const firstID = "00000000-0000-0000-0000-000000000000"

// pages reads a query page by page: it takes the last id and the page's size,
// and its first column is the id. check is called outside the query, so that
// it may ask more.
func pages[T any](v *verifier, query string, scan func(*sql.Rows) (id string, row T, err error), check func(id string, row T) error) error {
	last := firstID
	for {
		var ids []string
		var list []T
		if err := v.each(query, []any{last, pageSize}, func(rows *sql.Rows) error {
			id, row, err := scan(rows)
			ids, list = append(ids, id), append(list, row)
			return err
		}); err != nil {
			return err
		}
		for i, id := range ids {
			if err := check(id, list[i]); err != nil {
				return err
			}
		}
		if len(ids) < pageSize {
			return nil
		}
		last = ids[len(ids)-1]
	}
}

// A noticeRow is a notice with its latest verdict.
type noticeRow struct {
	channel, key, event string
	verdict             payment.Verdict
	payment             sql.NullString
	sealed              []byte
}

// notices checks that every notice can be read, and that an acknowledged one
// has its payment or its case.
func (v *verifier) notices() error {
	// Index: notice_pkey, notice_body_pkey.
	return pages(v, `select n.id, n.channel_key, n.key, n.event, n.verdict, n.payment_key, b.request
		from notice n left join notice_body b on b.id = n.id
		where n.id > $1 order by n.id limit $2`,
		func(rows *sql.Rows) (id string, n noticeRow, err error) {
			err = rows.Scan(&id, &n.channel, &n.key, &n.event, &n.verdict, &n.payment, &n.sealed)
			return id, n, err
		}, v.notice)
}

func (v *verifier) notice(id string, n noticeRow) error {
	var kept keptRequest
	if n.sealed == nil {
		if err := v.missed(id, v.floors.of("notice_body"), ProblemSealed, "the notice's bytes are gone"); err != nil {
			return err
		}
	} else if k, err := v.r.openRequest(notice.ID(id), n.sealed); err != nil {
		v.problem(ProblemSealed, id, "the notice's bytes cannot be opened with this key")
	} else {
		kept = k
	}
	switch {
	case n.verdict == "":
		v.problem(ProblemNotice, id, "the notice has no verdict")
	case n.verdict.Open():
		return v.waits(id, n)
	case n.verdict == payment.Applied && !n.payment.Valid:
		v.problem(ProblemNotice, id, "the notice was applied to no payment")
	case n.payment.Valid:
		return v.moved(id, n, kept.Said.Deposit)
	}
	return nil
}

// waits checks that an open notice is in a case: its own, or that of the same
// message, which may be decided by now.
func (v *verifier) waits(id string, n noticeRow) error {
	// Index: open_case_pkey, open_case_by_key, notice_key_pkey, and
	// notice_by_channel for the few whose case a person ended.
	found, err := v.number(`select case
		when exists (select 1 from open_case where id = $1) then 1
		when $3 = '' then 0
		when exists (select 1 from open_case where channel_key = $2 and notice_key = $4 and notice_key <> '') then 1
		when exists (select 1 from notice_key where channel_key = $2 and key = $4) then 1
		when exists (select 1 from notice o where o.channel_key = $2 and o.key = $3
			and o.verdict not in ('pending', 'unmatched', 'conflict', 'refused', 'unreadable')) then 1
		else 0 end`, id, n.channel, n.key, name(n.key))
	if err == nil && found == 0 && !v.floors.lately("notice", id) {
		v.problem(ProblemNotice, id, "the notice is %s, and no case is open for it", n.verdict)
	}
	return err
}

// moved checks the payment of a decided notice, and that a deposit which it
// applied is noted as that payment's.
func (v *verifier) moved(id string, n noticeRow, deposit string) error {
	exists, err := v.number(`select count(*) from payment where key = $1`, n.payment.String)
	if err != nil {
		return err
	}
	if exists == 0 {
		if n.payment.String >= v.floors.sure("payment") {
			v.problem(ProblemNotice, id, "the notice's payment %s does not exist", n.payment.String)
		}
		return nil
	}
	if n.verdict != payment.Applied || n.event != string(payment.EventDeposited) || deposit == "" {
		return nil
	}
	// Index: deposit_pkey. A notice that came on a path without a channel got
	// it later: then its own id has to do.
	noted, err := v.number(`select count(*) from deposit where key = $1 and payment_key = $2
		and (channel_key = $3 or ($3 = '' and notice_id = $4))`, name(deposit), n.payment.String, n.channel, id)
	if err == nil && noted == 0 {
		v.problem(ProblemDeposit, id, "the deposit that the notice applied is not noted as payment %s's", n.payment.String)
	}
	return err
}

type paymentRow struct {
	store, id, state string
	amount           int64
	doc              []byte
}

// payments checks each payment against its columns, its deposits and its
// events.
func (v *verifier) payments() error {
	// Index: payment_pkey.
	return pages(v, `select key, store_id, id, state, amount, doc from payment where key > $1 order by key limit $2`,
		func(rows *sql.Rows) (key string, p paymentRow, err error) {
			err = rows.Scan(&key, &p.store, &p.id, &p.state, &p.amount, &p.doc)
			return key, p, err
		}, v.payment)
}

func (v *verifier) payment(key string, row paymentRow) error {
	p, err := v.r.openPayment(payment.Key(key), row.doc)
	if err != nil {
		v.problem(ProblemSealed, key, "the payment cannot be opened with this key")
		return nil
	}
	if string(p.State) != row.state || p.Amount.Amount != row.amount || string(p.ID) != row.id || string(p.Store) != row.store || string(p.Key) != key {
		v.problem(ProblemPayment, key, "the payment's columns say %s of %d, its sealed form %s of %d", row.state, row.amount, p.State, p.Amount.Amount)
	}
	applied, counted, err := v.money(p)
	if err != nil {
		return err
	}
	if t, ok := p.Transaction(); applied > 1 && (!ok || t.Account == nil || t.Account.Type != payment.FixedUnlimited) {
		v.problem(ProblemDeposit, key, "%d deposits count for the payment", applied)
	}
	if counted == 0 && !p.PaidAt.IsZero() {
		counted = 1 // paid by another method
	}
	// Index: event_by_payment.
	told, err := v.number(`select count(*) from event where payment_key = $1 and type = $2`, key, string(webhook.Paid))
	if err == nil && (told > counted || told < counted && key >= v.floors.sure("event")) {
		v.problem(ProblemEvent, key, "the payment was paid %d times, and told %d times", counted, told)
	}
	return err
}

// money counts a payment's deposits: those that count now, and those that ever
// did. Each one with an id must be noted as this payment's.
func (v *verifier) money(p payment.Payment) (applied, counted int64, err error) {
	channels := make(map[payment.TransactionID]merchant.ChannelKey)
	for _, t := range p.Transactions {
		channels[t.ID] = t.Channel
	}
	seen := make(map[string]bool)
	for _, d := range p.Deposits {
		if d.Key != "" && seen[d.Key] {
			v.problem(ProblemDeposit, string(p.Key), "the payment keeps a deposit twice")
		}
		seen[d.Key] = true
		if !d.Counted() {
			continue
		}
		counted++
		if d.State == payment.DepositApplied {
			applied++
		}
		if d.Key == "" {
			continue
		}
		// Index: deposit_pkey.
		noted, err := v.number(`select count(*) from deposit where channel_key = $1 and key = $2 and payment_key = $3`,
			string(channels[d.Transaction]), name(d.Key), string(p.Key))
		if err != nil {
			return applied, counted, err
		}
		if noted == 0 {
			v.problem(ProblemDeposit, string(p.Key), "a deposit of the payment is not noted as its own")
		}
	}
	return applied, counted, nil
}

type depositRow struct{ channel, key, payment string }

// deposits checks that each noted deposit is in the payment that it is noted
// for.
func (v *verifier) deposits() error {
	channel, key := "", ""
	for {
		var list []depositRow
		// Index: deposit_pkey.
		if err := v.each(`select channel_key, key, payment_key from deposit where (channel_key, key) > ($1, $2)
			order by channel_key, key limit $3`, []any{channel, key, pageSize}, func(rows *sql.Rows) error {
			var d depositRow
			err := rows.Scan(&d.channel, &d.key, &d.payment)
			list = append(list, d)
			return err
		}); err != nil {
			return err
		}
		for _, d := range list {
			if err := v.deposit(d); err != nil {
				return err
			}
		}
		if len(list) < pageSize {
			return nil
		}
		channel, key = list[len(list)-1].channel, list[len(list)-1].key
	}
}

func (v *verifier) deposit(row depositRow) error {
	var doc []byte
	err := v.q.QueryRowContext(v.ctx, `select doc from payment where key = $1`, row.payment).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		if row.payment >= v.floors.sure("payment") {
			v.problem(ProblemDeposit, row.payment, "a deposit is noted for a payment that does not exist")
		}
		return nil
	}
	if err != nil {
		return err
	}
	p, err := v.r.openPayment(payment.Key(row.payment), doc)
	if err != nil {
		return nil // told already
	}
	for _, d := range p.Deposits {
		if name(d.Key) == row.key && d.State != payment.DepositForetold {
			return nil
		}
	}
	v.problem(ProblemDeposit, row.payment, "a deposit is noted for the payment, which does not know it")
	return nil
}

// tries checks that no delivery was tried more often than its schedule says,
// and that none waits for a try that its schedule has not.
func (v *verifier) tries() error {
	for _, t := range []struct{ table, more, text string }{
		{"delivery_end", ">", "the delivery was tried more often than its schedule says"},
		{"delivery", ">=", "the delivery waits, but its schedule has no try left"},
	} {
		var schedules []string
		if err := v.each(`select distinct schedule from `+t.table, nil, func(rows *sql.Rows) error {
			var s string
			err := rows.Scan(&s)
			schedules = append(schedules, s)
			return err
		}); err != nil {
			return err
		}
		for _, s := range schedules {
			if err := v.each(`select id from `+t.table+` where schedule = $1 and tries `+t.more+` $2`,
				[]any{s, webhook.Schedule(s).Tries()}, func(rows *sql.Rows) error {
					var id string
					err := rows.Scan(&id)
					v.problem(ProblemAttempt, id, "%s", t.text)
					return err
				}); err != nil {
				return err
			}
		}
	}
	return nil
}
