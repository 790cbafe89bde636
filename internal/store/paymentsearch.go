package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/tongbo/tongbo/internal/payment"
)

// namedList is a list of payments by their names: few, wherever they are.
func (r *Reader) namedList(ctx context.Context, l PaymentList) ([]payment.Key, int, error) {
	var keys []payment.Key
	for i, name := range l.Names {
		found, err := r.bearing(ctx, l, name)
		if err != nil {
			return nil, 0, err
		}
		slices.Sort(found)
		found = slices.Compact(found)
		if i > 0 {
			found = slices.DeleteFunc(found, func(k payment.Key) bool {
				_, both := slices.BinarySearch(keys, k)
				return !both
			})
		}
		keys = found
	}
	var list []listedPayment
	for some := range slices.Chunk(keys, atOnceOpened) {
		found, err := r.known(ctx, some)
		if err != nil {
			return nil, 0, err
		}
		list = append(list, found...)
	}
	list = slices.DeleteFunc(list, func(p listedPayment) bool { return !l.holds(p) })
	l.sort(list)
	return l.part(list), len(list), nil
}

// bearing are the keys of payments with a name, in no order, of whatever else
// is not asked for too.
func (r *Reader) bearing(ctx context.Context, l PaymentList, name PaymentName) (keys []payment.Key, err error) {
	look := func(query string, list any, args ...any) {
		if err != nil {
			return
		}
		err = each(ctx, over(r.db), query, append(args, list, MostListed+1), func(rows rowSet) error {
			var k payment.Key
			err := rows.Scan(&k)
			keys = append(keys, k)
			return err
		})
		if err == nil && len(keys) > MostListed {
			err = errTooMany
		}
	}
	stores, err := many(r, l.Stores)
	if err != nil {
		return nil, err
	}
	channels, err := many(r, l.Within)
	if err != nil {
		return nil, err
	}
	if name.Kind == AnyName || name.Kind == PaymentIDName {
		look(r.byIDQuery(), stores, name.Value)
	}
	if name.Kind == AnyName || name.Kind == AttemptName {
		look(r.byAttemptQuery(), stores, r.nameOf(payment.MatchKeyFor("", payment.ByAttempt, name.Value)))
	}
	for kind, by := range map[NameKind]payment.MatchKind{PGTxName: payment.ByPGTx, AccountName: payment.ByAccount} {
		mk := payment.MatchKeyFor("", by, name.Value)
		if (name.Kind == AnyName || name.Kind == kind) && mk.Value != "" {
			look(r.byNameQuery(), channels, string(by), r.nameOf(mk))
		}
	}
	return keys, err
}

// byIDQuery finds payments of some stores by the merchant's id. Index:
// payment_by_id.
func (r *Reader) byIDQuery() string {
	return `select key from payment where id = $1 and ` + r.among("store_id", "text", 2) + ` limit $3`
}

// byAttemptQuery finds payments of some stores by the id of an attempt. Index:
// match_key_pkey; on SQLite the primary key.
func (r *Reader) byAttemptQuery() string {
	return `select payment_key from match_key where channel_key = '' and kind = 'attempt' and value = $1 and ` +
		r.among("store_id", "text", 2) + ` limit $3`
}

// byNameQuery finds payments by a name that they have in some channels. Index:
// match_key_pkey; on SQLite the primary key.
func (r *Reader) byNameQuery() string {
	return `select payment_key from match_key where kind = $1 and value = $2 and ` + r.among("channel_key", "text", 3) + ` limit $4`
}

// known is what a list knows of payments, in no order. Index: payment_pkey.
func (r *Reader) known(ctx context.Context, keys []payment.Key) (out []listedPayment, err error) {
	list, err := many(r, keys)
	if err != nil {
		return nil, err
	}
	err = each(ctx, over(r.db), r.knownQuery(), []any{list}, func(rows rowSet) error {
		var p listedPayment
		err := rows.Scan(&p.key, &p.store, &p.mode, &p.state, &p.requested, &p.changed, &p.amount, &p.currency, &p.method, &p.channel)
		out = append(out, p)
		return err
	})
	return out, err
}

func (r *Reader) knownQuery() string {
	return `select key, store_id, mode, state, requested_at, status_changed_at, amount, currency, method, channel_key
		from payment where ` + r.among("key", "uuid", 1)
}

// atOnceOpened bounds the payments that one statement reads by their keys.
const atOnceOpened = 500

// OpenPayments returns payments by their keys, in the order of those; one that
// is gone is left out.
func (r *Reader) OpenPayments(ctx context.Context, keys []payment.Key) ([]payment.Payment, error) {
	at := make(map[payment.Key]int, len(keys))
	for i, k := range keys {
		at[k] = i
	}
	docs := make([]sealedPayment, len(keys))
	for some := range slices.Chunk(keys, atOnceOpened) {
		list, err := many(r, some)
		if err != nil {
			return nil, err
		}
		if err := each(ctx, over(r.db), r.docsQuery(), []any{list}, func(rows rowSet) error {
			var p sealedPayment
			err := rows.Scan(&p.key, &p.doc)
			if i, ok := at[p.key]; ok {
				docs[i] = p
				return err
			}
			return fmt.Errorf("payment %s was not asked for", p.key)
		}); err != nil {
			return nil, away(err)
		}
	}
	docs = slices.DeleteFunc(docs, func(p sealedPayment) bool { return p.key == "" })
	out := make([]payment.Payment, len(docs))
	err := spread(len(docs), func(i int) (err error) {
		out[i], err = r.openPayment(docs[i].key, docs[i].doc)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// docsQuery reads payments as they are sealed. Index: payment_pkey.
func (r *Reader) docsQuery() string {
	return `select key, doc from payment where ` + r.among("key", "uuid", 1)
}
