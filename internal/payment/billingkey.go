package payment

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// A BillingKeyID is our name for a billing key, which merchants use:
// BillingKeyPrefix and a UUID.
type BillingKeyID string

// BillingKeyPrefix stands before the UUID of a BillingKeyID.
const BillingKeyPrefix = "billing-key-"

// A BillingKeyState is where a billing key stands.
type BillingKeyState string

// The states of a billing key. Merchants know Issued and Deleted.
const (
	KeyReady    BillingKeyState = "READY"    // the PG is asked for it, and has not answered
	KeyIssued   BillingKeyState = "ISSUED"   //
	KeyFailed   BillingKeyState = "FAILED"   // the PG did not issue it
	KeyDeleting BillingKeyState = "DELETING" // the PG is asked to delete it: it charges nothing more
	KeyDeleted  BillingKeyState = "DELETED"  //
)

// A BillingKey (빌링키) stands for a card that a buyer let a store charge.
type BillingKey struct {
	ID       BillingKeyID        `json:"id"`
	Merchant merchant.ID         `json:"merchant"`
	Store    merchant.StoreID    `json:"store"`
	Mode     merchant.Mode       `json:"mode"`
	Channel  merchant.ChannelKey `json:"channel"`
	State    BillingKeyState     `json:"state"`
	// PGKey is the PG's own key. Whoever has it and the channel's credentials can
	// charge the card: it is kept sealed, and never marshalled with the rest.
	PGKey       secret.Text `json:"-"`
	Card        Card        `json:"card,omitzero"`
	Customer    Customer    `json:"customer"`
	CustomData  string      `json:"customData,omitempty"`
	NoticeURLs  []string    `json:"noticeUrls,omitempty"`
	RequestedAt time.Time   `json:"requestedAt"`
	IssuedAt    time.Time   `json:"issuedAt,omitzero"`
	DeletedAt   time.Time   `json:"deletedAt,omitzero"`
	ChangedAt   time.Time   `json:"changedAt"` // when it came into its state
}

// Why a billing key is of no use. API V2 has a name for each.
var (
	ErrNoKey        = fault.Errorf(fault.NotFound, "there is no such billing key")
	ErrKeyDeleted   = fault.Errorf(fault.Conflict, "the billing key was deleted")
	ErrKeyNotIssued = fault.Errorf(fault.NotFound, "the billing key was not issued")
	ErrKeyScheduled = fault.Errorf(fault.Conflict, "payments are scheduled with the billing key: revoke them first")
)

// Usable reports ErrNoKey, or ErrKeyDeleted, unless money can be taken by the key.
func (k BillingKey) Usable() error {
	switch k.State {
	case KeyIssued:
		return nil
	case KeyDeleting, KeyDeleted:
		return ErrKeyDeleted
	case KeyReady, KeyFailed:
	}
	return ErrNoKey
}
