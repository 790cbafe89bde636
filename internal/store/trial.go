package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// Trial changes what the PG that is played here for test channels keeps of a channel
// under an id. change gets what is kept, nil if nothing is, and returns what is kept
// from then on, nil to leave it as it is. It may be called more than once, and nobody
// changes the same row meanwhile. Its error is returned as it is, and changes
// nothing.
func (s *Store) Trial(ctx context.Context, c merchant.ChannelKey, id string, at time.Time, change func(known []byte) ([]byte, error)) error {
	return s.write(ctx, func(t *tx) error {
		key := name(id)
		if err := t.lock([]string{"trial\x1f" + string(c) + "\x1f" + key}); err != nil {
			return err
		}
		var sealed, known []byte
		// Index: trial_pkey.
		found, err := t.has(`select doc from trial where channel_key = $1 and id = $2`, []any{string(c), key}, &sealed)
		if err == nil && found {
			known, err = t.s.openTrial(c, key, sealed)
		}
		if err != nil {
			return err
		}
		next, err := change(known)
		if err != nil || next == nil {
			return err
		}
		if sealed, err = t.s.key.Seal(next, trialContext(c, key)); err != nil {
			return err
		}
		return t.must(`insert into trial (channel_key, id, updated_at, doc) values ($1, $2, $3, $4)
			on conflict (channel_key, id) do update set updated_at = excluded.updated_at, doc = excluded.doc`,
			string(c), key, micros(at), sealed)
	})
}

func trialContext(c merchant.ChannelKey, id string) string {
	return "trial/" + string(c) + "/" + id
}

func (r *Reader) openTrial(c merchant.ChannelKey, id string, sealed []byte) ([]byte, error) {
	b, err := r.key.Open(sealed, trialContext(c, id))
	if err != nil {
		return nil, &programError{fmt.Errorf("the books of channel %s, order %s: %w", c, id, err)}
	}
	return b, nil
}
