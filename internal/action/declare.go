package action

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
)

// mostDeclared bounds how often a declaration is made anew because someone else
// changed the settings at the same moment.
const mostDeclared = 10

// Declare changes settings of the caller's merchant as settings.Declare does, and
// saves them with a line of the audit log for each thing that differs, in one
// transaction. A Caller without Store may change all of the merchant's; one with a
// Store that store's things alone, and may not assign its channels to others. The
// caller's Mode is not looked at.
//
// It returns what changed, with secrets that were made now and can be read nowhere
// later. It reports fault.Forbidden, and changes nothing, if the file speaks of
// what is not the caller's, whether that exists or not; fault.Invalid,
// fault.Conflict and fault.NotFound as settings.Declare does; and
// fault.Unavailable if the settings keep changing.
func (a *Actions) Declare(ctx context.Context, c Caller, f settings.File, reason string) ([]settings.Change, error) {
	return a.declare(ctx, c.By, reason, func(current settings.All) (settings.File, error) {
		return f, belongs(current, c, f)
	}, func(entries []member.Entry) error { return reaches(c, entries) })
}

// Apply is Declare for who has the installation: of all merchants.
func (a *Actions) Apply(ctx context.Context, by member.By, f settings.File, reason string) ([]settings.Change, error) {
	return a.declare(ctx, by, reason, func(settings.All) (settings.File, error) { return f, nil },
		func([]member.Entry) error { return nil })
}

// declare makes a file of the settings as they are, declares it, and saves what
// comes of it if that is allowed. Both functions may be called more than once.
func (a *Actions) declare(ctx context.Context, by member.By, reason string,
	file func(settings.All) (settings.File, error), allowed func([]member.Entry) error,
) ([]settings.Change, error) {
	for range mostDeclared {
		current, err := a.Store.Settings(ctx)
		if err != nil {
			return nil, err
		}
		if _, undone, _ := current.Settled(now()); undone { // which is no change of the caller's
			if _, err := settle(ctx, a.Store, a.Hash); err != nil {
				return nil, err
			}
			continue
		}
		f, err := file(current)
		if err != nil {
			return nil, err
		}
		at := now()
		next, changes, err := settings.Declare(current, f, a.settingsEnv(at))
		if err != nil {
			return nil, err
		}
		entries := settings.Entries(current, next, by, reason, a.Hash)
		if err := allowed(entries); err != nil {
			return nil, err
		}
		if err := a.Store.SaveSettings(ctx, next, at, entries...); !fault.Is(err, fault.Stale) {
			return changes, err
		}
	}
	return nil, fault.Errorf(fault.Unavailable, "the settings kept changing; try again")
}

func (a *Actions) settingsEnv(at time.Time) settings.Env {
	return settings.Env{
		Now: at, NewID: a.newID, NewUUID4: uuid.NewString, NewSecret: settings.NewSecret, Hash: a.Hash,
		Providers: func(code string) (provider.Info, bool) {
			p, ok := a.Providers(code)
			if !ok || p == nil {
				return provider.Info{}, false
			}
			return p.Info(), true
		},
	}
}

// belongs reports fault.Forbidden if a file speaks of a merchant or store that is
// not the caller's. Whether there is such a one, it does not tell.
func belongs(current settings.All, c Caller, f settings.File) error {
	var company string
	for _, m := range current.Merchants {
		if m.ID == c.Merchant {
			company = m.Name
		}
	}
	if company == "" {
		return fault.Errorf(fault.Forbidden, "the caller belongs to no merchant")
	}
	for _, m := range f.Merchants {
		if m.ID != string(c.Merchant) && (m.ID != "" || m.Name != company) {
			return fault.Errorf(fault.Forbidden, "the declaration speaks of a merchant that is not the caller's")
		}
		if c.Store == "" {
			continue
		}
		if m.ID != "" && m.Name != "" && m.Name != company {
			return fault.Errorf(fault.Forbidden, "the caller is limited to one store, and may not rename the merchant")
		}
		for _, s := range m.Stores {
			if !isStore(current, c.Store, s) {
				return fault.Errorf(fault.Forbidden, "the declaration speaks of a store that the caller is not limited to")
			}
		}
	}
	return nil
}

// ownStore reports fault.NotFound unless the store is one that the caller may change.
func ownStore(current settings.All, c Caller, s merchant.StoreID) error {
	for _, o := range current.Stores {
		if o.ID == s && o.Merchant == c.Merchant && (c.Store == "" || c.Store == s) {
			return nil
		}
	}
	return fault.Errorf(fault.NotFound, "the merchant has no such store")
}

// isStore reports whether a file speaks of a store by its id or name.
func isStore(current settings.All, id merchant.StoreID, f settings.StoreFile) bool {
	if f.ID != "" {
		return f.ID == string(id)
	}
	for _, s := range current.Stores {
		if s.ID == id {
			return f.Name != nil && *f.Name == s.Name
		}
	}
	return false
}

// reaches reports fault.Forbidden if something differs that is not the caller's.
func reaches(c Caller, entries []member.Entry) error {
	for _, e := range entries {
		switch {
		case e.Merchant != c.Merchant, c.Store != "" && e.Store != c.Store:
			return fault.Errorf(fault.Forbidden, "the declaration changes what is not the caller's")
		case c.Store != "" && e.Kind == "channel" && (has(e.Before, "stores") || has(e.After, "stores")):
			return fault.Errorf(fault.Forbidden, "the caller is limited to one store, and may not assign channels to others")
		}
	}
	return nil
}

func has(fields []member.Field, name string) bool {
	for _, f := range fields {
		if f.Name == name {
			return true
		}
	}
	return false
}
