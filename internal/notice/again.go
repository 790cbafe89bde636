package notice

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Kept is a notice as it is kept, with the verdict that counts.
type Kept struct {
	Inbound
	Verdict  payment.Verdict
	Reason   payment.Reason
	Detail   string
	Channel  merchant.ChannelKey // empty if it could not be told
	Merchant merchant.ID         // the channel's; empty if no channel could be told
	Store    merchant.StoreID    // likewise
	Mode     merchant.Mode       // likewise
	Payment  payment.Key         // empty if none is meant
	// PaymentStore is whose the Payment is; empty if none is meant, or it is not kept any more.
	PaymentStore merchant.StoreID
}

// Final reports whether a verdict cannot become another: the notice was decided, or moves
// nothing by the rules.
func Final(v payment.Verdict) bool {
	return v == payment.Applied || v == payment.Duplicate || v == payment.Recorded
}

// A Redecision decides a notice again at a person's wish, or for the first time one that
// a person enters. Exactly one of ID and New is set.
type Redecision struct {
	Version int64 // of the settings by which Admit and Judge go
	At      time.Time
	ID      ID
	New     *Inbound
	// Admit makes of a kept notice what may be judged: see ingress.Ingress.Again. It
	// must be pure.
	Admit func(Kept) Inbound
	Judge Judge
	// Payment, if it is not empty, is what a person says that the notice means, for one
	// whose own names lead nowhere.
	Payment payment.Key
	// Check sees what would become of it, and reports why nothing is to be written. It
	// may be called more than once.
	Check func(Redecided) error
	// Audit, if it is set, makes what goes into the audit log with it, if anything is
	// written.
	Audit func(Redecided) []member.Entry
	// Dry says that nothing is written: what would come of it is returned.
	Dry bool
}

// A Redecided is what becomes of a notice that is decided again.
type Redecided struct {
	Before  Kept // as it was; of a new one, without a verdict
	Notice  Notice
	Verdict payment.Verdict
	Reason  payment.Reason
	Detail  string
	Channel merchant.ChannelKey
	// Was and Is are the payment that it means, before and after; nil if none is meant,
	// and Was if it is made by the notice.
	Was, Is   *payment.Payment
	Emissions []webhook.Emission
	// Asks says that the PG is asked before the notice counts.
	Asks bool
	// Changes says that something is written by it, or would be. A notice that comes to
	// the same verdict changes nothing.
	Changes bool
}

// ErrBodyGone says that a notice cannot be decided again, since its bytes are not kept
// any more.
var ErrBodyGone = fault.Errorf(fault.Conflict, "the notice's bytes are no longer kept, so it cannot be decided again: bodies are pruned before notices")

// ErrLinkChannel says that a payment does not wait for anything from the notice's channel.
var ErrLinkChannel = fault.Errorf(fault.Conflict, "no attempt at the payment is on a channel that the notice may be of")

// ErrLinkOther says that the notice's own names lead to another payment.
var ErrLinkOther = fault.Errorf(fault.Conflict, "the notice names another payment, which is known by now: replay it")

// ErrTakenByOther says that what the notice means changed meanwhile.
var ErrTakenByOther = fault.Errorf(fault.Unavailable, "others are deciding about what the notice means: try again")

// A HandWord is a person's word that money came in for an attempt.
type HandWord struct {
	payment.HandDeposit
	Amount    payment.Money
	PaidAt    time.Time // zero: they do not know
	Depositor string    // may be empty
}

// ByPerson is how a payment was found that a person named.
const ByPerson payment.MatchKind = "person"
