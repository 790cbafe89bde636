package store

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/member"
)

// Try counts a try at something that may be guessed, before it is made, under each
// of some names: of what is tried at once each try is counted. If one of the names
// has to wait at now, nothing is counted, and the end of the longest wait is
// returned; else the zero time, and how often each was tried since it last began
// anew.
//
// The counts are in the database, and not in a process, so that several nodes do not
// multiply the guesses and a restart does not forgive them. They are few, since each
// costs a guess, and are forgotten after member.TriesKept. Names are kept as keyed
// hashes.
func (s *Store) Try(ctx context.Context, names []member.Guessed, now time.Time) (until time.Time, counts []int, err error) {
	err = s.write(ctx, func(t *tx) error {
		until, counts = time.Time{}, make([]int, len(names))
		locks := make([]string, len(names))
		for i, n := range names {
			locks[i] = "sign_in\x1f" + n.Name
		}
		if err := t.lock(locks); err != nil {
			return err
		}
		for i, n := range names {
			var failures int
			var at, wait int64
			// Index: sign_in_pkey.
			if _, err := t.has(`select failures, at, until from sign_in where name = $1`, []any{s.guessed(n)}, &failures, &at, &wait); err != nil {
				return err
			}
			if w := moment(wait); w.After(now) && w.After(until) {
				until = w
			}
			if now.Sub(moment(at)) < member.TriesKept {
				counts[i] = failures
			}
		}
		if !until.IsZero() {
			return nil
		}
		for i, n := range names {
			counts[i]++
			if err := t.must(`insert into sign_in (name, failures, at, until) values ($1, $2, $3, $4)
				on conflict (name) do update set failures = excluded.failures, at = excluded.at, until = excluded.until`,
				s.guessed(n), counts[i], micros(now), micros(now.Add(n.Wait(counts[i])))); err != nil {
				return err
			}
		}
		return nil
	})
	return until, counts, err
}

// Succeed takes back the last try under some names, which was none, and forgets those
// before it where that is said.
func (s *Store) Succeed(ctx context.Context, names []member.Guessed) error {
	return s.write(ctx, func(t *tx) error {
		for _, n := range names {
			if n.Own {
				if err := t.must(`delete from sign_in where name = $1`, s.guessed(n)); err != nil {
					return err
				}
				continue
			}
			if err := t.must(`update sign_in set failures = failures - 1, until = 0 where name = $1 and failures > 0`, s.guessed(n)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *Reader) guessed(n member.Guessed) string { return r.key.Hash("sign_in", n.Name) }
