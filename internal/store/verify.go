package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Problem is something in the database that cannot have come about by the
// program's own transactions.
type Problem struct {
	Kind    string // what is wrong, as a stable word
	Subject string // the id of what it is wrong with
	Text    string // in words; holds no secret
}

// The kinds of problems.
const (
	ProblemSealed   = "sealed"   // a value is gone, or the key does not open it
	ProblemNotice   = "notice"   // an acknowledged notice has neither a payment nor a case
	ProblemCase     = "case"     // a case without a notice that waits for it
	ProblemDeposit  = "deposit"  // a deposit counts twice, or for nobody
	ProblemPayment  = "payment"  // a payment's columns and its sealed form disagree
	ProblemEvent    = "event"    // a transition was told to nobody, or twice
	ProblemDelivery = "delivery" // a delivery is nobody's, or never ends
	ProblemAttempt  = "attempt"  // tries are missing, or too many
	ProblemName     = "name"     // a name leads nowhere
)

// Checked is how much Verify looked at.
type Checked struct {
	Notices, Payments, Deposits, Cases, Events, Deliveries, Attempts int64
	Problems                                                         int64
}

// Verify checks the promises of the store on a database, live or stopped, in
// one snapshot: every acknowledged notice has its payment or its open case, no
// deposit counts twice, every payment's money was told exactly once, and every
// delivery has an end, a due time or a reason to wait. What Prune took is not
// missed. It calls report for each problem, one after the other, and returns an
// error only if it could not look. It walks through tables, so memory does not grow with the database; on
// a live one it costs reading, on several connections if it gets them, and
// keeps the snapshot for as long as it takes.
func (r *Reader) Verify(ctx context.Context, report func(Problem)) (Checked, error) {
	return r.VerifyShown(ctx, report, func(int64) {})
}

// VerifyShown is Verify that calls progress now and then, from any goroutine,
// with how many rows it has looked at, and once at the end.
func (r *Reader) VerifyShown(ctx context.Context, report func(Problem), progress func(rows int64)) (Checked, error) {
	list, end, err := r.snapshots(ctx)
	if err != nil {
		return Checked{}, fmt.Errorf("verify: %w", away(err))
	}
	defer end()
	return r.verifyOn(ctx, list, usual, report, progress)
}

// verifyIn is Verify in a transaction that others began.
func (r *Reader) verifyIn(ctx context.Context, q view, report func(Problem)) (Checked, error) {
	return r.verifyOn(ctx, []view{q}, usual, report, func(int64) {})
}

// verifyBounds are what keeps the memory of one Verify from growing.
type verifyBounds struct {
	known int // payments whose keys are known, some 10 bytes each
	group int // things that are looked at again together
	page  int // rows that SQLite puts into one value
}

var usual = verifyBounds{known: 6_000_000, group: 1 << 16, page: 500}

// verifyOn is Verify in transactions that see the same.
func (r *Reader) verifyOn(ctx context.Context, list []view, b verifyBounds, report func(Problem), progress func(rows int64)) (Checked, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	all := verifier{
		ctx: ctx, r: r, bounds: b, findings: &findings{report: report, progress: progress}, q: list[0],
		sums: &sums{summing: newSumming()}, known: newIDSet(), payers: newLedger(), bringers: newLedger(),
	}
	all.checked = &all.findings.checked
	var err error
	if all.floors, err = floorsOf(ctx, list[0]); err != nil {
		return Checked{}, fmt.Errorf("verify: %w", away(err))
	}
	// First what others wait for, and of these what waits for nothing; the longest
	// before the short, so that all end at about the same time.
	passes := make(chan func(*verifier) error, 10)
	for _, pass := range []func(*verifier) error{
		(*verifier).know, (*verifier).payments, (*verifier).deliveries, (*verifier).attempts,
		knowing((*verifier).notices), knowing((*verifier).events), knowing((*verifier).names), knowing((*verifier).deposits),
		(*verifier).attemptBodies, knowing(func(v *verifier) error { return v.sweep(v.rules(time.Now())) }),
	} {
		passes <- pass
	}
	close(passes)
	var wg sync.WaitGroup
	for _, q := range list {
		v := all
		v.q = q
		wg.Go(func() {
			for pass := range passes {
				if err := pass(&v); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err = context.Cause(ctx); err != nil {
		return *all.checked, fmt.Errorf("verify: %w", away(err))
	}
	if err := all.doubt(); err != nil {
		return *all.checked, fmt.Errorf("verify: %w", away(err))
	}
	progress(all.findings.rows.Load())
	return *all.checked, nil
}

// A verifier is a part of one Verify under way, on a connection of its own.
type verifier struct {
	ctx      context.Context // of the snapshot
	r        *Reader
	bounds   verifyBounds
	q        view
	findings *findings
	checked  *Checked // each count is one part's
	sums     *sums    // likewise
	floors   floors   // what is older may have been pruned
	known    *idSet   // the keys of all payments, unless they are too many
	payers   *ledger  // payments against deposits and events
	bringers *ledger  // notices against deposits
}

// findings are what the parts of a Verify found.
type findings struct {
	mu       sync.Mutex
	report   func(Problem)
	checked  Checked
	rows     atomic.Int64
	progress func(rows int64)
}

func (v *verifier) problem(kind, subject, format string, args ...any) {
	v.findings.mu.Lock()
	defer v.findings.mu.Unlock()
	v.findings.checked.Problems++
	v.findings.report(Problem{kind, subject, fmt.Sprintf(format, args...)})
}

// showEvery is how many rows are looked at between two calls of progress.
const showEvery = 1 << 14

// seen counts rows that were looked at.
func (v *verifier) seen(n int) {
	if now := v.findings.rows.Add(int64(n)); now/showEvery != (now-int64(n))/showEvery {
		v.findings.progress(now)
	}
}

func (v *verifier) each(query string, args []any, scan func(rowSet) error) error {
	return each(v.ctx, v.q, query, args, scan)
}

// number returns the number that a query finds.
func (v *verifier) number(query string, args ...any) (n int64, err error) {
	err = v.q.QueryRowContext(v.ctx, query, args...).Scan(&n)
	return n, err
}

// Bounds beyond which a time is not one that the program writes.
const (
	longestLease = time.Hour
	longestDelay = 40 * 24 * time.Hour
)

// A rule is a query that finds the ids of what breaks it.
type rule struct {
	kind, text, query string
	args              []any
}

// rules are the promises that a query can check by itself. What refers to rows
// that may have been pruned is asked about from there on.
func (v *verifier) rules(now time.Time) []rule {
	list := []rule{
		{ProblemCase, "the case has no notice", `select c.id from open_case c left join notice n on n.id = c.id where n.id is null`, nil},
		{ProblemCase, "the case waits, but its notice is decided", `select c.id from open_case c join notice n on n.id = c.id
			where c.kind <> 'listed' and n.verdict not in ('pending', 'unmatched', 'conflict')`, nil},
		{ProblemCase, "names lead to a case that is not open", `select distinct k.case_id from case_key k
			left join open_case c on c.id = k.case_id where c.id is null`, nil},
		{ProblemDelivery, "the delivery is over and waits", `select d.id from delivery d join delivery_end e on e.id = d.id`, nil},
		{ProblemDelivery, "the delivery is held, but its endpoint is not paused", `select d.id from delivery d
			left join endpoint p on p.id = d.endpoint_id where d.state = 'held' and (p.id is null or p.paused = ` + no + `)`, nil},
		{ProblemDelivery, "the delivery is due at no time that comes", `select id from delivery where state = 'waiting' and due_at > $1`,
			[]any{micros(now.Add(longestDelay))}},
		{ProblemDelivery, "the lease does not run out", `select id from delivery where lease is not null and ready_at > $1`,
			[]any{micros(now.Add(longestLease))}},
		{ProblemDelivery, "the delivery would never be claimed", `select id from delivery where state = 'waiting' and lease is null and ready_at <> due_at`, nil},
	}
	if v.known.over {
		list = append(list, references(v.floors.sure("payment"))...)
	}
	return list
}

const (
	noPaymentOfName    = "a name leads to a payment that does not exist"
	noPaymentOfNotice  = "the notice's payment does not exist"
	noPaymentOfEvent   = "the event's payment does not exist"
	noPaymentOfDeposit = "a deposit is noted for a payment that does not exist"
)

// references are rules for what names payments, where there are too many to know
// them all. Of payments before sure some may have been pruned.
func references(sure string) []rule {
	return []rule{
		{ProblemName, noPaymentOfName, `select distinct m.payment_key from match_key m
			left join payment p on p.key = m.payment_key where p.key is null`, nil},
		{ProblemNotice, noPaymentOfNotice, `select n.id from notice n left join payment p on p.key = n.payment_key
			where n.payment_key is not null and p.key is null and n.payment_key >= $1`, []any{sure}},
		{ProblemEvent, noPaymentOfEvent, `select e.id from event e left join payment p on p.key = e.payment_key
			where e.payment_key is not null and p.key is null and e.payment_key >= $1`, []any{sure}},
		{ProblemDeposit, noPaymentOfDeposit, `select d.payment_key from deposit d left join payment p on p.key = d.payment_key
			where p.key is null and d.payment_key >= $1`, []any{sure}},
	}
}

// doubts are the promises that hold if sums are equal. Only if they are not,
// as when something was pruned, it takes a query to find what breaks them.
func (s *sums) doubts(f floors) (list []rule) {
	if s.planned != s.made {
		list = append(list, rule{ProblemEvent, "the event has not the deliveries that were made for it", `select e.id from event e left join
			(select event_id, count(*) as found from (select event_id from delivery where original is null
				union all select event_id from delivery_end where original is null) d group by event_id) f on f.event_id = e.id
			where coalesce(f.found, 0) <> e.fanout and e.id >= $1`, []any{f.sure("delivery_end")}})
	}
	if s.planned != s.made || s.again > 0 {
		list = append(list, rule{ProblemDelivery, "the delivery has no event", `select d.id from (select id, event_id from delivery
			union all select id, event_id from delivery_end) d left join event e on e.id = d.event_id
			where e.id is null and d.event_id >= $1`, []any{f.sure("event")}})
	}
	if s.due != s.tried {
		list = append(list,
			rule{ProblemAttempt, "the attempt's delivery does not exist", `select a.id from attempt a left join delivery d on d.id = a.delivery_id
			left join delivery_end e on e.id = a.delivery_id where d.id is null and e.id is null and a.delivery_id >= $1`, []any{f.sure("delivery_end")}},
			rule{ProblemAttempt, "the attempts are not numbered from 1 to the last try", `select id from (select d.id, d.tries,
			(select count(*) from attempt a where a.webhook_id = d.webhook and a.delivery_id = d.id) as made,
			(select coalesce(max(number), 0) from attempt a where a.webhook_id = d.webhook and a.delivery_id = d.id) as last,
			(select count(distinct number) from attempt a where a.webhook_id = d.webhook and a.delivery_id = d.id and number > 0) as numbers
			from (select id, tries, coalesce(original, id) as webhook from delivery
				union all select id, tries, coalesce(original, id) from delivery_end) d where d.id >= $1) as t
			where made <> tries or last <> tries or numbers <> tries`, []any{f.sure("attempt")}},
		)
	}
	if s.sent != s.bodies {
		list = append(list, rule{ProblemSealed, "what the attempt sent is gone", `select a.id from attempt a left join attempt_body b on b.id = a.id
			where b.id is null and a.id >= $1`, []any{f.of("attempt_body")}})
	}
	return list
}

// no is false in both engines' SQL.
const no = "(1 = 0)"

// sweep checks what a query can check by itself.
func (v *verifier) sweep(list []rule) error {
	for _, rule := range list {
		if err := v.each(rule.query, rule.args, func(rows rowSet) error {
			var id string
			err := rows.Scan(&id)
			v.problem(rule.kind, id, "%s", rule.text)
			return err
		}); err != nil {
			return fmt.Errorf("%s: %w", rule.text, err)
		}
	}
	return nil
}
