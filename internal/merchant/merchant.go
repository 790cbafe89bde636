// Package merchant holds who takes payments through this installation: the
// merchant (고객사), its stores (상점) and sub-merchants (하위상점), the channels
// (결제 채널) through which payment gateways know them, and the keys and
// address lists that let their servers in. Pure values: no I/O, clock or log.
package merchant

import (
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// An ID names a merchant: "merchant-" and a UUID.
type ID string

// A StoreID names a store: "store-" and a UUID.
type StoreID string

// A ChannelKey names a channel: "channel-key-" and a UUID, as PortOne shows it.
type ChannelKey string

// A Mode keeps real money and trials apart. Everything that can touch a
// payment belongs to one mode.
type Mode string

// The modes. Any is for API secrets only: a secret that reads both.
const (
	Live Mode = "live"
	Test Mode = "test"
	Any  Mode = "any"
)

// ParseMode reads a mode of a channel, payment or endpoint. It reports
// fault.Invalid for anything but "live" and "test".
func ParseMode(s string) (Mode, error) {
	switch m := Mode(s); m {
	case Live, Test:
		return m, nil
	case Any:
	}
	return "", fault.Errorf(fault.Invalid, "mode %q: want live or test", s)
}

// Sees reports whether a credential of mode m may see things of mode other.
// The zero Mode sees nothing.
func (m Mode) Sees(other Mode) bool { return m == Any || (m != "" && m == other) }

// A Merchant is a company. Merchants on one installation never see each other.
type Merchant struct {
	ID   ID
	Name string
}

// A Store is where payments happen: one representative store per merchant and
// any number of sub-merchants.
type Store struct {
	ID             StoreID
	Merchant       ID
	Name           string
	Representative bool
	TierCode       string // the V1 API's sub-merchant code; empty if none
	// MerchantWebhooks says that the endpoints of the representative store hear of a
	// sub-merchant's payments even where it has endpoints of its own, which then hear
	// nothing. False: where it has some in a mode, those alone hear. It means nothing on
	// the representative store, which always uses its own.
	MerchantWebhooks bool
	WebhookFirst     bool // answer the browser only after the first webhook try
	// WebhookFirstLimit is how long the browser waits for that at most; zero:
	// DefaultWebhookLimit. See WebhookLimit.
	WebhookFirstLimit time.Duration
	// Origins are those of its pages that may open windows, and AppSchemes the schemes
	// of its apps to which windows may send buyers back. A store without any follows its
	// merchant's representative store.
	Origins    []string
	AppSchemes []string
}

// Unknown says what a channel does with a notice for an order nobody registered.
type Unknown string

// What to do with an unknown order.
const (
	Hold  Unknown = "hold"  // keep it Unmatched until a person or a registration comes
	Adopt Unknown = "adopt" // make the payment from the notice
)

// A PaymentType is how a channel takes payments.
type PaymentType string

// The payment types of a channel.
const (
	WindowGeneral      PaymentType = "window_general"      // 결제창 일반
	WindowSimple       PaymentType = "window_simple"       // 결제창 간편
	WindowSubscription PaymentType = "window_subscription" // 결제창 정기
	APIKeyin           PaymentType = "api_keyin"           // API 수기
	APISubscription    PaymentType = "api_subscription"    // API 정기
)

// PaymentTypes lists every payment type, in the order a person would read them.
func PaymentTypes() []PaymentType {
	return []PaymentType{WindowGeneral, WindowSimple, WindowSubscription, APIKeyin, APISubscription}
}

// A Channel is one set of credentials that a PG issued to a store.
type Channel struct {
	Key         ChannelKey
	Merchant    ID
	Store       StoreID
	Name        string
	Provider    string // the PG module's PortOne code, such as "kcp_v2"
	Mode        Mode
	MID         string
	PaymentType PaymentType
	Methods     []string
	Stores      []StoreID // sub-merchants it is assigned to, besides its own store
	BaseURL     string    // another address for the PG's API; empty for the real one
	Credentials Credentials
	Senders     *[]netip.Prefix // nil: the provider's published addresses; empty: nobody
	// SendersToo are admitted beside the published addresses, while Senders is nil.
	SendersToo []netip.Prefix
	Unknown    Unknown
	Confirm    *bool  // nil: the default of the money rules, §1
	Token      string // the secret last segment of its notice path; empty if none
	Disabled   bool
	AskedAt    time.Time // when the PG was asked to register the notice path; zero if nobody said so
	Notes      string    // the merchant's own words on how it is set up
}

// UsedBy reports whether payments of the store may go through the channel.
func (c Channel) UsedBy(s StoreID) bool {
	if c.Store == s {
		return true
	}
	return slices.Contains(c.Stores, s)
}
