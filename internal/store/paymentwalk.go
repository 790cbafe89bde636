package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A stretch of a list is what one run of an index has: a store's payments of a
// mode in a state. The engines merge the parts as they go, each of which is in
// order, so that they read no more of a part than what is listed of it.
type stretch struct {
	store merchant.StoreID
	mode  merchant.Mode
	state payment.State
}

// mostStretches is how many parts one statement has at most: SQLite takes 500.
const mostStretches = 400

// stretches are all that a list has.
func (l PaymentList) stretches() (out []stretch) {
	states := l.States
	if len(states) == 0 {
		states = payment.States()
	}
	for _, s := range l.Stores {
		for _, m := range l.Modes {
			for _, state := range states {
				out = append(out, stretch{s, m, state})
			}
		}
	}
	return out
}

// places number the texts of a statement behind its first arguments.
type places struct {
	args []any
	of   map[string]string
}

func newPlaces(args ...any) *places { return &places{args: args, of: make(map[string]string)} }

// place is the parameter that stands for a text.
func (p *places) place(text string) string {
	if _, ok := p.of[text]; !ok {
		p.args = append(p.args, text)
		p.of[text] = fmt.Sprintf("$%d", len(p.args))
	}
	return p.of[text]
}

// is is the condition that a payment is of a part.
func (p *places) is(at stretch) string {
	return "store_id = " + p.place(string(at.store)) + " and mode = " + p.place(string(at.mode)) + " and state = " + p.place(string(at.state))
}

// order returns the column of a time, and the way in which a list goes along
// an index by it.
func (l PaymentList) order() (column, way string) {
	column, way = "requested_at", "desc"
	if l.Changed {
		column = "status_changed_at"
	}
	if l.Ascending {
		way = "asc"
	}
	return column, way
}

// merged is a query for the first rows of several selects together, in an order
// in which an index has those of each. SQLite merges them as it goes along
// their indexes; PostgreSQL does so, or sorts what is left of them, only if each
// is ordered and limited by itself.
func (r *Reader) merged(selects []string, order string) string {
	if !r.d.postgres || len(selects) == 1 {
		return strings.Join(selects, " union all ") + order
	}
	return "(" + strings.Join(selects, order+") union all (") + order + ")" + order
}

// union is a query for stretches of a list, in the order of the time that
// bounds it. Index: payment_by_request, payment_by_change.
func (r *Reader) union(l PaymentList, some []stretch, columns string, limit int) (query string, args []any) {
	column, way := l.order()
	p := newPlaces(micros(l.From), micros(l.Until), limit)
	selects := make([]string, len(some))
	for i, at := range some {
		selects[i] = "select key, " + column + " as at" + columns + " from payment where " + p.is(at) + " and " + column + " >= $1 and " + column + " <= $2"
	}
	return r.merged(selects, " order by at "+way+", key "+way+" limit $3"), p.args
}

// scanning is the query for stretches of a scan. Index: payment_by_request.
func (r *Reader) scanning(some []stretch, s PaymentScan) (query string, args []any) {
	p := newPlaces(micros(s.After.At), string(s.After.Key), micros(s.Until), s.Size)
	selects := make([]string, len(some))
	for i, at := range some {
		selects[i] = "select key, requested_at as at from payment where " + p.is(at) + " and (requested_at, key) > ($1, $2) and requested_at <= $3"
	}
	return r.merged(selects, " order by at, key limit $4"), p.args
}

// walk goes along the index by the time that bounds a list, up to limit
// payments. Unless it is wide, it reads nothing but the index, and knows only
// that time.
func (r *Reader) walk(ctx context.Context, l PaymentList, limit int, wide bool) (out []listedPayment, err error) {
	columns := ""
	if wide {
		columns = ", requested_at, status_changed_at, currency, method, channel_key"
	}
	stretches := l.stretches()
	for some := range slices.Chunk(stretches, mostStretches) {
		query, args := r.union(l, some, columns, limit)
		if err := each(ctx, over(r.db), query, args, func(rows rowSet) error {
			var p listedPayment
			var at int64
			into := []any{&p.key, &at}
			if wide {
				into = append(into, &p.requested, &p.changed, &p.currency, &p.method, &p.channel)
			}
			err := rows.Scan(into...)
			if !wide {
				p.requested, p.changed = at, at
			}
			out = append(out, p)
			return err
		}); err != nil {
			return nil, err
		}
		if len(stretches) > mostStretches {
			by := l
			by.ByChange = l.Changed
			by.sort(out)
			out = out[:min(len(out), limit)]
		}
	}
	return out, nil
}

// countListed counts the payments of a list that an index tells, up to
// MostListed.
func (r *Reader) countListed(ctx context.Context, l PaymentList) (total int, err error) {
	for some := range slices.Chunk(l.stretches(), mostStretches) {
		var n int
		query, args := r.counting(l, some, MostListed-total)
		if err := r.db.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
			return 0, err
		}
		if total += n; total >= MostListed {
			return MostListed, nil
		}
	}
	return total, nil
}

// counting is the query for how many payments stretches of a list have, up to
// a limit. It reads nothing but an index: payment_by_request, payment_by_change.
func (r *Reader) counting(l PaymentList, some []stretch, limit int) (query string, args []any) {
	query, args = r.union(l, some, "", limit)
	return "select count(*) from (" + query + ") as page", args
}

// among is the condition that a column of a type of PostgreSQL's is one of the
// many texts that $n stands for.
func (r *Reader) among(column, kind string, n int) string {
	if r.d.postgres {
		return fmt.Sprintf("%s = any($%d::%s[])", column, n, kind)
	}
	return fmt.Sprintf("%s in (select value from json_each($%d))", column, n)
}

// many is an argument for among.
func many[T ~string](r *Reader, list []T) (any, error) {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = string(t)
	}
	if r.d.postgres {
		return texts, nil
	}
	b, err := json.Marshal(texts)
	return string(b), err
}
