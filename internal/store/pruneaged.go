package store

import (
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/settings"
)

// pinDays is for how long a pre-registration is kept whose payment does not begin.
const pinDays = 90

// repeats takes the answers that nobody is given any more.
func (p *pruning) repeats(cut time.Time, out *settings.Pruned) error {
	// Index: idempotency_by_age.
	return p.aged("idempotency", "id", "begun_at", cut, out)
}

// pins takes old pre-registrations.
func (p *pruning) pins(cut time.Time, out *settings.Pruned) error {
	// Index: preregistration_by_age.
	return p.aged("preregistration", "store_id, payment_id, mode", "at", cut, out)
}

// closedCases takes cases that a person ended long ago.
func (p *pruning) closedCases(cut time.Time, out *settings.Pruned) error {
	// Index: closed_case_by_age.
	return p.aged("closed_case", "id, closed_at", "closed_at", cut, out)
}

// sessions takes those that have ended by their age.
func (p *pruning) sessions(cut time.Time, out *settings.Pruned) error {
	// Index: session_by_age.
	return p.aged("session", "id", "created_at", cut, out)
}

// tries takes what counts no more of guesses at signing in.
func (p *pruning) tries(cut time.Time, out *settings.Pruned) error {
	// Index: sign_in_by_age.
	return p.aged("sign_in", "name", "at", cut, out)
}

// resends takes jobs that sent many webhooks again, and what they sent.
func (p *pruning) resends(cut time.Time, out *settings.Pruned) error {
	// Index: resend_made_by_age, resend_job_by_age.
	if err := p.aged("resend_made", "job_id, original", "at", cut, out); err != nil {
		return err
	}
	return p.aged("resend_job", "id", "ended_at", cut, out)
}

// checkouts takes windows whose page was read long ago for the last time.
func (p *pruning) checkouts(cut time.Time, out *settings.Pruned) error {
	// Index: checkout_by_age.
	return p.aged("checkout", "id", "read_until", cut, out)
}

// idleWindows takes windows of which nothing came.
func (p *pruning) idleWindows(cut time.Time, out *settings.Pruned) error {
	// Index: checkout_idle.
	return p.aged("checkout", "id", idleSince, cut, out)
}

// idleSince is by what checkout_idle is ordered: when a window was opened, and null once
// it ended with success.
const idleSince = `(case when ended_at is null or code <> '' then created_at end)`

// trials takes what the PG that is played here knows of old orders.
func (p *pruning) trials(cut time.Time, out *settings.Pruned) error {
	// Index: trial_by_age.
	return p.aged("trial", "channel_key, id", "updated_at", cut, out)
}

// schedules takes scheduled payments that have ended.
func (p *pruning) schedules(cut time.Time, out *settings.Pruned) error {
	// Index: schedule_by_end.
	return p.aged("schedule", "id", "ended_at", cut, out)
}

// billingKeys takes keys that were deleted, or never issued.
func (p *pruning) billingKeys(cut time.Time, out *settings.Pruned) error {
	// Index: billing_key_by_end.
	return p.aged("billing_key", "key", "ended_at", cut, out)
}

// listeners takes old tries through listen sessions, and sessions that nobody
// connects to any more.
func (p *pruning) listeners(cut time.Time, out *settings.Pruned) error {
	// An hour later than what they keep from being sent again.
	// Index: listener_try_by_age, listener_by_age.
	if err := p.aged("listener_try", "listener_id, item, number", "at", cut.Add(-time.Hour), out); err != nil {
		return err
	}
	var old bool
	if err := p.s.db.QueryRowContext(p.ctx, `select exists (select 1 from listener where heard_at <= $1)`, micros(cut)).Scan(&old); err != nil || !old {
		return err
	}
	return p.batch(func(t *tx) error { return t.endListeners(`heard_at <= $1`, micros(cut)) })
}

// aged takes rows of a table, which are named by key, whose time in a column is
// not after cut.
func (p *pruning) aged(table, key, column string, cut time.Time, out *settings.Pruned) error {
	some := fmt.Sprintf(`select exists (select 1 from %s where %s <= $1)`, table, column) //nolint:gosec // both are ours
	remove := fmt.Sprintf(`delete from %[1]s where (%[2]s) in (select %[2]s from %[1]s where %[3]s <= $1 order by %[3]s limit $2)`, table, key, column)
	for {
		var left bool
		if err := p.s.db.QueryRowContext(p.ctx, some, micros(cut)).Scan(&left); err != nil || !left {
			return err
		}
		if err := p.batch(func(t *tx) error {
			n, err := t.exec(remove, micros(cut), atOncePruned)
			out.Rows += n
			return err
		}); err != nil {
			return err
		}
	}
}
