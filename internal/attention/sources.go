package attention

import (
	"context"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Store tells what may need a person. Its methods are safe for concurrent use, and
// bounded whatever the size of the store: what each looks at is said with it.
type Store interface {
	ChannelStore
	// Cases are open cases of a merchant, the oldest first, at most limit of both
	// modes; the empty merchant has those of which no channel is known.
	Cases(ctx context.Context, m merchant.ID, mode merchant.Mode, limit int) ([]Case, error)
	// Refusals are notices that were refused or unreadable since a time, by sender
	// and channel. more says that there were more than it looks at.
	Refusals(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time) (list []Refusal, more bool, err error)
	// FailedDeliveries are webhooks of a merchant that no try brought to where they
	// go, since a time, by store and endpoint; those that were resent well are left out.
	FailedDeliveries(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time) (list []Failed, more bool, err error)
	// Tries are the last tries of an endpoint.
	Tries(ctx context.Context, id webhook.EndpointID) (webhook.Tries, error)
	// Certificate is until when the certificate is valid that an endpoint showed last;
	// zero if it showed none.
	Certificate(ctx context.Context, id webhook.EndpointID) (time.Time, error)
	// Unnoticed are accounts that became due since a time and still wait, of PGs that
	// are not asked, by store and channel.
	Unnoticed(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time) (list []Unnoticed, more bool, err error)
	// Outstandings are payments of a merchant about which PGs are to be asked, those
	// first that are thought of last.
	Outstandings(ctx context.Context, m merchant.ID, mode merchant.Mode, limit int) ([]Outstanding, error)
	// Raised are events of tongbo.attention since a time, the newest first.
	Raised(ctx context.Context, m merchant.ID, mode merchant.Mode, since time.Time, limit int) ([]webhook.Event, error)
	// Acks are what people said last, the newest first.
	Acks(ctx context.Context, m merchant.ID, mode merchant.Mode, limit int) ([]Ack, error)
}

// A Case is an open case with what a row shows of it.
type Case struct {
	notice.Case
	PaymentID payment.ID
}

// A Refusal is what was refused from one sender on one channel.
type Refusal struct {
	Verdict     payment.Verdict
	Peer        string
	Channel     merchant.ChannelKey
	Store       merchant.StoreID
	Count       int
	First, Last time.Time
	Newest      notice.ID
}

// Failed are webhooks that could not be brought to an endpoint, or, if none is named,
// to a target.
type Failed struct {
	Store       merchant.StoreID
	Endpoint    webhook.EndpointID
	Target      string
	Count       int
	First, Last time.Time
}

// Unnoticed are accounts of a channel that became due.
type Unnoticed struct {
	Channel     merchant.ChannelKey
	Store       merchant.StoreID
	Count       int
	First, Last time.Time // when they became due
}

// Outstanding is a payment of which a PG has yet to say something.
type Outstanding struct {
	Payment payment.Payment
	Due     time.Time // when the PG is asked, or thought of, next
	Tries   int       // how often it was
}

// How far back is looked, and when something counts.
const (
	lookBack     = 30 * 24 * time.Hour // refused notices, failed deliveries, attention
	overdueBack  = 7 * 24 * time.Hour  // accounts that became due
	pendingAfter = 30 * time.Minute    // a PG's answer is overdue
	endsWithin   = 14 * 24 * time.Hour // a secret or certificate is about to end
	muteAfter    = 2 * time.Hour       // a PG that is asked again only then cannot be asked
	triesInVain  = 32                  // a PG that was asked so often, for a day, will not say
	casesAtMost  = 5000
	acksAtMost   = 1000
	raisedAtMost = 500
	outstanding  = 1000
	shownAtMost  = 200
)
