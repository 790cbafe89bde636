package merchant

import (
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/secret"
)

// Credentials are what a PG gave the merchant for one channel, by the
// provider's own field names. Values never print.
type Credentials map[string]secret.Text

// An APISecret lets a merchant's server call API V2. Only a keyed hash of its
// value is stored.
type APISecret struct {
	ID        string
	Merchant  ID
	Store     StoreID
	Name      string
	Mode      Mode
	ExpiresAt time.Time // zero: never
	// Generation rises with each login and refresh; refresh tokens of an
	// earlier generation are dead.
	Generation int64
}

// An APIKey lets a merchant's server call API V1.
type APIKey struct {
	ID       string
	Merchant ID
	Store    StoreID
	Key      string
	Mode     Mode
}

// An AllowScope is what an address list opens.
type AllowScope string

// The scopes of an address list.
const (
	AllowAPI     AllowScope = "api"
	AllowConsole AllowScope = "console"
)

// An Allow admits addresses to a face of a store. A store without any Allow of
// a scope admits everyone who has the key.
type Allow struct {
	Store StoreID
	Scope AllowScope
	CIDR  netip.Prefix
}
