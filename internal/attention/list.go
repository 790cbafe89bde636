package attention

import (
	"context"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A List is what needs a person.
type List struct {
	Items []Item    // the oldest first
	Total int       // of rows; more than there are Items if the list was cut
	At    time.Time // when it was looked
}

// List is what needs a person in a scope at now.
func (d *Desk) List(ctx context.Context, scope Scope, now time.Time) (List, error) {
	all, err := d.settings(ctx)
	if err != nil {
		return List{}, err
	}
	g := &gathering{desk: d, all: all, scope: scope, now: now}
	for _, source := range []func(context.Context) error{
		g.cases, g.refusals, g.failed, g.endpoints, g.channels, g.unnoticed, g.ending, g.outstanding, g.raised,
	} {
		if err := source(ctx); err != nil {
			return List{}, err
		}
	}
	acks, err := d.acks(ctx, scope)
	if err != nil {
		return List{}, err
	}
	list := sorted(fold(acknowledged(g.items, acks)))
	return List{Items: list[:min(len(list), shownAtMost)], Total: len(list), At: now}, nil
}

// acks are what people said of things in the scope.
func (d *Desk) acks(ctx context.Context, scope Scope) ([]Ack, error) {
	list, err := d.Store.Acks(ctx, scope.Merchant, scope.Mode, acksAtMost)
	if err != nil || !scope.Installation {
		return list, err
	}
	more, err := d.Store.Acks(ctx, "", "", acksAtMost)
	return append(list, more...), err
}

// A gathering brings the sources together.
type gathering struct {
	desk  *Desk
	all   *settings.All
	scope Scope
	now   time.Time
	items []Item
}

// add adds a thing, if it is in the scope.
func (g *gathering) add(i Item) {
	if g.scope.Sees(i.Merchant, i.Store) {
		i.Count = max(i.Count, 1)
		g.items = append(g.items, i)
	}
}

// owners are whose things are asked for: the merchant's, and those of nobody.
func (g *gathering) owners() []Scope {
	list := []Scope{{Merchant: g.scope.Merchant, Mode: g.scope.Mode}}
	if g.scope.Installation {
		list = append(list, Scope{})
	}
	return list
}

func (g *gathering) cases(ctx context.Context) error {
	for _, o := range g.owners() {
		list, err := g.desk.Store.Cases(ctx, o.Merchant, o.Mode, casesAtMost)
		if err != nil {
			return err
		}
		for _, c := range list {
			if Kind(c.Kind) == PendingLong && g.now.Sub(c.OpenedAt) < pendingAfter {
				continue
			}
			g.add(Item{
				Kind: Kind(c.Kind), Merchant: o.Merchant, Store: c.Store, Mode: o.Mode, Since: c.OpenedAt, Count: 1 + c.Resends,
				Channel: c.Channel, Case: c.ID, Notice: c.ID, Payment: c.Payment, PaymentID: c.PaymentID, Reason: c.Reason,
			})
		}
	}
	return nil
}

func (g *gathering) refusals(ctx context.Context) error {
	for _, o := range g.owners() {
		list, more, err := g.desk.Store.Refusals(ctx, o.Merchant, o.Mode, g.now.Add(-lookBack))
		if err != nil {
			return err
		}
		for _, r := range list {
			g.add(Item{
				Kind: Kind(r.Verdict), Subject: strings.TrimSpace(r.Peer + " " + string(r.Channel)), Merchant: o.Merchant, Store: r.Store, Mode: o.Mode,
				Since: r.First, Mark: r.Last, Count: r.Count, More: more, Channel: r.Channel, Notice: r.Newest, Peer: r.Peer,
			})
		}
	}
	return nil
}

func (g *gathering) failed(ctx context.Context) error {
	list, more, err := g.desk.Store.FailedDeliveries(ctx, g.scope.Merchant, g.scope.Mode, g.now.Add(-lookBack))
	for _, f := range list {
		subject := string(f.Endpoint)
		if subject == "" {
			subject = f.Target
		}
		g.add(Item{
			Kind: DeliveriesFailed, Subject: string(f.Store) + " " + subject, Merchant: g.scope.Merchant, Store: f.Store, Mode: g.scope.Mode,
			Since: f.First, Mark: f.Last, Count: f.Count, More: more, Endpoint: f.Endpoint, Target: f.Target,
		})
	}
	return err
}

// endpoints adds endpoints that answer no more, or never did, or whose certificate is
// about to end.
func (g *gathering) endpoints(ctx context.Context) error {
	for _, e := range g.all.Endpoints {
		if e.Mode != g.scope.Mode || e.Paused || !g.scope.Sees(e.Merchant, e.Store) || e.Merchant == "" {
			continue
		}
		tries, err := g.desk.Store.Tries(ctx, e.ID)
		if err != nil {
			return err
		}
		i := Item{Subject: string(e.ID), Merchant: e.Merchant, Store: e.Store, Mode: e.Mode, Endpoint: e.ID, Name: e.Name}
		switch webhook.HealthOf(e.Paused, tries, g.now) {
		case webhook.HealthDown:
			i.Kind = EndpointDown
		case webhook.HealthNever:
			i.Kind = EndpointNeverGood
		case webhook.HealthNew, webhook.HealthGood, webhook.HealthFailing, webhook.HealthPaused:
		}
		if i.Kind != "" {
			down := i
			down.Since = tries.Since()
			if down.Mark = tries.LastGood; down.Mark.IsZero() {
				down.Mark = e.CreatedAt
			}
			g.add(down)
		}
		if len(tries.Last) == 0 {
			continue
		}
		ends, err := g.desk.Store.Certificate(ctx, e.ID)
		if err != nil {
			return err
		}
		g.ends(i, CertificateEnding, ends)
	}
	return nil
}

// ends adds something that is about to end.
func (g *gathering) ends(i Item, kind Kind, at time.Time) {
	if at.IsZero() || at.Sub(g.now) > endsWithin {
		return
	}
	i.Kind, i.Ends, i.Since, i.Mark = kind, at, at.Add(-endsWithin), at
	g.add(i)
}

// goneAfter is when nobody is told any more that something has ended.
const goneAfter = 7 * 24 * time.Hour

// ending adds API secrets and keys that are about to expire, or just did.
func (g *gathering) ending(context.Context) error {
	told := func(id, name string, m merchant.ID, s merchant.StoreID, mode merchant.Mode, at time.Time) {
		if mode.Sees(g.scope.Mode) && m == g.scope.Merchant && g.now.Sub(at) < goneAfter {
			g.ends(Item{Subject: id, Merchant: m, Store: s, Mode: g.scope.Mode, Name: name}, SecretEnding, at)
		}
	}
	for _, s := range g.all.APISecrets {
		told(s.ID, s.Name, s.Merchant, s.Store, s.Mode, s.ExpiresAt)
	}
	for _, k := range g.all.APIKeys {
		told(k.ID, k.Key, k.Merchant, k.Store, k.Mode, k.ExpiresAt)
	}
	return nil
}

func (g *gathering) channels(ctx context.Context) error {
	list, err := g.desk.ChannelStates(ctx, g.scope)
	for _, s := range list {
		if s.Setup != Silent {
			continue
		}
		store := s.Channel.Store
		if g.scope.Store != "" {
			store = g.scope.Store // which uses it
		}
		mark := s.Quiet
		if mark.IsZero() {
			mark = s.Overdue.Oldest
		}
		g.add(Item{
			Kind: ChannelSilent, Subject: string(s.Channel.Key), Merchant: s.Channel.Merchant, Store: store, Mode: s.Channel.Mode,
			Since: s.Overdue.Oldest, Mark: mark, Count: s.Overdue.Count, More: s.Overdue.Count == dueAtMost, Channel: s.Channel.Key,
		})
	}
	return err
}

// unnoticed adds accounts that became due on channels that are not silent as a whole.
func (g *gathering) unnoticed(ctx context.Context) error {
	list, more, err := g.desk.Store.Unnoticed(ctx, g.scope.Merchant, g.scope.Mode, g.now.Add(-overdueBack))
	silent := make(map[merchant.ChannelKey]bool)
	for _, i := range g.items {
		silent[i.Channel] = silent[i.Channel] || i.Kind == ChannelSilent
	}
	for _, u := range list {
		if silent[u.Channel] {
			continue
		}
		g.add(Item{
			Kind: DepositOverdue, Subject: string(u.Store) + " " + string(u.Channel), Merchant: g.scope.Merchant, Store: u.Store, Mode: g.scope.Mode,
			Since: u.First, Mark: u.Last, Count: u.Count, More: more, Channel: u.Channel,
		})
	}
	return err
}

// outstanding adds cancellations of which no PG will say what became of them.
func (g *gathering) outstanding(ctx context.Context) error {
	list, err := g.desk.Store.Outstandings(ctx, g.scope.Merchant, g.scope.Mode, outstanding)
	for _, o := range list {
		if o.Due.Sub(g.now) < muteAfter && o.Tries < triesInVain {
			continue
		}
		t, _ := o.Payment.Transaction()
		for _, c := range o.Payment.Cancellations {
			if c.State != payment.CancelRequested {
				continue
			}
			g.add(Item{
				Kind: CancelUnclear, Subject: string(o.Payment.Key) + " " + c.ID, Merchant: o.Payment.Merchant, Store: o.Payment.Store,
				Mode: o.Payment.Mode, Since: c.RequestedAt, Mark: c.RequestedAt, Channel: t.Channel, Payment: o.Payment.Key,
				PaymentID: o.Payment.ID, Part: c.ID,
			})
		}
	}
	return err
}

// raised adds payments that a person is to look at and that no case tells of: what was
// learnt from a PG that was asked.
func (g *gathering) raised(ctx context.Context) error {
	list, err := g.desk.Store.Raised(ctx, g.scope.Merchant, g.scope.Mode, g.now.Add(-lookBack), raisedAtMost)
	seen := make(map[payment.Key]bool)
	for _, e := range list {
		if e.Concern == nil || Kind(e.Concern.Kind) != Listed || e.Payment == "" || e.Concern.Subject != string(e.PaymentID) || seen[e.Payment] {
			continue
		}
		seen[e.Payment] = true
		g.add(Item{
			Kind: PaymentListed, Subject: string(e.Payment), Merchant: e.Merchant, Store: e.Store, Mode: e.Mode, Since: e.At, Mark: e.At,
			Channel: e.Concern.Channel, Payment: e.Payment, PaymentID: e.PaymentID, Reason: payment.Reason(e.Concern.Reason),
		})
	}
	return err
}
