package action

import (
	"context"
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/webhook"
)

// How long a PG is waited for, and how long after a call began its outcome is
// asked about if nobody wrote it down: by then the node that called is dead.
const (
	callTime = 30 * time.Second
	askAfter = callTime + 15*time.Second
)

// access is how one channel's PG is called now.
func (a *Actions) access(c merchant.Channel) provider.Access {
	return provider.Access{HTTP: a.HTTP, Channel: c, Now: now()}
}

// inTime bounds a call to a PG by the clock on the wall, from before it was written
// down: a process that slept in between must not make it any more, since by then
// somebody may have asked the PG and found it not done.
func inTime(ctx context.Context, begun time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, begun.Add(callTime))
}

// act does one change of a payment by the settings as they are, anew when they
// changed meanwhile.
func (a *Actions) act(ctx context.Context, by func(*view) (notice.Act, error)) (payment.Payment, error) {
	var err error
	fresh := false
	for range mostTries {
		var v *view
		if v, err = a.views.Get(ctx, a.load); err != nil {
			return payment.Payment{}, err
		}
		var p payment.Payment
		var x notice.Act
		if x, err = by(v); err == nil {
			x.Version, x.Judge = v.version, v.judge
			if p, err = a.Store.Act(ctx, x); err == nil {
				a.note(p)
				return p, nil
			}
		}
		if !fault.Is(err, fault.Stale) && (fresh || !ofSettings(err)) {
			return p, err
		}
		a.views.Refresh()
		fresh = true
	}
	if fault.Is(err, fault.Stale) {
		err = fault.Errorf(fault.Unavailable, "the settings keep changing: %w", err)
	}
	return payment.Payment{}, err
}

// written is what an act does with a decision: the events of its transitions go
// to whoever is to be told, or, when it is done quietly, only into the history.
func (a *Actions) written(v *view, d payment.Decision, at time.Time, quiet bool) notice.Acted {
	out := notice.Acted{Payment: d.Payment, Changed: d.Changed}
	for _, tr := range d.Transitions {
		e := webhook.EventOf(d.Payment, tr, at, a.newID())
		em := webhook.Emission{Event: e}
		if !quiet && !d.Payment.Quiet(tr) {
			// A payload that cannot be written is a mistake in this program: the
			// event is kept, and told to nobody.
			if planned, err := v.planner.Plan(e, d.Payment.NoticeURLs); err == nil {
				em = planned
			}
		}
		out.Emissions = append(out.Emissions, em)
	}
	return out
}

// Unreachable is the code of a PGError if the PG was not reached: nothing was done.
const Unreachable = "UNREACHABLE"

// A PGError is why a PG did not do what it was asked, or may not have.
type PGError struct {
	// Code and Message are the PG's own words, or Unreachable or UNCLEAR with
	// ours.
	Code, Message string
	// Unclear says that the PG's answer was lost: what was asked may be done, and
	// is found out by inquiry.
	Unclear bool
	cause   error
}

// asPG is the PGError in an error's chain; false if there is none.
func asPG(err error) (*PGError, bool) { return errors.AsType[*PGError](err) }

// Error says what the PG said.
func (e *PGError) Error() string { return e.Message + " (" + e.Code + ")" }

// Unwrap returns the error of the call.
func (e *PGError) Unwrap() error { return e.cause }

// pgError sorts the error of a PG's call: nil and what was never sent pass as
// they are.
func pgError(err error) error {
	no, declined := errors.AsType[*provider.DeclinedError](err)
	switch {
	case declined:
		return &PGError{Code: no.Code, Message: no.Message, cause: no}
	case err != nil && mayBeDone(err):
		return errUnclear(err)
	case fault.Is(err, fault.Unavailable):
		return &PGError{Code: Unreachable, Message: "the PG was not reached: nothing was done, try again", cause: err}
	}
	return err
}

// mayBeDone reports whether an error of a call leaves open what the PG did: any
// that does not say that nothing was done.
func mayBeDone(err error) bool {
	return !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unsupported)
}

func errUnclear(cause error) error {
	return &PGError{Code: "UNCLEAR", Message: "the PG's answer was lost: whether it was done is found out by asking the PG", Unclear: true, cause: cause}
}

// unwritten is the error of writing down what the PG answered: with the store
// away that answer is lost, and found out as any other.
func unwritten(err error) error {
	if fault.Is(err, fault.Unavailable) {
		return errUnclear(err)
	}
	return err
}

// isUnclear reports whether a PG may have done what it was asked.
func isUnclear(err error) bool {
	e, ok := asPG(err)
	return ok && e.Unclear
}

// why is what a payment keeps of a PG's no.
func why(err error) string {
	if e, ok := asPG(err); ok {
		return e.Message
	}
	if e, ok := errors.AsType[*ConfirmError](err); ok {
		return e.Error()
	}
	return "the PG was not asked"
}

// use finds a channel of the caller's with the PG's module, or with what plays its PG
// here if the channel is on trial. It is the only place where that is decided.
func (a *Actions) use(v *view, c Caller, key merchant.ChannelKey) (merchant.Channel, provider.Provider, error) {
	ch, err := a.channel(v, c, key)
	if err != nil {
		return ch, nil, err
	}
	p, _ := a.Providers(ch.Provider) // channel saw to it
	if a.Trial != nil && provider.OnTrial(p, ch) {
		p = a.Trial(p)
	}
	return ch, p, nil
}

// cannot says that a PG has no API for something.
func cannot(p provider.Provider, what string) error {
	return fault.Errorf(fault.Unsupported, "%s has no API that %s, as far as it publishes: do it in the PG's own pages", p.Info().Name.EN, what)
}

func keyOf(t payment.Transaction) []payment.MatchKey {
	return payment.Payment{Transactions: []payment.Transaction{t}}.MatchKeys()
}
