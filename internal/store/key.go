package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// canaryText is what the key must open before anything else is trusted to it.
const canaryText = "tongbo"

// errWrongKey says that nothing sealed in the database can be opened.
var errWrongKey = fault.Errorf(fault.Invalid, "the key is not this database's: what is sealed in it can't be opened. Restore the key file it was made with")

// opensCanary reports whether the key is the database's.
func (r *Reader) opensCanary(canary []byte) bool {
	b, err := r.key.Open(canary, "setting/canary")
	return err == nil && string(b) == canaryText
}

// checkKey refuses a key that is not this database's: with it, nothing that
// is sealed could be read, and what is written would be lost to the right one.
func (s *Store) checkKey(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		var canary []byte
		if err := t.row(`select canary from setting where id = 1` + t.d.forUpdate).Scan(&canary); err != nil {
			return err
		}
		if canary != nil {
			if !s.opensCanary(canary) {
				return errWrongKey
			}
			return nil
		}
		canary, err := s.key.Seal([]byte(canaryText), "setting/canary")
		if err != nil {
			return err
		}
		return t.must(`update setting set canary = $1 where id = 1`, canary)
	})
}

// probeKept is how long the probe of a process that is gone stays.
const probeKept = 24 * time.Hour

// Ready reports fault.Unavailable if a notice would not be committed now. It
// writes a row of this store's own to find out: a full disk answers reads, and
// nobody else waits for that row.
func (s *Store) Ready(ctx context.Context) error {
	now := time.Now()
	return s.write(ctx, func(t *tx) error {
		if err := t.must(`insert into probe (id, at) values ($1, $2) on conflict (id) do update set at = excluded.at`,
			s.id, micros(now)); err != nil {
			return err
		}
		if t.d.postgres {
			return t.must(`delete from probe where id in (select id from probe where at < $1 for update skip locked)`, micros(now.Add(-probeKept)))
		}
		return t.must(`delete from probe where at < $1`, micros(now.Add(-probeKept)))
	})
}
