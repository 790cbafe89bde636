package store

import (
	"database/sql"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// Columns of rows are arrays of PostgreSQL. They are encoded as they stand in
// the rows, without a copy and without reflection.
type (
	textColumn    struct{ column }
	uuidColumn    struct{ column }
	bigintColumn  struct{ column }
	booleanColumn struct{ column }
	byteaColumn   struct{ column }
)

// A column is the i-th value of each row.
type column struct {
	rows [][]any
	i    int
}

// arrays are the columns of rows, as PostgreSQL takes them.
func (b *bulk) arrays(rows [][]any) []any {
	out := make([]any, len(b.kinds))
	for i, kind := range b.kinds {
		c := column{rows, i}
		switch kind {
		case "bigint":
			out[i] = bigintColumn{c}
		case "boolean":
			out[i] = booleanColumn{c}
		case "bytea":
			out[i] = byteaColumn{c}
		case "uuid":
			out[i] = uuidColumn{c}
		default:
			out[i] = textColumn{c}
		}
	}
	return out
}

// knowColumns tells a connection that prepares nothing, and so does not ask
// PostgreSQL for the types of parameters, what columns are.
func knowColumns(c *pgx.Conn) {
	m := c.TypeMap()
	m.RegisterDefaultPgType(textColumn{}, "_text")
	m.RegisterDefaultPgType(uuidColumn{}, "_uuid")
	m.RegisterDefaultPgType(bigintColumn{}, "_int8")
	m.RegisterDefaultPgType(booleanColumn{}, "_bool")
	m.RegisterDefaultPgType(byteaColumn{}, "_bytea")
}

// Dimensions are those of a list.
func (c column) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(c.rows)), LowerBound: 1}} //nolint:gosec // a batch has some hundred rows
}

// Index is the n-th value, nil for null.
func (c column) Index(n int) any {
	if s, ok := c.rows[n][c.i].(sql.NullString); ok {
		if !s.Valid {
			return nil
		}
		return s.String
	}
	return c.rows[n][c.i]
}

// IndexType is what a value scans into.
func (c textColumn) IndexType() any { return "" }

// IndexType is what a value scans into.
func (c booleanColumn) IndexType() any { return false }

// IndexType is what a value scans into.
func (c byteaColumn) IndexType() any { return []byte(nil) }

// IndexType is what a value scans into.
func (c bigintColumn) IndexType() any { return int64(0) }

// IndexType is what a value scans into.
func (c uuidColumn) IndexType() any { return pgtype.UUID{} }

// Index is the n-th number, nil for null.
func (c bigintColumn) Index(n int) any {
	switch v := c.rows[n][c.i].(type) {
	case int:
		return int64(v)
	case sql.NullInt64:
		if !v.Valid {
			return nil
		}
		return v.Int64
	default:
		return v
	}
}

// Index is the n-th id in sixteen bytes, nil for null. What is no id is left to
// PostgreSQL to refuse.
func (c uuidColumn) Index(n int) any {
	text := c.column.Index(n)
	s, ok := text.(string)
	if !ok {
		return text
	}
	id, err := uuid.Parse(s)
	if err != nil {
		return s
	}
	return pgtype.UUID{Bytes: id, Valid: true}
}
