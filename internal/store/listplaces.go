package store

import (
	"slices"
	"strconv"
	"strings"
)

// comparePlaces compares places of one order: an id, or a time and an id.
func comparePlaces(a, b []any) int {
	if len(a) == 2 {
		x, _ := a[0].(int64)
		y, _ := b[0].(int64)
		if x != y {
			if x < y {
				return -1
			}
			return 1
		}
	}
	x, _ := a[len(a)-1].(string)
	y, _ := b[len(b)-1].(string)
	return strings.Compare(x, y)
}

// cursor is a place as a page has it, in an address.
func cursor(at []any) string {
	id, _ := at[len(at)-1].(string)
	if len(at) == 1 {
		return id
	}
	micros, _ := at[0].(int64)
	return strconv.FormatInt(micros, 10) + "-" + id
}

// parseCursor reads a cursor of an order with so many columns.
func parseCursor(text string, columns int) ([]any, error) {
	var at []any
	if columns == 2 {
		number, rest, ok := strings.Cut(text, "-")
		n, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil {
			return nil, errCursor
		}
		at, text = append(at, n), rest
	}
	if !isID(text) {
		return nil, errCursor
	}
	return append(at, text), nil
}

// A placed is a row with its place.
type placed[Row any] struct {
	at  []any
	row Row
}

// turn puts rows as they were read into a part, the newest first, with the
// cursors to what is around it. last is where reading stopped short.
func (l *Listed[Row]) turn(p Page, rows []placed[Row], last []any) {
	size, forward := p.size(), p.Newer != ""
	beyond := ""
	if len(rows) > size {
		rows = rows[:size]
		beyond = cursor(rows[size-1].at)
	} else if last != nil {
		beyond = cursor(last)
	}
	back := p.Older + p.Newer // where the part began: what is there has been seen
	if len(rows) > 0 && back != "" {
		back = cursor(rows[0].at)
	}
	l.Older, l.Newer = beyond, back
	if forward {
		l.Older, l.Newer = back, beyond
		slices.Reverse(rows)
	}
	l.Rows = make([]Row, len(rows))
	for i, p := range rows {
		l.Rows[i] = p.row
	}
}

// partOf makes a part of rows that are all in hand, in an order with so many
// columns.
func (l *Listed[Row]) partOf(p Page, columns int, rows []placed[Row]) error {
	forward := p.Newer != ""
	if p.Older+p.Newer != "" {
		at, err := parseCursor(p.Older+p.Newer, columns)
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(x placed[Row]) bool {
			order := comparePlaces(x.at, at)
			return order == 0 || (order > 0) != forward
		})
	}
	slices.SortFunc(rows, func(a, b placed[Row]) int {
		if forward {
			return comparePlaces(a.at, b.at)
		}
		return comparePlaces(b.at, a.at)
	})
	l.turn(p, rows, nil)
	return nil
}
