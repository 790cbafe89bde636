package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A history is a table of which retention takes the old end. It is ordered by
// its UUIDv7 ids, which begin with the time.
type history struct {
	table  string
	bodies bool // kept for as long as bodies are
	weekly bool // a partition holds a week; else a month
	kept   bool // for ever
	// holder is the table with what is open, as holderKey; column names such a
	// thing in a row of the history, which is then kept whatever its age.
	holder, holderKey, column string
}

// histories are in the order in which they are pruned: what belongs to
// something goes before it. Partitions are few, since whoever asks by another
// column than the id looks into all of them: 17 with the default retention, of
// months for rows and of weeks for bodies, which are kept for a shorter time.
var histories = []history{
	{table: "attempt_body", bodies: true, weekly: true},
	{table: "notice_body", bodies: true, weekly: true, holder: "open_case", holderKey: "id", column: "id"},
	{table: "attempt"},
	{table: "api_request"},
	{table: "delivery_end"},
	{table: "event", holder: "delivery", holderKey: "event_id", column: "id"},
	{table: "verdict", holder: "open_case", holderKey: "id", column: "notice_id"},
	{table: "notice", holder: "open_case", holderKey: "id", column: "id"},
	{table: "audit", kept: true},
}

// days is for how long a table is kept; 0 is for ever.
func (h history) days(keep settings.Retention) int {
	switch {
	case h.kept:
		return 0
	case h.bodies:
		return keep.Bodies
	}
	return keep.History
}

// free is the condition that nothing open holds a row h.
func (h history) free() string {
	if h.holder == "" {
		return ""
	}
	// Index: open_case_pkey, delivery_by_event.
	return fmt.Sprintf(` and not exists (select 1 from %s k where k.%s = h.%s)`, h.holder, h.holderKey, h.column)
}

// pruneLock is held by the node that prunes.
const pruneLock = "prune"

// How long pruning waits for a lock on PostgreSQL. Whoever comes behind it
// waits as long: a notice has one second.
const pruneLockTimeout = `set local lock_timeout = '100ms'`

// atOncePruned bounds the rows of one transaction.
const atOncePruned = 200

// errOtherNode says that another node prunes.
var errOtherNode = errors.New("another node prunes")

// Prune takes away what was kept for long enough at now, and calls told for
// each table of which something went. On PostgreSQL it drops partitions that
// are wholly too old; all else goes in transactions of at most 200 rows, with
// a rest after each that is as long as the transaction. What is open stays,
// whatever its age: notices with a case, events with a delivery that is not
// over, payments that wait for something. So do the names of messages and
// deposits that were decided. Whatever is to be kept, answers to repeatable
// requests go after merchant.RepeatLife, listen sessions and their tries after
// webhook.ListenerLife, and pre-registrations and windows that came to nothing after 90
// days.
//
// It waits for nobody: if another node prunes, it does nothing more; a table
// that somebody uses in a way that forbids dropping is left for the next time,
// and fault.Unavailable reported at the end.
func (s *Store) Prune(ctx context.Context, now time.Time, keep settings.Retention, told func(settings.Pruned)) error {
	p := &pruning{s: s, ctx: ctx, now: now, keep: keep, told: told}
	var failed []error
	for _, h := range histories {
		failed = append(failed, p.step(h.table, h.days(keep), func(cut time.Time, out *settings.Pruned) error {
			return p.history(h, idAt(cut), out)
		}))
	}
	failed = append(failed,
		p.step("refusal", keep.History, p.refusals),
		p.step("closed_case", keep.History, p.closedCases),
		p.step("resend_job", keep.History, p.resends),
		p.step("checkout", keep.History, p.checkouts),
		p.step("payment", keep.Payments, p.payments),
		p.step("search", keep.Payments, p.searchPages),
		p.step("trial", keep.Payments, p.trials),
		p.step("schedule", keep.Payments, p.schedules),
		p.step("billing_key", keep.Payments, p.billingKeys),
		p.stepTo("idempotency", now.Add(-merchant.RepeatLife), p.repeats),
		p.stepTo("listener", now.Add(-webhook.ListenerLife), p.listeners),
		p.stepTo("session", now.Add(-member.SessionLife), p.sessions),
		p.stepTo("sign_in", now.Add(-member.TriesKept), p.tries),
		p.stepTo("preregistration", now.AddDate(0, 0, -pinDays), p.pins),
		p.stepTo("checkout_idle", now.AddDate(0, 0, -pinDays), p.idleWindows),
		p.stepTo("overdue", now.AddDate(0, 0, -overdueDays), p.overdues))
	for _, err := range failed {
		if errors.Is(err, errOtherNode) {
			return nil
		}
	}
	return errors.Join(failed...)
}

// A pruning is one Prune under way.
type pruning struct {
	s     *Store
	ctx   context.Context // of the whole
	now   time.Time
	keep  settings.Retention
	told  func(settings.Pruned)
	other bool             // another node prunes: there is nothing to do here
	out   *settings.Pruned // of the step under way
}

// step prunes one table of what is older than some days; 0 is for ever.
func (p *pruning) step(what string, days int, prune func(cut time.Time, out *settings.Pruned) error) error {
	if days == 0 {
		return p.ctx.Err()
	}
	return p.stepTo(what, p.now.AddDate(0, 0, -days), prune)
}

// stepTo prunes one table of what is before cut, and tells of it.
func (p *pruning) stepTo(what string, cut time.Time, prune func(cut time.Time, out *settings.Pruned) error) error {
	if p.other || p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	began, out := time.Now(), settings.Pruned{What: what}
	p.out = &out
	err := prune(cut, &out)
	p.other = errors.Is(err, errOtherNode)
	if out.Partitions > 0 || out.Rows > 0 {
		out.Took = time.Since(began)
		p.told(out)
	}
	if err != nil && !p.other {
		return fmt.Errorf("prune %s: %w", what, away(err))
	}
	return err
}

// write is a transaction that one node at a time makes, behind everyone else.
func (p *pruning) write(fn func(*tx) error) error {
	return p.s.write(p.ctx, func(t *tx) error {
		if t.d.postgres {
			if err := t.must(pruneLockTimeout); err != nil {
				return err
			}
		}
		missed, err := t.try([]string{pruneLock})
		if err != nil {
			return err
		}
		if missed[pruneLock] {
			return &programError{errOtherNode}
		}
		return fn(t)
	})
}

func (p *pruning) history(h history, cut string, out *settings.Pruned) error {
	from := []string{h.table}
	if p.s.d.postgres {
		var err error
		if from, err = p.partitions(h, cut, out); err != nil {
			return err
		}
	}
	for _, table := range from {
		if err := p.rows(table, h, cut, out); err != nil {
			return err
		}
	}
	return nil
}

// rows takes the rows before an id from a table or a partition, page by page
// from its old end.
func (p *pruning) rows(from string, h history, cut string, out *settings.Pruned) error {
	remove := fmt.Sprintf(`delete from %s as h where id > $1 and id <= $2%s`, from, h.free())
	free := fmt.Sprintf(`select exists (select 1 from %s as h where id > $1 and id <= $2%s)`, from, h.free())
	return p.pages(from, "id", cut, atOncePruned, free, nil, func(t *tx, after, upto string) error {
		n, err := t.exec(remove, after, upto)
		if err != nil || n == 0 {
			return err
		}
		out.Rows += n
		return t.mark(h.table, cut, p.now)
	})
}

// pages goes over the keys of a table before an end, size at a time, and has
// take write where the query free finds, between two keys and with further
// arguments, something to take. Where there is nothing, nothing is written.
// What is asked is bounded by the primary key alone, so that no plan reads more
// than a page.
func (p *pruning) pages(from, key, end string, size int, free string, args []any, take func(t *tx, after, upto string) error) error {
	page := strings.NewReplacer("KEY", key, "TABLE", from).Replace(`select k from
		(select KEY as k from TABLE where KEY > $1 and KEY < $2 order by KEY limit $3) as page order by k desc limit 1`)
	after := firstID
	for {
		var upto string
		err := p.s.db.QueryRowContext(p.ctx, page, after, end, size).Scan(&upto)
		if isNoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		var some bool
		if err := p.s.db.QueryRowContext(p.ctx, free, append([]any{after, upto}, args...)...).Scan(&some); err != nil {
			return err
		}
		if some {
			if err := p.batch(func(t *tx) error { return take(t, after, upto) }); err != nil {
				return err
			}
		}
		after = upto
	}
}

// batch is a transaction and a rest that is as long. What fn counts for the
// step under way counts once, and only if it is committed.
func (p *pruning) batch(fn func(*tx) error) error {
	began, before := time.Now(), *p.out
	if err := p.write(func(t *tx) error {
		*p.out = before
		return fn(t)
	}); err != nil {
		*p.out = before
		return err
	}
	wait(p.ctx, time.Since(began))
	return p.ctx.Err()
}

// refusals takes the counters of old days.
func (p *pruning) refusals(cut time.Time, out *settings.Pruned) error {
	day := cut.UTC().Unix() / 86400
	for {
		var n int64
		// Index: refusal_pkey, refusal_day_pkey.
		if err := p.s.db.QueryRowContext(p.ctx, `select (select count(*) from (select 1 from refusal where day < $1 limit 1) as old) +
			(select count(*) from refusal_day where day < $1)`, day).Scan(&n); err != nil || n == 0 {
			return err
		}
		if err := p.batch(func(t *tx) error {
			n, err := t.exec(`delete from refusal where (day, peer) in
				(select day, peer from refusal where day < $1 order by day, peer limit $2)`, day, atOncePruned)
			if err != nil {
				return err
			}
			out.Rows += n
			return t.must(`delete from refusal_day where day < $1`, day)
		}); err != nil {
			return err
		}
	}
}

// mark notes that rows of a table before an id may be gone.
func (t *tx) mark(table, upto string, now time.Time) error {
	return t.must(`insert into pruned (name, upto, at) values ($1, $2, $3) on conflict (name) do update
		set upto = excluded.upto, at = excluded.at where excluded.upto > pruned.upto`, table, upto, micros(now))
}
