package store

import (
	"context"
	"time"
)

// watchTick is how often SQLite is asked whether another process wrote. It is
// the one tick in the system: SQLite has no way to tell.
const watchTick = time.Second

// Watch calls the OnDue and OnSettings hooks for what other processes and
// nodes commit, until ctx ends. A lost connection is made again; what may
// have been missed meanwhile is treated as changed.
func (s *Store) Watch(ctx context.Context) error {
	if w, ok := s.w.(*postgresWriter); ok {
		return s.watchPostgres(ctx, w)
	}
	return s.watchSQLite(ctx)
}

func (s *Store) watchPostgres(ctx context.Context, w *postgresWriter) error {
	for ctx.Err() == nil {
		// Only once we listen can nothing be missed any more.
		err := w.listen(ctx, func() { s.call(true) }, func(message string) { s.call(message == "settings") })
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "lost touch with the other nodes, trying again", "err", err)
			wait(ctx, watchTick)
		}
	}
	return nil
}

func (s *Store) watchSQLite(ctx context.Context) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return away(err)
	}
	defer func() { _ = conn.Close() }()
	var seen, version int64 = -1, -1
	for wait(ctx, watchTick) {
		var data, settings int64
		if err := conn.QueryRowContext(ctx, `pragma data_version`).Scan(&data); err != nil || data == seen {
			continue
		}
		if err := conn.QueryRowContext(ctx, `select version from setting where id = 1`).Scan(&settings); err != nil {
			continue
		}
		s.call(settings != version)
		seen, version = data, settings
	}
	return nil
}

// wait sleeps and reports whether ctx still lives.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// call runs the hooks: those for settings too, if they may have changed.
func (s *Store) call(settings bool) {
	s.mu.Lock()
	calls := append([]func(){}, s.onDue...)
	if settings {
		calls = append(append([]func(){}, s.onSets...), calls...)
	}
	s.mu.Unlock()
	for _, f := range calls {
		f()
	}
}

// Durability says how safe an acknowledgement is on this database: "disk"
// (this machine's), "synchronous standby", "asynchronous standby", whose
// failover can lose what was acknowledged, "not yet on disk: …", or "unknown"
// if the database does not tell this user of its standbys.
func (r *Reader) Durability(ctx context.Context) (string, error) {
	if !r.d.postgres {
		return "disk", nil
	}
	var s standbys
	if err := r.db.QueryRowContext(ctx, `select current_setting('synchronous_commit'), count(*),
		count(*) filter (where sync_state in ('sync', 'quorum')), count(*) filter (where sync_state is null)
		from pg_stat_replication`).Scan(&s.commit, &s.all, &s.synchronous, &s.hidden); err != nil {
		return "", away(err)
	}
	return s.durability(), nil
}

// standbys are what PostgreSQL tells of its standbys.
type standbys struct {
	commit                   string // synchronous_commit
	all, synchronous, hidden int
}

func (s standbys) durability() string {
	switch {
	case s.commit == "off":
		return "not yet on disk: synchronous_commit is off"
	case s.hidden > 0:
		return "unknown"
	case s.synchronous > 0 && s.commit != "local":
		return "synchronous standby"
	case s.all > 0:
		return "asynchronous standby"
	}
	return "disk"
}
