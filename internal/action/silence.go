package action

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A SilenceStore is where it is written that people were told of a silent channel.
type SilenceStore interface {
	// TellOnce gives attention of a kind, unless some was given at or after since.
	TellOnce(ctx context.Context, kind string, since time.Time, e webhook.Emission) (told bool, err error)
	// Settings returns the settings as they are now.
	Settings(ctx context.Context) (settings.All, error)
}

// Silence tells of channels that fell silent (조용함): accounts became due, and no
// notice of any kind came since the oldest of them was issued. It tells once of each
// silence: by tongbo.attention of the kind "silent" to the endpoints that want it,
// and in the log. Store and Desk are required; the fields must not change while it
// runs.
//
// It sleeps until Look names a channel, and looks at all of them when it starts and
// once in a while. Several may run on several machines.
type Silence struct {
	Store SilenceStore
	Desk  *attention.Desk
	// Idle is how often all channels are looked at; zero means one hour.
	Idle time.Duration
	// Log hears of silent channels, and when the store fails. Nil logs nothing.
	Log *slog.Logger
	// NewID makes ids of events and deliveries; nil makes UUIDv7s.
	NewID func() string

	alarm alarm
	mu    sync.Mutex
	named map[merchant.ChannelKey]bool // to be looked at
}

// silenceKind begins the kind of attention that a silent channel is.
const silenceKind = "silent/"

// Look has a channel looked at soon: an account of it became due. It never blocks
// and is safe from any goroutine.
func (s *Silence) Look(c merchant.ChannelKey) {
	s.mu.Lock()
	if s.named == nil {
		s.named = make(map[merchant.ChannelKey]bool)
	}
	s.named[c] = true
	s.mu.Unlock()
	s.alarm.set(time.Unix(0, 0))
}

// Run looks until ctx ends, and returns nil. If the store fails it tries again for
// ever. Only one Run may be active at a time.
func (s *Silence) Run(ctx context.Context) error {
	idle := s.Idle
	if idle <= 0 {
		idle = longestIdle
	}
	var pause time.Duration
	var all time.Time // when all channels are looked at again
	for ctx.Err() == nil {
		s.alarm.forget()
		at := now()
		err := s.round(ctx, !at.Before(all))
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if pause == 0 {
				s.log().ErrorContext(ctx, "silent channels are not looked for now", "err", err)
			}
			pause = min(max(2*pause, firstPause), lastPause)
			s.alarm.set(at.Add(pause))
		default:
			pause = 0
			if !at.Before(all) {
				all = at.Add(idle)
			}
		}
		s.alarm.sleep(ctx, max(time.Until(all), pause))
	}
	return nil
}

func (s *Silence) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// round looks at the channels that were named, or at all of them.
func (s *Silence) round(ctx context.Context, all bool) error {
	set, err := s.Store.Settings(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	named := s.named
	s.named = nil
	s.mu.Unlock()
	for _, c := range set.Channels {
		if c.Disabled || !all && !named[c.Key] {
			continue
		}
		if err := s.look(ctx, set, c); err != nil {
			for key := range named {
				s.Look(key)
			}
			return err
		}
	}
	return nil
}

// look looks at one channel, and tells if it is silent.
func (s *Silence) look(ctx context.Context, set settings.All, c merchant.Channel) error {
	state, err := s.Desk.ChannelState(ctx, c.Key)
	if fault.Is(err, fault.NotFound) {
		return nil // it was deleted meanwhile
	}
	if err != nil || state.Setup != attention.Silent {
		return err
	}
	em, err := set.Planner(func() string { return idFrom(s.NewID) }).Plan(webhook.Event{
		ID: webhook.EventID(idFrom(s.NewID)), Type: webhook.Attention, At: now(), Merchant: c.Merchant, Store: c.Store, Mode: c.Mode,
		Concern: &webhook.Concern{Kind: string(attention.ChannelSilent), Reason: "no_notice", Channel: c.Key, Subject: string(c.Key)},
	}, nil)
	if err != nil {
		return err
	}
	told, err := s.Store.TellOnce(ctx, silenceKind+string(c.Key), state.Quiet, em)
	if told {
		s.log().WarnContext(ctx, "a channel is silent: accounts became due and no notice came since they were issued", "channel", c.Key,
			"provider", c.Provider, "accounts", state.Overdue.Count, "since", state.Overdue.Oldest)
	}
	return err
}
