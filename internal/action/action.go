// Package action holds the verbs that a merchant's server or a person may do,
// each checked before it touches anything: [Actions.RegisterAccount],
// [Actions.Issue], [Actions.Charge], [Actions.Schedule], [Actions.Cancel],
// [Actions.Close], [Actions.EndCancel], [Actions.TakeOver], [Actions.Deposit],
// [Actions.Preregister], [Actions.Resend], [Actions.Replay], [Actions.Link],
// [Actions.DepositByHand], [Actions.CloseCase], [Actions.Login], [Actions.OpenCheckout],
// [Actions.TryPath], [Actions.Declare] and others. What time does is
// done by [Deadlines], which flags payments whose deadline has passed, by [Schedules],
// which charges what is scheduled, by [Inquiries], which asks PGs what became of what
// they were asked for, by [Sweeps], which asks them about money that no notice told of,
// and by [History], which prunes.
package action

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Store is what the verbs are done to. Its methods are safe for concurrent
// use.
type Store interface {
	// Register writes a registration, decided as the second argument says. It
	// reports fault.Stale if that goes by settings that are no longer in force,
	// and fault.Conflict if the payment does not allow it.
	Register(ctx context.Context, g payment.Registration, r notice.Registering) (p payment.Payment, changed bool, err error)
	// Resend sends a webhook of a payment once more; an empty id means the
	// latest. It reports fault.NotFound if there is none.
	Resend(ctx context.Context, k payment.Key, id webhook.DeliveryID, now time.Time, audit ...func(webhook.Delivery) []member.Entry) (webhook.Delivery, error)
	// Audit adds to the audit log what changes nothing else; nothing of the zero By.
	Audit(ctx context.Context, entries ...member.Entry) error
	// Payment reports fault.NotFound if there is none that the mode sees.
	Payment(ctx context.Context, s merchant.StoreID, id payment.ID, sees merchant.Mode) (payment.Payment, error)
	// NextGeneration raises the generation of an API secret, which ends its
	// refresh tokens, and returns the new one. If from is 0 or more and no
	// longer the generation, it reports fault.Conflict and changes nothing.
	NextGeneration(ctx context.Context, id string, from int64) (int64, error)
	// RenewToken returns the token that a V1 key has at now, under a name made of it;
	// see merchant.KeyToken.Renew. It reports fault.NotFound if there is no such key
	// whose secret has the hash.
	RenewToken(ctx context.Context, id, hash string, now time.Time, named func(merchant.KeyToken) string) (merchant.KeyToken, error)
	// Act changes one payment; see notice.Act. It reports fault.Stale if the
	// settings are no longer in force.
	Act(ctx context.Context, a notice.Act) (payment.Payment, error)
	// Settings returns the settings as they are now.
	Settings(ctx context.Context) (settings.All, error)
	// SaveSettings makes next the settings and writes the entries, in one
	// transaction. It reports fault.Stale if next was made of older ones.
	SaveSettings(ctx context.Context, next settings.All, now time.Time, entries ...member.Entry) error
	// BeginRepeat and EndRepeat keep a request from being run twice; see the
	// store's.
	BeginRepeat(ctx context.Context, r merchant.Repeatable, now, until time.Time) (merchant.KeptAnswer, error)
	EndRepeat(ctx context.Context, r merchant.Repeatable, answer *merchant.KeptAnswer) error
	// Redecide decides a notice at a person's wish; see the store's.
	Redecide(ctx context.Context, x notice.Redecision) (notice.Redecided, error)
	// CloseCase ends a case at a person's wish; see the store's.
	CloseCase(ctx context.Context, x notice.CaseClosing) (notice.Case, error)
	KeyStore
	WebhookStore
	ScheduleStore
	// Acknowledge keeps what a person said of something that needs one; see the store's.
	Acknowledge(ctx context.Context, a attention.Ack, entries ...member.Entry) error
	RehearsalStore
	PathStore
	CheckoutStore
	// Preregister keeps what is fixed of a payment that has not begun. It reports
	// payment.ErrAlreadyPaid and payment.ErrBegun.
	Preregister(ctx context.Context, s merchant.StoreID, id payment.ID, mode merchant.Mode, x payment.Pin, now time.Time) error
	// Prepare is Preregister if something was fixed before and again is true, or
	// nothing was and it is not. Else it reports payment.ErrPinnedBefore or
	// payment.ErrNotPinned.
	Prepare(ctx context.Context, s merchant.StoreID, id payment.ID, mode merchant.Mode, x payment.Pin, again bool, now time.Time) error
}

// A Caller is on whose behalf a verb is done: a store of a merchant, and the
// mode that the credential sees.
type Caller struct {
	Merchant merchant.ID
	Store    merchant.StoreID
	Mode     merchant.Mode
	// By is who does it. What is done goes into the audit log with that name, in the
	// transaction that changes it; the zero By leaves nothing there.
	By member.By
}

// Actions does the verbs. Store, Judge and Providers are required; the fields
// must not change once it is in use. Its methods are safe for concurrent use.
type Actions struct {
	Store Store
	// Judge makes what decides on notices that waited for a registration.
	Judge func(settings.All) notice.Judge
	// Again makes what admits kept notices once more, and ByHand the notice of money
	// that a person enters: ingress has both. Verbs about notices need them.
	Again  func(settings.All) func(notice.Kept) notice.Inbound
	ByHand func(merchant.Channel, payment.Transaction, notice.HandWord) (notice.Inbound, error)
	// Providers finds the PG modules of this build.
	Providers func(code string) (provider.Provider, bool)
	// Hash is the installation's keyed hash, for the verbs that change settings.
	Hash func(purpose, value string) string
	// Registered, if set, is told the deadline of each account that was
	// registered: Deadlines.Sooner belongs here.
	Registered func(deadline time.Time)
	// HTTP calls PGs, for the verbs that need one. It follows no redirect.
	HTTP *http.Client
	// Asked, if set, is told when the PG is to be asked about a payment:
	// Inquiries.Sooner belongs here.
	Asked func(due time.Time)
	// Trial, if set, makes what plays a module's PG for channels on trial.
	Trial func(provider.Provider) provider.Provider
	// Notify, if set, gives a notice to the ingress as this machine would send it,
	// and returns the answer and what became of it.
	Notify func(context.Context, notice.Request) (provider.Reply, notice.Result, error)
	// NotifyFrom, if set, is Notify for a notice that seems to come from an address.
	NotifyFrom func(context.Context, netip.Addr, notice.Request) (provider.Reply, notice.Result, error)
	// Own, if set, is a client that reaches this server's own address, and that
	// address, for where nobody said how PGs reach it; empty while it listens nowhere.
	Own func() (*http.Client, string)
	// PublicURL is how PGs reach this server, without a slash at the end; empty if
	// nobody said.
	PublicURL string
	// Scheduled, if set, is told when a payment is to be charged: Schedules.Sooner
	// belongs here.
	Scheduled func(due time.Time)
	// Resending, if set, is told that webhooks are to be sent again: Resends.Wake
	// belongs here.
	Resending func()
	// Shops, if set, is the client that asks shops by their confirmUrl: one that refuses
	// private addresses. Nil: HTTP is.
	Shops *http.Client
	// PrivateShops says that private addresses are called, too: by Shops, and for webhooks.
	// Then the pages of strangers name none that the merchant did not.
	PrivateShops bool
	// Windows, if set, bounds how many windows are opened from one address of one store:
	// Take does something once under a name, unless it says how long to wait first.
	Windows interface {
		Take(name string, now time.Time) (wait time.Duration)
	}
	// Diagnose, if set, has the text that says what is wrong with a try of a webhook: its
	// key, and what fills it. It reports false if there is nothing to say.
	Diagnose func(webhook.Attempt) (key string, args []any, found bool)
	// NewID makes ids; nil makes UUIDv7s.
	NewID func() string
	// Log, if set, hears what a person is to see.
	Log *slog.Logger

	views      settings.Cache[view]
	rehearsals turns
	watch      lookout
	answers    answerCount
	capped     capLog
}

// A view is the settings as the verbs use them. It is kept between calls: the
// store refuses what was decided by an old one.
type view struct {
	version  int64
	channels merchant.Directory
	planner  webhook.Planner
	judge    notice.Judge
	again    func(notice.Kept) notice.Inbound
	all      settings.All
	askable  map[merchant.ChannelKey]bool // whose PG can be asked
}

// mostTries bounds how often a verb is decided anew because the settings keep
// changing.
const mostTries = 5

func (a *Actions) newID() string { return idFrom(a.NewID) }

// idFrom makes an id with the function, or a UUIDv7 if there is none.
func idFrom(newID func() string) string {
	if newID != nil {
		return newID()
	}
	return uuid.Must(uuid.NewV7()).String()
}

// Refresh says that the settings may have changed. It does not block.
func (a *Actions) Refresh() { a.views.Refresh() }

// load makes a view of the settings as they are now.
func (a *Actions) load(ctx context.Context) (*view, error) {
	all, err := a.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{
		version: all.Version, channels: all.Directory(), planner: all.Planner(a.newID), judge: a.Judge(all), all: all,
		askable: askable(all, a.Providers),
	}
	if a.Again != nil {
		v.again = a.Again(all)
	}
	return v, nil
}

// askable are the channels in use whose PG can be asked where a payment stands.
func askable(all settings.All, providers func(string) (provider.Provider, bool)) map[merchant.ChannelKey]bool {
	out := make(map[merchant.ChannelKey]bool)
	for _, c := range all.Channels {
		if p, ok := providers(c.Provider); ok && !c.Disabled && provider.CanBeAsked(p, c) {
			out[c.Key] = true
		}
	}
	return out
}

// RegisterAccount makes known a virtual account that the merchant had issued
// by the PG itself, so that its deposit notice finds it. The registration's
// Merchant, Store and Mode are filled in from the caller and the channel. A
// deposit that came first is applied in the same transaction.
//
// changed is false if the same registration was made before. It reports
// fault.Invalid for input that cannot be right, fault.NotFound for a channel
// that the store cannot use, fault.Forbidden for one of a mode that the caller
// does not see, fault.Unsupported for one of a PG that this build does not
// know, and fault.Conflict as payment.Register does.
func (a *Actions) RegisterAccount(ctx context.Context, c Caller, g payment.Registration) (p payment.Payment, changed bool, err error) {
	return a.registered(ctx, c, registering{Registration: g, audit: c.onPayment("payment.registered", "")})
}

// TakeOver is RegisterAccount for an account that waits already, and that the
// merchant was told of elsewhere: no webhook tells of its issue. A dry one writes
// nothing, and returns what would come of it.
func (a *Actions) TakeOver(ctx context.Context, c Caller, g payment.Registration, dry bool) (p payment.Payment, changed bool, err error) {
	return a.registered(ctx, c, registering{Registration: g, quiet: true, dry: dry, audit: c.onPayment("payment.taken_over", "")})
}

// A registering is a registration with how it is done.
type registering struct {
	payment.Registration
	quiet bool // no webhook of the issue
	dry   bool // nothing is written
	audit func(before, after payment.Payment) []member.Entry
}

func (a *Actions) registered(ctx context.Context, c Caller, g registering) (p payment.Payment, changed bool, err error) {
	if err := prepare(&g.Registration); err != nil {
		return p, false, err
	}
	var v *view
	fresh := false
	for range mostTries {
		if v, err = a.views.Get(ctx, a.load); err != nil {
			return p, false, err
		}
		p, changed, err = a.register(ctx, v, c, g)
		switch {
		case err == nil && g.dry:
			return p, changed, nil
		case err == nil:
			a.note(p)
			return p, changed, nil
		case fault.Is(err, fault.Stale), !fresh && ofSettings(err):
			a.views.Refresh() // what is kept from now on is read after this
			fresh = true
		default:
			return p, false, err
		}
	}
	if fault.Is(err, fault.Stale) {
		err = fault.Errorf(fault.Unavailable, "register account: %w", err)
	}
	return p, false, err
}

// note tells of the deadline of a payment that waits for it.
func (a *Actions) note(p payment.Payment) {
	if deadline := p.Deadline(); a.Registered != nil && !deadline.IsZero() && !p.Expired {
		a.Registered(deadline)
	}
}

func (a *Actions) asked(due time.Time) {
	if a.Asked != nil {
		a.Asked(due)
	}
}

// ofSettings reports whether newer settings might allow what was refused.
func ofSettings(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.Unsupported)
}

// register does one registration by one version of the settings.
func (a *Actions) register(ctx context.Context, v *view, c Caller, g registering) (payment.Payment, bool, error) {
	ch, err := a.channel(v, c, g.Channel)
	if err != nil {
		return payment.Payment{}, false, err
	}
	if p, _ := a.Providers(ch.Provider); p != nil && p.Info().Wallet != nil {
		return payment.Payment{}, false, fault.Errorf(fault.Unsupported, "%s has no virtual accounts: nobody would hear of a deposit", p.Info().Name.EN)
	}
	g.Merchant, g.Store, g.Mode = c.Merchant, c.Store, ch.Mode
	at := now()
	return a.Store.Register(ctx, g.Registration, notice.Registering{
		Version: v.version,
		Dry:     g.dry,
		Audit:   g.audit,
		Env:     payment.Env{Now: at, NewID: a.newID},
		Judge:   v.judge,
		Announce: func(p payment.Payment) ([]webhook.Emission, error) {
			t, _ := p.Transaction()
			e := webhook.EventOf(p, payment.Transition{Change: payment.ChangeIssued, Transaction: t.ID}, at, a.newID())
			if g.quiet {
				return []webhook.Emission{{Event: e}}, nil
			}
			out, err := v.planner.Plan(e, p.NoticeURLs)
			return []webhook.Emission{out}, err
		},
	})
}

// channel finds a channel that the caller may register accounts of.
func (a *Actions) channel(v *view, c Caller, key merchant.ChannelKey) (merchant.Channel, error) {
	ch, ok := v.channels.Channel(key)
	if !ok || ch.Merchant != c.Merchant || !ch.UsedBy(c.Store) {
		return ch, fault.Errorf(fault.NotFound, "the store has no channel %q in use", string(key))
	}
	if !c.Mode.Sees(ch.Mode) {
		return ch, fault.Errorf(fault.Forbidden, "channel %q is a %s channel; the credential is for %s payments", string(key), ch.Mode, c.Mode)
	}
	if _, ok := a.Providers(ch.Provider); !ok {
		return ch, fault.Errorf(fault.Unsupported, "channel %q belongs to %q, which this build does not know", string(key), ch.Provider)
	}
	return ch, nil
}

// Resend sends a webhook of a payment once more: the same id and body, one
// try. The id is as receivers see it; empty means the payment's latest
// webhook. It reports fault.NotFound, and that as ErrNoWebhook if it
// is the webhook that is not there.
func (a *Actions) Resend(ctx context.Context, c Caller, id payment.ID, webhookID string) (webhook.Delivery, error) {
	p, err := a.Store.Payment(ctx, c.Store, id, c.Mode)
	if err != nil {
		return webhook.Delivery{}, err
	}
	d, err := a.Store.Resend(ctx, p.Key, webhook.DeliveryID(strings.TrimPrefix(webhookID, webhook.WebhookIDPrefix)), now(), c.onResend(p))
	if fault.Is(err, fault.NotFound) {
		err = ErrNoWebhook
	}
	return d, err
}

// ErrNoWebhook says that a payment has no webhook of the id, or none at all.
var ErrNoWebhook = fault.Errorf(fault.NotFound, "the payment has no such webhook, or it is too old to be kept")

// anyGeneration is for who proves more than a generation.
const anyGeneration = -1

// Login ends the refresh tokens of an API secret and returns the generation of
// its next ones. Who calls it has checked the secret's value.
func (a *Actions) Login(ctx context.Context, secretID string) (generation int64, err error) {
	return a.Store.NextGeneration(ctx, secretID, anyGeneration)
}

// RefreshLogin is Login for who has a refresh token of a generation. It reports
// fault.Conflict if that token has been ended, and then changes nothing.
func (a *Actions) RefreshLogin(ctx context.Context, secretID string, from int64) (generation int64, err error) {
	if from < 0 {
		return 0, fault.Errorf(fault.Conflict, "%d is no generation", from)
	}
	return a.Store.NextGeneration(ctx, secretID, from)
}

// RenewToken is the token that a V1 key has when it asks for one now: the same
// while one lives. named makes the name under which it is found. It reports
// fault.NotFound if the hash is not that of the key's secret by then.
func (a *Actions) RenewToken(ctx context.Context, keyID, hash string, named func(merchant.KeyToken) string) (merchant.KeyToken, error) {
	return a.Store.RenewToken(ctx, keyID, hash, time.Now(), named)
}

// now is the time to the precision at which it is stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
