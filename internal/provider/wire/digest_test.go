package wire_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestHexDigests(t *testing.T) {
	t.Parallel()
	// FIPS 180-2, of "abc".
	const (
		short = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
		long  = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
	)
	if got := wire.SHA256Hex("a", "bc"); got != short {
		t.Errorf("SHA256Hex = %s", got)
	}
	if got := wire.SHA512Hex("ab", "", "c"); got != long {
		t.Errorf("SHA512Hex = %s", got)
	}
}
