package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// A Window is a stretch of time in some stores, and the part of what is in it that
// is listed.
type Window struct {
	Stores       []merchant.StoreID // none: nothing is listed
	Modes        []merchant.Mode    // likewise
	From, Until  time.Time          // both included
	Ascending    bool
	Offset, Size int
}

// A windowed is a row of a list.
type windowed struct {
	id string
	at int64 // what the list is ordered by
}

// walkWindow reads rows along an index, store by store and mode by mode, and
// returns those that are kept in the order of the window. The query takes the
// store, the mode, both ends and a limit.
func (r *Reader) walkWindow(ctx context.Context, w Window, query string, read func(rowSet) (windowed, bool, error)) (list []windowed, err error) {
	left := MostListed + 1
	for _, s := range w.Stores {
		for _, m := range w.Modes {
			if err := each(ctx, over(r.db), query, []any{string(s), string(m), micros(w.From), micros(w.Until), left}, func(rows rowSet) error {
				left--
				p, keep, err := read(rows)
				if keep {
					list = append(list, p)
				}
				return err
			}); err != nil {
				return nil, away(err)
			}
			if left <= 0 {
				return nil, errWindow
			}
		}
	}
	slices.SortFunc(list, func(a, b windowed) int {
		order := cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
		if w.Ascending {
			return order
		}
		return -order
	})
	return list, nil
}

// part is what is listed of all that is in the window.
func (w Window) part(list []windowed) []windowed {
	return list[min(w.Offset, len(list)):min(w.Offset+w.Size, len(list))]
}
