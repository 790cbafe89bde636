package checkout_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// Where the shop's page is, and the server.
const (
	shopOrigin = "https://shop.example"
	public     = "https://pay.example.kr"
)

// What no page may hold.
var kept = []string{"api-secret-0123456789", "live_sk_0123456789", "bm90aWNlLXNlY3JldA", "c2lnbmluZy1zZWNyZXQ", "v1-secret-0123456789"}

const (
	played = merchant.ChannelKey("channel-key-00000000-0000-4000-8000-000000000001") // a test channel whose PG is played
	lively = merchant.ChannelKey("channel-key-00000000-0000-4000-8000-000000000002") // a live one
)

// A desk is a running server with a shop whose buyers come to it.
type desk struct {
	*testing.T
	db      *storetest.Database
	server  *server.Server
	handler http.Handler
	orders  *atomic.Int64
	log     *loud
}

// A loud is a log that warnings are read from.
type loud struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *loud) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *loud) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// openDesk starts one on SQLite.
func openDesk(t *testing.T) *desk {
	t.Helper()
	db := storetest.SQLite(t)
	d := &desk{T: t, db: db, orders: new(atomic.Int64), log: new(loud)}
	var err error
	d.server, err = server.Open(t.Context(), server.Config{
		Database: db.URL(), Key: server.KeySource{Text: db.Key().Text()}, AllowPrivate: true, PublicURL: public,
		Log: slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.handler = d.server.Handler()
	d.settle()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d
}

// settle saves the shop's settings.
func (d *desk) settle() {
	d.Helper()
	now := time.Now().UTC()
	channel := merchant.Channel{
		Key: played, Merchant: "merchant-1", Store: "store-1", Name: "토스 시험", Provider: tosspayments.Module.Info().Code, Mode: merchant.Test,
		MID: "T0000", PaymentType: merchant.APIKeyin, Unknown: merchant.Hold,
	}
	live := channel
	live.Key, live.Mode, live.MID, live.Credentials = lively, merchant.Live, "L0000", merchant.Credentials{"secret_key": "live_sk_0123456789"}
	key := d.db.Key()
	known, err := d.server.Store.Settings(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	if err := d.server.Store.SaveSettings(d.Context(), settings.All{
		Version:   known.Version,
		Merchants: []merchant.Merchant{{ID: "merchant-1", Name: "가나상점"}},
		Stores: []settings.Store{{
			Store: merchant.Store{
				ID: "store-1", Merchant: "merchant-1", Name: "<i>가나</i>상점\u202e", Representative: true,
				Origins: []string{shopOrigin}, AppSchemes: []string{"myshop"},
			},
			NoticeSecret: "whsec_bm90aWNlLXNlY3JldA==", CreatedAt: now,
		}},
		Channels: []merchant.Channel{channel, live},
		Endpoints: []webhook.Endpoint{{
			ID: webhook.EndpointID(uuid.NewString()), Merchant: "merchant-1", Store: "store-1", Name: "shop", URL: "http://127.0.0.1:1/", Mode: merchant.Test,
			Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.Default,
			Secrets: []secret.Text{"whsec_c2lnbmluZy1zZWNyZXQ="}, Paused: true, CreatedAt: now,
		}},
		APISecrets: []settings.APISecret{{
			APISecret: merchant.APISecret{ID: uuid.NewString(), Merchant: "merchant-1", Store: "store-1", Name: "server", Mode: merchant.Any},
			Hash:      key.Hash(settings.PurposeAPISecret, "api-secret-0123456789"),
		}},
	}, now); err != nil {
		d.Fatal(err)
	}
}

// on is the desk for a subtest.
func (d *desk) on(t *testing.T) *desk {
	t.Helper()
	out := *d
	out.T = t
	return &out
}

// An answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	text string
}

// send sends a request from an address of its own. Nothing that the shop keeps secret may
// come back, and no cookie.
func (d *desk) send(method, path, body string, headers ...string) answer {
	d.Helper()
	r := httptest.NewRequestWithContext(d.Context(), method, public+path, strings.NewReader(body))
	n := d.orders.Add(1)
	r.RemoteAddr = fmt.Sprintf("198.51.%d.%d:1234", n/250, n%250+1)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "From" {
			r.RemoteAddr = headers[i+1]
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	out := answer{w, w.Body.String()}
	if w.Header().Get("Set-Cookie") != "" {
		d.Errorf("%s %s sets a cookie", method, path)
	}
	for _, s := range kept {
		if strings.Contains(out.text, s) || strings.Contains(fmt.Sprint(w.Header()), s) {
			d.Errorf("%s %s tells the secret %s", method, path, s)
		}
	}
	return out
}

// api calls API V2 as the shop's server.
func (d *desk) api(method, path, body string) answer {
	d.Helper()
	got := d.send(method, path, body, "Authorization", "PortOne api-secret-0123456789", "Content-Type", "application/json")
	if got.Code != http.StatusOK {
		d.Errorf("%s %s: %d %s", method, path, got.Code, got.text)
	}
	return got
}

// A ticket is a window that was opened.
type ticket struct {
	PaymentID, TxID, Window, Page, Result string
	ExpiresIn                             int
}

// wish is a request of the shop's page, changed by more; a nil takes a field away.
func (d *desk) wish(more map[string]any) map[string]any {
	out := map[string]any{
		"storeId": "store-1", "channelKey": played, "paymentId": fmt.Sprintf("order-%d", d.orders.Add(1)), "orderName": "책 한 권", "totalAmount": 11000,
		"currency": "CURRENCY_KRW", "payMethod": "VIRTUAL_ACCOUNT", "customer": map[string]any{"fullName": "김손님"},
	}
	maps.Copy(out, more)
	return out
}

// asks has the shop's page ask for a window.
func (d *desk) asks(window string, request map[string]any, headers ...string) answer {
	d.Helper()
	body, err := json.Marshal(map[string]any{"sdk": "v2", "window": window, "request": request})
	if err != nil {
		d.Fatal(err)
	}
	return d.send("POST", "/checkout/requests", string(body), append([]string{"Origin", shopOrigin, "Content-Type", "application/json"}, headers...)...)
}

// opens is asks for a window that must be opened.
func (d *desk) opens(window string, more map[string]any) ticket {
	d.Helper()
	return d.ticket(d.asks(window, d.wish(more)))
}

func (d *desk) ticket(got answer) (out ticket) {
	d.Helper()
	if err := json.Unmarshal([]byte(got.text), &out); err != nil || got.Code != http.StatusOK {
		d.Fatalf("%d %s", got.Code, got.text)
	}
	if !strings.HasPrefix(out.Page, public+"/checkout/") || !strings.HasPrefix(out.Result, public+"/checkout/result/") || out.ExpiresIn < 1790 || out.ExpiresIn > 1800 {
		d.Errorf("the window is %+v", out)
	}
	out.Page, out.Result = strings.TrimPrefix(out.Page, public), strings.TrimPrefix(out.Result, public)
	return out
}

// post sends a form of the window's page, as a browser does.
func (d *desk) post(x ticket, verb string, pairs ...string) answer {
	d.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return d.send("POST", x.Page+verb, form.Encode(), "Origin", public, "Sec-Fetch-Site", "same-origin")
}

// does is post that must lead to another page: the window's own unless to says which.
func (d *desk) does(x ticket, to, verb string, pairs ...string) {
	d.Helper()
	if to == "" {
		to = x.Page
	}
	if got := d.post(x, verb, pairs...); got.Code != http.StatusSeeOther || got.Header().Get("Location") != to {
		d.Fatalf("%s answers %d, to %q, want 303 to %q\n%s", verb, got.Code, got.Header().Get("Location"), to, got.text)
	}
}

// accounted is a window whose account was issued, and the account's number.
func (d *desk) accounted(x ticket) (number string) {
	d.Helper()
	d.does(x, "", "/pay", "bank", "SHINHAN", "depositor", "김손님")
	m := regexp.MustCompile(`data-copy="(\d{10,})"`).FindStringSubmatch(d.send("GET", x.Page, "").text)
	if m == nil {
		d.Fatal("the page shows no account")
	}
	return m[1]
}

// forge makes a token as the server does, and as nobody can who has not the key.
func (d *desk) forge(x ticket, purpose byte, until time.Time) string {
	d.Helper()
	said := binary.BigEndian.AppendUint32(append(d.bytes(x)[:16:16], purpose), uint32(until.Unix()))
	mac, err := hex.DecodeString(d.db.Key().Hash("checkout token", string(said)))
	if err != nil {
		d.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(append(said, mac[:16]...))
}

// bytes are what the token of a window's page holds.
func (d *desk) bytes(x ticket) []byte {
	d.Helper()
	b, err := base64.RawURLEncoding.DecodeString(x.Page[len("/checkout/"):])
	if err != nil {
		d.Fatal(err)
	}
	return b
}

// result is what the script reads of a window.
func (d *desk) result(x ticket) (state string, result map[string]any, redirect string) {
	d.Helper()
	var out struct {
		State, Redirect string
		Result          map[string]any
	}
	got := d.send("GET", x.Result, "", "Origin", shopOrigin)
	if err := json.Unmarshal([]byte(got.text), &out); err != nil || got.Code != http.StatusOK {
		d.Fatalf("result: %d %s", got.Code, got.text)
	}
	return out.State, out.Result, out.Redirect
}
