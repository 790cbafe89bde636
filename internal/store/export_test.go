package store

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// The plans of these queries are tested; the others are found by Record.
const (
	NoticesQuery          = noticesQuery
	NoticesAppliedQuery   = noticesAppliedQuery
	NoticesByVerdictQuery = noticesByVerdictQuery
	NoticesByChannelQuery = noticesByChannelQuery
	SentQuery             = sentQuery
	AttemptsQuery         = attemptsQuery
	LastAttemptQuery      = lastAttemptQuery
	BeatQuery             = beatQuery
)

// ReadOnlyDSN is how a file is opened that is not written.
var ReadOnlyDSN = readOnlyDSN

// Readers is the pool of what only reads.
func (r *Reader) Readers() *sql.DB { return r.db }

// Standbys says how durable a commit is by what PostgreSQL tells.
func Standbys(commit string, all, synchronous, hidden int) string {
	return standbys{commit, all, synchronous, hidden}.durability()
}

// Skew is by how much this machine's clock is off, given when it asked and got
// its answer, and what the database's clock said.
func Skew(asked, answered, clock time.Time) time.Duration {
	return count{asked: asked, answered: answered, clock: clock}.skew()
}

// Record calls f with each statement of the store's transactions.
func (s *Store) Record(f func(query string, args []any)) { s.w = &recordingWriter{s.w, f} }

type recordingWriter struct {
	writer
	told func(query string, args []any)
}

func (w *recordingWriter) write(ctx context.Context, fn func(*tx) error) error {
	return w.writer.write(ctx, w.recorded(fn))
}

func (w *recordingWriter) writeFirst(ctx context.Context, fn func(*tx) error) error {
	return w.writer.writeFirst(ctx, w.recorded(fn))
}

func (w *recordingWriter) recorded(fn func(*tx) error) func(*tx) error {
	return func(t *tx) error {
		t.q = &recorder{querier: t.q, told: w.told}
		return fn(t)
	}
}

type recorder struct {
	querier
	mu   sync.Mutex
	told func(query string, args []any)
}

func (r *recorder) tell(query string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told(query, args)
}

func (r *recorder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.tell(query, args)
	return r.querier.ExecContext(ctx, query, args...)
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.tell(query, args)
	return r.querier.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.tell(query, args)
	return r.querier.QueryRowContext(ctx, query, args...)
}
