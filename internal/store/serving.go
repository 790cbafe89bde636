package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tongbo/tongbo/internal/settings"
)

// NoteFlags keeps what this node was started with, for commands beside it. Of several
// nodes the one that started last is known.
func (s *Store) NoteFlags(ctx context.Context, flags []settings.Flag, now time.Time) error {
	text, err := json.Marshal(flags)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		return t.must(`insert into heartbeat (id, at, flags) values (1, $1, $2) on conflict (id) do update set flags = excluded.flags`, micros(now), string(text))
	})
}

// Serving returns what the node that started last was started with, and when some node last
// said that it serves; nothing and the zero time if none ever did.
func (r *Reader) Serving(ctx context.Context) (flags []settings.Flag, at time.Time, err error) {
	var text string
	var beat int64
	err = r.db.QueryRowContext(ctx, `select flags, at from heartbeat where id = 1`).Scan(&text, &beat)
	if isNoRows(err) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, away(err)
	}
	err = json.Unmarshal([]byte(text), &flags)
	return flags, moment(beat), err
}
