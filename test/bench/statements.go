//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// counting is how PostgreSQL counts statements: not at all, until a database
// asks for it.
var counting = []string{"shared_preload_libraries=pg_stat_statements", "pg_stat_statements.track=none"}

// counted has the statements on a run's database counted from the next
// connection on.
func (e *engine) counted(ctx context.Context) func(database string) error {
	return func(database string) error {
		if !e.postgres() {
			return nil
		}
		return e.exec(ctx, "create extension if not exists pg_stat_statements",
			"alter database "+database+" set pg_stat_statements.track = 'top'")
	}
}

// statements is how many statements were run on a database so far, begin and
// commit included.
func (e *engine) statements(ctx context.Context, database string) (n float64, err error) {
	conn, err := pgx.Connect(ctx, e.cluster.URL("postgres"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.QueryRow(ctx, `select coalesce(sum(calls), 0)::float8 from pg_stat_statements s
		join pg_database d on d.oid = s.dbid where d.datname = $1`, database).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count statements: %w", err)
	}
	return n, nil
}

// idle measures a server that has nothing to do.
func idle(b *bench, e *engine) error {
	for range b.runs {
		t := b.topic("idle", e)
		if err := b.with(e, scene{hooks: hooks{Endpoints: 1}, before: e.counted(b.ctx)}, func(w *world) error {
			<-time.After(b.span(5*time.Second, time.Second)) // what a start does is over
			before := w.usage()
			var asked float64
			var err error
			if e.postgres() {
				if asked, err = e.statements(b.ctx, w.database); err != nil {
					return err
				}
			}
			<-time.After(b.span(30*time.Second, 2*time.Second))
			t.note("RSS", megabytes, "≤ 40", residentOf(w.nodes[0].pid()))
			t.note("CPU of the server", cores, "", w.busy(before))
			if !e.postgres() {
				return nil
			}
			now, err := e.statements(b.ctx, w.database)
			t.note("statements", perSecond, "≤ 1", (now-asked)/time.Since(before.at).Seconds())
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// perEvent measures how many statements an event costs under load, from the
// notice to the recorded outcome of its webhook.
func perEvent(b *bench, e *engine) error {
	if !e.postgres() {
		return nil // SQLite has nobody who counts
	}
	for range b.runs {
		t := b.topic("statements", e)
		if err := b.with(e, scene{hooks: hooks{Endpoints: 1}, before: e.counted(b.ctx)}, func(w *world) error {
			before, err := e.statements(b.ctx, w.database)
			if err != nil {
				return err
			}
			v, arrived, err := w.stream(series{Stores: stores}, b.span(10*time.Second, time.Second))
			if err != nil {
				return err
			}
			<-time.After(time.Second) // the last outcomes are recorded
			after, err := e.statements(b.ctx, w.database)
			if err != nil {
				return err
			}
			t.note("statements an event, begin and commit included", number, "< 0.5", (after-before)/float64(len(v.sendings)))
			t.note("events", perSecond, "", middle(arrived))
			return land(v.sendings, arrived, nil).whole()
		}); err != nil {
			return err
		}
	}
	return nil
}
