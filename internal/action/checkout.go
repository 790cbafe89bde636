package action

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A CheckoutStore is where windows are kept. Its methods are safe for concurrent use.
type CheckoutStore interface {
	// Checkout reports payment.ErrNoCheckout if there is no window of the id.
	Checkout(ctx context.Context, id payment.CheckoutID) (payment.Checkout, error)
	// PaymentByKey reports fault.NotFound if there is no such payment.
	PaymentByKey(ctx context.Context, k payment.Key) (payment.Payment, error)
	// EndCheckout writes how a window ended, unless that is written, and returns it.
	EndCheckout(ctx context.Context, id payment.CheckoutID, how payment.Outcome, at time.Time) (payment.Checkout, error)
	// AnswerCheckout writes how the page of a window that has ended was told so; first is
	// false if it was told before.
	AnswerCheckout(ctx context.Context, id payment.CheckoutID, how payment.Answered, at time.Time) (first bool, err error)
	// FirstTries says whether the first try of a webhook is left that tells what came of
	// an attempt, and whether that of one has ended.
	FirstTries(ctx context.Context, k payment.Key, id payment.TransactionID) (left, ended bool, err error)
	// Stirred lists what was written of payments since a time.
	Stirred(ctx context.Context, since time.Time) ([]notice.Stir, error)
}

// A CheckoutRequest is what a shop's page asks a window for. All of it comes from a
// browser: Store and Channel are public, and prove nothing.
type CheckoutRequest struct {
	Store   merchant.StoreID
	Channel merchant.ChannelKey
	Payment payment.ID
	payment.Asked
	// Address is the browser's; the zero Addr: unknown. Near says that it is on this machine,
	// as a developer's is, and came through no proxy.
	Address netip.Addr
	Near    bool
}

// Why no window is opened. Faces have PortOne's word for each: see CheckoutCode.
var (
	ErrNoStore   = fault.Errorf(fault.NotFound, "there is no such store")
	ErrNoChannel = fault.Errorf(fault.NotFound, "the store has no such channel in use")
	ErrNoOrigin  = fault.Errorf(fault.Forbidden, "the page's origin is not among those that the store registered (origins)")
	ErrNoWindow  = fault.Errorf(fault.Unsupported, "there is no payment window of this server for the method on this channel: on live channels it has one for VIRTUAL_ACCOUNT of PGs that issue accounts by an API; use such a channel, a test channel without the PG's secrets, or the PG's own window")
)

// CheckoutCode is PortOne's word for why no window was opened or nothing done in it, as
// pages of shops hear it; "Internal" for what is none of a page's doing.
func CheckoutCode(err error) string {
	for _, known := range []struct {
		err  error
		code string
	}{
		{ErrNoStore, "StoreNotFound"}, {ErrNoChannel, "ChannelNotFound"}, {ErrNoOrigin, "PermissionDenied"}, {ErrNoWindow, "Unimplemented"},
		{payment.ErrPinned, string(payment.CodeOtherAmount)}, {payment.ErrOtherAmount, string(payment.CodeOtherAmount)},
		{payment.ErrAlreadyPaid, string(payment.CodeAlreadyPaid)}, {payment.ErrTooManyWindows, "ResourceExhausted"},
		{payment.ErrTooManyTransactions, "ResourceExhausted"}, {payment.ErrCheckoutExpired, string(payment.CodeExpired)},
		{payment.ErrNoCheckout, "NotFound"},
	} {
		if errors.Is(err, known.err) {
			return known.code
		}
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.TooLarge:
		return "BadRequest"
	case fault.NotFound:
		return "NotFound"
	case fault.Conflict:
		return string(payment.CodeOvertaken)
	case fault.Unauthorized, fault.Forbidden:
		return "PermissionDenied"
	case fault.Unsupported:
		return "Unimplemented"
	case fault.Unavailable, fault.Stale, fault.Unclear:
		return "Unavailable"
	case fault.Internal:
	}
	return "Internal"
}

// OpenCheckout opens a window (결제창) for a payment. A payment that is not there yet is
// made, READY, and merchants hear Transaction.Ready; one that is there stays as it is,
// and whoever opens the window learns no more of it than that it can or cannot be paid
// with what was asked.
//
// It reports ErrNoStore, ErrNoChannel, ErrNoOrigin for addresses that the store did not
// register, ErrNoWindow for a method that has no window here, payment.ErrAlreadyPaid,
// payment.ErrOtherAmount, payment.ErrPinned, payment.ErrScheduled,
// payment.ErrTooManyWindows, also as payment.ErrTooManyAccounts, payment.ErrTooManyTransactions, and fault.Invalid for what
// cannot be right.
func (a *Actions) OpenCheckout(ctx context.Context, r CheckoutRequest) (payment.Checkout, error) {
	if err := a.mayOpen(r); err != nil {
		return payment.Checkout{}, err
	}
	if err := prepareCheckout(&r); err != nil {
		return payment.Checkout{}, err
	}
	var c payment.Checkout
	_, err := a.act(ctx, func(v *view) (notice.Act, error) {
		var err error
		if c, err = a.asks(v, r); err != nil {
			return notice.Act{}, err
		}
		env := payment.Env{Now: c.CreatedAt, NewID: a.newID}
		return notice.Act{Store: c.Store, ID: c.PaymentID, Env: env, Begins: true, Do: func(known *payment.Payment) (notice.Acted, error) {
			p, made, err := payment.Open(known, c, env)
			if err != nil {
				return notice.Acted{}, err
			}
			c.Payment, c.Begun = p.Key, p.Begun()
			out := notice.Acted{Payment: p}
			if made {
				out = a.written(v, payment.Decision{Payment: p, Changed: true, Transitions: []payment.Transition{p.Opened()}}, env.Now, false)
			}
			opens := c
			out.Opens = &opens
			return out, nil
		}}, nil
	})
	a.tellCapped(ctx, r.Store, err)
	return c, err
}

// mayOpen reports payment.ErrTooManyWindows if an address opens more windows of a store
// than a page's visitors would.
func (a *Actions) mayOpen(r CheckoutRequest) error {
	if len(r.Store) > maxStoreID {
		return ErrNoStore // and none whose name is remembered
	}
	if a.Windows == nil || !r.Address.IsValid() {
		return nil
	}
	if a.Windows.Take(string(r.Store)+" "+network(r.Address), time.Now()) > 0 {
		return payment.ErrTooManyWindows
	}
	return nil
}

// network is whose an address is: with IPv6, a provider gives its customers a /64.
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if p, err := a.Prefix(64); err == nil && a.Is6() {
		return p.String()
	}
	return a.String()
}

// asks is the window that a page asks for, by one version of the settings.
func (a *Actions) asks(v *view, r CheckoutRequest) (payment.Checkout, error) {
	s, ok := v.channels.Store(r.Store)
	if !ok {
		return payment.Checkout{}, ErrNoStore
	}
	ch, p, err := a.use(v, Caller{Merchant: s.Merchant, Store: s.ID, Mode: merchant.Any}, r.Channel)
	switch {
	case fault.Is(err, fault.NotFound):
		return payment.Checkout{}, ErrNoChannel
	case err != nil:
		return payment.Checkout{}, err
	}
	if w := p.Info().Wallet; w != nil && r.Method == "" {
		r.Method = w.Method // PortOne's pages may leave it out there
	}
	if err := first(mayUse(v, s.ID, ch.Mode, r.Asked, r.Near || !a.PrivateShops), a.hasWindow(p, ch, r.Asked)); err != nil {
		return payment.Checkout{}, err
	}
	at := now()
	c := payment.Checkout{
		ID: payment.CheckoutID(a.newID()), Merchant: s.Merchant, Store: s.ID, Mode: ch.Mode, Channel: ch.Key, PaymentID: r.Payment,
		Transaction: payment.TransactionID(a.newID()), Asked: r.Asked, CreatedAt: at, ExpiresAt: at.Add(payment.CheckoutLife),
	}
	if due := r.AccountDue; r.Method == payment.VirtualAccount && !due.IsZero() && due.Before(c.ExpiresAt) {
		c.ExpiresAt = due // no account is issued after it
	}
	if a.Hash != nil && r.Address.IsValid() {
		c.Client = a.Hash("checkout_client", network(r.Address))
	}
	return c, nil
}

// played reports whether the PG of a channel is played here.
func (a *Actions) played(p provider.Provider, ch merchant.Channel) bool {
	module, ok := a.Providers(p.Info().Code)
	return ok && a.Trial != nil && provider.OnTrial(module, ch)
}

// mayUse reports ErrNoOrigin if an address that a page gave is none of the store's. A
// developer's localhost is this machine itself once it is called: near says that this is
// the developer's, or calls none.
func mayUse(v *view, s merchant.StoreID, mode merchant.Mode, x payment.Asked, near bool) error {
	if !v.all.MayOpen(s, mode, x.Origin) {
		return ErrNoOrigin
	}
	if u, err := url.Parse(x.RedirectURL); x.RedirectURL != "" && (err != nil || !v.all.MayReturn(s, strings.ToLower(u.Scheme))) {
		if origin, ok := originOf(x.RedirectURL); !ok || !v.all.MayOpen(s, mode, origin) {
			return fault.Errorf(fault.Forbidden, "%w: redirectUrl must be of one", ErrNoOrigin)
		}
	}
	told := mode
	if !near {
		told = merchant.Live // where no localhost is
	}
	for _, to := range append([]string{x.ConfirmURL}, x.NoticeURLs...) {
		if origin, ok := originOf(to); to != "" && (!ok || !v.all.MayBeTold(s, told, origin) && !v.toldAt(s, mode, origin)) {
			return fault.Errorf(fault.Forbidden, "%w: noticeUrls and confirmUrl must be of one, or at an endpoint of the store, or on test channels at localhost", ErrNoOrigin)
		}
	}
	return nil
}

func originOf(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	return merchant.OriginOf(u)
}

// toldAt reports whether an endpoint of a store is at an origin: then the merchant sends
// webhooks there anyway.
func (v *view) toldAt(s merchant.StoreID, mode merchant.Mode, origin string) bool {
	for _, e := range v.all.Endpoints {
		u, err := url.Parse(e.URL)
		if err != nil || e.Store != s || e.Mode != mode {
			continue
		}
		if at, ok := merchant.OriginOf(u); ok && at == origin {
			return true
		}
	}
	return false
}

// What a page may ask for, in bytes.
const (
	maxURL        = 2000
	maxBanks      = 30       // in number
	maxStoreID    = 100      // no store's is as long
	maxPageCustom = 16 << 10 // less than of a merchant's server: anybody may send it
)

// prepareCheckout checks a request for all that needs no settings, and brings it to the
// form in which it is kept.
func prepareCheckout(r *CheckoutRequest) error {
	sale := payment.Registration{
		ID: r.Payment, OrderName: r.OrderName, Amount: r.Amount, TaxFree: r.TaxFree, VAT: r.VAT, Customer: r.Customer,
		CustomData: r.CustomData, NoticeURLs: r.NoticeURLs,
	}
	if err := first(checkSale(sale), checkParts(sale), checkAddresses(r.Asked),
		checkText("locale", r.Locale, 0, 20), checkText("appScheme", r.AppScheme, 0, maxURL), checkText("window", r.Window, 0, 20)); err != nil {
		return err
	}
	r.AccountDue = stored(r.AccountDue)
	switch at := now(); {
	case len(r.CustomData) > maxPageCustom:
		return invalid("customData has %d bytes: at most %d from a page", len(r.CustomData), maxPageCustom)
	case !r.AccountDue.IsZero() && (!r.AccountDue.After(at) || r.AccountDue.Sub(at) > longestAccount):
		return invalid("accountExpiry must be in the future, and within a year")
	case r.Wallet != "" && !r.Wallet.Known():
		return invalid("easyPay.easyPayProvider %.40q is unknown", string(r.Wallet))
	case len(r.Banks) > maxBanks:
		return invalid("availableBanks has %d banks: at most %d", len(r.Banks), maxBanks)
	case r.SDK != payment.SDKV1 && r.SDK != payment.SDKV2:
		return invalid("sdk %q: want v2 or v1", string(r.SDK))
	case r.RedirectURL == "" && (r.ForceRedirect || r.Window == "REDIRECTION"):
		return invalid("redirectUrl is missing: the window goes back by it")
	}
	for _, b := range r.Banks {
		if !b.Known() || b == "" {
			return invalid("bank %.60q is unknown", string(b))
		}
	}
	return nil
}

// longestAccount is how long an account of a window may take money.
const longestAccount = 366 * 24 * time.Hour

// checkAddresses checks what a page gives of addresses.
func checkAddresses(x payment.Asked) error {
	if err := first(checkText("redirectUrl", x.RedirectURL, 0, maxURL), checkText("confirmUrl", x.ConfirmURL, 0, maxURL), checkText("origin", x.Origin, 0, maxURL)); err != nil {
		return err
	}
	if x.Origin != "" {
		if o, err := merchant.ParseOrigin(x.Origin); err != nil || o != x.Origin {
			return ErrNoOrigin // such as null, of a page in a sandbox
		}
	}
	if x.ConfirmURL != "" {
		u, err := url.Parse(x.ConfirmURL)
		if err != nil || u.User != nil {
			return invalid("confirmUrl cannot be called")
		}
		if _, ok := merchant.OriginOf(u); !ok {
			return invalid("confirmUrl cannot be called: want http:// or https:// and a host")
		}
	}
	if x.RedirectURL != "" {
		if u, err := url.Parse(x.RedirectURL); err != nil || u.Scheme == "" || u.User != nil {
			return invalid("redirectUrl is no address to go to: want https:// and a host, or the scheme of an app")
		}
	}
	return nil
}
