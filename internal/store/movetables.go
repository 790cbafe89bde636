package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/tongbo/tongbo/internal/fault"
)

// A movedTable is a table that both engines have.
type movedTable struct {
	name    string
	columns []movedColumn
}

// A movedColumn is a column with its type on PostgreSQL.
type movedColumn struct{ name, kind string }

func (t movedTable) quoted() string { return pgx.Identifier{t.name}.Sanitize() }

func (t movedTable) names() []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.name
	}
	return out
}

// reading is the query for all of a table, on either engine.
func (t movedTable) reading() string {
	quoted := make([]string, len(t.columns))
	for i, c := range t.columns {
		quoted[i] = pgx.Identifier{c.name}.Sanitize()
	}
	return `select ` + strings.Join(quoted, ", ") + ` from ` + t.quoted()
}

// pairTables reads the tables of both databases from their catalogues. A table
// stands after those that it refers to. What only one of them has is a mistake
// in the migrations.
func pairTables(ctx context.Context, sqlite, postgres querier) ([]movedTable, error) {
	tables, err := postgresTables(ctx, postgres)
	if err != nil {
		return nil, away(err)
	}
	theirs, err := sqliteColumns(ctx, sqlite)
	if err != nil {
		return nil, away(err)
	}
	for _, t := range tables {
		if theirs[t.name] == nil && slices.Contains(passing, t.name) {
			continue
		}
		names := t.names()
		slices.Sort(names)
		if !slices.Equal(names, theirs[t.name]) {
			return nil, &programError{fmt.Errorf("table %s has columns %v on PostgreSQL and %v on SQLite", t.name, names, theirs[t.name])}
		}
		for _, c := range t.columns {
			if conversions[c.kind] == nil {
				return nil, &programError{fmt.Errorf("column %s of %s is %s, which is not moved", c.name, t.name, c.kind)}
			}
		}
		delete(theirs, t.name)
	}
	for name := range theirs {
		if slices.Contains(passing, name) {
			continue
		}
		return nil, fault.Errorf(fault.Invalid, "the SQLite database has a table %s, for which there is no place", name)
	}
	return inOrder(ctx, postgres, tables)
}

// postgresTables are the tables of the current schema. A partition is none: it
// is written through the table that it is part of.
func postgresTables(ctx context.Context, q querier) (tables []movedTable, err error) {
	err = each(ctx, q, `select c.relname, a.attname, format_type(a.atttypid, null)
		from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		where c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'goose_db_version'
		and c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
		order by c.relname, a.attnum`, nil, func(rows rowSet) error {
		var table string
		var c movedColumn
		if err := rows.Scan(&table, &c.name, &c.kind); err != nil {
			return err
		}
		if n := len(tables); n == 0 || tables[n-1].name != table {
			tables = append(tables, movedTable{name: table})
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, c)
		return nil
	})
	return tables, err
}

// sqliteColumns are the sorted columns of each table.
func sqliteColumns(ctx context.Context, q querier) (map[string][]string, error) {
	out := make(map[string][]string)
	err := each(ctx, q, `select t.name, c.name from sqlite_master t, pragma_table_info(t.name) c
		where t.type = 'table' and t.name not like 'sqlite\_%' escape '\' and t.name <> 'goose_db_version'
		order by t.name, c.name`, nil, func(rows rowSet) error {
		var table, column string
		err := rows.Scan(&table, &column)
		out[table] = append(out[table], column)
		return err
	})
	return out, err
}

// inOrder puts tables after those that they refer to.
func inOrder(ctx context.Context, postgres querier, tables []movedTable) (ordered []movedTable, err error) {
	needs := make(map[string][]string)
	if err := each(ctx, postgres, `select c.relname, f.relname from pg_constraint k
		join pg_class c on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid
		where k.contype = 'f' and c.oid <> f.oid
		and c.relnamespace = (select oid from pg_namespace where nspname = current_schema())`, nil, func(rows rowSet) error {
		var table, needed string
		err := rows.Scan(&table, &needed)
		needs[table] = append(needs[table], needed)
		return err
	}); err != nil {
		return nil, away(err)
	}
	placed := make(map[string]bool)
	for len(ordered) < len(tables) {
		before := len(ordered)
		for _, t := range tables {
			if !placed[t.name] && !slices.ContainsFunc(needs[t.name], func(n string) bool { return !placed[n] }) {
				ordered, placed[t.name] = append(ordered, t), true
			}
		}
		if len(ordered) == before {
			return nil, &programError{fmt.Errorf("tables refer to each other in a circle: %v", needs)}
		}
	}
	return ordered, nil
}
