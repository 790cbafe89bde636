package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// A leg is a part of a list that one index has in the list's order: rows that
// agree in the columns before those of the order.
type leg struct {
	from   string   // the table
	when   string   // a condition that the index is made with; may be empty
	index  string   // which index that is; SQLite is told
	same   []string // columns
	values []string
	// columns are those that are read, and where tells which rows are asked for,
	// as far as no index does; its parameters are $1 … of with. Empty: the
	// listing's columns; all rows.
	columns string
	where   string
	with    []any
}

// A listing is how the rows of a list are found.
type listing struct {
	legs    []leg
	by      []string // columns of the order; the last tells two rows apart
	columns string
	// postgres says which engine it is for.
	postgres bool
	shown    string // those of columns that a row has; empty: all
	look     int    // how many rows of a leg are looked at; MostCounted
	// least and most are the places between which the list is: the first is in it.
	least, most []any
}

// listing is one of rows in the order of some columns, the last of which is an
// id; it is not bounded.
func (r *Reader) listing(by ...string) listing {
	return listing{by: by, postgres: r.d.postgres, look: cmp.Or(r.look, MostLooked), least: []any{firstID}, most: []any{lastID}}
}

// narrow adds a condition on the rows t, whose parameters are $1 … of args.
func (l *leg) narrow(condition string, args ...any) {
	if l.where != "" {
		l.where += " and "
	}
	l.where += stating(condition).after(len(l.with))
	l.with = append(l.with, args...)
}

// narrow adds a condition to all legs.
func (g *listing) narrow(condition string, args ...any) {
	for i := range g.legs {
		g.legs[i].narrow(condition, args...)
	}
}

// along runs a query of a listing. PostgreSQL plans it for what it asks: planned
// for anything, it would go through all of a table along another index for a store
// or a channel that has few of its rows.
func (r *Reader) along(ctx context.Context, text string, args []any, scan func(rowSet) error) error {
	if r.d.postgres {
		args = append([]any{pgx.QueryExecModeCacheDescribe}, args...)
	}
	return each(ctx, over(r.db), text, args, scan)
}

// number is along for a query that answers with one number.
func (r *Reader) number(ctx context.Context, text string, args []any) (n int, err error) {
	err = r.along(ctx, text, args, func(rows rowSet) error { return rows.Scan(&n) })
	return n, err
}

// looking are the legs in which rows are looked at, since no index tells which
// of them are asked for.
func (g listing) looking() []leg {
	return slices.DeleteFunc(slices.Clone(g.legs), func(l leg) bool { return l.where == "" })
}

// oneOf adds the condition that a column has one of some texts; none is any.
func oneOf[T ~string](g *listing, column string, values []T) {
	if len(values) == 0 {
		return
	}
	places, args := make([]string, len(values)), make([]any, len(values))
	for i, v := range values {
		places[i], args[i] = "$"+strconv.Itoa(i+1), string(v)
	}
	g.narrow("t."+column+" in ("+strings.Join(places, ", ")+")", args...)
}

// A query is a statement that is being written.
type query struct{ args []any }

func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// place is a row value of an order's columns.
func (q *query) place(at []any) string {
	out := make([]string, len(at))
	for i, v := range at {
		out[i] = q.arg(v)
	}
	return "(" + strings.Join(out, ", ") + ")"
}

// stretch is a select of what a leg has between two places, in order, up to a
// limit. Limits are no parameters, since PostgreSQL would plan for a tenth of the
// table.
func (q *query) stretch(g listing, l leg, columns string, forward bool, low, high []any, limit int) string {
	text, order := q.between(g, l, columns, forward, low, high)
	return text + order + " limit " + strconv.Itoa(limit)
}

// between is stretch without its limit, and the order apart.
func (q *query) between(g listing, l leg, columns string, forward bool, low, high []any) (text, order string) {
	way, from := " desc", " >= "
	if forward {
		way, from = "", " > "
	}
	text = "select " + columns + " from " + l.from
	if !g.postgres {
		text += " indexed by " + l.index
	}
	text += " where "
	for i, c := range l.same {
		text += c + " = " + q.arg(l.values[i]) + " and "
	}
	row := "(" + strings.Join(g.by, ", ") + ")"
	text += row + " < " + q.place(high) + " and " + row + from + q.place(low)
	if l.when != "" {
		text += " and " + l.when
	}
	return text, " order by " + strings.Join(g.by, way+", ") + way
}

// chosen is the condition of a leg, its parameters counted on.
func (q *query) chosen(l leg) string {
	before := len(q.args)
	q.args = append(q.args, l.with...)
	return stating(l.where).after(before)
}

// mostLegs is how many parts one statement has at most: SQLite takes 500.
const mostLegs = 100

// page is the query for rows between two places, for some legs.
func (g listing) page(some []leg, forward bool, low, high []any, size int) (string, []any) {
	q := &query{}
	way := " desc"
	if forward {
		way = ""
	}
	order := " order by " + strings.Join(g.by, way+", ") + way + " limit "
	parts := make([]string, len(some))
	shown := cmp.Or(g.shown, "*")
	for i, l := range some {
		var part string
		if l.where == "" {
			part = q.stretch(g, l, cmp.Or(l.columns, g.columns), forward, low, high, size)
		} else {
			part = "select " + shown + " from (" + q.looked(g, l, forward, low, high) + ") as t where " + q.chosen(l) + order + strconv.Itoa(size)
		}
		parts[i] = "select " + shown + " from (" + part + ") as part"
	}
	return strings.Join(parts, " union all ") + order + strconv.Itoa(size), q.args
}

// reach is the query for how far a page may look in some legs together: the place
// of the last row that is looked at, and the next one, if there are so many. It
// reads nothing but indexes.
func (g listing) reach(some []leg, forward bool, low, high []any) (string, []any) {
	q := &query{}
	way := " desc"
	if forward {
		way = ""
	}
	columns, limit := strings.Join(g.by, ", "), g.look+1
	parts := make([]string, len(some))
	for i, l := range some {
		text, order := q.between(g, l, columns, forward, low, high)
		if parts[i] = text; g.postgres { // SQLite merges what has no limit of its own
			parts[i] = "select * from (" + text + order + " limit " + strconv.Itoa(limit) + ") as part"
		}
	}
	return strings.Join(parts, " union all ") + " order by " + strings.Join(g.by, way+", ") + way +
		" limit 2 offset " + strconv.Itoa(g.look-1), q.args
}

// looked are the rows of a leg that are looked at between two places. There are no
// more of them than its limit, which has PostgreSQL go along the index.
func (q *query) looked(g listing, l leg, forward bool, low, high []any) string {
	return q.stretch(g, l, cmp.Or(l.columns, g.columns), forward, low, high, g.look+1)
}

// counting is the query for how many rows some legs have between two places, up to
// a limit.
func (g listing) counting(some []leg, low, high []any, limit int) (string, []any) {
	q := &query{}
	parts := make([]string, len(some))
	for i, l := range some {
		if l.where == "" {
			parts[i] = "select 1 as one from (" + q.stretch(g, l, g.by[len(g.by)-1], false, low, high, limit) + ") as part"
			continue
		}
		parts[i] = "select 1 as one from (" + q.looked(g, l, false, low, high) + ") as t where " + q.chosen(l)
	}
	return "select count(*) from (" + strings.Join(parts, " union all ") + " limit " + strconv.Itoa(limit) + ") as counted", q.args
}

// count counts the rows of a list. What no index tells is counted from low on,
// which is as far as rows are looked at; cut says that there are more.
func (r *Reader) count(ctx context.Context, g listing, low []any, cut bool) (Count, error) {
	c := Count{More: cut}
	for some := range slices.Chunk(g.legs, mostLegs) {
		text, args := g.counting(some, low, g.most, MostCounted+1-c.N)
		n, err := r.number(ctx, text, args)
		if err != nil {
			return c, err
		}
		if c.N += n; c.N > MostCounted {
			return Count{N: MostCounted, More: true}, nil
		}
	}
	return c, nil
}

// reached is the place of the last row that is looked at, going on from one end,
// and that of the next; nil if all are.
func (r *Reader) reached(ctx context.Context, g listing, forward bool, low, high []any) (last, next []any, err error) {
	for some := range slices.Chunk(g.looking(), mostLegs) {
		var places [][]any
		text, args := g.reach(some, forward, low, high)
		if err := r.along(ctx, text, args, func(rows rowSet) error {
			place, err := g.scanPlace(rows)
			places = append(places, place)
			return err
		}); err != nil {
			return nil, nil, err
		}
		if len(places) == 2 && (last == nil || (comparePlaces(places[0], last) < 0) == forward) {
			last, next = places[0], places[1]
		}
	}
	return last, next, nil
}

// scanPlace reads a row that has nothing but the columns of the order.
func (g listing) scanPlace(rows rowSet) ([]any, error) {
	place := make([]any, len(g.by))
	into := make([]any, len(g.by))
	var number int64
	var id string
	for i := range into {
		if i < len(into)-1 {
			into[i] = &number
		} else {
			into[i] = &id
		}
	}
	err := rows.Scan(into...)
	for i := range place {
		if i < len(place)-1 {
			place[i] = number
		} else {
			place[i] = id
		}
	}
	return place, err
}

// listPart reads a part of a list. scan reads a row of the listing's columns.
func listPart[Row any](ctx context.Context, r *Reader, g listing, p Page, scan func(rowSet) ([]any, Row, error)) (out Listed[Row], err error) {
	if p.Older != "" && p.Newer != "" {
		return out, errCursor
	}
	if len(g.legs) == 0 {
		return out, nil
	}
	forward := p.Newer != ""
	low, high := g.least, g.most
	if p.Older+p.Newer != "" {
		at, err := parseCursor(p.Older+p.Newer, len(g.by))
		if err != nil {
			return out, err
		}
		if forward && comparePlaces(at, low) > 0 {
			low = at
		} else if !forward && comparePlaces(at, high) < 0 {
			high = at
		}
	}
	last, next, err := r.reached(ctx, g, forward, low, high)
	if err != nil {
		return out, away(err)
	}
	switch {
	case last == nil:
	case forward:
		high = next
	default:
		low = last
	}
	rows, err := read(ctx, r, g, forward, low, high, p.size()+1, scan)
	if err != nil {
		return out, away(err)
	}
	if forward && len(rows) == 0 && last == nil {
		return listPart(ctx, r, g, Page{Size: p.Size}, scan) // nothing is newer: the newest, then
	}
	out.Cut = last != nil && len(rows) <= p.size()
	out.turn(p, rows, last)
	if p.Older+p.Newer == "" {
		out.Count, err = r.count(ctx, g, low, last != nil)
	}
	return out, away(err)
}

// read reads the rows between two places, the nearest first.
func read[Row any](ctx context.Context, r *Reader, g listing, forward bool, low, high []any, size int, scan func(rowSet) ([]any, Row, error)) (rows []placed[Row], err error) {
	for some := range slices.Chunk(g.legs, mostLegs) {
		text, args := g.page(some, forward, low, high, size)
		if err := r.along(ctx, text, args, func(set rowSet) error {
			at, row, err := scan(set)
			rows = append(rows, placed[Row]{at, row})
			return err
		}); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(rows, func(a, b placed[Row]) int {
		if forward {
			return comparePlaces(a.at, b.at)
		}
		return comparePlaces(b.at, a.at)
	})
	return rows[:min(len(rows), size)], nil
}
