package store

import (
	"context"

	"github.com/tongbo/tongbo/internal/fault"
)

// canaryText is what the key must open before anything else is trusted to it.
const canaryText = "tongbo"

// checkKey refuses a key that is not this database's: with it, nothing that
// is sealed could be read, and what is written would be lost to the right one.
func (s *Store) checkKey(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		var canary []byte
		if err := t.row(`select canary from setting where id = 1` + t.d.forUpdate).Scan(&canary); err != nil {
			return err
		}
		if canary != nil {
			if b, err := s.key.Open(canary, "setting/canary"); err != nil || string(b) != canaryText {
				return fault.Errorf(fault.Invalid, "the key is not this database's: what is sealed in it can't be opened. Restore the key file it was made with")
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

// Ready reports fault.Unavailable if a notice would not be committed now. It
// writes a row to find out: a full disk answers reads.
func (s *Store) Ready(ctx context.Context) error {
	return s.write(ctx, func(t *tx) error {
		return t.must(`update setting set version = version where id = 1`)
	})
}
