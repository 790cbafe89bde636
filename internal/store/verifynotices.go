package store

import (
	"database/sql"

	"github.com/tongbo/tongbo/internal/payment"
)

// firstID is before every id.
const firstID = "00000000-0000-0000-0000-000000000000"

// A noticeRow is a notice with its verdict and what was walked past beside it.
type noticeRow struct {
	id, event string
	verdict   payment.Verdict
	payment   sql.NullString
	sealed    []byte
	waits     bool // it has a case of its own
}

// A bodyRow is a notice's request.
type bodyRow struct {
	id     string
	sealed []byte
}

func scanID(rows rowSet) (id string, err error) { return id, rows.Scan(&id) }

// notices checks that every notice can be read, and that an acknowledged one
// has its payment or its case. It walks through the notices, their requests and
// the open cases side by side.
func (v *verifier) notices() error {
	// Index: notice_pkey.
	list, err := open(v, "notices", `select id, event, verdict, payment_key from notice order by id`,
		func(rows rowSet) (n noticeRow, err error) {
			return n, rows.Scan(&n.id, &n.event, &n.verdict, &n.payment)
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
	if n.payment.Valid && n.payment.String >= v.floors.sure("payment") && !v.exists([]byte(n.payment.String)) {
		v.problem(ProblemNotice, n.id, noPaymentOfNotice)
	}
	switch {
	case n.verdict == "":
		v.problem(ProblemNotice, n.id, "the notice has no verdict")
	case n.verdict.Open():
		if !n.waits {
			return func() error { return v.waits(n.id) }
		}
	case n.verdict == payment.Applied && !n.payment.Valid:
		v.problem(ProblemNotice, n.id, "the notice was applied to no payment")
	case n.verdict == payment.Applied && n.event == string(payment.EventDeposited) && deposit != "":
		if n.id < v.readable() {
			return func() error { return v.moved(n.id, n.payment.String, deposit) }
		}
		v.bringers.add(-1, []byte(n.id), brought(n.payment.String, name(deposit)))
	}
	return nil
}

// brought is the entry of a deposit in its notice's account.
func brought(payment, key string) []byte { return []byte(payment + key) }

// waits checks that an open notice without a case of its own is in that of the
// same message, which may be decided by now.
func (v *verifier) waits(id string) error {
	var channel, key, verdict string
	if err := v.q.QueryRowContext(v.ctx, `select channel_key, key, verdict from notice where id = $1`, id).Scan(&channel, &key, &verdict); err != nil {
		return err
	}
	// Index: open_case_pkey, open_case_by_key, closed_case_pkey, closed_case_by_key,
	// notice_key_pkey, and notice_by_channel for the rest.
	found, err := v.number(`select case
		when exists (select 1 from open_case where id = $1) then 1
		when exists (select 1 from closed_case where id = $1) then 1
		when $3 = '' then 0
		when exists (select 1 from open_case where channel_key = $2 and notice_key = $4 and notice_key <> '') then 1
		when exists (select 1 from closed_case where channel_key = $2 and notice_key = $4 and notice_key <> '') then 1
		when exists (select 1 from notice_key where channel_key = $2 and key = $4) then 1
		when exists (select 1 from notice o where o.channel_key = $2 and o.key = $3
			and o.verdict not in ('pending', 'unmatched', 'conflict', 'refused', 'unreadable')) then 1
		else 0 end`, id, channel, key, name(key))
	if err == nil && found == 0 && !v.floors.lately("notice", id) {
		v.problem(ProblemNotice, id, "the notice is %s, and no case is open for it", verdict)
	}
	return err
}

// moved checks that a deposit which a notice applied is noted as its
// payment's, if not by that notice.
func (v *verifier) moved(id, payment, deposit string) error {
	var channel string
	if err := v.q.QueryRowContext(v.ctx, `select channel_key from notice where id = $1`, id).Scan(&channel); err != nil {
		return err
	}
	// Index: deposit_pkey. A notice that came on a path without a channel got
	// it later: then its own id has to do.
	noted, err := v.number(`select case when exists (select 1 from deposit where channel_key = $3 and key = $1 and payment_key = $2) then 1
		when $3 = '' and exists (select 1 from deposit where key = $1 and payment_key = $2 and notice_id = $4) then 1
		when not exists (select 1 from payment where key = $2) then 1
		else 0 end`, name(deposit), payment, channel, id)
	if err == nil && noted == 0 {
		v.problem(ProblemDeposit, id, "the deposit that the notice applied is not noted as payment %s's", payment)
	}
	return err
}
