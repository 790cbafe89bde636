package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
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
	OverdueQuery          = overdueQuery
	CallsPage             = callsPage
	CallsChosen           = callsChosen
	CallsReach            = callsReach
	HeardQuery            = heardQuery
	DecidedQuery          = decidedQuery
	OldestQuery           = oldestQuery
	EndpointTriesQuery    = endpointTriesQuery
)

// KnowColumns has a connection encode the columns that some statements take.
var KnowColumns = knowColumns

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
		r := &recorder{querier: t.q, line: t.line, told: w.told}
		if t.q = r; t.line != nil {
			t.line = r
		}
		return fn(t)
	}
}

type recorder struct {
	querier
	line pipeline
	mu   sync.Mutex
	told func(query string, args []any)
}

func (r *recorder) tell(query string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told(query, args)
}

func (r *recorder) later(query string, args []any, hear func(rowSet) error) {
	r.tell(query, args)
	r.line.later(query, args, hear)
}

func (r *recorder) send(ctx context.Context) error { return r.line.send(ctx) }

func (r *recorder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.tell(query, args)
	return r.querier.ExecContext(ctx, query, args...)
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (rowSet, error) {
	r.tell(query, args)
	return r.querier.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) scanner {
	r.tell(query, args)
	return r.querier.QueryRowContext(ctx, query, args...)
}

// VerifyAlone is Verify on one connection.
func (r *Reader) VerifyAlone(ctx context.Context, report func(Problem)) (Checked, error) {
	r.verifying.Lock()
	defer r.verifying.Unlock()
	return r.Verify(ctx, report)
}

// VerifySmall is Verify that knows no payment, and looks at two things at a time.
func (r *Reader) VerifySmall(ctx context.Context, report func(Problem)) (Checked, error) {
	list, end, err := r.snapshots(ctx)
	if err != nil {
		return Checked{}, err
	}
	defer end()
	return r.verifyOn(ctx, list, verifyBounds{known: 0, group: 2, page: 2}, report, func(int64) {})
}

// SealPayment is a payment as a row keeps it.
func (r *Reader) SealPayment(p payment.Payment) []byte {
	doc, err := r.sealPayment(p)
	if err != nil {
		panic(err) // payments always marshal
	}
	return doc
}

// SealRequest is a notice's request as a row keeps it.
func (r *Reader) SealRequest(in notice.Inbound) []byte {
	b, err := json.Marshal(keptRequest{in.Request.Method, []byte(in.Request.Path), []byte(in.Request.Query),
		in.Request.Header, in.Request.Body, keptWords{in.Notice.Deposit, in.Notice.Account.Reveal()}})
	if err == nil {
		b, err = r.key.Seal(b, "notice_body/"+string(in.ID))
	}
	if err != nil {
		panic(err) // requests always marshal
	}
	return b
}

// Together runs fn in one transaction of PostgreSQL. exec runs a statement, and
// soon a query that may wait for another one; without hear, also for the commit.
func (s *Store) Together(ctx context.Context, fn func(exec func(query string, args ...any) error, soon func(query string, hear func() error) error) error) error {
	return s.write(ctx, func(t *tx) error {
		return fn(t.must, func(query string, hear func() error) error {
			if hear == nil {
				t.line.later(query, nil, nil)
				return nil
			}
			return t.soon(query, nil, func(rowSet) error { return hear() })
		})
	})
}

// AuditStatement is the query for a part of the audit log.
func (r *Reader) AuditStatement(q AuditQuery) (query string, args []any, err error) {
	return q.statement(r.d)
}
