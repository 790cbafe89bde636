package store

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// A view is a transaction that reads, and the connection that it is on.
type view struct {
	querier
	tx   *sql.Tx // what querier is over
	conn *sql.Conn
}

func viewOf(tx *sql.Tx, conn *sql.Conn) view { return view{over(tx), tx, conn} }

// A walked is a table that scan reads: columns as text, of which only the last
// may hold what separates them, and if it is named one of bytes behind them. Ids
// are as the engine keeps them, unless they are cast to text.
type walked struct {
	name, where string
	columns     []string
	blob        string
	// paged has SQLite hand over many rows as one value, which costs a fraction
	// of as many values. It names what the table's rows are in the order of.
	paged string
}

// Between columns, and between rows of a page.
const (
	nextColumn = 0x1f
	nextRow    = 0x1e
)

// scan calls row with each row of a table, in any order. What it is given is
// only valid until it returns, a null is empty, and it must not ask the database:
// the connection is busy. It goes round database/sql, which takes longer to
// hand a value over than the engines take to find it.
func (v *verifier) scan(t walked, row func(fields [][]byte) error) error {
	var err error
	if rawErr := v.q.conn.Raw(func(conn any) error {
		switch {
		case v.r.d.postgres:
			err = scanPostgres(v.ctx, conn.(*stdlib.Conn).Conn(), t, row)
		case t.paged != "":
			err = scanPages(v.ctx, conn.(driver.QueryerContext), t, v.bounds.page, row)
		default:
			err = scanSQLite(v.ctx, conn.(driver.QueryerContext), t, row)
		}
		return nil
	}); rawErr != nil {
		return rawErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return nil
}

// kept is an id as the engine keeps it: PostgreSQL as its 16 bytes.
func (v *verifier) kept(id string) []byte {
	if u, err := uuid.Parse(id); err == nil && v.r.d.postgres {
		return u[:]
	}
	return []byte(id)
}

// idText is an id that scan gave, as text.
func idText(id []byte) string {
	if u, err := uuid.FromBytes(id); err == nil {
		return u.String()
	}
	return string(id)
}

func scanPostgres(ctx context.Context, conn *pgx.Conn, t walked, row func(fields [][]byte) error) error {
	columns := strings.Join(t.columns, ", ")
	if t.blob != "" {
		columns += ", " + t.blob
	}
	rows, err := conn.Query(ctx, `select `+columns+` from `+t.from(), pgx.QueryResultFormatsByOID{
		pgtype.ByteaOID: pgx.BinaryFormatCode, pgtype.UUIDOID: pgx.BinaryFormatCode,
	})
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.RawValues()); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t walked) from() string {
	if t.where == "" {
		return t.name
	}
	return t.name + ` where ` + t.where
}

// joined is SQL for all columns as one text.
func (t walked) joined() string {
	list := make([]string, len(t.columns))
	for i, c := range t.columns {
		list[i] = `coalesce(` + c + `, '')`
	}
	return strings.Join(list, fmt.Sprintf(` || char(%d) || `, nextColumn))
}

func scanSQLite(ctx context.Context, conn driver.QueryerContext, t walked, row func(fields [][]byte) error) error {
	query := `select cast(` + t.joined() + ` as blob)`
	if t.blob != "" {
		query += `, ` + t.blob
	}
	fields := make([][]byte, 0, len(t.columns)+1)
	return eachValues(ctx, conn, query+` from `+t.from(), nil, func(values []driver.Value) error {
		all, _ := values[0].([]byte)
		var err error
		if fields, err = t.split(fields[:0], all); err != nil {
			return err
		}
		if t.blob != "" {
			b, _ := values[1].([]byte)
			fields = append(fields, b)
		}
		return row(fields)
	})
}

// scanPages reads a table by pages of its order.
func scanPages(ctx context.Context, conn driver.QueryerContext, t walked, size int, row func(fields [][]byte) error) error {
	rest := t.paged + ` > $1`
	if t.where != "" {
		rest += ` and ` + t.where
	}
	query := fmt.Sprintf(`select cast(group_concat(f, char(%d)) as blob), max(k), count(*)
		from (select %s as f, %s as k from %s where %s order by k limit %d)`, nextRow, t.joined(), t.paged, t.name, rest, size)
	var after driver.Value = "" //nolint:revive // an empty text, not nil
	if t.paged == "rowid" {
		after = int64(-1 << 63)
	}
	fields := make([][]byte, 0, len(t.columns))
	for last := false; !last; {
		if err := eachValues(ctx, conn, query, []driver.NamedValue{{Ordinal: 1, Value: after}}, func(values []driver.Value) error {
			page, _ := values[0].([]byte)
			after, last = values[1], values[2] != int64(size)
			for more := len(page) > 0; more; {
				var one []byte
				one, page, more = bytes.Cut(page, []byte{nextRow})
				var err error
				if fields, err = t.split(fields[:0], one); err != nil {
					return err
				}
				if err := row(fields); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// split takes the columns of a row apart.
func (t walked) split(fields [][]byte, row []byte) ([][]byte, error) {
	for len(fields) < len(t.columns)-1 {
		n := bytes.IndexByte(row, nextColumn)
		if n < 0 {
			return nil, errors.New("a column holds what separates rows")
		}
		fields, row = append(fields, row[:n]), row[n+1:]
	}
	return append(fields, row), nil
}

// eachValues calls row with the values of each row that a query finds.
func eachValues(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue, row func([]driver.Value) error) error {
	rows, err := conn.QueryContext(ctx, query, args)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		if err := rows.Next(values); err == io.EOF { //nolint:errorlint // a driver returns it as it is
			return nil
		} else if err != nil {
			return err
		}
		if err := row(values); err != nil {
			return err
		}
	}
}
