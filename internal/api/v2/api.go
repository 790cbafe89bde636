// Package v2 is the face that speaks PortOne's REST API V2, so that a server
// written for it, or with one of its SDKs, works unchanged.
//
// What those SDKs tolerate is narrow, and every answer keeps to it: success is
// exactly 200; absent fields are left out and never null; amounts are whole
// numbers; times are UTC with a Z; every error is a JSON object with a type
// that the operation lists. Beyond PortOne there are operations of ours:
// POST /payments/{paymentId}/virtual-account and what is below /tongbo/v1.
package v2

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/listen"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// An API answers the calls of merchants' servers. All fields but ClientAddr
// are required, and must not change once it is in use.
type API struct {
	Store   *store.Reader
	Actions *action.Actions
	Listen  *listen.Sessions
	Key     *seal.Key // seals tokens and hashes API secrets
	Log     *slog.Logger
	// ClientAddr finds who sent a request, behind any trusted proxies; the
	// invalid address if that cannot be told. Nil means the peer.
	ClientAddr func(*http.Request) netip.Addr
	// Called, if set, is given each call that bore a credential, once it is answered.
	// It must not block.
	Called func(merchant.Call)

	gate  api.Gate
	views settings.Cache[view]
}

// Limit bounds the calls of each API secret, as api.Gate.Limit says. It must be
// called before the API is used.
func (a *API) Limit(perSecond int) { a.gate.Limit(perSecond) }

// A view is the settings as answers show them.
type view struct {
	directory merchant.Directory
	channels  map[merchant.ChannelKey]merchant.Channel // disabled ones too
	stores    map[merchant.ID][]merchant.StoreID
	guarded   map[merchant.StoreID]bool // has an address list for the API
}

// channelsOf are the channels of a merchant, disabled ones too.
func (v *view) channelsOf(m merchant.ID) (out []merchant.Channel) {
	for _, c := range v.channels {
		if c.Merchant == m {
			out = append(out, c)
		}
	}
	return out
}

// Refresh makes the next call see the settings as they are then. It does not
// block; any goroutine may call it.
func (a *API) Refresh() { a.views.Refresh() }

// settings returns the settings in use, loading them if need be.
func (a *API) settings(ctx context.Context) (*view, error) {
	return a.views.Get(ctx, a.load)
}

// load makes a view of the settings as they are now.
func (a *API) load(ctx context.Context) (*view, error) {
	all, err := a.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{
		directory: all.Directory(), channels: make(map[merchant.ChannelKey]merchant.Channel, len(all.Channels)),
		stores: make(map[merchant.ID][]merchant.StoreID), guarded: make(map[merchant.StoreID]bool),
	}
	for _, c := range all.Channels {
		v.channels[c.Key] = c
	}
	for _, s := range all.Stores {
		v.stores[s.Merchant] = append(v.stores[s.Merchant], s.ID)
	}
	for _, l := range all.Allows {
		v.guarded[l.Store] = v.guarded[l.Store] || l.Scope == merchant.AllowAPI
	}
	return v, nil
}

// A call is one request on its way through an operation.
type call struct {
	r       *http.Request
	w       http.ResponseWriter
	watched *api.Watched       // the answer, whatever stands before it
	secret  merchant.APISecret // whose call it is; zero where none is needed
	payment payment.ID         // from the path, decoded; empty if there is none
	part    string             // what else the path names, decoded; likewise
	ids     payment.IDs        // of what the call makes; nil if it bears no Idempotency-Key
}

func (c *call) ctx() context.Context { return c.r.Context() }

// An operation is a method on a path. Its handler returns what is answered
// with 200.
type operation struct {
	method, path string
	open         bool // needs no credential
	do           func(*call) (any, error)
}

// lasts reports whether an operation goes on for as long as its client stays.
func (o *operation) lasts() bool { return o.method == http.MethodGet && o.path == listenPath }

// Operations end within the time that SDKs wait at most. Those that change something
// are finished even if the client hangs up.
const longestWork = 50 * time.Second

// Routes serves every operation. It matches the path as it was sent, segment
// by segment, since a paymentId may hold anything: http.ServeMux would clean
// such a path and redirect. Whatever stands before it must not clean paths
// either.
func (a *API) Routes() http.Handler {
	return router{a, []operation{
		{http.MethodPost, "/login/api-secret", true, a.login},
		{http.MethodPost, "/token/refresh", true, a.refresh},
		{http.MethodGet, "/banks", true, a.banks},
		{http.MethodGet, "/payments", false, a.getPayments},
		{http.MethodGet, "/payments-by-cursor", false, a.getPaymentsByCursor},
		{http.MethodGet, "/payment-events-by-cursor", false, a.getEventsByCursor},
		{http.MethodGet, "/payments/{paymentId}", false, a.getPayment},
		{http.MethodGet, "/payments/{paymentId}/transactions", false, a.getTransactions},
		{http.MethodPost, "/payments/{paymentId}/virtual-account", false, a.registerAccount},
		{http.MethodPost, "/payments/{paymentId}/pre-register", false, a.preregister},
		{http.MethodPost, "/payments/{paymentId}/instant", false, a.instant},
		{http.MethodPost, "/payments/{paymentId}/virtual-account/close", false, a.closeAccount},
		{http.MethodPost, "/payments/{paymentId}/cancel", false, a.cancel},
		{http.MethodPost, "/payments/{paymentId}/cancellations/{cancellationId}/stop", false, a.stopCancel},
		{http.MethodPost, "/payments/{paymentId}/resend-webhook", false, a.resendWebhook},
		{http.MethodGet, "/payments/{paymentId}/cash-receipt", false, a.getCashReceipt},
		{http.MethodPost, "/payments/{paymentId}/cash-receipt/cancel", false, a.cancelCashReceipt},
		{http.MethodPost, "/cash-receipts", false, a.issueCashReceipt},
		{http.MethodGet, "/cash-receipts", false, a.getCashReceipts},
		{http.MethodPost, "/payments/{paymentId}/confirm", false, a.confirm},
		{http.MethodPost, "/payments/{paymentId}/capture", false, a.absent("nothing here is captured by hand: the payment is paid as it stands")},
		{http.MethodPost, "/payments/{paymentId}/register-store-receipt", false, a.absent("no PG here is asked to put lines of sub-stores on receipts")},
		{http.MethodPost, "/payments/{paymentId}/escrow/logistics", false, a.absent(escrowElsewhere)},
		{http.MethodPatch, "/payments/{paymentId}/escrow/logistics", false, a.absent(escrowElsewhere)},
		{http.MethodPost, "/payments/{paymentId}/escrow/complete", false, a.absent(escrowElsewhere)},
		{http.MethodPost, "/tongbo/v1/payments/{paymentId}/deposit", false, a.deposit},
		{http.MethodPost, "/tongbo/v1/payments/{paymentId}/notice", false, a.pgNotice},
		{http.MethodPost, "/tongbo/v1/simulations", false, a.enact},
		{http.MethodPost, "/tongbo/v1/listen", false, a.openListen},
		{http.MethodGet, listenPath, false, a.listenStream},
		{http.MethodDelete, listenPath, false, a.endListen},
		{http.MethodPost, "/tongbo/v1/listen/{session}/attempts", false, a.listened},
		{http.MethodPost, "/payments/{paymentId}/billing-key", false, a.payByKey},
		{http.MethodPost, "/payments/{paymentId}/schedule", false, a.schedule},
		{http.MethodGet, "/payment-schedules", false, a.getSchedules},
		{http.MethodGet, "/payment-schedules/{paymentScheduleId}", false, a.getSchedule},
		{http.MethodDelete, "/payment-schedules", false, a.revokeSchedules},
		{http.MethodGet, "/billing-keys", false, a.getKeys},
		{http.MethodPost, "/billing-keys", false, a.issueKey},
		{http.MethodGet, "/billing-keys/{billingKey}", false, a.getKey},
		{http.MethodDelete, "/billing-keys/{billingKey}", false, a.deleteKey},
	}}
}

type router struct {
	*API
	operations []operation
}

// ServeHTTP answers one call.
func (rt router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	watched := api.Watch(w)
	op, ids, allowed := rt.match(r)
	if op == nil {
		rt.miss(watched, allowed)
		return
	}
	ctx := r.Context()
	if op.method != http.MethodGet {
		ctx = context.WithoutCancel(ctx)
	}
	if !op.lasts() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, longestWork)
		defer cancel()
	}
	c := &call{r: r.WithContext(ctx), w: watched, watched: watched, payment: payment.ID(ids[0]), part: ids[1]}
	defer rt.noted(c, op)
	defer rt.caught(c, op)
	if !strings.Contains(op.path, "/payments/{") {
		c.payment, c.part = "", ids[0]
	}
	key, err := rt.admitted(op, c)
	switch {
	case err != nil:
		rt.fail(c, op, err)
	case key != "":
		rt.once(op, c, key)
	default:
		_ = rt.answer(op, c) // answered
	}
}

// noted gives a call to the log of calls. It must be deferred: a list that broke off is
// one, too.
func (a *API) noted(c *call, op *operation) {
	s := c.secret
	c.watched.Note(a.Called, api.Caller{
		Merchant: s.Merchant, Store: s.Store, Mode: s.Mode, Credential: s.ID, By: merchant.ByAPISecret, Client: a.clientAddr(c.r),
	}, c.r, op.path)
}

// admitted checks what needs no more than the head of a call, and returns its
// Idempotency-Key; empty if it has none, or needs none since it changes nothing
// or bears no credential.
func (rt router) admitted(op *operation, c *call) (key string, err error) {
	if err := rt.gate.MayTry(rt.clientAddr(c.r)); err != nil {
		return "", err
	}
	if !op.open {
		if c.secret, err = rt.authenticate(c.r); err != nil {
			return "", err
		}
	}
	if strings.Contains(op.path, "/payments/{") {
		if err := action.CheckPaymentID(c.payment); err != nil {
			return "", err
		}
	}
	if op.open || op.method == http.MethodGet {
		return "", nil
	}
	return idempotencyKey(c.r.Header)
}

// answer does an operation and answers it. It returns what went wrong.
func (rt router) answer(op *operation, c *call) error {
	answer, err := op.do(c)
	if err != nil {
		rt.fail(c, op, err)
		return err
	}
	switch answer := answer.(type) {
	case *longList:
		rt.stream(c, op, answer)
	case *listening:
		rt.feed(c, op, answer)
	default:
		rt.write(c.w, http.StatusOK, answer)
	}
	return nil
}

// match finds the operation that is called, and the names in its path, which are two
// at most. If there is none, allowed are the methods that the path has.
func (rt router) match(r *http.Request) (op *operation, ids [2]string, allowed []string) {
	i, names, allowed := api.Match(len(rt.operations), func(i int) (method, pattern string) {
		return rt.operations[i].method, rt.operations[i].path
	}, r.Method, r.URL.EscapedPath())
	if i < 0 {
		return nil, ids, allowed
	}
	copy(ids[:], names)
	return &rt.operations[i], ids, nil
}

// miss answers a call of something that is not there.
func (a *API) miss(w http.ResponseWriter, allowed []string) {
	if len(allowed) == 0 {
		a.write(w, http.StatusNotFound, problem{Type: "NOT_FOUND", Message: "there is no such operation"})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.write(w, http.StatusMethodNotAllowed, problem{Type: "METHOD_NOT_ALLOWED", Message: "the operation has another method"})
}

// target is the store that a call is about: the credential's own, or a
// sub-store that its representative store names.
func (a *API) target(c *call, storeID string) (action.Caller, error) {
	id := merchant.StoreID(storeID)
	if id == "" {
		id = c.secret.Store
	}
	if id != c.secret.Store {
		v, err := a.settings(c.ctx())
		if err != nil {
			return action.Caller{}, err
		}
		own, _ := v.directory.Store(c.secret.Store)
		other, ok := v.directory.Store(id)
		if !ok || !own.Representative || other.Merchant != c.secret.Merchant {
			return action.Caller{}, fault.Errorf(fault.Forbidden, "the credential does not reach store %.100q", storeID)
		}
		if err := a.admit(c.r, id); err != nil {
			return action.Caller{}, err
		}
	}
	return action.Caller{Merchant: c.secret.Merchant, Store: id, Mode: c.secret.Mode}, nil
}
