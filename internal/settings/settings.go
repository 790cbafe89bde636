// Package settings holds what operators change daily, as one value ([All]):
// merchants, stores, channels, endpoints, keys and address lists. [Parse]
// reads the file that `tongbo apply` is given, and [Declare] says what the
// settings become by it and what changed.
//
// Nothing here does I/O or looks at a clock. Random values come from [Env],
// except signing secrets, path tokens and names of V1 keys, which come from crypto/rand.
package settings

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// The purposes under which credentials are hashed with the installation's key.
const (
	PurposeAPISecret = "api_secret"
	PurposeAPIKey    = "v1_key"
)

// A Store is a store with what only its operator knows of it.
type Store struct {
	merchant.Store
	// NoticeSecret signs what goes to noticeUrls while the store has no
	// endpoint. It is made with the store.
	NoticeSecret secret.Text
	CreatedAt    time.Time
}

// An APISecret is an API secret with the keyed hash of its value.
type APISecret struct {
	merchant.APISecret
	Hash string
}

// An APIKey is a V1 key with the keyed hash of its secret.
type APIKey struct {
	merchant.APIKey
	Hash string
}

// All is every setting of the installation at one moment. The order of its
// lists means nothing.
type All struct {
	Version    int64
	Merchants  []merchant.Merchant
	Stores     []Store
	Channels   []merchant.Channel
	Endpoints  []webhook.Endpoint
	APISecrets []APISecret
	APIKeys    []APIKey
	Allows     []merchant.Allow
}

// Directory indexes stores and channels for the notice path.
func (a All) Directory() merchant.Directory {
	stores := make([]merchant.Store, len(a.Stores))
	for i, s := range a.Stores {
		stores[i] = s.Store
	}
	return merchant.NewDirectory(stores, a.Channels)
}

// EndpointDirectory indexes endpoints and the stores' own signing secrets.
func (a All) EndpointDirectory() webhook.Directory {
	notice := make(map[merchant.StoreID]secret.Text, len(a.Stores))
	follow := make(map[merchant.StoreID]bool)
	for _, s := range a.Stores {
		notice[s.ID] = s.NoticeSecret
		if s.MerchantWebhooks {
			follow[s.ID] = true
		}
	}
	return webhook.NewDirectory(a.Endpoints, notice, follow)
}

// Planner makes deliveries by these settings. newID makes UUIDv7s.
func (a All) Planner(newID func() string) webhook.Planner {
	return webhook.Planner{Merchants: a.Directory(), Endpoints: a.EndpointDirectory(), NewID: newID}
}

type claim struct{ provider, mid string }

// CheckClaims reports fault.Conflict if a live MID of a provider belongs to
// more than one merchant. It does not say to whom. Disabled channels count.
func (a All) CheckClaims() error {
	owner := make(map[claim]merchant.ID)
	for _, c := range a.Channels {
		if c.Mode != merchant.Live || c.MID == "" {
			continue
		}
		at := claim{c.Provider, c.MID}
		if m, taken := owner[at]; taken && m != c.Merchant {
			return claimed(c)
		}
		owner[at] = c.Merchant
	}
	return nil
}

func claimed(c merchant.Channel) error {
	return fault.Errorf(fault.Conflict,
		"live mid %q of %s is in use by another merchant on this installation: a live mid belongs to one", c.MID, c.Provider)
}
