package store

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// idAt is before every UUIDv7 made from t on, and after all that were made
// before.
func idAt(t time.Time) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(max(t.UnixMilli(), 0))<<16)
	return id.String()
}

// idMade is a new UUIDv7 of a time, which stands among others by the microsecond.
func idMade(at time.Time) string {
	id := uuid.New()
	us := max(at.UnixMicro(), 0)
	var first [8]byte
	binary.BigEndian.PutUint64(first[:], uint64(us/1000)<<16|0x7000|uint64(us%1000)*4096/1000)
	copy(id[:8], first[:])
	return id.String()
}

// timeOf is when a UUIDv7 was made.
func timeOf(id string) (time.Time, error) {
	u, err := uuid.Parse(id)
	if err != nil {
		return time.Time{}, err
	}
	ms := binary.BigEndian.Uint64(u[:8]) >> 16
	return time.UnixMilli(int64(ms)).UTC(), nil
}

// floors are where the memory of tables begins: rows with ids before a table's
// floor may have been pruned.
type floors map[string]string

// of is the floor of a table; before every id if it was never pruned.
func (f floors) of(table string) string {
	if id, ok := f[table]; ok {
		return id
	}
	return firstID
}

// sure is the id from which on whatever is in the table for other rows, made at
// the same time or later, is still there: clocks of nodes differ.
func (f floors) sure(table string) string {
	at, err := timeOf(f.of(table))
	if err != nil || f.of(table) == firstID {
		return f.of(table)
	}
	return idAt(at.Add(clockMargin))
}

// lately reports whether a row came so soon after what was pruned that what it
// goes together with, an earlier telling of the same, may be gone.
func (f floors) lately(table, id string) bool {
	at, err := timeOf(f.of(table))
	return err == nil && f.of(table) != firstID && id < idAt(at.Add(longestResending))
}

// longestResending is more than any PG goes on sending a notice.
const longestResending = 31 * 24 * time.Hour

// clockMargin is more than the clocks of nodes differ.
const clockMargin = time.Hour

// floorsOf reads how far each table was pruned.
func floorsOf(ctx context.Context, q querier) (floors, error) {
	f := make(floors)
	err := each(ctx, q, `select name, upto from pruned`, nil, func(rows rowSet) error {
		var name, upto string
		err := rows.Scan(&name, &upto)
		f[name] = upto
		return err
	})
	return f, err
}
