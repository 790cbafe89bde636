// Package store keeps everything in one database: SQLite for one machine,
// PostgreSQL for many. It is one type with one schema on both. An exported
// method is one transaction and one fact of the field; no transaction leaves
// the package, and none spans anything but the database.
//
// Secrets, credentials, request and response bodies and the descriptive part
// of payments are sealed with the installation's key before they are written.
//
// Methods are safe for concurrent use. A database that is away, full or
// locked is fault.Unavailable: nothing was decided, try again.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Options are what a store is opened with.
type Options struct {
	Key *seal.Key // required
	Log *slog.Logger
	// Exclusive takes the lock that only one server may hold on a SQLite
	// database, and frees the leases that a dead server left. It has no
	// meaning on PostgreSQL.
	Exclusive bool
}

// A Reader reads. It has no method that writes, so whoever holds only a
// Reader changes nothing.
type Reader struct {
	db  *sql.DB
	key *seal.Key
	d   dialect

	verifying sync.Mutex // held by the one Verify that has several connections
	look      int        // how many rows lists look at, in tests; 0 is MostLooked
}

// A Store reads and writes.
type Store struct {
	*Reader
	w       writer
	log     *slog.Logger
	id      string // of this store alone
	closers []func() error
	resumed int           // deliveries whose leases were freed when it was opened
	turn    atomic.Uint32 // which target the next claim begins with
	company company
	pools   []*pgxpool.Pool // on PostgreSQL
	reset   atomic.Int64    // when their connections were last given up, in nanoseconds

	mu     sync.Mutex
	onDue  []func()
	onSets []func()
	heard  []func()
	taker  Taker
}

// A Taker is the part of this node that tries deliveries. It may take those
// that a transaction of this node makes, so that their first tries need no
// claim. Its methods must not block, and are called from any goroutine.
type Taker interface {
	// Reserve keeps room for a delivery that is being made, and says until when
	// it is to be leased. The zero time says that there is no room: then it is
	// written as due, for whoever claims it.
	Reserve(d webhook.Delivery) (until time.Time)
	// Take hands over deliveries for which room was kept, once they are
	// committed, and the version of the settings that their transaction saw.
	Take(jobs []webhook.Job, version int64)
	// Left tells of targets for whose deliveries Reserve had no room: they are
	// committed now and wait.
	Left(targets []string)
	// Release gives back the room kept for deliveries whose transaction was not
	// committed. If it was unseen, it may have been all the same, since only the
	// answer to its commit is missing: then their leases should be given back
	// too, or they are due again only when those end.
	Release(jobs []webhook.Job, unseen bool)
}

// A writer runs functions in transactions.
type writer interface {
	// write runs fn in a transaction and returns once it is committed, or an
	// error if it is not. fn may run more than once.
	write(ctx context.Context, fn func(*tx) error) error
	// writeFirst is write for what somebody waits for who soon gives up.
	writeFirst(ctx context.Context, fn func(*tx) error) error
	close() error
}

// A dialect is what differs between the engines.
type dialect struct {
	postgres bool
	// forUpdate ends a select whose rows are about to change.
	forUpdate string
}

// Open opens a database and brings its schema up to date under a lock. The
// URL is "sqlite:" and a file name, or a postgres:// URL.
func Open(ctx context.Context, database string, o Options) (*Store, error) {
	if o.Key == nil {
		return nil, fault.Errorf(fault.Invalid, "the store needs a key to seal secrets with")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case strings.HasPrefix(database, "sqlite:"):
		return openSQLite(ctx, strings.TrimPrefix(database, "sqlite:"), o)
	case strings.HasPrefix(database, "postgres://"), strings.HasPrefix(database, "postgresql://"):
		return openPostgres(ctx, database, o)
	}
	return nil, fault.Errorf(fault.Invalid, "the database must be given as sqlite:FILE or postgres://…")
}

// Redact returns what may be shown of a database's URL: scheme, host and path,
// or the name of a SQLite file. Passwords stand before the host or in the query.
// What is no URL may be a secret as a whole: nothing of it is shown.
func Redact(database string) string {
	if strings.HasPrefix(database, "sqlite:") {
		return database
	}
	u, err := url.Parse(database)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Close ends the store. What was begun is finished first.
func (s *Store) Close() error {
	var err error
	if s.w != nil {
		err = s.w.close()
	}
	for _, c := range s.closers {
		if e := c(); err == nil {
			err = e
		}
	}
	return err
}

// closing makes f the first thing that Close does once nothing is written any
// more: what was opened last is closed first.
func (s *Store) closing(f func() error) { s.closers = append([]func() error{f}, s.closers...) }

// OnDue calls f after each commit that made a delivery due of which the taker,
// if there is one, does not know, from any goroutine. f must not block.
func (s *Store) OnDue(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDue = append(s.onDue, f)
}

// Give has deliveries that this store's own transactions make offered to a
// taker. It is called once, before anything is written.
func (s *Store) Give(t Taker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taker = t
}

// OnSettings calls f after each commit that changed the settings, as OnDue.
func (s *Store) OnSettings(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSets = append(s.onSets, f)
}

// OnEvents calls f after each commit of this store that wrote events, as OnDue.
func (s *Store) OnEvents(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, f)
}

// write runs fn in one transaction and calls the hooks that it asked for.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	return s.through(ctx, s.w.write, fn)
}

// writeFirst is write ahead of everyone else.
func (s *Store) writeFirst(ctx context.Context, fn func(*tx) error) error {
	return s.through(ctx, s.w.writeFirst, fn)
}

func (s *Store) through(ctx context.Context, write func(context.Context, func(*tx) error) error, fn func(*tx) error) error {
	var due, settings, events, ran bool
	own := fresh{taker: s.takes()}
	err := write(ctx, func(t *tx) error {
		own.release(false) // fn may run again
		ran = false
		t.s, t.own = s, &own
		if err := fn(t); err != nil {
			return err
		}
		if err := t.emitThrottled(); err != nil {
			return err
		}
		if err := t.dated(&own); err != nil {
			return err
		}
		due, settings, events = t.due, t.settings, t.events
		err := t.flush()
		ran = err == nil
		return err
	})
	if err != nil {
		unseen := ran && !undone(err)
		own.release(unseen)
		s.doubt(err)
		if unseen {
			s.call(settings)
		}
		return away(err)
	}
	own.take()
	if due || settings {
		s.call(settings)
	}
	if events {
		s.tellEvents()
	}
	return nil
}

// micros is a time as it is stored: UTC microseconds.
func micros(t time.Time) int64 { return t.UnixMicro() }

// microsOrNull is micros, with null for the zero time.
func microsOrNull(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: !t.IsZero()}
}

// moment is a stored time.
func moment(us int64) time.Time { return time.UnixMicro(us).UTC() }

func momentOrZero(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return moment(us.Int64)
}

// orNull is s, with null for the empty string.
func orNull[S ~string](s S) sql.NullString {
	return sql.NullString{String: string(s), Valid: s != ""}
}
