package attention

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
)

// A ChannelStore tells what happened on channels. Its methods are safe for
// concurrent use, and bounded whatever the size of the store.
type ChannelStore interface {
	// Heard are the last n notices of a channel, the newest first.
	Heard(ctx context.Context, c merchant.ChannelKey, n int) ([]Heard, error)
	// Decided are up to n notices of a channel that were applied or recorded, in no
	// order and of any age.
	Decided(ctx context.Context, c merchant.ChannelKey, n int) ([]Heard, error)
	// Overdue tells of accounts of a channel that were issued after a time, and
	// whose deadline passed without money; of up to most of them.
	Overdue(ctx context.Context, c merchant.ChannelKey, after time.Time, most int) (Overdue, error)
	// Settings are the settings as they are now.
	Settings(ctx context.Context) (settings.All, error)
}

// A Desk reads what needs a person. Store and Providers are required; the fields
// must not change once it is in use. Its methods are safe for concurrent use.
type Desk struct {
	Store Store
	// Providers finds the PG modules of this build.
	Providers func(code string) (provider.Provider, bool)

	views  settings.Cache[settings.All]
	mu     sync.Mutex
	counts map[Scope]*count
}

// Refresh makes the desk see the settings as they are then. It does not block.
func (d *Desk) Refresh() { d.views.Refresh() }

func (d *Desk) settings(ctx context.Context) (*settings.All, error) {
	return d.views.Get(ctx, func(ctx context.Context) (*settings.All, error) {
		all, err := d.Store.Settings(ctx)
		return &all, err
	})
}

// How many requests of a channel are looked at: the last ones, more of them if
// none was the PG's own, and some that were decided whenever that was.
const (
	heardAtOnce   = 20
	heardAtMost   = 500
	decidedAtMost = 100
	dueAtMost     = 1000
)

// ChannelStates says how far the channels of a scope are set up, ordered by name;
// disabled ones are among them. It reads some rows of each.
func (d *Desk) ChannelStates(ctx context.Context, scope Scope) (list []ChannelState, err error) {
	all, err := d.settings(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all.Channels {
		if !scope.holds(c) {
			continue
		}
		s, err := d.state(ctx, c)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b ChannelState) int {
		return cmp.Or(cmp.Compare(a.Channel.Name, b.Channel.Name), cmp.Compare(a.Channel.Key, b.Channel.Key))
	})
	return list, nil
}

// ChannelState says how far one channel is set up. It reports fault.NotFound if
// there is none of that key.
func (d *Desk) ChannelState(ctx context.Context, key merchant.ChannelKey) (ChannelState, error) {
	all, err := d.settings(ctx)
	if err != nil {
		return ChannelState{}, err
	}
	i := slices.IndexFunc(all.Channels, func(c merchant.Channel) bool { return c.Key == key })
	if i < 0 {
		return ChannelState{}, fault.Errorf(fault.NotFound, "there is no channel %q", string(key))
	}
	c := all.Channels[i]
	return d.state(ctx, c)
}

// state reads the facts of one channel.
func (d *Desk) state(ctx context.Context, c merchant.Channel) (ChannelState, error) {
	p, known := d.Providers(c.Provider)
	if !known {
		return ChannelState{Channel: c, Setup: Draft, AskedAt: c.AskedAt}, nil
	}
	f := ChannelFacts{AskedAt: c.AskedAt}
	var err error
	if f.Newest, err = d.Store.Heard(ctx, c.Key, heardAtOnce); err != nil {
		return ChannelState{}, err
	}
	if s := StateOf(p, c, f); len(f.Newest) == heardAtOnce && (s.Applied.IsZero() || s.Last.IsZero()) {
		if f.Newest, err = d.Store.Heard(ctx, c.Key, heardAtMost); err != nil {
			return ChannelState{}, err
		}
		if f.Decided, err = d.Store.Decided(ctx, c.Key, decidedAtMost); err != nil {
			return ChannelState{}, err
		}
	}
	if f.Overdue, err = d.Store.Overdue(ctx, c.Key, lastSent(f.Newest), dueAtMost); err != nil {
		return ChannelState{}, err
	}
	return StateOf(p, c, f), nil
}
