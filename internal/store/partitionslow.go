package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// A partition's range is kept out of the default partition while that is looked
// through, so a row of the range would be refused then. clearOf keeps it from
// ever meeting one: nothing is begun for a period that begins sooner, and what
// was begun ends half of it before.
const clearOf = 24 * time.Hour

// What a constraint is named that keeps a range out of a default partition.
const boundPrefix = "making_"

// slowLock is held by the session that makes partitions slowly. Who finds it
// free knows that the constraints it sees belong to nobody.
const slowLock = "make slowly"

// tidiedWithin bounds what is done for a caller whose context ended.
const tidiedWithin = 2 * time.Second

// MakeSlowly makes the partitions that MakeAhead leaves out since the default
// partition is large, and returns how many it made. It first looks that
// partition through in a way that lets notices pass, which may take long: a
// notice waits a tenth of a second at most for each of its other steps, as with
// MakeAhead. A period that has begun, or begins within a day, stays in the
// default partition. If another node makes them, it does nothing.
func (s *Store) MakeSlowly(ctx context.Context, now time.Time) (made int, err error) {
	if !s.d.postgres {
		return 0, nil
	}
	began := time.Now()
	left, err := s.leftOut(ctx, now)
	if err != nil || len(left) == 0 {
		return 0, away(err)
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, away(err)
	}
	defer func() { _ = conn.Close() }()
	var got bool
	if err := conn.QueryRowContext(ctx, `select pg_try_advisory_lock(hashtextextended($1, 0))`, slowLock).Scan(&got); err != nil || !got {
		return 0, away(err)
	}
	defer s.unlockSlow(ctx, conn)
	var failed []error
	for _, p := range left {
		begins, err := timeOf(p.lower)
		if err != nil {
			return made, &programError{err}
		}
		within := begins.Sub(now) - time.Since(began) - clearOf/2
		ok, err := s.makeSlowly(ctx, conn, p, within)
		if err != nil {
			failed = append(failed, fmt.Errorf("partition %s: %w", p.name, away(err)))
		}
		if ok {
			made++
		}
	}
	return made, errors.Join(failed...)
}

// leftOut are the partitions that MakeSlowly is for.
func (s *Store) leftOut(ctx context.Context, now time.Time) (out []partition, err error) {
	missing, err := s.missing(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, p := range missing {
		if p.lower < idAt(now.Add(clearOf)) {
			continue
		}
		stays, large, err := s.rest(ctx, p)
		if err != nil {
			return nil, err
		}
		if large && !stays {
			out = append(out, p)
		}
	}
	return out, nil
}

// unlockSlow gives the lock back, or ends the session that has it.
func (s *Store) unlockSlow(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidiedWithin)
	defer cancel()
	if _, err := conn.ExecContext(ctx, `select pg_advisory_unlock(hashtextextended($1, 0))`, slowLock); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // then the pool closes it
	}
}

// bound names the constraint that keeps a partition's range out of the default
// one, and its statements. It is written as PostgreSQL writes the condition
// that attaching has to prove, which also holds where id is null.
func (p partition) bound() (add, validate, drop string) {
	name := boundPrefix + p.name
	return fmt.Sprintf(`alter table %s_rest add constraint %s check (id < '%s' or id >= '%s') not valid`, p.table, name, p.lower, p.upper),
		fmt.Sprintf(`alter table %s_rest validate constraint %s`, p.table, name),
		dropBound(p.table+"_rest", name)
}

func dropBound(table, name string) string {
	return fmt.Sprintf(`alter table %s drop constraint if exists %s`, table, name)
}

// makeSlowly makes one partition. Whatever comes of it, it tries to leave no
// constraint behind; what it cannot, MakeAhead drops later.
func (s *Store) makeSlowly(ctx context.Context, conn *sql.Conn, p partition, within time.Duration) (made bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	add, validate, drop := p.bound()
	if err := s.shortly(ctx, drop, add); err != nil {
		return false, err
	}
	defer func() {
		if made {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidiedWithin)
		defer cancel()
		err = errors.Join(err, s.shortly(ctx, drop))
	}()
	if err := patiently(ctx, conn, validate); violates(err) {
		return false, nil // such a row came before the constraint
	} else if err != nil {
		return false, err
	}
	return s.attach(ctx, p, drop)
}

// shortly runs statements that need a lock which notices wait behind.
func (s *Store) shortly(ctx context.Context, queries ...string) error {
	return s.write(ctx, func(t *tx) error {
		for _, query := range append([]string{pruneLockTimeout, `set local statement_timeout = '500ms'`}, queries...) {
			if err := t.must(query); err != nil {
				return err
			}
		}
		return nil
	})
}

// patiently runs a statement that may take long, whatever the server's limits.
func patiently(ctx context.Context, conn *sql.Conn, query string) error {
	sqlTx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = sqlTx.Rollback() }()
	for _, q := range []string{`set local statement_timeout = 0`, `set local lock_timeout = 0`, query} {
		if _, err := sqlTx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return sqlTx.Commit()
}

// dropLeftBounds drops the constraints of whoever ended while it made
// partitions slowly: when their periods begin, they would refuse rows.
func (s *Store) dropLeftBounds(ctx context.Context) error {
	var drops []string
	for _, h := range histories {
		if err := each(ctx, over(s.db), `select format('%I', conname) from pg_constraint
			where conrelid = to_regclass($1) and contype = 'c' and starts_with(conname, $2)`,
			[]any{h.rest(), boundPrefix}, func(rows rowSet) error {
				var name string
				err := rows.Scan(&name)
				drops = append(drops, dropBound(h.rest(), name))
				return err
			}); err != nil {
			return away(err)
		}
	}
	var failed []error
	for _, drop := range drops {
		if err := s.write(ctx, func(t *tx) error {
			missed, err := t.try([]string{slowLock})
			if err != nil || missed[slowLock] {
				return err // somebody makes partitions: it is theirs
			}
			if err := t.must(pruneLockTimeout); err != nil {
				return err
			}
			return t.must(drop)
		}); err != nil {
			failed = append(failed, fmt.Errorf("drop what is left of an earlier try: %w", err))
		}
	}
	return errors.Join(failed...)
}
