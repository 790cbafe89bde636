// Package all is the explicit list of PG modules.
package all

import (
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
	"github.com/tongbo/tongbo/internal/provider/welcome"
)

// Providers returns every module, in the order in which lists show them.
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

// ByCode returns the module with a code.
func ByCode(code string) (provider.Provider, bool) {
	for _, p := range Providers() {
		if p.Info().Code == code {
			return p, true
		}
	}
	return nil, false
}
