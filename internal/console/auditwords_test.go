package console

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// TestAuditWordsOfSettings finds what the audit log tells of settings in the catalogue.
func TestAuditWordsOfSettings(t *testing.T) {
	later := time.Now().Add(time.Hour)
	none := []netip.Prefix{}
	full := settings.All{
		Merchants:  []merchant.Merchant{{ID: "m", Name: "a"}},
		Stores:     []settings.Store{{Store: merchant.Store{ID: "s", Merchant: "m", Name: "a", TierCode: "t"}, NoticeSecret: "whsec_QUJD"}},
		Channels:   []merchant.Channel{{Key: "c", Merchant: "m", Store: "s", Name: "a", MID: "m", BaseURL: "u", Methods: []string{"CARD"}, Stores: []merchant.StoreID{"x"}, Senders: &none, Token: "t", AskedAt: later, Notes: "n", Provider: "kcp", Mode: merchant.Test, PaymentType: merchant.APIKeyin, Unknown: merchant.Hold}},
		Endpoints:  []webhook.Endpoint{{ID: "e", Merchant: "m", Store: "s", Name: "a", URL: "u", Mode: merchant.Test, Events: []string{"*"}, Version: webhook.V1, ContentType: webhook.JSON, Schedule: webhook.Toss, OldUntil: later}},
		APISecrets: []settings.APISecret{{APISecret: merchant.APISecret{ID: "a", Merchant: "m", Store: "s", Name: "a", Mode: merchant.Any}, Hash: "hash"}},
		APIKeys:    []settings.APIKey{{APIKey: merchant.APIKey{ID: "k", Merchant: "m", Store: "s", Key: "a", Mode: merchant.Test}, Hash: "hash"}},
		Allows:     []merchant.Allow{{Store: "s", Scope: merchant.AllowConsole, CIDR: netip.MustParsePrefix("192.0.2.0/24"), Trial: merchant.Coming, Until: later}},
	}
	check := func(key string) {
		t.Helper()
		if !words.Has(key) {
			t.Errorf("the catalogue has no %s", key)
		}
	}
	empty := settings.All{Stores: full.Stores}
	for _, list := range [][]member.Entry{
		settings.Entries(settings.All{}, full, member.By{}, "", fakeHash), settings.Entries(full, empty, member.By{}, "", fakeHash),
	} {
		for _, e := range list {
			check("audit.action_" + strings.ReplaceAll(e.Action, ".", "_"))
			for _, f := range append(e.Before, e.After...) {
				check("audit.field_" + f.Name)
			}
		}
	}
	for _, what := range []string{"allow_confirmed", "allow_undone", "allow_changed", "endpoint_paused", "endpoint_resumed", "channel_disabled", "channel_enabled"} {
		check("audit.action_" + what)
	}
}
