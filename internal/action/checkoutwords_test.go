package action

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// toldWhere are the types of a payment's webhooks with the paths to which each goes.
func (b *bench) toldWhere(p payment.Payment) string {
	b.Helper()
	list, err := b.store.Webhooks(b.Context(), p.Key)
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for _, h := range list {
		out = append(out, strings.TrimPrefix(string(h.Type), "Transaction.")+strings.TrimPrefix(h.URL, "https://shop.example"))
	}
	return strings.Join(out, " ")
}

// worded is what a page asks for in words of its own.
func worded(name string, method payment.Method) CheckoutRequest {
	r := wanted("o1", method)
	r.OrderName, r.Customer.Name, r.CustomData, r.NoticeURLs = name, name, name, []string{"https://shop.example/" + name}
	return r
}

// TestWordsOfThePayingWindow: somebody who knows an order's id opens a window for it
// first, and has an account issued beside the buyer's; what the buyer pays for is told
// where the buyer's page said, and as it said.
func TestWordsOfThePayingWindow(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.opens(worded("squat", payment.VirtualAccount))
		mine := b.opens(worded("mine", payment.VirtualAccount))
		b.pays(mine, byAccount)
		if p := b.payment("o1"); p.OrderName != "mine" || p.CustomData != "mine" || p.Customer.Name != "mine" || b.toldWhere(p) != "Ready/squat VirtualAccountIssued/mine" {
			t.Errorf("the payment is %+v, told %q", p, b.toldWhere(p))
		}
		late := b.opens(worded("late", payment.VirtualAccount))
		b.pays(late, byAccount)
		if p := b.payment("o1"); p.OrderName != "late" || p.Begun() != 2 {
			t.Errorf("the payment is %+v", p)
		}
		if _, seen := b.stands(mine); seen.OrderName != "mine" || slices.ContainsFunc(seen.Transactions, func(x payment.Transaction) bool { return x.Words != nil }) {
			t.Errorf("the buyer's window shows %+v", seen)
		}
	})
}

// TestTestStoreSignsForItself: a store that registered no origins takes windows of any page
// on a test channel, but sends and signs nothing to wherever that says.
func TestTestStoreSignsForItself(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		for name, x := range map[string]struct {
			edit func(*CheckoutRequest)
			code string
		}{
			"a page of anywhere":       {func(r *CheckoutRequest) { r.Origin = "https://evil.example" }, ""},
			"which goes back there":    {func(r *CheckoutRequest) { r.RedirectURL = "https://evil.example/done" }, ""},
			"and wants webhooks there": {func(r *CheckoutRequest) { r.NoticeURLs = []string{"https://evil.example/hook"} }, "PermissionDenied"},
			"and one of them there": {func(r *CheckoutRequest) {
				r.NoticeURLs = []string{"https://shop.example/hook", "https://evil.example/hook"}
			}, "PermissionDenied"},
			"and is asked to confirm": {func(r *CheckoutRequest) { r.ConfirmURL = "https://evil.example/hook" }, "PermissionDenied"},
			"and names one page for both": {func(r *CheckoutRequest) {
				r.RedirectURL, r.ConfirmURL = "https://evil.example/x", "https://evil.example/x"
			}, "PermissionDenied"},
			"webhooks beside the endpoint":  {func(r *CheckoutRequest) { r.NoticeURLs = []string{"https://shop.example/hook"} }, ""},
			"asked beside the endpoint":     {func(r *CheckoutRequest) { r.ConfirmURL = "https://shop.example/confirm" }, ""},
			"the developer's own machine":   {func(r *CheckoutRequest) { r.NoticeURLs = []string{"http://localhost:3000/hook"} }, ""},
			"one that only looks like that": {func(r *CheckoutRequest) { r.ConfirmURL = "http://localhost.evil.example/" }, "PermissionDenied"},
		} {
			r := wanted(payment.ID("o "+name), payment.ByCard)
			x.edit(&r)
			if _, err := b.OpenCheckout(b.Context(), r); err != nil && CheckoutCode(err) != x.code || err == nil && x.code != "" {
				t.Errorf("%s: %v, want %q", name, err, x.code)
			}
		}
	})
}

// TestStrangersLocalhost: where private addresses are called, localhost in a stranger's page
// would be this machine: neither its services are called nor their answers told.
func TestStrangersLocalhost(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.PrivateShops = true
		for name, x := range map[string]struct {
			near bool
			edit func(*CheckoutRequest)
			code string
		}{
			"a stranger wants webhooks there":    {false, func(r *CheckoutRequest) { r.NoticeURLs = []string{"http://127.0.0.1:6379/"} }, "PermissionDenied"},
			"a stranger has it asked to confirm": {false, func(r *CheckoutRequest) { r.ConfirmURL = "http://[::1]:9200/_shutdown" }, "PermissionDenied"},
			"a stranger names the endpoint":      {false, func(r *CheckoutRequest) { r.ConfirmURL = "https://shop.example/confirm" }, ""},
			"a stranger's page is at its own":    {false, func(r *CheckoutRequest) { r.RedirectURL = "http://localhost:3000/done" }, ""},
			"a developer on this machine": {true, func(r *CheckoutRequest) {
				r.NoticeURLs, r.ConfirmURL = []string{"http://localhost:3000/"}, "http://localhost:3000/"
			}, ""},
		} {
			r := wanted(payment.ID("o "+name), payment.ByCard)
			x.edit(&r)
			r.Near = x.near
			if _, err := b.OpenCheckout(b.Context(), r); err != nil && CheckoutCode(err) != x.code || err == nil && x.code != "" {
				t.Errorf("%s: %v, want %q", name, err, x.code)
			}
		}
	})
}

// TestLiveWindowFirst: an order that somebody opened on a test channel is bought on the
// live one, and its test window is told that it came too late.
func TestLiveWindowFirst(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.save(func(all *settings.All) {
			live, hook := all.Channels[0], all.Endpoints[0]
			live.Key, live.Mode, live.MID = "channel-live", merchant.Live, "L0001"
			hook.ID, hook.Mode, hook.URL, hook.Name = "00000000-0000-7000-8000-00000000000f", merchant.Live, "https://shop.example/live", "live"
			all.Channels, all.Endpoints = append(all.Channels, live), append(all.Endpoints, hook)
			all.Stores[0].Origins = []string{"https://shop.example"}
		})
		r := wanted("o1", payment.VirtualAccount)
		test := b.opens(r)
		r.Channel, r.Amount = "channel-live", payment.Won(2000)
		live := b.opens(r)
		p := b.payment("o1")
		if p.Mode != merchant.Live || p.Amount != payment.Won(2000) || p.Key != test.Payment || live.Payment != test.Payment || b.toldWhere(p) != "Ready/ Ready/live" {
			t.Fatalf("the payment is %+v, told %q", p, b.toldWhere(p))
		}
		if now, _ := b.pays(test, byAccount); now.Outcome.Code != payment.CodeOvertaken || b.payment("o1").Begun() != 0 {
			t.Errorf("the test window's buyer acts: %+v", now)
		}
		if now, _ := b.stands(live); !now.EndedAt.IsZero() {
			t.Errorf("the live window stands at %+v", now)
		}
		r.Channel = "channel-1"
		if _, err := b.OpenCheckout(b.Context(), r); !errors.Is(err, payment.ErrOtherMode) || CheckoutCode(err) != "InvalidEntityState" {
			t.Errorf("another test window: %v", err)
		}
	})
}
