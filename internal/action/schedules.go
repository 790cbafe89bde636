package action

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A DueStore is where scheduled payments fall due. Its methods are safe for
// concurrent use.
type DueStore interface {
	// DueSchedules takes up to n schedules that are due by now. No other caller gets
	// them before until, nor ever once an attempt was begun. It also says when the next
	// is due.
	DueSchedules(ctx context.Context, now, until time.Time, n int) ([]payment.Schedule, time.Time, error)
	// FailSchedule ends a schedule for which no attempt can be begun.
	FailSchedule(ctx context.Context, x payment.Schedule, at time.Time) error
}

// Schedules charges scheduled payments when their time has come (예약 결제): each
// once, on whatever node, and late if no node was there. What waits is in the store.
// An attempt is begun in the transaction that ends the schedule's waiting: from then
// on it is as any other charge, and an inquiry ends it if its answer is lost.
//
// It sleeps until the next one is due. Several may run on several machines.
type Schedules struct {
	Store   DueStore
	Actions *Actions
	Log     *slog.Logger
	// Idle is how long Run sleeps at most; zero: a minute. Another node's schedules
	// are seen so.
	Idle time.Duration
	// Fit, if set, says whether this machine may go by its clock. While it may not,
	// nothing is taken up. It must not block.
	Fit func() bool

	alarm alarm
}

// chargesAtOnce is how many scheduled payments a node charges at once, and takeFor how
// long it has to begin one that it took up.
const (
	chargesAtOnce = 8
	takeFor       = 2 * time.Minute
)

// Sooner tells that a payment is to be charged at t. It does not block; any goroutine
// may call it.
func (s *Schedules) Sooner(t time.Time) { s.alarm.set(t) }

// Run charges what is due until ctx ends, and returns nil once the last charge is
// written down. If the store fails it tries again for ever. Only one Run may be active
// at a time.
func (s *Schedules) Run(ctx context.Context) error {
	idle := s.Idle
	if idle <= 0 {
		idle = time.Minute
	}
	slots := make(chan struct{}, chargesAtOnce)
	var all sync.WaitGroup
	defer all.Wait()
	var pause time.Duration
	for {
		n := taken(ctx, slots)
		if n == 0 {
			return nil
		}
		untilFit(ctx, s.Fit)
		s.alarm.forget()
		at := now()
		list, next, err := s.Store.DueSchedules(ctx, at, stored(at.Add(takeFor)), n)
		switch {
		case ctx.Err() != nil && err != nil:
			return nil
		case err != nil:
			if pause == 0 {
				s.Log.ErrorContext(ctx, "scheduled payments are not charged for now", "err", err)
			}
			pause = min(max(2*pause, firstPause), lastPause)
			next = at.Add(pause)
		default:
			pause = 0
		}
		for range n - len(list) {
			<-slots
		}
		for _, one := range list {
			all.Go(func() {
				s.charge(context.WithoutCancel(ctx), one)
				<-slots
			})
		}
		if !next.IsZero() {
			s.Sooner(next)
		}
		s.alarm.sleep(ctx, idle)
	}
}

// taken waits for a free slot, takes all that are free, and returns how many; 0 once
// ctx has ended.
func taken(ctx context.Context, slots chan struct{}) (n int) {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case slots <- struct{}{}:
		n++
	}
	for {
		select {
		case slots <- struct{}{}:
			n++
		default:
			return n
		}
	}
}

// charge makes the payment of a schedule that was taken up.
func (s *Schedules) charge(ctx context.Context, one payment.Schedule) {
	a := s.Actions
	c := Caller{Merchant: one.Merchant, Store: one.Store, Mode: one.Mode}
	x := charging{schedule: &one, begun: now(), ChargeRequest: ChargeRequest{
		Registration: one.Registration(), BillingKey: one.BillingKey, Terms: one.Terms, Quiet: one.Quiet,
	}}
	p, err := a.beginCharge(ctx, c, &x)
	switch {
	case err == nil:
		if _, err := a.call(ctx, x, p); err != nil {
			s.Log.InfoContext(ctx, "a scheduled payment was not made, or is pending", "schedule_id", one.ID, "err", err)
		}
		return
	case errors.Is(err, payment.ErrScheduleTaken):
		return
	case !lasting(err):
		// It is due again when what was taken up may be taken up by others.
		s.Log.ErrorContext(ctx, "a scheduled payment cannot be charged for now", "schedule_id", one.ID, "err", err)
		return
	}
	s.Log.WarnContext(ctx, "a scheduled payment cannot be charged", "schedule_id", one.ID, "err", err)
	if err := s.refuse(ctx, one, err); err != nil {
		s.Log.ErrorContext(ctx, "that a scheduled payment failed is not written down", "schedule_id", one.ID, "err", err)
	}
}

// lasting reports whether an error will be the same when it is tried again.
func lasting(err error) bool {
	switch fault.KindOf(err) {
	case fault.Internal, fault.Unavailable, fault.Stale, fault.Unclear:
		return false
	case fault.Invalid, fault.TooLarge, fault.Unsupported, fault.Unauthorized, fault.Forbidden, fault.NotFound, fault.Conflict:
	}
	return true
}

// refuse ends a schedule that cannot be charged. Its payment has failed by it, unless
// that takes no further attempt.
func (s *Schedules) refuse(ctx context.Context, one payment.Schedule, why error) error {
	a := s.Actions
	_, err := a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		return notice.Act{
			Store: one.Store, ID: one.Payment, Env: env, Begins: true, Schedule: one.ID, Lease: one.Until,
			Do: func(known *payment.Payment) (notice.Acted, error) {
				g, attempts := one.Registration(), 0
				if known != nil {
					attempts = known.Begun()
				}
				g.Order = orderFor(g, attempts)
				g.Attempt = payment.TransactionID(one.ID)
				p, t, err := payment.BeginCharge(known, g, payment.Charge{BillingKey: one.BillingKey, Schedule: one.ID}, env)
				if err != nil {
					return notice.Acted{}, err
				}
				d, err := p.ChargeRefused(t.ID, payment.Failure{Reason: why.Error()}, env)
				return a.written(v, d, env.Now, false), err
			},
		}, nil
	})
	if err == nil || !lasting(err) || errors.Is(err, payment.ErrScheduleTaken) {
		return err
	}
	return s.Store.FailSchedule(ctx, one, now())
}
