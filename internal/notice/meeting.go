package notice

import (
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Registering is how a registration is decided.
type Registering struct {
	Version int64 // of the settings it was checked by
	Env     payment.Env
	// Judge decides on the notices that waited for the registration.
	Judge Judge
	// Announce makes the events of a payment whose account became known.
	Announce func(payment.Payment) ([]webhook.Emission, error)
	// Audit, if it is set, makes what goes into the audit log with a registration
	// that changes something; before is zero for a payment that is new.
	Audit func(before, after payment.Payment) []member.Entry
	// Dry says that nothing is written: what would come of it is returned.
	Dry bool
}

// An Expiry is what becomes of a payment whose deadline passed.
type Expiry struct {
	Payment   payment.Payment
	Emissions []webhook.Emission
	Sweep     time.Time // when the PG is to be asked whether money came after all; zero: it is not
}

// An Act is a change of one payment that a merchant, a person or the PG's answer
// makes.
type Act struct {
	Version int64 // of the settings it was checked by; 0: of any
	// Payment names the payment: by our key, else by the merchant's name.
	Payment payment.Key
	Store   merchant.StoreID
	ID      payment.ID
	Env     payment.Env
	// Begins says that an attempt is begun by it, which is refused with
	// payment.ErrScheduled while the payment is scheduled. Of the schedule itself,
	// Schedule is its id and Lease the Until with which it was taken up: if it was
	// taken up by others, or begun, payment.ErrScheduleTaken is reported.
	Begins   bool
	Schedule payment.ScheduleID
	Lease    time.Time
	// BillingKey is what the attempt charges, if it begins one by a billing key, which
	// must be usable when it begins: else it is refused as BillingKey.Usable says.
	BillingKey payment.BillingKeyID
	// Window is the checkout in which it is done, which must not have ended: else
	// payment.ErrCheckoutEnded is reported.
	Window payment.CheckoutID
	// Names are those that the payment gets by it: notices that come meanwhile
	// wait for its end.
	Names []payment.MatchKey
	// Do decides; known is nil if there is no such payment. It must be pure: it
	// may be called more than once.
	Do func(known *payment.Payment) (Acted, error)
	// Judge, if it is set, decides on the notices of a channel that wait for the
	// payment: of the current attempt's if none is named. Standing is what the PG
	// said when it was asked.
	Judge    Judge
	Channel  merchant.ChannelKey
	Standing *payment.Standing
	// Audit, if it is set, makes what goes into the audit log in the same
	// transaction, from the payment as it was (zero if there was none) and as it is
	// when all else is decided, whether or not they differ. It must be pure.
	Audit func(before, after payment.Payment) []member.Entry
}

// An Acted is what an Act does.
type Acted struct {
	Payment   payment.Payment
	Changed   bool
	Emissions []webhook.Emission
	// Ask is when the PG is to be asked where the payment stands; zero: it need
	// not be asked any more. Taken is the inquiry that this follows, if it does: one
	// that was put off or hastened since stays as it is.
	Ask time.Time
	// Opens is a window that is opened with it, and Ends how one ends that has not: Window,
	// or if that is empty the act's own. If nothing else changes, nothing else is written.
	Opens  *payment.Checkout
	Ends   *payment.Outcome
	Window payment.CheckoutID
	Again  time.Time // as Ask, but only if something is open: a notice, or what Outstanding tells
	Taken  *Inquiry
}

// A Stir is something that was written of a payment; Row is the id of what tells of it.
type Stir struct {
	Row     string
	Payment payment.Key
}

// An Inquiry is a payment about which the PG is to be asked.
type Inquiry struct {
	Payment payment.Payment
	Tries   int // that were begun, this one included
	// Until is when others may take it.
	Until time.Time
}
