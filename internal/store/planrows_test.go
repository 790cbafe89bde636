package store_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/store/storetest"
)

// A crowd is how many rows a large table gets for a number of payments, and
// what differs between them; the other columns are those of a row that is
// there. Values are SQL, with {i} for the number of the row and {k} for
// the id of the k-th kind of that number.
type crowd struct {
	table  string
	per    int    // payments for a row
	where  string // which row; empty: any
	values map[string]string
}

// crowds are an installation that has worked for long: of 100 payments one
// waits, and one delivery; of 1000 notices one is held.
var crowds = []crowd{
	{"payment", 1, "", map[string]string{
		"key": "{1}", "id": "'o ' || {i}", "requested_at": "requested_at + {i}", "updated_at": "updated_at + {i}",
		"status_changed_at": "status_changed_at + {i}",
		"state":             "case when {i} % 100 = 0 then state else 'PAID' end", "deadline": "case when {i} % 100 = 0 then 1900000000000000 + {i} end",
	}},
	{"match_key", 1, "kind = 'order'", map[string]string{"payment_key": "{1}", "value": "'o ' || {i}"}},
	{"match_key", 1, "kind = 'order'", map[string]string{"payment_key": "{1}", "kind": "'account'", "value": "'a ' || {i}"}},
	{"match_key", 1, "kind = 'attempt'", map[string]string{"payment_key": "{1}", "value": "'t ' || {i}"}},
	{"notice", 1, "", map[string]string{
		"id": "{2}", "order_id": "'o ' || {i}", "key": "'k ' || {i}", "payment_key": "{1}",
		"verdict":     "case when {i} % 1000 = 1 then 'unmatched' when {i} % 1000 = 2 then 'conflict' when {i} % 20 = 3 then 'duplicate' else 'applied' end",
		"channel_key": "case when {i} % 1000 = 7 then 'channel-key-2' else 'channel-key-1' end",
		"charset":     "case when {i} % 1000 = 9 then 'EUC-KR' else 'UTF-8' end",
	}},
	{"notice_body", 1, "", map[string]string{"id": "{2}"}},
	{"notice_key", 1, "", map[string]string{"notice_id": "{2}", "key": "'k ' || {i}"}},
	{"deposit", 1, "", map[string]string{"payment_key": "{1}", "notice_id": "{2}", "key": "'d ' || {i}"}},
	{"verdict", 100, "", map[string]string{"id": "{7}", "notice_id": "{2}", "payment_key": "{1}"}},
	{"open_case", 1000, "", map[string]string{"id": "{2}", "notice_key": "'h ' || {i}"}},
	{"closed_case", 1000, "", map[string]string{"id": "{2}", "notice_key": "'h ' || {i}"}},
	{"case_key", 1000, "", map[string]string{"case_id": "{2}", "value": "'h ' || {i}"}},
	{"event", 1, "", map[string]string{"id": "{3}", "payment_key": "{1}", "payment_id": "'o ' || {i}", "notice_id": "{2}"}},
	{"delivery", 100, "", map[string]string{
		"id": "{4}", "event_id": "{3}", "payment_key": "{1}", "payment_id": "'o ' || {i}", "state": "'waiting'", "lease": "null",
		"target": "case when {i} % 10 = 0 then 'https://shop.example/' || {i} % 50 else target end", "lane": "{i} % 2", "tries": "{i} % 2",
		"due_at": "created_at + {i} * 1000", "ready_at": "created_at + {i} * 1000",
	}},
	{"delivery_end", 1, "", map[string]string{"id": "{5}", "event_id": "{3}", "payment_key": "{1}", "payment_id": "'o ' || {i}"}},
	{"attempt", 1, "", map[string]string{"id": "{6}", "delivery_id": "{5}", "webhook_id": "{5}"}},
	{"attempt_body", 1, "", map[string]string{"id": "{6}"}},
	{"audit", 1, "", map[string]string{
		"id": "{7}", "object": "'o ' || {i}", "by_id": "'m ' || {i} % 20", "merchant_id": "case when {i} % 100 = 7 then 'merchant-2' else merchant_id end",
		"action": "case when {i} % 1000 = 7 then 'member.invited' else action end",
	}},
	{"resend_job", 100, "", map[string]string{"id": "{9}", "state": "'done'", "ended_at": "created_at + {i} * 1000", "ready_at": "ready_at + {i} * 1000"}},
	{"resend_made", 1, "", map[string]string{"original": "{5}", "delivery_id": "{5}", "at": "at + {i} * 1000"}},
	{"api_request", 1, "", map[string]string{
		"id": "{9}", "path": "'/payments/' || {i}", "mode": "case when {i} % 1000 = 7 then 'any' else mode end", "merchant_id": "case when {i} % 3 = 1 then 'merchant-2' else merchant_id end",
	}},
	{"overdue", 10, "", map[string]string{"payment_key": "{1}", "issued_at": "issued_at + {i} * 1000", "due_at": "due_at + {i} * 1000"}},
	{"inquiry", 100, "", map[string]string{"payment_key": "{1}", "due_at": "due_at + {i} * 1000"}},
	{"acknowledged", 100, "", map[string]string{"id": "{9}", "subject": "'198.51.100.' || {i}"}},
	{"sweep", 100, "", map[string]string{"payment_key": "{1}", "due_at": "due_at + {i} * 1000"}},
	{"idempotency", 10, "", map[string]string{"id": "'r ' || {i}", "begun_at": "begun_at + {i} * 1000"}},
	{"trial", 10, "", map[string]string{"id": "'o ' || {i}", "updated_at": "updated_at + {i} * 1000"}},
	{"billing_key", 10, "", map[string]string{"key": "'b ' || {i}", "requested_at": "requested_at + {i}", "changed_at": "changed_at + {i}"}},
	{"schedule", 10, "", map[string]string{
		"id": "{8}", "payment_id": "'o ' || {i}", "billing_key": "'b ' || {i}", "time_to_pay": "time_to_pay + {i}",
		"due_at": "case when {i} % 100 = 0 then time_to_pay + {i} end", "ended_at": "case when {i} % 100 <> 0 then time_to_pay + {i} end",
	}},
	{"checkout", 1, "", map[string]string{
		"id": "{7}", "payment_key": "{1}", "created_at": "created_at + {i} * 1000",
		"ended_at": "case when {i} % 10 > 0 then created_at + {i} * 1000 end", "code": "''", "read_until": "created_at + {i} * 1000",
		"asked_at": "case when {i} % 10 = 1 then created_at - 3480000000 - {i} * 10000 end",
	}},
	{"preregistration", 10, "", map[string]string{"payment_id": "'p ' || {i}", "at": "at + {i} * 1000"}},
}

// multiply makes the rows of a crowd for so many payments. Ids grow, as those
// of a clock do.
func (c crowd) multiply(t testing.TB, db *storetest.Database, payments int) {
	t.Helper()
	columns := columnsOf(t, db, c.table)
	values := slices.Clone(columns)
	for name, value := range c.values {
		i := slices.Index(columns, name)
		if i < 0 {
			t.Fatalf("table %s has no column %s", c.table, name)
		}
		value = strings.ReplaceAll(value, "{i}", "n.i")
		for kind := 1; kind <= 9; kind++ {
			value = strings.ReplaceAll(value, fmt.Sprintf("{%d}", kind), numbered(db, kind))
		}
		values[i] = value
	}
	numbers := `with recursive n (i) as (select 1 union all select i + 1 from n where i < %d)`
	if db.Postgres {
		numbers = `with n (i) as (select generate_series(1, %d))`
	}
	db.Exec(t, fmt.Sprintf(numbers+` insert into %s (%s) select %s from n, (select * from %s where %s limit 1) as one order by n.i`,
		payments/c.per, c.table, strings.Join(columns, ", "), strings.Join(values, ", "), c.table, cmp.Or(c.where, "true")))
}

// numbered is SQL for the id that the n.i-th thing of a kind has.
func numbered(db *storetest.Database, kind int) string {
	first := storetest.Noon.UnixMilli()
	if db.Postgres {
		hex := func(x string, digits int) string { return fmt.Sprintf("lpad(to_hex(%s), %d, '0')", x, digits) }
		return fmt.Sprintf("(%s || '700%d8000' || %s)::uuid", hex(fmt.Sprint(first, " + n.i"), 12), kind, hex("n.i", 12))
	}
	at := fmt.Sprintf("(%d + n.i)", first)
	return fmt.Sprintf("printf('%%08x-%%04x-700%d-8000-%%012x', %s >> 16, %s & 65535, n.i)", kind, at, at)
}

func columnsOf(t testing.TB, db *storetest.Database, table string) []string {
	t.Helper()
	rows, err := db.Raw.QueryContext(t.Context(), `select * from `+table+` limit 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err = errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return columns
}
