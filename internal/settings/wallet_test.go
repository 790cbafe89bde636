package settings_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
)

const inWallet = head + "[[merchant.store.channel]]\nname = \"w\"\nprovider = \"purse\"\nmode = \"test\"\nmid = \"P1\"\n"

// walletEnv knows an easy-pay service beside the other modules.
func walletEnv() settings.Env {
	e := newEnv()
	others := e.Providers
	e.Providers = func(code string) (provider.Info, bool) {
		if code != "purse" {
			return others(code)
		}
		return provider.Info{
			Code: "purse", Name: provider.Same("Purse Pay"), Fields: []provider.Field{{Name: "client_id"}, {Name: "client_secret", Secret: true}},
			Wallet: &provider.Wallet{Name: "PURSE", Method: payment.ByWallet, Currencies: []payment.Currency{payment.KRW}},
		}, true
	}
	return e
}

// TestWalletChannel: a wallet's channel pays by the wallet alone, and warns of nothing that
// concerns notices.
func TestWalletChannel(t *testing.T) {
	t.Parallel()
	all, changes := declare(t, walletEnv(), inWallet+"credentials = { client_id = \"a\", client_secret = \"hush\" }")
	c := all.Channels[0]
	if strings.Join(c.Methods, " ") != "EASY_PAY" || c.PaymentType != merchant.WindowSimple || c.Credentials["client_secret"].Reveal() != "hush" {
		t.Errorf("the channel is %+v", c)
	}
	for _, x := range changes {
		if x.Kind == settings.Warning {
			t.Errorf("a warning: %s", x)
		}
	}
	if all, _ = declare(t, walletEnv(), inWallet+"disabled = true"); !all.Channels[0].Disabled {
		t.Error("a draft without credentials is not kept")
	}
}

// TestWalletRefuses: what a wallet's channel cannot be is said with what to do.
func TestWalletRefuses(t *testing.T) {
	t.Parallel()
	full := inWallet + "credentials = { client_id = \"a\", client_secret = \"hush\" }\n"
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"live", strings.Replace(full, `mode = "test"`, `mode = "live"`, 1), []string{"Purse Pay", "test channels only", "PG's own window"}},
		{"without credentials", inWallet, []string{"your own test credentials", "client_id, client_secret missing"}},
		{"without one", inWallet + "credentials = { client_id = \"a\" }", []string{": client_secret missing"}},
		{"without mid", strings.Replace(full, "mid = \"P1\"\n", "", 1), []string{": mid missing"}},
		{"of another service", inWallet + "credentials = { api_key = \"hush\" }", []string{"api_key", "client_secret"}},
		{"with another way of paying", full + "methods = [\"EASY_PAY\", \"CARD\"]", []string{"EASY_PAY alone"}},
		{"at an address", full + "base_url = \"http://127.0.0.1:1\"", []string{"base_url", "no API"}},
	} {
		_, _, err := settings.Declare(settings.All{}, parse(t, tt.file), walletEnv())
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", tt.name, err)
			continue
		}
		for _, want := range append(tt.want, `channel "w"`) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", tt.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s gives a secret away: %q", tt.name, err)
		}
	}
	// One that is in use cannot be emptied, nor moved to live mode.
	all, _ := declare(t, walletEnv(), full)
	for _, change := range []string{"credentials = { client_secret = \"\" }", "mode = \"live\""} {
		f := strings.Replace(inWallet, "mode = \"test\"\n", "mode = \"test\"\nkey = \""+string(all.Channels[0].Key)+"\"\n", 1)
		if strings.HasPrefix(change, "mode") {
			f, change = strings.Replace(f, `mode = "test"`, change, 1), ""
		}
		if _, _, err := settings.Declare(all, parse(t, f+change), walletEnv()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want Invalid", change, err)
		}
	}
}
