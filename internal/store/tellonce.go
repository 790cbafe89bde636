package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

// TellOnce gives attention of a kind, unless some was given at or after since: of one
// thing that goes on, people are told once, however many nodes see it. told is
// false if nothing was written.
func (s *Store) TellOnce(ctx context.Context, kind string, since time.Time, e webhook.Emission) (told bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		told = false
		missed, err := t.try([]string{attentionLock + kind})
		if err != nil || missed[attentionLock+kind] {
			return err // another node tells of it now, or else it is asked again
		}
		var at sql.NullInt64
		// Index: attention_pkey.
		if _, err := t.has(`select at from attention where kind = $1`, []any{kind}, &at); err != nil {
			return err
		}
		if at.Valid && at.Int64 >= micros(since) {
			return nil
		}
		if err := t.must(`insert into attention (kind, at) values ($1, $2) on conflict (kind) do update set at = excluded.at`,
			kind, micros(e.Event.At)); err != nil {
			return err
		}
		told = true
		return t.putEmission(e, "")
	})
	return told && err == nil, err
}
