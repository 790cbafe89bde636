package action

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

// AccessTrial is how long a change of the console's address list that shuts out who
// makes it is in force before it undoes itself.
const AccessTrial = 2 * time.Minute

// An AccessEdit is a change of one of a store's address lists.
type AccessEdit struct {
	Store merchant.StoreID
	Scope merchant.AllowScope
	// Add and Remove are blocks or single addresses, as people write them.
	Add, Remove []string
	// Typed is the block written once more, which adding one takes that opens as much
	// as settings.Wide says.
	Typed string
	// Anyway says that the caller knows to be shut out of the console by it.
	Anyway bool
}

// A WideError says that a block opens so much that it has to be typed once more.
type WideError struct{ Block netip.Prefix }

// Error says what it opens.
func (w WideError) Error() string {
	r := settings.Opens(w.Block)
	return fmt.Sprintf("%s opens %s to %s, which are %s addresses: type it once more", w.Block, r.First, r.Last, r.Count)
}

// ErrShutsOut says that a list of the console would not hold the address that the
// caller comes from.
var ErrShutsOut = fault.Errorf(fault.Conflict, "the list would shut out the address that this comes from")

// ErrOnTrial says that a list cannot be changed, since an earlier change of it waits
// to be confirmed.
var ErrOnTrial = fault.Errorf(fault.Conflict, "a change of this list waits to be confirmed, or undoes itself")

// ErrNoTrial says that nothing waits to be confirmed: it was, or has undone itself.
var ErrNoTrial = fault.Errorf(fault.Conflict, "no change of this list waits to be confirmed")

// EditAccess changes an address list of the caller's merchant. If the console's list
// would shut out the address that the caller comes from, it reports ErrShutsOut; with
// Anyway it changes the list, and the change undoes itself at until, AccessTrial from now, unless ConfirmAccess comes first; until is else
// zero. That holds whatever becomes of this process: until is stored with the list.
//
// Besides what Declare reports, it reports a WideError, which is fault.Invalid, and
// ErrOnTrial. Only one block that is wide can be added at a time.
func (a *Actions) EditAccess(ctx context.Context, c Caller, e AccessEdit, reason string) (until time.Time, err error) {
	if err := checkWide(e); err != nil {
		return until, err
	}
	_, err = a.declare(ctx, c.By, reason, func(current settings.All) (settings.File, error) {
		at := now()
		f := e.file(c.Merchant, time.Time{})
		until = time.Time{}
		if err := ownStore(current, c, e.Store); err != nil {
			return f, err
		}
		if len(current.Trials(e.Store, e.Scope, at)) > 0 {
			return f, ErrOnTrial
		}
		next, _, err := settings.Declare(current, f, a.settingsEnv(at))
		if err != nil {
			return f, err
		}
		if e.Scope == merchant.AllowConsole && shutsOut(next, c, at) {
			if !e.Anyway {
				return f, ErrShutsOut
			}
			until = at.Add(AccessTrial)
			f = e.file(c.Merchant, until)
		}
		return f, nil
	}, func(entries []member.Entry) error { return reaches(c, entries) })
	if err != nil {
		return time.Time{}, err
	}
	return until, nil
}

// shutsOut reports whether by these settings the caller could not come where it is.
func shutsOut(all settings.All, c Caller, at time.Time) bool {
	from, _ := netip.ParseAddr(c.By.Address) // what is none is in no list
	return c.By.Kind == member.Person && !all.OpensConsole(c.Merchant, c.Store, from, at).OK
}

func checkWide(e AccessEdit) error {
	for _, text := range e.Add {
		block, err := settings.ParseBlock(text)
		if err != nil {
			return err
		}
		if settings.Wide(block) && e.Typed != block.String() {
			return fault.Errorf(fault.Invalid, "%w", WideError{block})
		}
	}
	return nil
}

// file declares the edit, on trial until a time or, if that is zero, for good.
func (e AccessEdit) file(m merchant.ID, until time.Time) settings.File {
	s := settings.StoreFile{ID: string(e.Store)}
	line := func(block string, absent bool) settings.AllowFile {
		return settings.AllowFile{Scope: string(e.Scope), CIDR: block, Absent: absent, Until: until}
	}
	for _, block := range e.Add {
		s.Allows = append(s.Allows, line(block, false))
	}
	for _, block := range e.Remove {
		s.Allows = append(s.Allows, line(block, true))
	}
	return settings.File{Merchants: []settings.MerchantFile{{ID: string(m), Stores: []settings.StoreFile{s}}}}
}

// ConfirmAccess makes the changes of a store's list that are on trial last. The
// address that the caller comes from must be one that the list holds then: it
// reports fault.Forbidden if not, and ErrNoTrial if nothing is on trial.
func (a *Actions) ConfirmAccess(ctx context.Context, c Caller, s merchant.StoreID, scope merchant.AllowScope) error {
	return a.endTrial(ctx, c, s, scope, func(current settings.All, trials []merchant.Allow, at time.Time) (add, remove []merchant.Allow, err error) {
		if shutsOut(current, c, at) {
			return nil, nil, fault.Errorf(fault.Forbidden, "the list does not hold the address that this comes from")
		}
		for _, w := range trials {
			if w.Trial == merchant.Coming {
				add = append(add, w)
			} else {
				remove = append(remove, w)
			}
		}
		return add, remove, nil
	})
}

// UndoAccess undoes at once what is on trial of a store's list. It reports ErrNoTrial
// if nothing is.
func (a *Actions) UndoAccess(ctx context.Context, c Caller, s merchant.StoreID, scope merchant.AllowScope) error {
	return a.endTrial(ctx, c, s, scope, func(_ settings.All, trials []merchant.Allow, _ time.Time) (add, remove []merchant.Allow, err error) {
		for _, w := range trials {
			if w.Trial == merchant.Coming {
				remove = append(remove, w)
			} else {
				add = append(add, w)
			}
		}
		return add, remove, nil
	})
}

// endTrial declares for good which lines on trial stay and which go.
func (a *Actions) endTrial(ctx context.Context, c Caller, s merchant.StoreID, scope merchant.AllowScope,
	end func(settings.All, []merchant.Allow, time.Time) (add, remove []merchant.Allow, err error),
) error {
	_, err := a.declare(ctx, c.By, "", func(current settings.All) (settings.File, error) {
		at := now()
		trials := current.Trials(s, scope, at)
		e := AccessEdit{Store: s, Scope: scope}
		if err := ownStore(current, c, s); err != nil {
			return settings.File{}, err
		}
		if len(trials) == 0 {
			return settings.File{}, ErrNoTrial
		}
		add, remove, err := end(current, trials, at)
		for _, w := range add {
			e.Add = append(e.Add, w.CIDR.String())
		}
		for _, w := range remove {
			e.Remove = append(e.Remove, w.CIDR.String())
		}
		return e.file(c.Merchant, time.Time{}), err
	}, func(entries []member.Entry) error { return reaches(c, entries) })
	return err
}
