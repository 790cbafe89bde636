package action

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A bench is the verbs over a real database, inside a bubble.
type bench struct {
	*testing.T
	*Actions
	store *store.Store
	ids   atomic.Int64
	file  string // the database
	seal  *seal.Key
}

var shop = Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Test}

// inBubble runs a test on a bench of its own, with the bubble's clock.
func inBubble(t *testing.T, test func(*bench)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{T: t, file: filepath.Join(t.TempDir(), "t.db"), seal: key}
		b.open()
		b.Actions = &Actions{
			Store:     b.store,
			Judge:     func(settings.All) notice.Judge { return wait },
			Providers: func(code string) (provider.Provider, bool) { return nil, code == "kcp_v2" },
			NewID:     b.id,
		}
		b.save(func(*settings.All) {})
		test(b)
	})
}

// open opens the bench's database until the test ends.
func (b *bench) open() {
	b.Helper()
	st, err := store.Open(b.Context(), "sqlite:"+b.file, store.Options{Key: b.seal})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := st.Close(); err != nil {
			b.Error(err)
		}
	})
	b.store = st
}

// id makes ids that sort as they were made. Loops ask for some while a test does, too.
func (b *bench) id() string {
	return fmt.Sprintf("00000000-0000-7000-9000-%012d", b.ids.Add(1))
}

// wait leaves a notice waiting.
func wait(notice.Inbound, []notice.Found) notice.Ruling {
	return notice.Ruling{Verdict: payment.Unmatched}
}

// save makes the settings what edit makes of a store with one channel and one
// endpoint.
func (b *bench) save(edit func(*settings.All)) {
	b.Helper()
	now, err := b.store.Settings(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	at := time.Now().UTC()
	next := settings.All{
		Version:   now.Version,
		Merchants: []merchant.Merchant{{ID: "merchant-1", Name: "가나상점"}},
		Stores: []settings.Store{{
			Store:        merchant.Store{ID: "store-1", Merchant: "merchant-1", Name: "대표", Representative: true},
			NoticeSecret: "whsec_QUJD", CreatedAt: at,
		}},
		Channels: []merchant.Channel{{
			Key: "channel-1", Merchant: "merchant-1", Store: "store-1", Provider: "kcp_v2", Mode: merchant.Test, MID: "T0000",
			PaymentType: merchant.WindowGeneral, Unknown: merchant.Hold,
		}},
		Endpoints: []webhook.Endpoint{{
			ID: "00000000-0000-7000-8000-00000000000e", Merchant: "merchant-1", Store: "store-1", Name: "e",
			URL: "https://shop.example/", Mode: merchant.Test, Events: []string{"*", string(webhook.VirtualAccountExpired)},
			Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne, CreatedAt: at,
		}},
	}
	edit(&next)
	if err := b.store.SaveSettings(b.Context(), next, at); err != nil {
		b.Fatal(err)
	}
}

// order is a registration that is in order.
func order(id payment.ID, deadline time.Time) payment.Registration {
	return payment.Registration{
		ID: id, Channel: "channel-1", OrderName: "책", Amount: payment.Won(1000),
		Account: payment.Account{Bank: "IBK", Number: "123-456", ExpiresAt: deadline},
	}
}

// webhooks are the types of what the payment's endpoint is told.
func (b *bench) webhooks(p payment.Payment) string {
	b.Helper()
	list, err := b.store.Webhooks(b.Context(), p.Key)
	if err != nil {
		b.Fatal(err)
	}
	var types []string
	for _, h := range list {
		types = append(types, strings.TrimPrefix(string(h.Type), "Transaction."))
	}
	return strings.Join(types, " ")
}

func TestRegisterAccount(t *testing.T) {
	inBubble(t, func(b *bench) {
		var heard []time.Time
		b.Registered = func(at time.Time) { heard = append(heard, at) }
		deadline := time.Now().Add(time.Hour + 1500*time.Nanosecond)
		p, changed, err := b.RegisterAccount(b.Context(), shop, order("o1", deadline))
		if err != nil || !changed {
			t.Fatalf("RegisterAccount = %v, %v", changed, err)
		}
		if p.Merchant != "merchant-1" || p.Store != "store-1" || p.Mode != merchant.Test || p.State != payment.Issued {
			t.Errorf("the payment is %+v", p)
		}
		want := deadline.UTC().Truncate(time.Microsecond)
		if len(heard) != 1 || !heard[0].Equal(want) {
			t.Errorf("deadlines told: %v, want %v", heard, want)
		}
		if got := b.webhooks(p); got != "VirtualAccountIssued" {
			t.Errorf("told: %q", got)
		}
		if _, changed, err := b.RegisterAccount(b.Context(), shop, order("o1", deadline)); err != nil || changed {
			t.Errorf("again: changed %v, %v", changed, err)
		}
		if got := b.webhooks(p); got != "VirtualAccountIssued" {
			t.Errorf("told after the same again: %q", got)
		}
	})
}

func TestNoticeURLsReplaceTheEndpoint(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := order("o1", time.Time{})
		g.NoticeURLs = []string{"https://other.example/a", "https://other.example/b"}
		p, _, err := b.RegisterAccount(b.Context(), shop, g)
		if err != nil {
			t.Fatal(err)
		}
		list, err := b.store.Webhooks(b.Context(), p.Key)
		if err != nil || len(list) != 2 || list[0].URL != g.NoticeURLs[0] || list[1].URL != g.NoticeURLs[1] {
			t.Errorf("webhooks: %+v, %v", list, err)
		}
	})
}

func TestSettingsThatChanged(t *testing.T) {
	inBubble(t, func(b *bench) {
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Time{})); err != nil {
			t.Fatal(err)
		}
		// What is kept is stale now; the store says so, and it is read anew.
		b.save(func(a *settings.All) { a.Endpoints = nil })
		p, _, err := b.RegisterAccount(b.Context(), shop, order("o2", time.Time{}))
		if err != nil || b.webhooks(p) != "" {
			t.Errorf("after the endpoint went: %v, told %q", err, b.webhooks(p))
		}
		// A channel that came since is found too.
		b.save(func(a *settings.All) {
			c := a.Channels[0]
			c.Key = "channel-2"
			a.Channels = append(a.Channels, c)
		})
		g := order("o3", time.Time{})
		g.Channel = "channel-2"
		if _, _, err := b.RegisterAccount(b.Context(), shop, g); err != nil {
			t.Errorf("on a new channel: %v", err)
		}
		b.save(func(a *settings.All) { a.Channels[0].Disabled = true })
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o4", time.Time{})); !fault.Is(err, fault.NotFound) {
			t.Errorf("on a disabled channel: %v", err)
		}
	})
}

// restless is a store whose settings never stay the same.
type restless struct{ Store }

// Register reports fault.Stale.
func (restless) Register(context.Context, payment.Registration, notice.Registering) (p payment.Payment, changed bool, err error) {
	return p, false, fault.Errorf(fault.Stale, "they changed")
}

func TestSettingsThatNeverRest(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.Store = restless{b.store}
		if _, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Time{})); !fault.Is(err, fault.Unavailable) {
			t.Errorf("RegisterAccount = %v, want unavailable", err)
		}
	})
}

func TestRegisterRefuses(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.save(func(a *settings.All) {
			gone := a.Channels[0]
			gone.Key, gone.Provider = "channel-gone", "gone"
			a.Channels = append(a.Channels, gone)
		})
		tests := []struct {
			name   string
			caller Caller
			edit   func(*payment.Registration)
			want   fault.Kind
		}{
			{"a channel that is not there", shop, func(g *payment.Registration) { g.Channel = "x" }, fault.NotFound},
			{"another store's channel", Caller{Merchant: "merchant-1", Store: "store-2", Mode: merchant.Test}, func(*payment.Registration) {}, fault.NotFound},
			{"another merchant's channel", Caller{Merchant: "merchant-2", Store: "store-1", Mode: merchant.Test}, func(*payment.Registration) {}, fault.NotFound},
			{"a live key on a test channel", Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Live}, func(*payment.Registration) {}, fault.Forbidden},
			{"a key of no mode", Caller{Merchant: "merchant-1", Store: "store-1"}, func(*payment.Registration) {}, fault.Forbidden},
			{"a PG of another build", shop, func(g *payment.Registration) { g.Channel = "channel-gone" }, fault.Unsupported},
			{"no money", shop, func(g *payment.Registration) { g.Amount.Amount = 0 }, fault.Invalid},
			{"too many notice URLs", shop, func(g *payment.Registration) { g.NoticeURLs = make([]string, 11) }, fault.Invalid},
			{"custom data without end", shop, func(g *payment.Registration) { g.CustomData = strings.Repeat("x", maxCustomData+1) }, fault.Invalid},
			{"an address line without end", shop, func(g *payment.Registration) {
				g.Customer.Address = []byte(`{"city":"` + strings.Repeat("x", maxName+1) + `"}`)
			}, fault.Invalid},
			{"an address of another shape", shop, func(g *payment.Registration) { g.Customer.Address = []byte(`[7]`) }, fault.Invalid},
			{"an address of many lines", shop, func(g *payment.Registration) {
				g.Customer.Address = []byte(`{"a":"x"` + strings.Repeat(`,"a":"x"`, maxAddress/8) + `}`)
			}, fault.Invalid},
			{"a broken name", shop, func(g *payment.Registration) { g.Customer.Name = "\xc3" }, fault.Invalid},
		}
		for _, test := range tests {
			g := order("o1", time.Time{})
			test.edit(&g)
			if _, _, err := b.RegisterAccount(b.Context(), test.caller, g); !fault.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		}
	})
}

func TestResend(t *testing.T) {
	inBubble(t, func(b *bench) {
		if _, err := b.Resend(b.Context(), shop, "o1", ""); !fault.Is(err, fault.NotFound) || errors.Is(err, ErrNoWebhook) {
			t.Errorf("of no payment: %v", err)
		}
		p, _, err := b.RegisterAccount(b.Context(), shop, order("o1", time.Time{}))
		if err != nil {
			t.Fatal(err)
		}
		first, err := b.Resend(b.Context(), shop, "o1", "")
		if err != nil || !first.Manual || first.Payment != p.Key {
			t.Fatalf("Resend = %+v, %v", first, err)
		}
		again, err := b.Resend(b.Context(), shop, "o1", first.WebhookID())
		if err != nil || again.WebhookID() != first.WebhookID() || again.ID == first.ID {
			t.Errorf("again: %+v, %v", again, err)
		}
		if _, err := b.Resend(b.Context(), shop, "o1", "whk_none"); !errors.Is(err, ErrNoWebhook) {
			t.Errorf("of no webhook: %v", err)
		}
		live := shop
		live.Mode = merchant.Live
		if _, err := b.Resend(b.Context(), live, "o1", ""); !fault.Is(err, fault.NotFound) || errors.Is(err, ErrNoWebhook) {
			t.Errorf("with a live key: %v", err)
		}
	})
}

func TestParseDeadline(t *testing.T) {
	for in, want := range map[string]string{
		"2026-02-28":           "2026-02-28T14:59:59Z",
		"2026-08-31T23:59:59":  "2026-08-31T14:59:59Z",
		"2026-08-31T23:59:59Z": "2026-08-31T23:59:59Z",
		"2026-02-29":           "", "": "", "20260831": "", "2026-08-31 10:00": "", "2026-08-31T24:00:01Z": "",
	} {
		got, err := ParseDeadline(in)
		if want == "" {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("ParseDeadline(%q) = %v, %v", in, got, err)
			}
			continue
		}
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("ParseDeadline(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestCurrencies(t *testing.T) {
	for c := range strings.FieldsSeq(currencies) {
		if len(c) != 3 || !knownCurrency(payment.Currency(c)) || strings.Count(currencies, " "+c+" ") != 1 {
			t.Errorf("currency %q", c)
		}
	}
	for _, c := range []payment.Currency{"", "krw", "KR", "AED ", "D A", " KR"} {
		if knownCurrency(c) {
			t.Errorf("%q is no currency", c)
		}
	}
}
