package store

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// newCall is what is written of a call. One that was written twice, since the answer
// to the first commit was lost, is there once.
var newCall = inserting("api_request", `id uuid, at bigint, merchant_id text, store_id text, mode text, credential_kind text,
	credential_id text, method text, route text, path text, status bigint, took bigint, client text, error_type text`, "on conflict do nothing")

// PutCalls writes calls of the APIs, all or none of them.
func (s *Store) PutCalls(ctx context.Context, list []merchant.Call) error {
	return s.write(ctx, func(t *tx) error {
		for _, c := range list {
			client := ""
			if c.Client.IsValid() {
				client = c.Client.String()
			}
			t.put(newCall, c.ID, micros(c.At), string(c.Merchant), string(c.Store), string(c.Mode), c.By, c.Credential, text(c.Method),
				text(c.Route), text(c.Path), c.Status, c.Took.Microseconds(), client, text(c.Error))
		}
		return nil
	})
}

// A CallQuery says which calls of a merchant are listed: those that bore a credential
// of the mode, or of both modes.
type CallQuery struct {
	Merchant    merchant.ID
	Store       merchant.StoreID // empty: all of the merchant
	Mode        merchant.Mode    // live or test
	Class       int              // the first digit of the status; 0: any
	Route       string           // empty: any
	Credential  string           // the id of one; empty: any
	From, Until time.Time        // to a millisecond, Until exclusively; zero: open
	Before      string           // only what was made before the call of this id; empty: from the newest
	Limit       int              // at most; 0 means 50
}

// A CallList is a part of the log.
type CallList struct {
	Calls []merchant.Call // the newest first
	// Before is where to go on; empty if there is nothing behind.
	Before string
	// Cut is how far back it was looked, if that ended before the list was full;
	// zero else. Before goes on from there.
	Cut time.Time
}

// mostCallsRead bounds the calls of each mode that one list goes through.
const mostCallsRead = 10_000

// The columns of a call, as scanCall reads them.
const callColumns = `id, at, merchant_id, store_id, mode, credential_kind, credential_id, method, route, path, status, took, client, error_type`

const (
	// It is planned for its merchant, so that PostgreSQL takes this index and no other.
	// Index: api_request_by_merchant backwards.
	callsPage   = `select ` + callColumns + ` from api_request where merchant_id = $1 and mode = $2 and id < $3 and id >= $4 order by id desc limit $5`
	callsChosen = `select ` + callColumns + ` from (` + callsPage + `) as page where ($6 = 0 or status / 100 = $6) and ($7 = '' or route = $7)
		and ($8 = '' or credential_id = $8) and ($9 = '' or store_id = $9) order by id desc limit $10`
	// The last call that callsPage reaches, if it is full.
	callsReach = `select id from (` + callsPage + `) as page order by id desc limit 1 offset $5 - 1`
)

// Calls lists calls of the APIs. It reports fault.Invalid for a mode that is neither live
// nor test, and for a Before that names no call.
func (r *Reader) Calls(ctx context.Context, q CallQuery) (l CallList, err error) {
	if q.Mode != merchant.Live && q.Mode != merchant.Test {
		return l, fault.Errorf(fault.Invalid, "mode %q: want live or test", q.Mode)
	}
	if q.Before != "" && !isID(q.Before) {
		return l, errCursor
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	upto, from := behindAll, firstID
	if !q.Until.IsZero() {
		upto = idAt(q.Until)
	}
	if q.Before != "" {
		upto = min(upto, q.Before)
	}
	if !q.From.IsZero() {
		from = idAt(q.From)
	}
	reach := ""
	for _, m := range []merchant.Mode{q.Mode, merchant.Any} {
		within := []any{string(q.Merchant), string(m), upto, from}
		if !q.chooses() {
			if err := r.calls(ctx, &l, callsPage, append(within, q.Limit+1)...); err != nil {
				return l, err
			}
			continue
		}
		within = append(within, mostCallsRead)
		var last string
		if err := r.along(ctx, callsReach, within, func(rows rowSet) error { return rows.Scan(&last) }); err != nil {
			return l, away(err)
		}
		reach = max(reach, last) // what is before it is not looked at in this mode
		if err := r.calls(ctx, &l, callsChosen, append(within, q.Class, q.Route, q.Credential, string(q.Store), q.Limit+1)...); err != nil {
			return l, err
		}
	}
	return l.ended(q.Limit, reach)
}

// chooses reports whether something is asked for that no index tells.
func (q CallQuery) chooses() bool {
	return q.Class != 0 || q.Route != "" || q.Credential != "" || q.Store != ""
}

// ended brings what was found of both modes into its order, and says where it ends.
func (l CallList) ended(limit int, reach string) (CallList, error) {
	l.Calls = slices.DeleteFunc(l.Calls, func(c merchant.Call) bool { return c.ID < reach })
	slices.SortFunc(l.Calls, func(a, b merchant.Call) int { return cmp.Compare(b.ID, a.ID) })
	switch {
	case len(l.Calls) > limit:
		l.Calls = l.Calls[:limit]
		l.Before = l.Calls[limit-1].ID
	case reach != "":
		var err error
		l.Before = reach
		l.Cut, err = timeOf(reach)
		return l, err
	}
	return l, nil
}

func (r *Reader) calls(ctx context.Context, l *CallList, query string, args ...any) error {
	return away(r.along(ctx, query, args, func(rows rowSet) error {
		c, err := scanCall(rows)
		l.Calls = append(l.Calls, c)
		return err
	}))
}

// Call is the call of an id, as its answer bore it. It reports fault.NotFound if there is
// none in the log. Index: api_request_pkey.
func (r *Reader) Call(ctx context.Context, id string) (merchant.Call, error) {
	if !isID(id) {
		return merchant.Call{}, fault.Errorf(fault.NotFound, "%q is no id of a call", id)
	}
	c, err := scanCall(r.db.QueryRowContext(ctx, `select `+callColumns+` from api_request where id = $1`, id))
	if isNoRows(err) {
		return c, fault.Errorf(fault.NotFound, "no call %s is in the log", id)
	}
	return c, away(err)
}

func scanCall(rows scanner) (c merchant.Call, err error) {
	var at, took int64
	var client string
	err = rows.Scan(&c.ID, &at, &c.Merchant, &c.Store, &c.Mode, &c.By, &c.Credential, &c.Method, &c.Route, &c.Path, &c.Status, &took, &client, &c.Error)
	c.At, c.Took = moment(at), time.Duration(took)*time.Microsecond
	c.Client, _ = netip.ParseAddr(client)
	return c, err
}
