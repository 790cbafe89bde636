package action

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/settings"
)

// windows gives the bench channels on trial, whose PGs are played here.
func (b *bench) windows() {
	b.Providers = all.ByCode
	b.Trial = func(p provider.Provider) provider.Provider { return trial.PG{Provider: p, Ledger: b.store} }
	b.Hash = func(_, value string) string { return "hash of " + value }
}

// wanted is what a page asks for 1000 won by.
func wanted(id payment.ID, method payment.Method) CheckoutRequest {
	return CheckoutRequest{
		Store: "store-1", Channel: "channel-1", Payment: id, Address: netip.MustParseAddr("198.51.100.7"),
		Asked: payment.Asked{
			Amount: payment.Won(1000), OrderName: "책", Method: method, SDK: payment.SDKV2, Origin: "https://shop.example",
			Customer: payment.Customer{Name: "김철수"},
		},
	}
}

// opens opens a window.
func (b *bench) opens(r CheckoutRequest) payment.Checkout {
	b.Helper()
	c, err := b.OpenCheckout(b.Context(), r)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

var (
	byAccount = CheckoutChoice{Account: &AccountChoice{Bank: "KOOKMIN", Depositor: "김영희"}}
	approves  = CheckoutChoice{Ending: provider.Approves}
)

// pays has the buyer of a window choose.
func (b *bench) pays(c payment.Checkout, x CheckoutChoice) (payment.Checkout, payment.Payment) {
	b.Helper()
	c, p, err := b.PayCheckout(b.Context(), c.ID, x)
	if err != nil {
		b.Fatal(err)
	}
	return c, p
}

// stands is a window as it stands, with what it shows.
func (b *bench) stands(c payment.Checkout) (payment.Checkout, payment.Payment) {
	b.Helper()
	c, p, err := b.Checkout(b.Context(), c.ID)
	if err != nil {
		b.Fatal(err)
	}
	return c, p
}

func TestCheckoutByAccount(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		c := b.opens(wanted("o1", payment.VirtualAccount))
		p := b.payment("o1")
		if p.State != payment.Ready || !p.OnlyOpened() || p.Transactions[0].ID != c.Transaction || b.webhooks(p) != "Ready" {
			t.Fatalf("the opened payment is %+v, told %q", p, b.webhooks(p))
		}
		if now, seen := b.stands(c); !now.EndedAt.IsZero() || seen.State != payment.Ready || len(seen.Transactions) != 0 {
			t.Errorf("the new window stands at %+v and shows %+v", now, seen)
		}
		due := time.Now().Add(5 * time.Hour).UTC().Truncate(time.Second)
		again := wanted("o1", payment.VirtualAccount)
		again.AccountDue = due
		c = b.opens(again)
		c, seen := b.pays(c, byAccount)
		p = b.payment("o1")
		at := p.Transactions[p.Current]
		if c.EndedAt.IsZero() || c.Outcome != (payment.Outcome{}) || p.State != payment.Issued || at.Account.Bank != "KOOKMIN" || !at.Account.ExpiresAt.Equal(due) || at.Order != "o1" {
			t.Errorf("the window stands at %+v, its payment at %+v", c, p)
		}
		if seen.Transactions[0].Account.Number == "" || seen.Transactions[0].Secret != "" {
			t.Errorf("it shows %+v", seen)
		}
		if p.Customer.Name != "김철수" || b.webhooks(p) != "Ready VirtualAccountIssued" {
			t.Errorf("the customer is %q, told %q", p.Customer.Name, b.webhooks(p))
		}
		b.pays(c, byAccount)
		if p = b.payment("o1"); p.Begun() != 1 {
			t.Errorf("pressed again it has %d attempts", p.Begun())
		}
	})
}

func TestCheckoutByCard(t *testing.T) {
	for _, tt := range []struct {
		card  provider.Ending
		code  payment.Code
		pg    string
		first payment.State
		last  payment.State
		told  string
	}{
		{provider.Approves, "", "", payment.Paid, payment.Paid, "Ready Paid"},
		{provider.Declines, payment.CodePG, "TRIAL_CARD_DECLINED", payment.Failed, payment.Failed, "Ready Failed"},
		{provider.TimesOut, "", "", payment.PayPending, payment.Paid, "Ready PayPending Paid"},
	} {
		t.Run(string(tt.card), func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				b.ask()
				c, seen := b.pays(b.opens(wanted("o1", payment.ByCard)), CheckoutChoice{Ending: tt.card})
				if c.EndedAt.IsZero() || c.Outcome.Code != tt.code || c.Outcome.PGCode != tt.pg || seen.State != tt.first {
					t.Errorf("the window stands at %+v, and shows %s", c, seen.State)
				}
				sleep(10 * time.Minute)
				if p := b.payment("o1"); p.State != tt.last || b.webhooks(p) != tt.told {
					t.Errorf("in the end it is %s, told %q", p.State, b.webhooks(p))
				}
			})
		})
	}
}

func TestOpenCheckoutRefused(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.save(func(all *settings.All) {
			live := all.Channels[0]
			live.Key, live.Mode, live.MID = "channel-live", merchant.Live, "L0001"
			all.Channels = append(all.Channels, live)
			all.Stores[0].Origins, all.Stores[0].AppSchemes = []string{"https://shop.example"}, []string{"myshop"}
		})
		amount := int64(999)
		if err := b.Preregister(b.Context(), shop, "pinned", payment.Pin{Amount: &amount}); err != nil {
			t.Fatal(err)
		}
		for name, x := range map[string]struct {
			edit func(*CheckoutRequest)
			code string
		}{
			"as it should be":             {func(*CheckoutRequest) {}, ""},
			"another store":               {func(r *CheckoutRequest) { r.Store = "store-2" }, "StoreNotFound"},
			"no channel":                  {func(r *CheckoutRequest) { r.Channel = "" }, "ChannelNotFound"},
			"another channel":             {func(r *CheckoutRequest) { r.Channel = "channel-9" }, "ChannelNotFound"},
			"another page":                {func(r *CheckoutRequest) { r.Origin = "https://evil.example" }, "PermissionDenied"},
			"no page":                     {func(r *CheckoutRequest) { r.Origin = "" }, "PermissionDenied"},
			"a page in a sandbox":         {func(r *CheckoutRequest) { r.Origin = "null" }, "PermissionDenied"},
			"the buyer's own machine":     {func(r *CheckoutRequest) { r.Origin = "http://localhost:3000" }, ""},
			"that, but live":              {func(r *CheckoutRequest) { r.Origin, r.Channel = "http://localhost:3000", "channel-live" }, "PermissionDenied"},
			"a card, live":                {func(r *CheckoutRequest) { r.Method, r.Channel = payment.ByCard, "channel-live" }, "Unimplemented"},
			"a method that nobody has":    {func(r *CheckoutRequest) { r.Method = "MOBILE" }, "Unimplemented"},
			"dollars by an account":       {func(r *CheckoutRequest) { r.Amount.Currency = "USD" }, "Unimplemented"},
			"money of nowhere":            {func(r *CheckoutRequest) { r.Amount.Currency = "XXX" }, "BadRequest"},
			"no amount":                   {func(r *CheckoutRequest) { r.Amount.Amount = 0 }, "BadRequest"},
			"no name":                     {func(r *CheckoutRequest) { r.OrderName = "" }, "BadRequest"},
			"a payment id with a NUL":     {func(r *CheckoutRequest) { r.Payment = "a\x00" }, "BadRequest"},
			"no script":                   {func(r *CheckoutRequest) { r.SDK = "" }, "BadRequest"},
			"a redirect without a place":  {func(r *CheckoutRequest) { r.ForceRedirect = true }, "BadRequest"},
			"back to the shop":            {func(r *CheckoutRequest) { r.RedirectURL = "https://shop.example/done?a=1#b" }, ""},
			"back to an app":              {func(r *CheckoutRequest) { r.RedirectURL = "MyShop://done" }, ""},
			"back to another app":         {func(r *CheckoutRequest) { r.RedirectURL = "evil://done" }, "PermissionDenied"},
			"back to a script":            {func(r *CheckoutRequest) { r.RedirectURL = "javascript:alert(1)" }, "PermissionDenied"},
			"back to elsewhere":           {func(r *CheckoutRequest) { r.RedirectURL = "https://evil.example/" }, "PermissionDenied"},
			"back to one that looks like": {func(r *CheckoutRequest) { r.RedirectURL = "https://shop.example@evil.example/" }, "BadRequest"},
			"back to nowhere":             {func(r *CheckoutRequest) { r.RedirectURL = "/done" }, "BadRequest"},
			"webhooks to the shop":        {func(r *CheckoutRequest) { r.NoticeURLs = []string{"https://shop.example/hook"} }, ""},
			"webhooks to elsewhere":       {func(r *CheckoutRequest) { r.NoticeURLs = []string{"https://evil.example/hook"} }, "PermissionDenied"},
			"confirmed elsewhere":         {func(r *CheckoutRequest) { r.ConfirmURL = "https://evil.example/hook" }, "PermissionDenied"},
			"confirmed by a file":         {func(r *CheckoutRequest) { r.ConfirmURL = "file:///etc/passwd" }, "BadRequest"},
			"another amount than fixed":   {func(r *CheckoutRequest) { r.Payment = "pinned" }, "AmountNotEqualToPredefined"},
			"a bank that nobody knows":    {func(r *CheckoutRequest) { r.Banks = []payment.Bank{"MATTRESS"} }, "BadRequest"},
			"an account of yesterday":     {func(r *CheckoutRequest) { r.AccountDue = time.Now().Add(-time.Hour) }, "BadRequest"},
			"a store nobody could have":   {func(r *CheckoutRequest) { r.Store = merchant.StoreID(strings.Repeat("s", 101)) }, "StoreNotFound"},
			"much data of its own":        {func(r *CheckoutRequest) { r.CustomData = strings.Repeat("x", 16<<10+1) }, "BadRequest"},
			"more free of tax than all":   {func(r *CheckoutRequest) { r.TaxFree = 1001 }, "BadRequest"},
		} {
			r := wanted(payment.ID("o "+name), payment.VirtualAccount)
			x.edit(&r)
			_, err := b.OpenCheckout(b.Context(), r)
			if got := CheckoutCode(err); err != nil && got != x.code || err == nil && x.code != "" {
				t.Errorf("%s: %v (%s), want %s", name, err, got, x.code)
			}
			if _, known := b.store.Payment(b.Context(), "store-1", r.Payment, merchant.Any); err != nil && !fault.Is(known, fault.NotFound) {
				t.Errorf("%s: a payment was made all the same", name)
			}
		}
	})
}

// TestManyWindows: one address opens so many windows of a payment, all together open more,
// and after a while there is room again.
func TestManyWindows(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		from := func(address string) error {
			r := wanted("o1", payment.ByCard)
			r.Address = netip.MustParseAddr(address)
			_, err := b.OpenCheckout(b.Context(), r)
			return err
		}
		many := func(address string) (n int) {
			for range 200 {
				err := from(address)
				if errors.Is(err, payment.ErrTooManyWindows) {
					return n
				}
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			return n
		}
		if n := many("2001:db8::1"); n != 10 {
			t.Errorf("one address opens %d windows", n)
		}
		if from("2001:db8::2") == nil {
			t.Error("its neighbour of the same /64 opens more")
		}
		if err := from("203.0.113.9"); err != nil {
			t.Errorf("another address: %v", err)
		}
		n := 11
		for i := range 20 {
			n += many(netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + i)}).String())
		}
		if n != 100 {
			t.Errorf("all open %d windows", n)
		}
		sleep(time.Hour + time.Second)
		if n := many("203.0.113.9"); n != 10 {
			t.Errorf("an hour later one address opens %d windows", n)
		}
		b.Windows = never{}
		if err := from("203.0.113.10"); !errors.Is(err, payment.ErrTooManyWindows) || CheckoutCode(err) != "ResourceExhausted" {
			t.Errorf("an address that may not: %v", err)
		}
	})
}

// never lets nothing be done.
type never struct{}

func (never) Take(string, time.Time) time.Duration { return time.Second }

// TestChoices: what a buyer cannot choose does nothing, and the window goes on.
func TestChoices(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		r := wanted("o1", payment.VirtualAccount)
		r.Banks = []payment.Bank{"IBK"}
		account, card := b.opens(r), b.opens(wanted("o2", payment.ByCard))
		for name, x := range map[string]struct {
			c      payment.Checkout
			choice CheckoutChoice
		}{
			"nothing":            {account, CheckoutChoice{}},
			"a card":             {account, approves},
			"another bank":       {account, byAccount},
			"no bank":            {account, CheckoutChoice{Account: &AccountChoice{}}},
			"a long name":        {account, CheckoutChoice{Account: &AccountChoice{Bank: "IBK", Depositor: strings.Repeat("가", 40)}}},
			"a receipt for none": {account, CheckoutChoice{Account: &AccountChoice{Bank: "IBK", Receipt: &provider.ReceiptOrder{Identity: "12"}}}},
			"an account":         {card, byAccount},
			"another card":       {card, CheckoutChoice{Ending: "4242424242424242"}},
		} {
			c, _, err := b.PayCheckout(b.Context(), x.c.ID, x.choice)
			if !fault.Is(err, fault.Invalid) || !c.EndedAt.IsZero() || b.payment(c.PaymentID).Begun() != 0 {
				t.Errorf("%s: %v; the window stands at %+v", name, err, c)
			}
		}
		if now, _ := b.pays(account, CheckoutChoice{Account: &AccountChoice{Bank: "IBK"}}); now.Outcome.Code != "" || now.EndedAt.IsZero() {
			t.Errorf("the right choice after them: %+v", now)
		}
		if _, _, err := b.PayCheckout(b.Context(), "nowhere", approves); !errors.Is(err, payment.ErrNoCheckout) {
			t.Errorf("a window that is not there: %v", err)
		}
	})
}
