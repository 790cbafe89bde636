package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// BeginRepeat begins a run of a request at now, or returns the answer that an
// earlier run was given: then there is nothing to run. The run has the request to
// itself until it is ended by EndRepeat, or, if it died, until the time given.
//
// It reports merchant.ErrOutstanding while another run has it, and
// merchant.ErrOtherRequest if the ID was given to a request of other content. An
// ID is forgotten merchant.RepeatLife after its first run began.
func (s *Store) BeginRepeat(ctx context.Context, r merchant.Repeatable, now, until time.Time) (kept merchant.KeptAnswer, err error) {
	err = s.write(ctx, func(t *tx) error {
		kept, err = t.beginRepeat(r, now, until)
		return err
	})
	return kept, err
}

// mostRuns bounds how often a run is begun anew because the one before it was
// given up in between.
const mostRuns = 3

func (t *tx) beginRepeat(r merchant.Repeatable, now, until time.Time) (none merchant.KeptAnswer, err error) {
	for range mostRuns {
		// A row goes to whoever finds none, one that is forgotten, or one whose run
		// must be dead; its age goes on counting from the first run.
		n, err := t.exec(`insert into idempotency (id, content, run, begun_at, until) values ($1, $2, $3, $4, $5)
			on conflict (id) do update set content = excluded.content, run = excluded.run, until = excluded.until, answer = null,
			begun_at = case when idempotency.begun_at <= $6 then excluded.begun_at else idempotency.begun_at end
			where idempotency.begun_at <= $6
			or idempotency.answer is null and idempotency.until <= excluded.begun_at and idempotency.content = excluded.content`,
			r.ID, r.Content, r.Run, micros(now), micros(until), micros(now.Add(-merchant.RepeatLife)))
		if err != nil || n > 0 {
			return none, err
		}
		var content string
		var sealed []byte
		// Index: idempotency_pkey.
		found, err := t.has(`select content, answer from idempotency where id = $1`, []any{r.ID}, &content, &sealed)
		switch {
		case err != nil:
			return none, err
		case !found:
			continue // given up or pruned in between
		case content != r.Content:
			return none, merchant.ErrOtherRequest
		case sealed == nil:
			return none, merchant.ErrOutstanding
		}
		return t.s.openAnswer(r.ID, sealed)
	}
	return none, fault.Errorf(fault.Unavailable, "runs of a request keep being given up")
}

// EndRepeat ends a run with what is answered from now on, or, if that is nil,
// forgets it, as if it had never been. It changes nothing if the run was taken
// over by another.
func (s *Store) EndRepeat(ctx context.Context, r merchant.Repeatable, answer *merchant.KeptAnswer) error {
	var sealed []byte
	if answer != nil {
		b, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		if sealed, err = s.key.Seal(b, answerContext(r.ID)); err != nil {
			return err
		}
	}
	return s.write(ctx, func(t *tx) error {
		if sealed == nil {
			return t.must(`delete from idempotency where id = $1 and run = $2 and answer is null`, r.ID, r.Run)
		}
		return t.must(`update idempotency set answer = $3 where id = $1 and run = $2 and answer is null`, r.ID, r.Run, sealed)
	})
}

func answerContext(id string) string { return "idempotency/" + id }

func (r *Reader) openAnswer(id string, sealed []byte) (a merchant.KeptAnswer, err error) {
	b, err := r.key.Open(sealed, answerContext(id))
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		return merchant.KeptAnswer{}, &programError{fmt.Errorf("the answer kept as %s: %w", id, err)}
	}
	return a, nil
}
