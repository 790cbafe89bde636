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
// have been missed meanwhile is treated as changed. On PostgreSQL it also makes
// this process one of the nodes, which Share, Nodes and Unfit tell of: it must
// run as long as deliveries are claimed, and at its end it says goodbye.
func (s *Store) Watch(ctx context.Context) error {
	if s.d.postgres {
		return s.watchPostgres(ctx)
	}
	return s.watchSQLite(ctx)
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
		return onDisk, nil
	}
	var s standbys
	if err := r.db.QueryRowContext(ctx, standbysQuery).Scan(&s.commit, &s.all, &s.synchronous, &s.hidden); err != nil {
		return "", away(err)
	}
	return s.durability(), nil
}

const standbysQuery = `select current_setting('synchronous_commit'), count(*),
	count(*) filter (where sync_state in ('sync', 'quorum')), count(*) filter (where sync_state is null)
	from pg_stat_replication`

// What an acknowledgement may be on.
const (
	onDisk         = "disk"
	onSynchronous  = "synchronous standby"
	onAsynchronous = "asynchronous standby"
	onUnknown      = "unknown"
)

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
		return onUnknown
	case s.synchronous > 0 && s.commit != "local":
		return onSynchronous
	case s.all > 0:
		return onAsynchronous
	}
	return onDisk
}
