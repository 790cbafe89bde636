package store

import (
	"fmt"
	"slices"
	"strings"
)

// A bulk writes rows of one table: on PostgreSQL many with one statement, on
// SQLite, which has no network between, a few.
type bulk struct {
	table string
	one   string    // for a row, with a ? for each column: SQLite looks up names of parameters one by one
	few   string    // for fewRows rows, one after the other; may be empty
	many  statement // for many rows, with $1 … $n as arrays
	kinds []string  // PostgreSQL's types of the columns
	last  bool      // rows of one first column replace each other
}

// inserting is a bulk that inserts into a table. columns are names and types,
// "id uuid, at bigint"; tail ends the statement.
func inserting(table, columns, tail string) *bulk {
	b := &bulk{table: table}
	var names, arrays []string
	for i, c := range strings.Split(columns, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(c), " ")
		names, b.kinds = append(names, name), append(b.kinds, kind)
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", i+1, kind))
	}
	into := "insert into " + table + " (" + strings.Join(names, ", ") + ") "
	row := "(?" + strings.Repeat(", ?", len(names)-1) + ")"
	b.one = into + "values " + row + " " + tail
	b.few = into + "values " + row + strings.Repeat(", "+row, fewRows-1) + " " + tail
	b.many = stating(into + "select * from unnest(" + strings.Join(arrays, ", ") + ") " + tail)
	return b
}

// fewRows is how many rows SQLite is given at once: each statement costs the
// driver as much as several columns do.
const fewRows = 8

// put keeps a row of a bulk; a value may be a later. It is written at the latest before the next
// statement of the transaction, and at its end.
func (t *tx) put(b *bulk, values ...any) {
	if t.rows == nil {
		t.rows = make(map[*bulk][][]any)
	}
	if len(t.rows[b]) == 0 {
		// Rows are written by bulk: those of one table stay in their order only
		// if another bulk of it has none.
		if slices.ContainsFunc(t.kept, func(k *bulk) bool { return k.table == b.table }) {
			_ = t.flush() // its error is that of the transaction
		}
		t.kept = append(t.kept, b)
	}
	t.rows[b] = append(t.rows[b], values)
}

// flush writes the rows that were kept, in the order in which their tables
// were first named. An error of it is one of the transaction: it comes back
// from every later flush, or on PostgreSQL from what is sent next.
func (t *tx) flush() error {
	kept := t.kept
	t.kept = nil
	if t.line != nil {
		t.together(kept)
		return t.failed
	}
	for _, b := range kept {
		rows := t.rowsOf(b)
		if t.failed == nil {
			t.failed = t.write(b, rows)
		}
	}
	return t.failed
}

// rowsOf returns the rows of a bulk as they are to be written, and forgets them.
func (t *tx) rowsOf(b *bulk) [][]any {
	rows := t.rows[b]
	delete(t.rows, b)
	if b.last {
		rows = lastOf(rows)
	}
	if err := settleLaters(rows); err != nil && t.failed == nil {
		t.failed = err
	}
	return rows
}

// together writes the rows of several tables, each of which has one bulk here,
// with one statement of PostgreSQL, whose parts do not see what the others write.
// It goes along with the next one, or with the commit.
func (t *tx) together(kept []*bulk) {
	var parts []string
	var args []any
	for _, b := range kept {
		rows := t.rowsOf(b)
		parts = append(parts, b.many.after(len(args)))
		args = append(args, b.arrays(rows)...)
	}
	if len(parts) == 0 || t.failed != nil {
		return
	}
	last := len(parts) - 1
	for i := range last {
		parts[i] = fmt.Sprintf("w%d as (%s)", i, parts[i])
	}
	query := parts[last]
	if last > 0 {
		query = "with " + strings.Join(parts[:last], ", ") + " " + query
	}
	t.line.later(query, args, nil)
}

// write writes the rows of a table on SQLite.
func (t *tx) write(b *bulk, rows [][]any) error {
	t.wrote = true
	for b.few != "" && len(rows) >= fewRows {
		if _, err := t.q.ExecContext(t.ctx, b.few, slices.Concat(rows[:fewRows]...)...); err != nil {
			return err
		}
		rows = rows[fewRows:]
	}
	for _, r := range rows {
		if _, err := t.q.ExecContext(t.ctx, b.one, r...); err != nil {
			return err
		}
	}
	return nil
}

// lastOf leaves out rows that a later one replaces.
func lastOf(rows [][]any) [][]any {
	at := make(map[any]int, len(rows))
	var out [][]any
	for _, r := range rows {
		if i, ok := at[r[0]]; ok {
			out[i] = r
			continue
		}
		at[r[0]] = len(out)
		out = append(out, r)
	}
	return out
}
