package action

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// A RuledOutError says that the money rules do not allow what a person wants done with a
// notice or a deposit: it would come to that verdict. Nothing was written.
type RuledOutError struct {
	Verdict payment.Verdict
	Reason  payment.Reason
}

// Error says which verdict it would be.
func (e *RuledOutError) Error() string {
	if e.Reason == payment.ReasonNone {
		return "by the money rules it would be " + string(e.Verdict) + ": nothing was changed"
	}
	return "by the money rules it would be " + string(e.Verdict) + " (" + string(e.Reason) + "): nothing was changed"
}

// Unwrap says that it is a conflict.
func (e *RuledOutError) Unwrap() error { return errRuledOut }

var errRuledOut = fault.Errorf(fault.Conflict, "the money rules do not allow it")

// ErrNotUnmatched says that a notice has a payment already, or never got so far.
var ErrNotUnmatched = fault.Errorf(fault.Conflict, "only a notice that is Unmatched is linked by hand")

// Replay decides a notice again (다시 처리) by the settings of now: by the same steps as
// when it came, from decoding to settling. A dry one writes nothing. What is final already,
// or comes to the same, stays as it is, so that doing it twice does nothing more.
//
// A notice that was refused counts, where the PG can be asked, only once the PG bears it
// out: then it becomes Pending, and the PG is asked.
//
// It reports fault.NotFound for a notice that the caller does not see, and
// notice.ErrBodyGone. A caller without a merchant is the installation's own.
func (a *Actions) Replay(ctx context.Context, c Caller, id notice.ID, dry bool) (notice.Redecided, error) {
	out, err := a.redecide(ctx, func(v *view) (notice.Redecision, error) {
		return notice.Redecision{
			ID: id, Dry: dry,
			Check: func(r notice.Redecided) error { return a.mayReplay(v, c, r) },
			Audit: c.onNotice("notice.replayed", ""),
		}, nil
	})
	if fault.Is(err, fault.NotFound) {
		out = notice.Redecided{} // what would have come of it is not the caller's to know
	}
	return out, err
}

// mayReplay reports why a caller may not have a notice decided again.
func (a *Actions) mayReplay(v *view, c Caller, r notice.Redecided) error {
	if !c.seesNotice(v, r) {
		return fault.Errorf(fault.NotFound, "there is no notice %q", string(r.Before.ID))
	}
	ch, ok := v.channels.Channel(r.Channel)
	switch {
	case !ok || c.Merchant == "":
	case ch.Merchant != c.Merchant:
		return fault.Errorf(fault.NotFound, "the notice is of a channel that the merchant does not have any more")
	case c.Store != "" && !ch.UsedBy(c.Store):
		return fault.Errorf(fault.NotFound, "the notice is of a channel that the store does not use")
	}
	return nil
}

// seesNotice reports whether a caller may know of a notice: one of its merchant and mode,
// and, if it is limited to a store, of a channel that the store uses, and neither about
// another store's payment nor on its way to one: what comes of it is told, too.
func (c Caller) seesNotice(v *view, r notice.Redecided) bool {
	k := r.Before
	switch {
	case c.Merchant == "":
		return k.Mode == "" || c.Mode.Sees(k.Mode)
	case k.Merchant != c.Merchant || !c.Mode.Sees(k.Mode):
		return false
	case c.Store == "":
		return true
	case k.PaymentStore != "" && k.PaymentStore != c.Store:
		return false
	case r.Was != nil && r.Was.Store != c.Store, r.Is != nil && r.Is.Store != c.Store:
		return false
	}
	ch, ok := v.channels.Channel(k.Channel)
	return k.Store == c.Store || ok && ch.UsedBy(c.Store)
}

// Link says that an Unmatched notice is about a payment of the caller's store (수동 연결),
// with a reason: the money rules then decide as if the notice had named it. A dry one
// writes nothing.
//
// It reports fault.Invalid without a reason, fault.NotFound, ErrNotUnmatched,
// notice.ErrLinkChannel, notice.ErrLinkOther, and *RuledOutError if it would be a conflict.
func (a *Actions) Link(ctx context.Context, c Caller, id notice.ID, to payment.ID, reason string, dry bool) (notice.Redecided, error) {
	if err := first(CheckPaymentID(to), checkText("reason", reason, 1, maxName)); err != nil {
		return notice.Redecided{}, err
	}
	p, err := a.Store.Payment(ctx, c.Store, to, c.Mode)
	if err != nil {
		return notice.Redecided{}, err
	}
	all := c
	all.Store = "" // the channel may be another store's, that this one uses
	return a.redecide(ctx, func(v *view) (notice.Redecision, error) {
		return notice.Redecision{
			ID: id, Dry: dry, Payment: p.Key,
			Check: func(r notice.Redecided) error {
				switch err := a.mayReplay(v, all, r); {
				case err != nil:
					return err
				case r.Before.Verdict != payment.Unmatched:
					return ErrNotUnmatched
				}
				return ruledOut(r, payment.Applied, payment.Recorded, payment.Duplicate, payment.Pending)
			},
			Audit: c.onNotice("notice.linked", reason),
		}, nil
	})
}

// ruledOut reports a verdict that is not among those wanted.
func ruledOut(r notice.Redecided, wanted ...payment.Verdict) error {
	if slices.Contains(wanted, r.Verdict) {
		return nil
	}
	return &RuledOutError{r.Verdict, r.Reason}
}

// How often a verb about a notice is tried while others decide about the same, and the
// longest pause before another try.
const (
	mostBusy  = 20
	busyPause = 20 * time.Millisecond
)

// redecide has a notice decided by the settings as they are, anew when they changed
// meanwhile, and tells who waits for what came of it.
func (a *Actions) redecide(ctx context.Context, by func(*view) (notice.Redecision, error)) (notice.Redecided, error) {
	fresh := false
	for range mostBusy {
		v, err := a.views.Get(ctx, a.load)
		if err != nil {
			return notice.Redecided{}, err
		}
		x, err := by(v)
		var out notice.Redecided
		if err == nil {
			x.Version, x.Judge, x.Admit, x.At = v.version, v.judge, v.again, now()
			out, err = a.Store.Redecide(ctx, x)
		}
		switch {
		case err == nil:
			a.redecided(out, x.Dry)
			return out, nil
		case fault.Is(err, fault.Stale), !fresh && ofSettings(err):
			a.views.Refresh()
			fresh = true
		case errors.Is(err, notice.ErrBusy):
			if err := pause(ctx, rand.N(busyPause)); err != nil { //nolint:gosec // needs no secrecy
				return out, err
			}
		default:
			return out, err
		}
	}
	return notice.Redecided{}, notice.ErrTakenByOther
}

// pause waits, at most until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// redecided tells who waits for what became of a notice.
func (a *Actions) redecided(r notice.Redecided, dry bool) {
	if dry || !r.Changes {
		return
	}
	if r.Asks {
		a.asked(now())
	}
	if r.Is != nil {
		a.note(*r.Is)
	}
}

// onNotice makes the entry of a notice that was decided at a person's wish.
func (c Caller) onNotice(what, reason string) func(notice.Redecided) []member.Entry {
	return func(r notice.Redecided) []member.Entry {
		e := c.entry(what, "notice", string(r.Before.ID), reason)
		e.Merchant, e.Store, e.Mode = r.Before.Merchant, r.Before.Store, r.Before.Mode
		e.Before, e.After = decided(r)
		return []member.Entry{e}
	}
}

// decided is what an entry tells of a notice's decision, before and after.
func decided(r notice.Redecided) (before, after []member.Field) {
	verdict := func(v payment.Verdict, why payment.Reason) member.Field {
		return member.Field{Name: "verdict", Text: joined(string(v), string(why))}
	}
	var was, is []member.Field
	if r.Was != nil {
		was = paymentFields(*r.Was)
	}
	if r.Is != nil {
		is = paymentFields(*r.Is)
	}
	before, after = member.Differences(was, is)
	if r.Before.Verdict != "" {
		before = append([]member.Field{verdict(r.Before.Verdict, r.Before.Reason)}, before...)
	}
	after = append([]member.Field{verdict(r.Verdict, r.Reason)}, after...)
	if r.Is != nil {
		after = append(after, member.Field{Name: "payment", Text: string(r.Is.ID)})
	}
	return before, after
}

func joined(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

// CloseCase ends a case with a note (확인 완료): its notice keeps its verdict, and the case
// is found among the closed ones. It reports fault.Invalid without a note, fault.NotFound
// for a case that is not open or that the caller does not see, and notice.ErrCasePending.
func (a *Actions) CloseCase(ctx context.Context, c Caller, id notice.ID, note string) (notice.Case, error) {
	if err := checkText("note", note, 1, maxNote); err != nil {
		return notice.Case{}, err
	}
	return a.Store.CloseCase(ctx, notice.CaseClosing{
		ID:  id,
		End: notice.CaseEnd{At: now(), How: notice.CaseResolved, ByKind: string(c.By.Kind), ByID: c.By.ID, ByName: c.By.Name, Note: note},
		Sees: func(k notice.Case) bool {
			return (c.Merchant == "" || k.Merchant == c.Merchant) && (c.Store == "" || k.Store == c.Store) && (k.Mode == "" || c.Mode.Sees(k.Mode))
		},
		Audit: func(k notice.Case) []member.Entry {
			e := c.entry("case.closed", "notice", string(k.ID), note)
			e.Merchant, e.Store, e.Mode = k.Merchant, k.Store, k.Mode
			e.Before = []member.Field{{Name: "case", Text: joined(k.Kind, string(k.Reason))}}
			return []member.Entry{e}
		},
	})
}

// maxNote is how long the note on a case may be, in bytes.
const maxNote = 2000

// SawRaw writes down that somebody looked at the bytes of a notice, or took them away.
func (a *Actions) SawRaw(ctx context.Context, c Caller, k notice.Kept) error {
	e := c.entry("notice.raw_seen", "notice", string(k.ID), "")
	e.Merchant, e.Store, e.Mode = k.Merchant, k.Store, k.Mode
	if e.Mode == merchant.Any {
		e.Mode = ""
	}
	return a.Store.Audit(ctx, e)
}

// Ask has the PG asked now where a payment stands (PG에 조회): what it says is written by
// Inquiries in a moment. It reports fault.NotFound for a payment that the caller does not
// see, and fault.Unsupported for one whose PG cannot be asked.
func (a *Actions) Ask(ctx context.Context, c Caller, id payment.ID) error {
	if err := CheckPaymentID(id); err != nil {
		return err
	}
	_, err := a.act(ctx, func(v *view) (notice.Act, error) {
		env := payment.Env{Now: now(), NewID: a.newID}
		return notice.Act{Store: c.Store, ID: id, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
			p, t, err := seen(known, c, id)
			switch {
			case err != nil:
				return notice.Acted{}, err
			case !a.tells(v, p, t):
				return notice.Acted{}, errCannotAsk
			}
			return notice.Acted{Payment: p, Ask: env.Now}, nil
		}, Audit: func(_, after payment.Payment) []member.Entry {
			e := c.entry("payment.asked", "payment", string(after.ID), "")
			e.Mode = after.Mode
			return []member.Entry{e}
		}}, nil
	})
	if err == nil {
		a.asked(now())
	}
	return err
}

var errCannotAsk = fault.Errorf(fault.Unsupported, "the payment's PG cannot be asked where it stands")
