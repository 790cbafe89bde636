// Package sampleshop is a small shop that takes payments through Tongbo (견본 상점): an
// example to read, and what `tongbo demo --shop` opens in the browser.
//
// It does what a shop has to do, and nothing else:
//
//  1. An order is made on the server, with its amount (orders.go).
//  2. Its page calls PortOne.requestPayment in the click of its button (assets/shop.js).
//  3. The server hears by webhook, checks the signature over the bytes as they came, reads
//     the payment by the API, compares its amount with the order's, and answers 200
//     (webhook.go). What the page says of a payment is only a reason to read it, too.
//
// bank.go alone is of the demo: it plays the buyer's bank.
//
// Orders are in memory; a real shop has a database there. It knows nothing of the server
// that it pays through but its address, its API and its webhooks.
package sampleshop

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/words"
)

// A Config says where a shop is, and through whom it takes payments. All fields but Wallets and
// Changed are required.
type Config struct {
	// Origin is the shop's own address as browsers have it: scheme, host and port. It has
	// to be among the store's origins.
	Origin string
	// Hub is the address of the server through which it takes payments.
	Hub        string
	StoreID    string
	ChannelKey string // takes accounts and cards
	// Wallets are the channels of wallets, which are offered beside that.
	Wallets       map[payment.Wallet]string
	APISecret     secret.Text
	WebhookSecret secret.Text // whsec_…
	// Changed, if set, is told of each order whose state has changed. It must not block, and
	// may be called by several requests at once.
	Changed func(Order)
}

// A Shop sells a few things. Its methods are safe for concurrent use.
type Shop struct {
	Config
	signature *standardwebhooks.Webhook
	client    *http.Client
	orders    orders
}

// readTime bounds how long reading a payment may take.
const readTime = 10 * time.Second

// Open makes a shop without orders. It reports fault.Invalid if the secret of its webhooks
// is none.
func Open(c Config) (*Shop, error) {
	check, err := standardwebhooks.NewWebhook(c.WebhookSecret.Reveal())
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "the secret of webhooks is whsec_ and base64: %w", err)
	}
	return &Shop{Config: c, signature: check, client: &http.Client{Timeout: readTime}}, nil
}

var assets = page.NewAssets(assetFiles, "assets", "/assets/")

// Routes are the shop's pages, and /webhook.
func (s *Shop) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", assets)
	mux.HandleFunc("GET /{$}", s.shelf)
	mux.HandleFunc("POST /orders", s.buy)
	mux.HandleFunc("GET /orders/{id}", s.show)
	mux.HandleFunc("GET /orders/{id}/news", s.news)
	mux.HandleFunc("POST /orders/{id}/check", s.check)
	mux.HandleFunc("POST /orders/{id}/deposit", s.deposit)
	mux.HandleFunc("POST /webhook", s.webhook)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return http.NewCrossOriginProtection().Handler(s.guarded(mux))
}

// guarded says what browsers may do with the shop's pages. The server through which it is
// paid needs three places: its script, what that calls, and the frame of its window.
func (s *Shop) guarded(next http.Handler) http.Handler {
	policy := "default-src 'self'; script-src 'self' " + s.Hub + "; connect-src 'self' " + s.Hub + "; frame-src " + s.Hub +
		"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// A Product is what the shop sells. The catalogue has its name under shop.product.
type Product struct {
	Code  string
	Price payment.Money
}

// Products are all that it sells. One is sold abroad, in dollars: PayPal takes no won, and an
// order has one price.
func Products() []Product {
	return []Product{
		{"book", payment.Won(11000)}, {"mug", payment.Won(18000)}, {"tulips", payment.Won(32000)},
		{"postcards", payment.Money{Amount: 1250, Currency: "USD"}}, // in cents
	}
}

// shelf shows what there is to buy.
func (s *Shop) shelf(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, http.StatusOK, "shelf", view{Products: Products()})
}

// buy makes an order. The amount comes from the server's own list: what a page sends is
// only which thing is wanted.
func (s *Shop) buy(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	wanted := r.PostFormValue("product")
	for _, p := range Products() {
		if p.Code != wanted {
			continue
		}
		o := Order{ID: "shop-" + strings.ToLower(rand.Text()[:12]), Product: p.Code, Amount: p.Price, State: New, At: time.Now()}
		s.orders.add(o)
		http.Redirect(w, r, "/orders/"+o.ID+chosen(r), http.StatusSeeOther) //nolint:gosec // a path of this shop
		return
	}
	s.lost(w, r)
}

// show is an order's page. Buyers whose window was a redirection come back to it, too: then
// the address says what came of it, which is no proof and only a reason to read the payment.
func (s *Shop) show(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if r.FormValue("paymentId") == id {
		s.settleFor(r, id)
	}
	o, _, ok := s.orders.watch(id)
	if !ok {
		s.lost(w, r)
		return
	}
	v := view{Order: o, Methods: s.methods(o), Says: clip(r.FormValue("message"))}
	var err error
	if v.Request, err = s.request(r, o); err != nil {
		http.Error(w, "the order cannot be shown", http.StatusInternalServerError)
		return
	}
	s.write(w, r, http.StatusOK, "order", v)
}

// check is called by the order's page when requestPayment has ended.
func (s *Shop) check(w http.ResponseWriter, r *http.Request) {
	s.settleFor(r, r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

// lost answers where there is nothing.
func (s *Shop) lost(w http.ResponseWriter, r *http.Request) {
	s.write(w, r, http.StatusNotFound, "lost", view{})
}

// chosen is the language of an address, to go on with; empty if none was chosen.
func chosen(r *http.Request) string {
	if l, ok := words.ParseLang(r.URL.Query().Get("lang")); ok {
		return "?lang=" + string(l)
	}
	return ""
}

// longest is how much of a message from an address is shown.
const longest = 200

func clip(s string) string {
	if r := []rune(s); len(r) > longest {
		s = string(r[:longest])
	}
	return page.Visible(s)
}
