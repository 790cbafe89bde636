package ingress_test

import (
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Senders as the PGs publish them.
const (
	kcpLive  = "103.215.144.173"
	kcpTest  = "210.122.176.144"
	tossLive = "13.124.18.147"
	niceLive = "121.133.126.10"
	iniLive  = "203.238.37.15"
	stranger = "198.51.100.7"
	loopback = "127.0.0.1"
)

// The channels that most tests use.
const (
	keyTest merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-00000000000a"
	keyLive merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-00000000000b"
	keyMore merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-00000000000c"
)

// testChannel is a KCP test channel of merchant m1, edited.
func testChannel(edit ...func(*merchant.Channel)) merchant.Channel {
	c := merchant.Channel{
		Key: keyTest, Merchant: "m1", Store: "s1", Name: "test", Provider: "kcp", Mode: merchant.Test, MID: "T0000",
		PaymentType: merchant.WindowGeneral, Methods: []string{"VIRTUAL_ACCOUNT"}, Unknown: merchant.Hold,
	}
	for _, f := range edit {
		f(&c)
	}
	return c
}

// liveChannel is a KCP live channel of merchant m1, edited.
func liveChannel(edit ...func(*merchant.Channel)) merchant.Channel {
	return testChannel(append([]func(*merchant.Channel){func(c *merchant.Channel) {
		c.Key, c.Mode, c.MID, c.Name = keyLive, merchant.Live, "A1234", "live"
	}}, edit...)...)
}

func of(code, mid string) func(*merchant.Channel) {
	return func(c *merchant.Channel) { c.Provider, c.MID = code, mid }
}

func keyed(k merchant.ChannelKey) func(*merchant.Channel) {
	return func(c *merchant.Channel) { c.Key = k }
}

func token(s string) func(*merchant.Channel) {
	return func(c *merchant.Channel) { c.Token = s }
}

func adopts(c *merchant.Channel) { c.Unknown = merchant.Adopt }

func otherMerchant(c *merchant.Channel) { c.Merchant, c.Store = "m2", "s2" }

func credential(name, value string) func(*merchant.Channel) {
	return func(c *merchant.Channel) { c.Credentials = merchant.Credentials{name: secret.Text(value)} }
}

func senders(list ...string) func(*merchant.Channel) {
	return func(c *merchant.Channel) {
		p := provider.Prefixes(list...)
		c.Senders = &p
	}
}

// allOf are the settings of two merchants with the given channels, and an
// endpoint for everything in each mode.
func allOf(channels ...merchant.Channel) settings.All {
	a := settings.All{
		Version:   1,
		Merchants: []merchant.Merchant{{ID: "m1", Name: "가나"}, {ID: "m2", Name: "다라"}},
		Channels:  channels,
	}
	for _, s := range []struct {
		m merchant.ID
		s merchant.StoreID
	}{{"m1", "s1"}, {"m2", "s2"}} {
		a.Stores = append(a.Stores, settings.Store{
			Store:        merchant.Store{ID: s.s, Merchant: s.m, Name: "대표", Representative: true},
			NoticeSecret: "whsec_bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5u", CreatedAt: time.Unix(0, 0),
		})
		for _, mode := range []merchant.Mode{merchant.Live, merchant.Test} {
			a.Endpoints = append(a.Endpoints, webhook.Endpoint{
				ID: webhook.EndpointID(uuid.NewString()), Merchant: s.m, Store: s.s, Name: string(mode),
				URL: "https://shop.example/" + string(s.s), Mode: mode, Events: []string{"*", string(webhook.Attention)},
				Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne,
				Secrets: []secret.Text{"whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"}, InFlight: webhook.DefaultInFlight, CreatedAt: time.Unix(0, 0),
			})
		}
	}
	return a
}
