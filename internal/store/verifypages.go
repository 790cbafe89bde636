package store

import (
	"database/sql"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// firstID is before every id.
const firstID = "00000000-0000-0000-0000-000000000000"

// A noticeRow is a notice with its verdict and what was walked past beside it.
type noticeRow struct {
	id, channel, key, event string
	verdict                 payment.Verdict
	payment                 sql.NullString
	sealed                  []byte
	waits                   bool         // it has a case of its own
	notes                   []depositRow // deposits that were noted when it came
}

// A depositRow is a noted deposit, with either its channel or its notice.
type depositRow struct{ key, payment, channel, notice string }

// A bodyRow is a notice's request.
type bodyRow struct {
	id     string
	sealed []byte
}

func scanID(rows rowSet) (id string, err error) { return id, rows.Scan(&id) }

// notices checks that every notice can be read, and that an acknowledged one
// has its payment or its case. It walks through the notices, their requests,
// the open cases and the deposits that notices brought side by side.
func (v *verifier) notices() error {
	// Index: notice_pkey.
	list, err := open(v, "notices", `select id, channel_key, key, event, verdict, payment_key from notice order by id`,
		func(rows rowSet) (n noticeRow, err error) {
			return n, rows.Scan(&n.id, &n.channel, &n.key, &n.event, &n.verdict, &n.payment)
		})
	if err != nil {
		return err
	}
	defer list.close()
	// Index: notice_body_pkey.
	bodies, err := open(v, "bodies", `select id, request from notice_body order by id`, func(rows rowSet) (b bodyRow, err error) {
		return b, rows.Scan(&b.id, &b.sealed)
	})
	if err != nil {
		return err
	}
	defer bodies.close()
	// Index: open_case_pkey.
	cases, err := open(v, "cases", `select id from open_case order by id`, scanID)
	if err != nil {
		return err
	}
	defer cases.close()
	count := func(string) { v.checked.Cases++ }
	notes, err := open(v, "brought", `select key, payment_key, notice_id from deposit order by notice_id`, func(rows rowSet) (d depositRow, err error) {
		return d, rows.Scan(&d.key, &d.payment, &d.notice)
	})
	if err != nil {
		return err
	}
	defer notes.close()
	var batch []noticeRow
	if err := list.all(func(n noticeRow) error {
		if err := bodies.past(func(b bodyRow) bool { return b.id < n.id }, nil); err != nil {
			return err
		}
		if bodies.ok && bodies.head.id == n.id {
			n.sealed = bodies.head.sealed
		}
		if err := cases.past(func(id string) bool { return id < n.id }, count); err != nil {
			return err
		}
		n.waits = cases.ok && cases.head == n.id
		if err := notes.past(func(d depositRow) bool { return d.notice <= n.id }, func(d depositRow) {
			if d.notice == n.id {
				n.notes = append(n.notes, d)
			}
		}); err != nil {
			return err
		}
		batch = append(batch, n)
		v.checked.Notices++
		return full(v, &batch, v.notice)
	}); err != nil {
		return err
	}
	if err := cases.past(func(string) bool { return true }, count); err != nil {
		return err
	}
	return rest(v, batch, v.notice)
}

// notice checks one notice. What only the database can tell it leaves for
// later.
func (v *verifier) notice(n *noticeRow) (later func() error) {
	var deposit string
	if n.sealed == nil {
		if n.waits || n.id >= v.floors.of("notice_body") { // what waits is not pruned
			v.problem(ProblemSealed, n.id, "the notice's bytes are gone")
		}
	} else if said, err := v.r.openSaid(n.id, n.sealed); err != nil {
		v.problem(ProblemSealed, n.id, "the notice's bytes cannot be opened with this key")
	} else {
		deposit = said
	}
	switch {
	case n.verdict == "":
		v.problem(ProblemNotice, n.id, "the notice has no verdict")
	case n.verdict.Open():
		if !n.waits {
			return func() error { return v.waits(n) }
		}
	case n.verdict == payment.Applied && !n.payment.Valid:
		v.problem(ProblemNotice, n.id, "the notice was applied to no payment")
	case n.verdict == payment.Applied && n.event == string(payment.EventDeposited) && deposit != "":
		for _, d := range n.notes {
			if d.key == name(deposit) && d.payment == n.payment.String {
				return nil
			}
		}
		return func() error { return v.moved(n, deposit) }
	}
	return nil
}

// waits checks that an open notice without a case of its own is in that of the
// same message, which may be decided by now.
func (v *verifier) waits(n *noticeRow) error {
	// Index: open_case_pkey, open_case_by_key, notice_key_pkey, and
	// notice_by_channel for the few whose case a person ended.
	found, err := v.number(`select case
		when exists (select 1 from open_case where id = $1) then 1
		when $3 = '' then 0
		when exists (select 1 from open_case where channel_key = $2 and notice_key = $4 and notice_key <> '') then 1
		when exists (select 1 from notice_key where channel_key = $2 and key = $4) then 1
		when exists (select 1 from notice o where o.channel_key = $2 and o.key = $3
			and o.verdict not in ('pending', 'unmatched', 'conflict', 'refused', 'unreadable')) then 1
		else 0 end`, n.id, n.channel, n.key, name(n.key))
	if err == nil && found == 0 && !v.floors.lately("notice", n.id) {
		v.problem(ProblemNotice, n.id, "the notice is %s, and no case is open for it", n.verdict)
	}
	return err
}

// moved checks that a deposit which a notice applied is noted as its
// payment's, if not by that notice.
func (v *verifier) moved(n *noticeRow, deposit string) error {
	// Index: deposit_pkey. A notice that came on a path without a channel got
	// it later: then its own id has to do.
	noted, err := v.number(`select case when exists (select 1 from deposit where channel_key = $3 and key = $1 and payment_key = $2) then 1
		when $3 = '' and exists (select 1 from deposit where key = $1 and payment_key = $2 and notice_id = $4) then 1
		when not exists (select 1 from payment where key = $2) then 1
		else 0 end`, name(deposit), n.payment.String, n.channel, n.id)
	if err == nil && noted == 0 {
		v.problem(ProblemDeposit, n.id, "the deposit that the notice applied is not noted as payment %s's", n.payment.String)
	}
	return err
}

// A paymentRow is a payment with what was walked past beside it.
type paymentRow struct {
	key, store, id, state string
	amount                int64
	doc                   []byte
	notes                 []depositRow // noted as its own
	told                  int64        // how often it was told that the payment is paid
}

// A tolds is how often one payment was told to be paid.
type tolds struct {
	payment string
	times   int64
}

// payments checks each payment against its columns, and walks beside it through
// the deposits that are noted as its own and the events that tell of it.
func (v *verifier) payments() error {
	// Index: payment_pkey.
	list, err := open(v, "payments", `select key, store_id, id, state, amount, doc from payment order by key`,
		func(rows rowSet) (p paymentRow, err error) {
			return p, rows.Scan(&p.key, &p.store, &p.id, &p.state, &p.amount, &p.doc)
		})
	if err != nil {
		return err
	}
	defer list.close()
	notes, err := open(v, "notes", `select key, payment_key, channel_key from deposit order by payment_key`, func(rows rowSet) (d depositRow, err error) {
		return d, rows.Scan(&d.key, &d.payment, &d.channel)
	})
	if err != nil {
		return err
	}
	defer notes.close()
	told, err := open(v, "told", `select payment_key, count(*) from event where type = '`+string(webhook.Paid)+`' and payment_key is not null
		group by payment_key order by payment_key`, func(rows rowSet) (t tolds, err error) {
		return t, rows.Scan(&t.payment, &t.times)
	})
	if err != nil {
		return err
	}
	defer told.close()
	var batch []paymentRow
	if err := list.all(func(p paymentRow) error {
		if err := notes.past(func(d depositRow) bool { return d.payment <= p.key }, func(d depositRow) {
			v.checked.Deposits++
			if d.payment == p.key {
				p.notes = append(p.notes, d)
				return
			}
			v.nobodys(d)
		}); err != nil {
			return err
		}
		if err := told.past(func(t tolds) bool { return t.payment <= p.key }, func(t tolds) {
			if t.payment == p.key {
				p.told = t.times
			}
		}); err != nil {
			return err
		}
		batch = append(batch, p)
		v.checked.Payments++
		return full(v, &batch, v.payment)
	}); err != nil {
		return err
	}
	if err := notes.all(func(d depositRow) error {
		v.checked.Deposits++
		v.nobodys(d)
		return nil
	}); err != nil {
		return err
	}
	return rest(v, batch, v.payment)
}

func (v *verifier) nobodys(d depositRow) {
	if d.payment >= v.floors.sure("payment") {
		v.problem(ProblemDeposit, d.payment, "a deposit is noted for a payment that does not exist")
	}
}

func (v *verifier) payment(row *paymentRow) (later func() error) {
	p, err := v.r.openSummary(payment.Key(row.key), row.doc)
	if err != nil {
		v.problem(ProblemSealed, row.key, "the payment cannot be opened with this key")
		return nil
	}
	if p.state != row.state || p.amount != row.amount || p.id != row.id || p.store != row.store || p.key != row.key {
		v.problem(ProblemPayment, row.key, "the payment's columns say %s of %d, its sealed form %s of %d", row.state, row.amount, p.state, p.amount)
	}
	applied, counted := v.money(p, row.notes)
	if applied > 1 && !p.unlimited {
		v.problem(ProblemDeposit, row.key, "%d deposits count for the payment", applied)
	}
	if counted == 0 && p.paid {
		counted = 1 // paid by another method
	}
	if row.told > counted || row.told < counted && row.key >= v.floors.sure("event") {
		v.problem(ProblemEvent, row.key, "the payment was paid %d times, and told %d times", counted, row.told)
	}
	return nil
}

// money counts a payment's deposits: those that count now, and those that ever
// did. Each one of these with an id must be noted as this payment's, and what
// is noted must be among its deposits.
func (v *verifier) money(p summary, notes []depositRow) (applied, counted int64) {
	noted := make(map[keyIn]bool, len(notes))
	for _, n := range notes {
		noted[keyIn{merchant.ChannelKey(n.channel), n.key}] = true
	}
	kept, came := make(map[string]bool, len(p.deposits)), make(map[string]bool, len(p.deposits))
	for _, d := range p.deposits {
		if d.key != "" && kept[d.key] {
			v.problem(ProblemDeposit, p.key, "the payment keeps a deposit twice")
		}
		kept[d.key] = true
		if !d.foretold {
			came[name(d.key)] = true
		}
		if !d.counted {
			continue
		}
		counted++
		if d.applied {
			applied++
		}
		if d.key != "" && !noted[keyIn{d.channel, name(d.key)}] {
			v.problem(ProblemDeposit, p.key, "a deposit of the payment is not noted as its own")
		}
	}
	for _, n := range notes {
		if !came[n.key] {
			v.problem(ProblemDeposit, p.key, "a deposit is noted for the payment, which does not know it")
		}
	}
	return applied, counted
}
