package store

import (
	"context"
	"database/sql"
	"runtime"
)

// mostSnapshots bounds the connections of one Verify: the more, the more of
// what is read waits in memory, and the fewer are left to others.
const mostSnapshots = 4

// mostBegins is how often several transactions try to begin at one moment of a
// SQLite database before one of them has to do.
const mostBegins = 20

// snapshots begins read-only transactions that see the same, to be ended
// together: several, unless another Verify has several or the database cannot
// give them.
func (r *Reader) snapshots(ctx context.Context) (list []view, end func(), err error) {
	s := &snapshots{r: r}
	// Who waits for connections while holding some must be the only one.
	if r.verifying.TryLock() {
		s.several = true
		err = s.beginAll(ctx, min(runtime.GOMAXPROCS(0)+2, mostSnapshots))
	}
	if err == nil && len(s.open) == 0 {
		err = s.begin(ctx, "")
	}
	if err != nil {
		s.end()
		return nil, nil, err
	}
	return s.open, s.end, nil
}

// snapshots are transactions that see the same.
type snapshots struct {
	r       *Reader
	open    []view
	several bool // no other Verify of the reader may have several
}

func (s *snapshots) end() {
	s.rollback()
	if s.several {
		s.r.verifying.Unlock()
	}
}

func (s *snapshots) rollback() {
	for _, v := range s.open {
		_ = v.tx.Rollback()
		_ = v.conn.Close()
	}
	s.open = nil
}

// beginAll begins n transactions, or none if they would not see the same.
func (s *snapshots) beginAll(ctx context.Context, n int) error {
	if !s.r.d.postgres {
		return s.beginTogether(ctx, n)
	}
	if err := s.begin(ctx, ""); err != nil {
		return err
	}
	var first string
	if s.open[0].QueryRowContext(ctx, `select pg_export_snapshot()`).Scan(&first) != nil {
		s.rollback() // a server that does not give its snapshots away
		return nil
	}
	for range n - 1 {
		if s.begin(ctx, first) != nil {
			s.rollback() // or has no connections left
			return nil
		}
	}
	return nil
}

// begin begins a transaction, on PostgreSQL with the snapshot of another one,
// if it is named.
func (s *snapshots) begin(ctx context.Context, snapshot string) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if s.r.d.postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	conn, err := s.r.db.Conn(ctx)
	if err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, opts)
	if err != nil {
		_ = conn.Close()
		return err
	}
	s.open = append(s.open, viewOf(tx, conn))
	if !s.r.d.postgres {
		var version int64 // a snapshot begins with the first look
		return tx.QueryRowContext(ctx, `select version from setting where id = 1`).Scan(&version)
	}
	if snapshot != "" {
		if _, err := tx.ExecContext(ctx, `set transaction snapshot '`+snapshot+`'`); err != nil {
			return err
		}
	}
	// Whoever reads the reports may take their time; what is sorted should
	// rarely go to disk.
	for _, set := range []string{`set local idle_in_transaction_session_timeout = 0`, `set local work_mem = '32MB'`, `set local jit = off`} {
		if _, err := tx.ExecContext(ctx, set); err != nil {
			return err
		}
	}
	return nil
}

// beginTogether begins n transactions on SQLite while nobody commits, which it
// knows from a connection that looks before and after.
func (s *snapshots) beginTogether(ctx context.Context, n int) error {
	watch, err := s.r.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = watch.Close() }()
	commits := func() (v int64, err error) {
		return v, watch.QueryRowContext(ctx, `pragma data_version`).Scan(&v)
	}
	for range mostBegins {
		before, err := commits()
		if err != nil {
			return err
		}
		for range n {
			if err := s.begin(ctx, ""); err != nil {
				return err
			}
		}
		after, err := commits()
		if err != nil || before == after {
			return err
		}
		s.rollback()
	}
	return nil
}
