// Package all is the explicit list of PG modules.
package all

import (
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/inicis"
	"github.com/tongbo/tongbo/internal/provider/kcp"
	"github.com/tongbo/tongbo/internal/provider/nice"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
)

// Providers returns every module, in the order in which lists show them.
func Providers() []provider.Provider {
	return []provider.Provider{
		inicis.V1, inicis.V2,
		kcp.V1, kcp.V2,
		nice.V1, nice.V2,
		tosspayments.Module,
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
