package store

import (
	"database/sql"
	"fmt"
	"strings"
)

// A question asks for one column by some texts: for many at once on
// PostgreSQL, where every round trip counts, and for one after the other on
// SQLite, where none is made.
type question struct {
	many statement // by arrays; answers with the place in them, from 1, and the value
	one  string    // by texts; answers with the value
}

// An asking is a question with what is asked, and who hears each value with the
// place of what it answers.
type asking struct {
	question
	asked  [][]string
	answer func(n int, value string) error
}

// askAll asks several questions, whose answers are texts: on PostgreSQL in one
// statement.
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
	return t.each(strings.Join(parts, " union all "), args, func(rows *sql.Rows) error {
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
		texts := make([]string, len(asked))
		for n, a := range asked {
			texts[n] = a[i]
		}
		arrays[i] = texts
	}
	return arrays
}

// ask calls answer with every value and the place of what was asked.
func (t *tx) ask(q question, asked [][]string, answer func(n int, value []byte) error) error {
	if len(asked) == 0 {
		return nil
	}
	if t.d.postgres {
		return t.each(q.many.after(0), columnsOf(asked), func(rows *sql.Rows) error {
			var n int
			var value []byte
			if err := rows.Scan(&n, &value); err != nil {
				return err
			}
			return answer(n-1, value)
		})
	}
	for n, a := range asked {
		args := make([]any, len(a))
		for i, text := range a {
			args[i] = text
		}
		if err := t.each(q.one, args, func(rows *sql.Rows) error {
			var value []byte
			if err := rows.Scan(&value); err != nil {
				return err
			}
			return answer(n, value)
		}); err != nil {
			return err
		}
	}
	return nil
}

// mostNamed is how many payments of one name are looked at, the newest first.
const mostNamed = "100"

// What is asked for a batch of notices.
var (
	// Index: match_key_pkey.
	namesOf = question{
		many: stating(`select k.n, m.payment_key from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k (channel, kind, value, n)
			cross join lateral (select payment_key from match_key where channel_key = k.channel and kind = k.kind and value = k.value
				order by payment_key desc limit ` + mostNamed + `) as m`),
		one: `select payment_key from match_key where channel_key = $1 and kind = $2 and value = $3
			order by payment_key desc limit ` + mostNamed,
	}
	// The settings' version, to which nothing but a place is asked.
	versionOf = question{
		many: stating(`select k.n, s.version from unnest($1::text[]) with ordinality as k (nothing, n) cross join setting s where s.id = 1`),
		one:  `select version from setting where id = 1 and $1 = ''`,
	}
	// Index: channel_pkey. What a notice's row says of its channel.
	channelsOf = question{
		many: stating(`select k.n, c.merchant_id || chr(31) || c.store_id || chr(31) || c.mode
			from unnest($1::text[]) with ordinality as k (key, n) join channel c on c.key = k.key`),
		one: `select merchant_id || char(31) || store_id || char(31) || mode from channel where key = $1`,
	}
	// Index: payment_pkey.
	paymentsOf = question{
		many: stating(`select k.n, p.doc from unnest($1::uuid[]) with ordinality as k (key, n) join payment p on p.key = k.key
			for update of p skip locked`),
		one: `select doc from payment where key = $1`,
	}
	// Index: notice_key_pkey.
	messagesOf = question{
		many: stating(`select k.n, m.notice_id from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join notice_key m on m.channel_key = k.channel and m.key = k.key`),
		one: `select notice_id from notice_key where channel_key = $1 and key = $2`,
	}
	// Index: deposit_pkey.
	depositsOf = question{
		many: stating(`select k.n, d.payment_key from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join deposit d on d.channel_key = k.channel and d.key = k.key`),
		one: `select payment_key from deposit where channel_key = $1 and key = $2`,
	}
	// Index: open_case_by_key.
	casesOf = question{
		many: stating(`select k.n, c.id from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join open_case c on c.channel_key = k.channel and c.notice_key = k.key and c.notice_key <> ''`),
		one: `select id from open_case where channel_key = $1 and notice_key = $2 and notice_key <> ''`,
	}
	// Index: match_key_by_store. The order may be the other mode's.
	elsewiseOf = question{
		many: stating(`select k.n, m.payment_key from unnest($1::text[], $2::text[]) with ordinality as k (channel, value, n)
			join channel c on c.key = k.channel
			join match_key m on m.store_id = c.store_id and m.kind = 'order' and m.value = k.value
			join channel o on o.key = m.channel_key and o.mode <> c.mode`),
		one: `select m.payment_key from match_key m join channel c on c.key = $1
			join channel o on o.key = m.channel_key
			where m.store_id = c.store_id and m.kind = 'order' and m.value = $2 and o.mode <> c.mode limit 1`,
	}
)
