package settings

import (
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
)

// fitWallet gives a new channel of an easy-pay service what no other has.
func fitWallet(ch *merchant.Channel, i provider.Info) {
	if i.Wallet != nil {
		ch.PaymentType, ch.Methods = merchant.WindowSimple, []string{string(i.Wallet.Method)}
	}
}

// checkWallet reports fault.Invalid for a channel of an easy-pay service that cannot be: its
// payments are played, so there are test channels alone, with the merchant's own credentials
// as no others are published. A channel that is not in use may lack them.
func checkWallet(c merchant.Channel, i provider.Info) error {
	if i.Wallet == nil {
		return nil
	}
	method := string(i.Wallet.Method)
	switch {
	case c.Mode != merchant.Test:
		return invalid("%s has test channels only, since its payments are played here and none of its API is called: write mode = \"test\"; live, pay by it in your PG's own window", i.Name.EN)
	case c.BaseURL != "":
		return invalid("base_url: no API of %s is called, so there is no other address of it", i.Name.EN)
	case slices.ContainsFunc(c.Methods, func(m string) bool { return m != method }):
		return invalid("methods: %s takes %s alone", i.Name.EN, method)
	case c.Disabled:
		return nil
	}
	var missing []string
	if c.MID == "" {
		missing = append(missing, "mid")
	}
	for _, f := range i.Fields {
		if c.Credentials[f.Name] == "" {
			missing = append(missing, f.Name)
		}
	}
	if len(missing) > 0 {
		return invalid("%s publishes no test merchant, so the channel needs your own test credentials: %s missing", i.Name.EN, strings.Join(missing, ", "))
	}
	return nil
}
