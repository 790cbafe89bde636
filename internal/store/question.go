package store

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// A question asks for one column by some texts. On PostgreSQL, where every round
// trip counts, it is asked about all of them at once; on SQLite, where each
// statement costs the driver as much as several rows, about a few.
type question struct {
	many statement // by arrays; answers with the place in them, from 1, and the value
	one  string    // for SQLite, by texts; answers with 1 and the value
	few  string    // for SQLite, about fewAsked times as many texts
}

// fewAsked is how many things a question of SQLite asks about at once.
const fewAsked = 8

// asks is a question: many for PostgreSQL; for SQLite, a query that finds n and
// the value by a table k (n, …) of what is asked, with the given columns.
func asks(columns, many, query string) question {
	names := strings.Split(columns, ", ")
	with := func(rows int) string {
		list := make([]string, rows)
		for row := range rows {
			list[row] = fmt.Sprintf("(%d%s)", row+1, strings.Repeat(", ?", len(names)))
		}
		return "with k (n, " + columns + ") as (values " + strings.Join(list, ", ") + ") " + query
	}
	return question{many: stating(many), one: with(1), few: with(fewAsked)}
}

// An asking is a question with what is asked, and who hears each value with the
// place of what it answers.
type asking struct {
	question
	asked  [][]string
	answer func(n int, value string) error
}

// askAll asks several questions, whose answers are texts: on PostgreSQL in one
// statement, which goes along with the next or with send.
func (t *tx) askAll(list ...asking) error {
	if !t.d.postgres {
		for _, a := range list {
			if err := t.ask(a.question, a.asked, func(n int, value []byte) error { return a.answer(n, string(value)) }); err != nil {
				return err
			}
		}
		return nil
	}
	var parts []string
	var args []any
	for i, a := range list {
		if len(a.asked) == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("select %d, q.n, q.value::text from (%s) as q (n, value)", i, a.many.after(len(args))))
		args = append(args, columnsOf(a.asked)...)
	}
	if len(parts) == 0 {
		return nil
	}
	return t.soon(strings.Join(parts, " union all "), args, func(rows rowSet) error {
		var i, n int
		var value string
		if err := rows.Scan(&i, &n, &value); err != nil {
			return err
		}
		return list[i].answer(n-1, value)
	})
}

// columnsOf are rows of texts as the arrays that PostgreSQL takes.
func columnsOf(asked [][]string) []any {
	arrays := make([]any, len(asked[0]))
	for i := range arrays {
		texts := make(pgtype.FlatArray[string], len(asked))
		for n, a := range asked {
			texts[n] = a[i]
		}
		arrays[i] = texts
	}
	return arrays
}

// ask calls answer with every value and the place of what was asked, on SQLite.
func (t *tx) ask(q question, asked [][]string, answer func(n int, value []byte) error) error {
	for at := 0; at < len(asked); {
		query, size := q.one, 1
		if len(asked)-at >= fewAsked {
			query, size = q.few, fewAsked
		}
		var args []any
		for _, a := range asked[at : at+size] {
			for _, text := range a {
				args = append(args, text)
			}
		}
		if err := t.each(query, args, func(rows rowSet) error {
			var n int
			var value []byte
			if err := rows.Scan(&n, &value); err != nil {
				return err
			}
			return answer(at+n-1, value)
		}); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// mostNamed is how many payments of one name are looked at, the newest first.
const mostNamed = "100"

// namedPayments answers on PostgreSQL with the keys of payments by the places of
// their names, from 1, and then, at 0, with those payments that it could lock at
// once. Index: match_key_pkey, payment_pkey.
const namedPayments = `with found as materialized (
		select k.n, m.key from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k (channel, kind, value, n)
		cross join lateral (select payment_key from match_key where channel_key = k.channel and kind = k.kind and value = k.value
			order by payment_key desc limit ` + mostNamed + `) as m (key)),
	locked as (select p.key, p.doc from (select distinct key from found) as f join payment p on p.key = f.key for update of p skip locked)
	select n, key, null from found union all select 0, key, doc from locked`

// What is asked for a batch of notices. On SQLite a cross join is one that
// begins with what is asked.
var (
	// Index: match_key_pkey; on SQLite the primary key.
	namesOf = asks("channel, kind, value", "",
		`select k.n, m.payment_key from k cross join match_key m on m.channel_key = k.channel and m.kind = k.kind and m.value = k.value
			and m.payment_key > coalesce((select o.payment_key from match_key o
				where o.channel_key = k.channel and o.kind = k.kind and o.value = k.value
				order by o.payment_key desc limit 1 offset `+mostNamed+`), '')`)
	// The settings' version, to which nothing but a place is asked.
	versionOf = asks("blank",
		`select k.n, s.version from unnest($1::text[]) with ordinality as k (blank, n) cross join setting s where s.id = 1`,
		`select k.n, version from k cross join setting where id = 1`)
	// Index: channel_pkey. What a notice's row says of its channel.
	channelsOf = asks("key",
		`select k.n, c.merchant_id || chr(31) || c.store_id || chr(31) || c.mode
			from unnest($1::text[]) with ordinality as k (key, n) join channel c on c.key = k.key`,
		`select k.n, c.merchant_id || char(31) || c.store_id || char(31) || c.mode from k cross join channel c on c.key = k.key`)
	// Index: payment_pkey. PostgreSQL has namedPayments.
	paymentsOf = asks("key", "",
		`select k.n, p.doc from k cross join payment p on p.key = k.key`)
	// Index: notice_key_pkey.
	messagesOf = asks("channel, key",
		`select k.n, m.notice_id from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join notice_key m on m.channel_key = k.channel and m.key = k.key`,
		`select k.n, m.notice_id from k cross join notice_key m on m.channel_key = k.channel and m.key = k.key`)
	// Index: deposit_pkey.
	depositsOf = asks("channel, key",
		`select k.n, d.payment_key from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join deposit d on d.channel_key = k.channel and d.key = k.key`,
		`select k.n, d.payment_key from k cross join deposit d on d.channel_key = k.channel and d.key = k.key`)
	// Index: open_case_by_key.
	casesOf = asks("channel, key",
		`select k.n, c.id from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join open_case c on c.channel_key = k.channel and c.notice_key = k.key and c.notice_key <> ''`,
		`select k.n, c.id from k cross join open_case c on c.channel_key = k.channel and c.notice_key = k.key and c.notice_key <> ''`)
	// Index: match_key_by_store. The order may be the other mode's.
	elsewiseOf = asks("channel, value",
		`select k.n, m.payment_key from unnest($1::text[], $2::text[]) with ordinality as k (channel, value, n)
			join channel c on c.key = k.channel
			join match_key m on m.store_id = c.store_id and m.kind = 'order' and m.value = k.value
			join channel o on o.key = m.channel_key and o.mode <> c.mode`,
		`select k.n, m.payment_key from k cross join channel c on c.key = k.channel
			cross join match_key m on m.store_id = c.store_id and m.kind = 'order' and m.value = k.value
			cross join channel o on o.key = m.channel_key and o.mode <> c.mode`)
)
