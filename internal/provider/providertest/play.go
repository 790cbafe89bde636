package providertest

import (
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
)

// Play serves a module's simulated PG on a server of its own, with empty books
// and one channel, until the test ends: for what is particular to a module.
func Play(t *testing.T, p provider.Provider, c merchant.Channel) (provider.Access, *books.Ledger) {
	t.Helper()
	g := Bench{Channel: c}.open(t, p)
	return g.Access, g.ledger
}
