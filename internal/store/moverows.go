package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
)

// toldEvery is after how many rows progress is told.
const toldEvery = 5000

// conversions are, for each type of a target's column, how a value of SQLite
// becomes one of it. A type that is not here cannot be moved.
var conversions = map[string]func(v any) (any, error){
	"boolean": asBool, "uuid": asUUID, "text": asText,
	"bytea":  asBytes,
	"bigint": asInteger, "integer": asInteger, "smallint": asInteger,
}

func asBool(v any) (any, error) {
	if v == int64(0) || v == int64(1) {
		return v == int64(1), nil
	}
	return nil, fmt.Errorf("is neither 0 nor 1")
}

// asUUID takes only the form that comes back: another one would be another
// value.
func asUUID(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("is no text")
	}
	u, err := uuid.Parse(s)
	if err != nil || u.String() != s {
		return nil, fmt.Errorf("is no UUID in lower case")
	}
	return [16]byte(u), nil
}

func asText(v any) (any, error) {
	s, ok := v.(string)
	switch {
	case !ok:
		return nil, fmt.Errorf("is no text")
	case strings.ContainsRune(s, 0):
		return nil, fmt.Errorf("holds a NUL, which PostgreSQL does not keep in text")
	case !utf8.ValidString(s):
		return nil, fmt.Errorf("is no UTF-8, and PostgreSQL keeps no other text")
	}
	return s, nil
}

func asBytes(v any) (any, error) {
	b, ok := v.([]byte)
	switch {
	case !ok:
		return nil, fmt.Errorf("is no blob")
	case b == nil:
		return []byte{}, nil // not null, which pgx takes nil for
	}
	return b, nil
}

func asInteger(v any) (any, error) {
	n, ok := v.(int64)
	if !ok {
		return nil, fmt.Errorf("is no whole number")
	}
	return n, nil
}

// movedRows are the rows of a source's table as pgx copies them. They are read
// as they are written, and never held.
type movedRows struct {
	t    movedTable
	rows *sql.Rows
	tell func(rows int64)
	raw  []any // of one row, as SQLite gives it
	into []any // where raw is scanned to
	sum  digest
	err  error // what is wrong with a row
}

func newMovedRows(t movedTable, rows *sql.Rows, tell func(int64)) *movedRows {
	m := &movedRows{t: t, rows: rows, tell: tell, raw: make([]any, len(t.columns)), into: make([]any, len(t.columns))}
	for i := range m.raw {
		m.into[i] = &m.raw[i]
	}
	return m
}

// Next goes on to the next row.
func (m *movedRows) Next() bool {
	if m.rows.Next() {
		return true
	}
	m.tell(m.sum.rows)
	return false
}

// Values is the row in the target's types. The digest is of the row as it was
// read, so that a wrong conversion shows.
func (m *movedRows) Values() ([]any, error) {
	if err := m.rows.Scan(m.into...); err != nil {
		m.err = fmt.Errorf("read %s: %w", m.t.name, err)
		return nil, m.err
	}
	m.sum.add(m.raw)
	if m.sum.rows%toldEvery == 0 {
		m.tell(m.sum.rows)
	}
	out := make([]any, len(m.raw))
	for i, v := range m.raw {
		if v == nil {
			continue
		}
		var err error
		if out[i], err = conversions[m.t.columns[i].kind](v); err != nil {
			// The value itself may be what nobody should read.
			m.err = fault.Errorf(fault.Invalid, "nothing was moved: in table %s, in the row of %s %.80q, column %s %w",
				m.t.name, m.t.columns[0].name, fmt.Sprint(m.raw[0]), m.t.columns[i].name, err)
			return nil, m.err
		}
	}
	return out, nil
}

// Err is why there are no more rows, if not because all were read.
func (m *movedRows) Err() error {
	if err := m.rows.Err(); err != nil && m.err == nil {
		m.err = fmt.Errorf("read %s: %w", m.t.name, err)
	}
	return m.err
}

// A digest is of rows in any order: the sum of their hashes. Both engines'
// forms of a value count as the same one.
type digest struct {
	rows int64
	sum  [4]uint64
	row  []byte // of one row, kept to be used again
}

func (d *digest) add(values []any) {
	d.row = d.row[:0]
	for _, v := range values {
		d.row = appendValue(d.row, v)
	}
	hash := sha256.Sum256(d.row)
	var carry uint64
	for i := range d.sum {
		d.sum[i], carry = bits.Add64(d.sum[i], binary.LittleEndian.Uint64(hash[8*i:]), carry)
	}
	d.rows++
}

// String is the digest in hex.
func (d *digest) String() string {
	var b []byte
	for _, word := range d.sum {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return hex.EncodeToString(b)
}

// appendValue writes a value so that no two that differ are written alike.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, 'n')
	case bool:
		if v {
			return appendValue(b, int64(1))
		}
		return appendValue(b, int64(0))
	case int16:
		return appendValue(b, int64(v))
	case int32:
		return appendValue(b, int64(v))
	case int64:
		return binary.AppendVarint(append(b, 'i'), v)
	case string:
		return append(binary.AppendUvarint(append(b, 't'), uint64(len(v))), v...)
	case [16]byte:
		return appendValue(b, uuid.UUID(v).String())
	case []byte:
		return append(binary.AppendUvarint(append(b, 'b'), uint64(len(v))), v...)
	}
	return appendValue(b, fmt.Sprintf("%T %v", v, v)) // no type that is moved: it equals nothing
}
