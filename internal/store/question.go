package store

import "database/sql"

// A question asks for one column by some texts: for many at once on
// PostgreSQL, where every round trip counts, and for one after the other on
// SQLite, where none is made.
type question struct {
	many string // by arrays; answers with the place in them, from 1, and the value
	one  string // by texts; answers with the value
}

// ask calls answer with every value and the place of what was asked.
func (t *tx) ask(q question, asked [][]string, answer func(n int, value []byte) error) error {
	if len(asked) == 0 {
		return nil
	}
	if t.d.postgres {
		arrays := make([]any, len(asked[0]))
		for i := range arrays {
			texts := make([]string, len(asked))
			for n, a := range asked {
				texts[n] = a[i]
			}
			arrays[i] = texts
		}
		return t.each(q.many, arrays, func(rows *sql.Rows) error {
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
		many: `select k.n, m.payment_key from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k (channel, kind, value, n)
			cross join lateral (select payment_key from match_key where channel_key = k.channel and kind = k.kind and value = k.value
				order by payment_key desc limit ` + mostNamed + `) as m`,
		one: `select payment_key from match_key where channel_key = $1 and kind = $2 and value = $3
			order by payment_key desc limit ` + mostNamed,
	}
	// Index: payment_pkey.
	paymentsOf = question{
		many: `select k.n, p.doc from unnest($1::uuid[]) with ordinality as k (key, n) join payment p on p.key = k.key
			for update of p skip locked`,
		one: `select doc from payment where key = $1`,
	}
	// Index: notice_key_pkey.
	messagesOf = question{
		many: `select k.n, m.notice_id from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join notice_key m on m.channel_key = k.channel and m.key = k.key`,
		one: `select notice_id from notice_key where channel_key = $1 and key = $2`,
	}
	// Index: deposit_pkey.
	depositsOf = question{
		many: `select k.n, d.payment_key from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join deposit d on d.channel_key = k.channel and d.key = k.key`,
		one: `select payment_key from deposit where channel_key = $1 and key = $2`,
	}
	// Index: open_case_by_key.
	casesOf = question{
		many: `select k.n, c.id from unnest($1::text[], $2::text[]) with ordinality as k (channel, key, n)
			join open_case c on c.channel_key = k.channel and c.notice_key = k.key and c.notice_key <> ''`,
		one: `select id from open_case where channel_key = $1 and notice_key = $2 and notice_key <> ''`,
	}
	// Index: match_key_by_store. The order may be the other mode's.
	elsewiseOf = question{
		many: `select k.n, m.payment_key from unnest($1::text[], $2::text[]) with ordinality as k (channel, value, n)
			join channel c on c.key = k.channel
			join match_key m on m.store_id = c.store_id and m.kind = 'order' and m.value = k.value
			join channel o on o.key = m.channel_key and o.mode <> c.mode`,
		one: `select m.payment_key from match_key m join channel c on c.key = $1
			join channel o on o.key = m.channel_key
			where m.store_id = c.store_id and m.kind = 'order' and m.value = $2 and o.mode <> c.mode limit 1`,
	}
)
