//go:build linux

package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // opens PostgreSQL beside the store
)

// A past is where rows lie in time that no server made: many of them, evenly
// over days.
type past struct {
	begin time.Time
	days  int
	rows  int
}

// chunk is how many rows one transaction makes.
const chunk = 100_000

// sql opens a database beside the program.
func (e *engine) sql(name string) (*sql.DB, error) {
	if e.postgres() {
		return sql.Open("pgx", e.url(name))
	}
	return sql.Open("sqlite", "file:"+e.file(name)+"?_pragma=journal_mode(wal)&_pragma=synchronous(off)&_pragma=busy_timeout(5000)")
}

// multiply makes many rows of the youngest one of a table. Ids and times are
// new, the same for the same number in every table, so that rows refer to each
// other as the real ones do; special gives columns other values, as SQL of the
// number i. Everything else is as it is in the one row. A table without rows,
// to which the usual course of events adds none, is left as it is.
func (e *engine) multiply(ctx context.Context, database, table string, p past, special map[string]string) error {
	db, err := e.sql(database)
	if err != nil {
		return err
	}
	defer db.Close()
	columns, err := columnsOf(ctx, db, table)
	if err != nil || len(columns) == 0 {
		return err
	}
	values := e.invented(p)
	maps.Copy(values, special)
	picks := make([]string, len(columns))
	for i, c := range columns {
		picks[i] = "one." + c
		if v, ok := values[c]; ok {
			picks[i] = v
		}
	}
	from := "with recursive number (i) as (select cast($1 as integer) union all select i + 1 from number where i + 1 < $2) "
	numbers := "number"
	if e.postgres() {
		from, numbers = "", "generate_series($1::bigint, $2::bigint - 1) as number (i)"
	}
	insert := fmt.Sprintf("%sinsert into %s (%s) select %s from %s, (select * from %s order by id desc limit 1) as one",
		from, table, strings.Join(columns, ", "), strings.Join(picks, ", "), numbers, table)
	for i := 0; i < p.rows; i += chunk {
		if _, err := db.ExecContext(ctx, insert, i, min(i+chunk, p.rows)); err != nil {
			return fmt.Errorf("multiply %s: %w", table, err)
		}
	}
	return nil
}

// invented are the columns that differ from row to row, wherever a table has
// them.
func (e *engine) invented(p past) map[string]string {
	step := max(int64(p.days)*86_400_000/int64(max(p.rows, 1)), 1) // milliseconds between rows
	ms := fmt.Sprintf("(%d + i * %d)", p.begin.UnixMilli(), step)
	id := fmt.Sprintf("printf('%%08x-%%04x-7000-8000-%%012x', %s >> 16, %s & 65535, i)", ms, ms)
	if e.postgres() {
		id = fmt.Sprintf("(lpad(to_hex(%s), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid", ms)
	}
	micros, name := ms+" * 1000", "cast(i as text)"
	values := map[string]string{}
	for _, c := range []string{"id", "event_id", "delivery_id", "webhook_id", "notice_id", "payment_key"} {
		values[c] = id
	}
	for _, c := range []string{"at", "received_at", "occurred_at", "created_at", "ended_at"} {
		values[c] = micros
	}
	for _, c := range []string{"key", "order_id", "payment_id"} {
		values[c] = name
	}
	return values
}

// columnsOf are the columns of a table, none if it has no row.
func columnsOf(ctx context.Context, db *sql.DB, table string) ([]string, error) {
	rows, err := db.QueryContext(ctx, "select * from "+table+" limit 1")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	return rows.Columns()
}

// change runs a statement on a database that no server has open.
func (e *engine) change(ctx context.Context, database, statement string, args ...any) error {
	db, err := e.sql(database)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// tidy has the engine look at what its tables hold now, and lets it rest.
func (e *engine) tidy(ctx context.Context, database string) error {
	if !e.postgres() {
		return e.change(ctx, database, "pragma wal_checkpoint(truncate)")
	}
	if err := e.change(ctx, database, "vacuum (analyze)"); err != nil {
		return err
	}
	return e.change(ctx, database, "checkpoint")
}
