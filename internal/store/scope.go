package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// A Scope is what a page of the console is about: one store of a merchant, or
// all of them, in one mode. What is outside of it is not there for the page.
type Scope struct {
	Merchant merchant.ID
	Store    merchant.StoreID // empty: all stores of the merchant
	Mode     merchant.Mode    // live or test
}

// A Page says which part of a list is asked for. Its zero value is the newest.
type Page struct {
	Older string // only what stands behind the place of this cursor
	Newer string // only what stands before it; not together with Older
	Size  int    // at most; 0 means 50
}

// pageSize is how many rows a page has unless it says otherwise, and
// mostOnPage how many it may ask for.
const (
	pageSize   = 50
	mostOnPage = 500
)

func (p Page) size() int {
	if p.Size <= 0 {
		return pageSize
	}
	return min(p.Size, mostOnPage)
}

// A Count is how many rows a list has, as far as they were counted.
type Count struct {
	N    int
	More bool // there may be more
}

// MostCounted is how far rows are counted, and MostLooked how many are looked at
// for one page if no index tells which of them are asked for: SQLite takes some
// 10 µs for each.
const (
	MostCounted = 10_000
	MostLooked  = 5_000
)

// A Listed is a part of a list, the newest first.
type Listed[Row any] struct {
	Rows []Row
	// Older and Newer are the cursors of the parts behind and before this one;
	// empty if there is none.
	Older, Newer string
	// Count is of the whole list. It is counted for its newest part alone: a part that
	// a cursor names has none.
	Count Count
	// Cut says that the part ended since MostLooked rows had been looked at: go on
	// with its cursor.
	Cut bool
	// Floor is when what retention took of the list ends; zero if it took none.
	Floor time.Time
}

// floor is when what was pruned of a table ends; zero if nothing was.
func (r *Reader) floor(ctx context.Context, table string) (time.Time, error) {
	f, err := floorsOf(ctx, over(r.db))
	if err != nil || f.of(table) == firstID {
		return time.Time{}, away(err)
	}
	return timeOf(f.of(table))
}

// storesOf are the stores of a scope; none if it has none, also since its store
// is another merchant's. Index: store_by_merchant.
func (r *Reader) storesOf(ctx context.Context, s Scope) (out []merchant.StoreID, err error) {
	if s.Mode != merchant.Live && s.Mode != merchant.Test {
		return nil, fault.Errorf(fault.Invalid, "mode %q: want live or test", s.Mode)
	}
	err = each(ctx, over(r.db), `select id from store where merchant_id = $1 order by created_at, id`, []any{string(s.Merchant)},
		func(rows rowSet) error {
			var id merchant.StoreID
			err := rows.Scan(&id)
			if s.Store == "" || s.Store == id {
				out = append(out, id)
			}
			return err
		})
	return out, away(err)
}

// between are the ends of a list that is ordered by ids, for a period; zero
// times leave it open.
func between(from, until time.Time) (least, most []any) {
	least, most = []any{firstID}, []any{lastID}
	if !from.IsZero() {
		least = []any{idAt(from)}
	}
	if !until.IsZero() {
		most = []any{idAt(until.Add(time.Millisecond))}
	}
	return least, most
}

// lastID is behind every id.
const lastID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
