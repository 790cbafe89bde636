// Package all is the explicit list of PG modules.
package all

import (
	"slices"

	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/daou"
	"github.com/tongbo/tongbo/internal/provider/inicis"
	"github.com/tongbo/tongbo/internal/provider/kcp"
	"github.com/tongbo/tongbo/internal/provider/kicc"
	"github.com/tongbo/tongbo/internal/provider/kpn"
	"github.com/tongbo/tongbo/internal/provider/ksnet"
	"github.com/tongbo/tongbo/internal/provider/nice"
	"github.com/tongbo/tongbo/internal/provider/settle"
	"github.com/tongbo/tongbo/internal/provider/smartro"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/provider/wallet"
	"github.com/tongbo/tongbo/internal/provider/welcome"
)

// Providers returns every module of a PG that sends notices, in the order in which lists
// show them.
func Providers() []provider.Provider {
	return []provider.Provider{
		inicis.V1, inicis.V2,
		kcp.V1, kcp.V2,
		kicc.Module,
		settle.Module,
		daou.Module,
		tosspayments.Module,
		smartro.V2,
		nice.V1, nice.V2,
		welcome.Module,
		kpn.Module,
		ksnet.Module,
	}
}

// Wallets returns the modules of easy-pay services, which send no notices and serve test
// channels alone: see [provider.Wallet].
func Wallets() []provider.Provider {
	return []provider.Provider{wallet.NaverPay, wallet.TossPay, wallet.PayPal}
}

// ByCode returns the module with a code, one of Providers or of Wallets.
func ByCode(code string) (provider.Provider, bool) {
	for _, p := range slices.Concat(Providers(), Wallets()) {
		if p.Info().Code == code {
			return p, true
		}
	}
	return nil, false
}
