package action

import (
	"context"
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A KeyStore is where billing keys are kept. Its methods are safe for concurrent
// use.
type KeyStore interface {
	// BillingKey reports payment.ErrNoKey if there is none that the mode sees.
	BillingKey(ctx context.Context, s merchant.StoreID, id payment.BillingKeyID, sees merchant.Mode) (payment.BillingKey, error)
	// AddBillingKey writes a key, unless there is one of the id: that is returned.
	AddBillingKey(ctx context.Context, k payment.BillingKey) (known payment.BillingKey, added bool, err error)
	// ChangeBillingKey changes a key as do says; see the store's.
	ChangeBillingKey(ctx context.Context, id payment.BillingKeyID, do func(payment.BillingKey) (payment.BillingKey, []webhook.Emission, error), audit ...func(payment.BillingKey) []member.Entry) (payment.BillingKey, error)
}

// A KeyRequest asks for a billing key of a card.
type KeyRequest struct {
	Channel    merchant.ChannelKey
	Card       provider.Card
	Customer   payment.Customer
	CustomData string
	NoticeURLs []string
	Quiet      bool // its success is told to no endpoint
	// IDs name the key, so that the same request run again finds it; nil: each run
	// is a request of its own.
	IDs payment.IDs
}

// IssueKey has the channel's PG issue a billing key (빌링키 발급) for a card, on test
// channels alone: else it is fault.Unsupported. The key is written down before the PG
// is called, and its outcome after; no money moves, so one whose answer was lost is
// never usable, and another may be issued. A key that an earlier run of the request had
// issued is returned as it is by now, which may be deleted.
//
// It reports what Charge does of channels, and *PGError.
func (a *Actions) IssueKey(ctx context.Context, c Caller, r KeyRequest) (payment.BillingKey, error) {
	at := now()
	known, id, made, err := a.madeKey(ctx, c, r.IDs, at)
	if made || err != nil {
		return known, err
	}
	if err := prepareKey(r); err != nil {
		return payment.BillingKey{}, err
	}
	ch, p, err := a.keyChannel(ctx, c, r.Channel)
	if err != nil {
		return payment.BillingKey{}, err
	}
	issuer, ok := p.(provider.KeyIssuer)
	switch {
	case ch.Mode != merchant.Test:
		return payment.BillingKey{}, errCardNumber
	case !ok:
		return payment.BillingKey{}, cannot(p, "issues billing keys")
	}
	k := payment.BillingKey{
		ID: id, Merchant: c.Merchant, Store: c.Store, Mode: ch.Mode, Channel: ch.Key, State: payment.KeyReady,
		Customer: r.Customer, CustomData: r.CustomData, NoticeURLs: r.NoticeURLs, RequestedAt: at, ChangedAt: at,
	}
	order := provider.KeyOrder{Card: r.Card, Customer: r.Customer, Key: customerOf(k.ID)}
	if err := issuer.CheckIssueKey(a.access(ch).Channel, order); err != nil {
		return payment.BillingKey{}, err
	}
	known, _, err = a.Store.AddBillingKey(ctx, k)
	if err != nil || known.State == payment.KeyIssued {
		return known, err // by an earlier run
	}
	ctx = context.WithoutCancel(ctx) // begun is to be ended
	calling, cancel := inTime(ctx, at)
	defer cancel()
	got, err := issuer.IssueKey(calling, a.access(ch), order)
	return a.keyIssued(ctx, k.ID, got, pgError(err), r.Quiet)
}

// keyChannel finds the channel of a caller's billing keys with the PG's module.
func (a *Actions) keyChannel(ctx context.Context, c Caller, key merchant.ChannelKey) (merchant.Channel, provider.Provider, error) {
	var ch merchant.Channel
	var p provider.Provider
	err := a.viewed(ctx, func(v *view) (err error) {
		ch, p, err = a.use(v, c, key)
		return err
	})
	return ch, p, err
}

// viewed does something by the settings, anew if newer ones might allow it.
func (a *Actions) viewed(ctx context.Context, by func(*view) error) error {
	for fresh := false; ; fresh = true {
		v, err := a.views.Get(ctx, a.load)
		if err == nil {
			err = by(v)
		}
		if err == nil || fresh || !ofSettings(err) {
			return err
		}
		a.views.Refresh()
	}
}

// keyIssued writes what became of an issue, and tells of it if that is new. One that is
// unclear stays READY: nobody has its key.
func (a *Actions) keyIssued(ctx context.Context, id payment.BillingKeyID, got provider.KeyIssued, failed error, quiet bool) (payment.BillingKey, error) {
	unclear := isUnclear(failed)
	k, err := a.changeKey(ctx, keyChange{id: id, quiet: quiet && failed == nil}, func(k payment.BillingKey, at time.Time) (payment.BillingKey, webhook.Type, error) {
		switch {
		case k.State != payment.KeyReady && k.State != payment.KeyFailed:
			return k, "", nil // another run of the request was quicker
		case unclear, failed != nil && k.State == payment.KeyFailed:
			return k, "", nil
		case failed != nil:
			k.State, k.ChangedAt = payment.KeyFailed, at
			return k, webhook.BillingKeyFailed, nil
		}
		k.State, k.PGKey, k.Card, k.ChangedAt, k.IssuedAt = payment.KeyIssued, got.Key, got.Card, at, stored(got.At)
		if k.IssuedAt.IsZero() {
			k.IssuedAt = at
		}
		return k, webhook.BillingKeyIssued, nil
	})
	if failed != nil {
		return k, failed
	}
	return k, unwritten(err)
}

// A keyChange is a change of a billing key, with what the audit log calls what the
// caller does by it.
type keyChange struct {
	id    payment.BillingKeyID
	quiet bool
	by    Caller
	what  string
}

// changeKey changes a key, and tells of the event that change names.
func (a *Actions) changeKey(ctx context.Context, x keyChange, change func(payment.BillingKey, time.Time) (payment.BillingKey, webhook.Type, error)) (payment.BillingKey, error) {
	v, err := a.views.Get(ctx, a.load)
	if err != nil {
		return payment.BillingKey{}, err
	}
	var before payment.BillingKey
	return a.Store.ChangeBillingKey(ctx, x.id, func(k payment.BillingKey) (payment.BillingKey, []webhook.Emission, error) {
		at := now()
		before = k
		k, event, err := change(k, at)
		if err != nil || event == "" {
			return k, nil, err
		}
		e := webhook.KeyEventOf(k, event, at, a.newID())
		out := webhook.Emission{Event: e}
		if !x.quiet {
			if planned, err := v.planner.Plan(e, k.NoticeURLs); err == nil {
				out = planned
			}
		}
		return k, []webhook.Emission{out}, nil
	}, x.by.onKey(x.what, &before))
}

// DeleteKey has the PG delete a billing key, and returns when it did. From when it is
// asked on the key charges nothing. If the PG's answer is lost, asking again ends it.
//
// It reports payment.ErrNoKey, payment.ErrKeyNotIssued, payment.ErrKeyDeleted,
// payment.ErrKeyScheduled, and *PGError.
func (a *Actions) DeleteKey(ctx context.Context, c Caller, id payment.BillingKeyID, quiet bool) (time.Time, error) {
	k, err := a.Store.BillingKey(ctx, c.Store, id, c.Mode)
	if err != nil {
		return time.Time{}, err
	}
	ch, p, err := a.keyChannel(ctx, c, k.Channel)
	if err != nil {
		return time.Time{}, err
	}
	issuer, ok := p.(provider.KeyIssuer)
	if !ok {
		return time.Time{}, cannot(p, "deletes billing keys")
	}
	begun, again := now(), false
	if _, err := a.changeKey(ctx, keyChange{id: id, quiet: true, by: c, what: "billing_key.delete_asked"}, func(k payment.BillingKey, at time.Time) (payment.BillingKey, webhook.Type, error) {
		switch k.State {
		case payment.KeyDeleted:
			return k, "", payment.ErrKeyDeleted
		case payment.KeyReady, payment.KeyFailed:
			return k, "", payment.ErrKeyNotIssued
		case payment.KeyIssued, payment.KeyDeleting:
		}
		again = k.State == payment.KeyDeleting
		k.State = payment.KeyDeleting
		return k, "", nil
	}); err != nil {
		return time.Time{}, err
	}
	ctx = context.WithoutCancel(ctx) // begun is to be ended
	calling, cancel := inTime(ctx, begun)
	defer cancel()
	at, err := issuer.DeleteKey(calling, a.access(ch), provider.BillingKey{Key: k.PGKey, Customer: customerOf(id)})
	failed := pgError(err)
	if _, no := errors.AsType[*provider.DeclinedError](err); no && again || fault.Is(err, fault.Unsupported) {
		failed = nil // it was asked before, and has the key no more, or cannot delete it
	}
	if isUnclear(failed) || again && failed != nil {
		return time.Time{}, failed // it stays DELETING: the PG may have done what it was asked
	}
	x := keyChange{id: id, quiet: quiet, by: c, what: "billing_key.deleted"}
	if failed != nil {
		x.what = "billing_key.delete_refused"
	}
	return a.keyDeleted(ctx, x, at, failed)
}

// keyDeleted writes what became of a deletion that is not unclear.
func (a *Actions) keyDeleted(ctx context.Context, x keyChange, told time.Time, failed error) (time.Time, error) {
	k, err := a.changeKey(ctx, x, func(k payment.BillingKey, at time.Time) (payment.BillingKey, webhook.Type, error) {
		switch {
		case k.State != payment.KeyDeleting:
			return k, "", nil
		case failed != nil:
			k.State = payment.KeyIssued
			return k, "", nil
		}
		k.State, k.PGKey, k.ChangedAt, k.DeletedAt = payment.KeyDeleted, "", at, stored(told)
		if k.DeletedAt.IsZero() {
			k.DeletedAt = at
		}
		return k, webhook.BillingKeyDeleted, nil
	})
	if failed != nil {
		return time.Time{}, failed
	}
	return k.DeletedAt, unwritten(err)
}

// prepareKey checks a request for all that needs no settings.
func prepareKey(r KeyRequest) error {
	return first(
		checkText("channelKey", string(r.Channel), 1, maxName), checkCard(r.Card), checkCustomer(r.Customer),
		checkNoticeURLs(r.NoticeURLs), checkCustomData(r.CustomData),
	)
}
