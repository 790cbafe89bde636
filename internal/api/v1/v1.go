// Package v1 is the face that speaks PortOne's REST API V1 (iamport), so that a
// server written for it, or with one of its clients, works unchanged. Its paths
// are those of V2 in part, so it has a listener of its own.
//
// Each answer, errors too, is an envelope {"code", "message", "response"} whose
// code is 0 if all is well. Times are seconds since 1970 and 0 for what did not
// happen; what else is not there is null. What V1 calls a payment is one attempt:
// imp_uid is the attempt's id, as webhooks tell it, and merchant_uid the payment's.
//
// Old clients are met half-way: bodies are JSON or forms of any making, paths may
// end in a slash or in "undefined", and go-iamport, which refuses fields that it
// does not know, gets those alone that it does.
package v1

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// An API answers the calls of merchants' servers. All fields but ClientAddr
// are required, and must not change once it is in use.
type API struct {
	Store   *store.Reader
	Actions *action.Actions
	Key     *seal.Key // hashes secrets, and makes tokens
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

// Limit bounds the calls of each key, as api.Gate.Limit says. It must be called
// before the API is used.
func (a *API) Limit(perSecond int) { a.gate.Limit(perSecond) }

// A view is the settings as answers show them.
type view struct {
	directory merchant.Directory
	channels  []merchant.Channel // disabled ones too
	stores    []settings.Store
}

// channel is the channel with a key; the zero Channel if it was deleted.
func (v *view) channel(key merchant.ChannelKey) merchant.Channel {
	for _, c := range v.channels {
		if c.Key == key {
			return c
		}
	}
	return merchant.Channel{}
}

// tier is the store of a merchant with a tier code.
func (v *view) tier(m merchant.ID, code string) (merchant.Store, bool) {
	for _, s := range v.stores {
		if s.Merchant == m && s.TierCode == code && code != "" {
			return s.Store, true
		}
	}
	return merchant.Store{}, false
}

// Refresh makes the next call see the settings as they are then. It does not
// block; any goroutine may call it.
func (a *API) Refresh() { a.views.Refresh() }

// settings returns the settings in use, loading them if need be.
func (a *API) settings(ctx context.Context) (*view, error) {
	return a.views.Get(ctx, func(ctx context.Context) (*view, error) {
		all, err := a.Store.Settings(ctx)
		if err != nil {
			return nil, err
		}
		return &view{all.Directory(), all.Channels, all.Stores}, nil
	})
}

func (a *API) clientAddr(r *http.Request) netip.Addr {
	if a.ClientAddr != nil {
		return a.ClientAddr(r)
	}
	return api.Peer(r)
}

// A call is one request on its way through an operation.
type call struct {
	r       *http.Request
	w       *api.Watched
	how     manner
	key     merchant.APIKey // whose call it is; zero where none is needed
	asks    merchant.APIKey // whose token is asked for
	caller  action.Caller   // the store that it is about
	names   []string        // from the path, decoded
	written bool            // the answer has begun
}

func (c *call) ctx() context.Context { return c.r.Context() }

// lean reports whether the client is go-iamport, or may be: it refuses answers
// with fields that it does not know, and any status but 200.
func (c *call) lean() bool { return strings.HasPrefix(c.r.UserAgent(), "Go-http-client/") }

// An operation is a method on a path, whose last segments may be left out if they
// end in "?". Its handler returns the response of the envelope.
type operation struct {
	method, path string
	how          manner
	do           func(*call) (any, error)
}

// A manner is how an operation is called and answered.
type manner int

const (
	usual manner = iota
	open         // needs no token
	soft         // what cannot be done is told with status 200 and a code
)

// Operations that change something are finished even if the client hangs up,
// within the time that clients wait at most.
const longestWork = 50 * time.Second

// Routes serves every operation. Like V2's it matches the path as it was sent:
// a merchant_uid may hold anything.
func (a *API) Routes() http.Handler {
	return router{a, []operation{
		{http.MethodPost, "/users/getToken", open, a.getToken},
		{http.MethodGet, "/users/pg", usual, a.getChannels},
		{http.MethodGet, "/payments", usual, a.getSeveral},
		{http.MethodPost, "/payments/cancel", soft, a.cancel},
		{http.MethodPost, "/payments/prepare", soft, a.prepare},
		{http.MethodPut, "/payments/prepare", soft, a.changePrepared},
		{http.MethodGet, "/payments/prepare/{merchant_uid}", soft, a.getPrepared},
		{http.MethodGet, "/payments/find/{merchant_uid}/{status}?", usual, a.find},
		{http.MethodGet, "/payments/findAll/{merchant_uid}/{status}?", usual, a.findAll},
		{http.MethodGet, "/payments/status/{status}", usual, a.listByStatus},
		{http.MethodGet, "/payments/{imp_uid}", usual, a.getPayment},
		{http.MethodGet, "/payments/{imp_uid}/balance", usual, a.balance},
		{http.MethodPost, "/vbanks", soft, a.issue},
		{http.MethodGet, "/vbanks/holder", usual, a.holder},
		{http.MethodPut, "/vbanks/{imp_uid}", usual, a.changeAccount},
		{http.MethodDelete, "/vbanks/{imp_uid}", usual, a.closeAccount},
		{http.MethodGet, "/banks", usual, a.getBanks},
		{http.MethodGet, "/banks/{code}", usual, a.getBank},
		{http.MethodGet, "/cards", usual, a.getCards},
		{http.MethodGet, "/cards/{code}", usual, a.getCard},
		{http.MethodGet, "/tiers/{tier_code}", usual, a.getTier},
		{http.MethodGet, "/receipts/{imp_uid}", usual, a.getReceipt},
		{http.MethodPost, "/receipts/{imp_uid}", usual, a.absent},
		{http.MethodDelete, "/receipts/{imp_uid}", usual, a.absent},
	}}
}
