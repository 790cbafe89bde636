package payment

import (
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// A ScheduleID names a scheduled payment: a UUID.
type ScheduleID string

// A ScheduleState is where a scheduled payment stands.
type ScheduleState string

// The states of a schedule, in PortOne's words.
const (
	Scheduled         ScheduleState = "SCHEDULED"
	ScheduleStarted   ScheduleState = "STARTED"
	SchedulePending   ScheduleState = "PENDING" // charged, and what came of it is not known yet
	ScheduleSucceeded ScheduleState = "SUCCEEDED"
	ScheduleFailed    ScheduleState = "FAILED"
	ScheduleRevoked   ScheduleState = "REVOKED"
)

// ScheduleStates lists every state of a schedule.
func ScheduleStates() []ScheduleState {
	return []ScheduleState{Scheduled, ScheduleStarted, SchedulePending, ScheduleSucceeded, ScheduleFailed, ScheduleRevoked}
}

// A Schedule (예약 결제) is a payment that is to be charged by a billing key at a
// time.
type Schedule struct {
	ID         ScheduleID          `json:"id"`
	Merchant   merchant.ID         `json:"merchant"`
	Store      merchant.StoreID    `json:"store"`
	Mode       merchant.Mode       `json:"mode"`
	Channel    merchant.ChannelKey `json:"channel"`
	Payment    ID                  `json:"payment"`
	BillingKey BillingKeyID        `json:"billingKey"`
	State      ScheduleState       `json:"-"` // kept beside the rest, as are the times
	OrderName  string              `json:"orderName"`
	Amount     Money               `json:"amount"`
	TaxFree    int64               `json:"taxFree,omitempty"`
	VAT        *int64              `json:"vat,omitempty"`
	Customer   Customer            `json:"customer"`
	CustomData string              `json:"customData,omitempty"`
	NoticeURLs []string            `json:"noticeUrls,omitempty"`
	Terms      Terms               `json:"terms,omitzero"`
	Quiet      bool                `json:"quiet,omitempty"` // its success is told to no endpoint
	CreatedAt  time.Time           `json:"-"`
	TimeToPay  time.Time           `json:"-"`
	StartedAt  time.Time           `json:"-"` // when it was taken up; zero: not yet
	EndedAt    time.Time           `json:"-"` // when it succeeded, failed or was revoked; zero: not yet
	// Until is when others may take up what was taken up and came to no attempt.
	Until time.Time `json:"-"`
}

// Terms are how a card is to be charged.
type Terms struct {
	Months       int  `json:"months,omitempty"`       // of the instalments; 0 or 1: at once
	FreeInterest bool `json:"freeInterest,omitempty"` // the merchant bears the interest
	CardPoint    bool `json:"cardPoint,omitempty"`    // the card's points are used
}

// Registration is what the scheduled payment is.
func (s Schedule) Registration() Registration {
	return Registration{
		Merchant: s.Merchant, Store: s.Store, Mode: s.Mode, Channel: s.Channel, ID: s.Payment, OrderName: s.OrderName,
		Amount: s.Amount, TaxFree: s.TaxFree, VAT: s.VAT, Customer: s.Customer, CustomData: s.CustomData, NoticeURLs: s.NoticeURLs,
	}
}

// Why a payment is not scheduled, or a schedule not revoked. API V2 has a name for
// each.
var (
	ErrPaidOrWaiting     = fault.Errorf(fault.Conflict, "the payment is paid already, or waits to be")
	ErrScheduled         = fault.Errorf(fault.Conflict, "the payment is scheduled: revoke that first")
	ErrNoSchedule        = fault.Errorf(fault.NotFound, "there is no such schedule")
	ErrScheduleProcessed = fault.Errorf(fault.Conflict, "the scheduled payment was charged already, or is being charged")
	ErrScheduleRevoked   = fault.Errorf(fault.Conflict, "the schedule was revoked already")
	// ErrScheduleTaken says that somebody else has taken the schedule up.
	ErrScheduleTaken = fault.Errorf(fault.Conflict, "the schedule is another's to charge")
)

// CheckSchedule reports why a payment (known; nil if none has begun) cannot be
// scheduled: ErrPaidOrWaiting, or fault.Conflict if amount or mode differ.
func CheckSchedule(known *Payment, s Schedule) error {
	switch {
	case known == nil, known.OnlyOpened():
		return nil
	case known.Mode != s.Mode:
		return fault.Errorf(fault.Conflict, "payment %q exists in %s mode; the billing key is for %s", s.Payment, known.Mode, s.Mode)
	case known.charging() || known.State != Ready && known.State != Failed:
		return ErrPaidOrWaiting
	case known.Amount != s.Amount:
		return fault.Errorf(fault.Conflict, "payment %q is known with %v, not %v", s.Payment, known.Amount, s.Amount)
	case len(known.Transactions) >= MaxTransactions:
		return ErrTooManyTransactions
	}
	return nil
}

// ScheduleOf is where the schedule stands that an attempt was made for.
func (t Transaction) ScheduleOf() (ScheduleID, ScheduleState, bool) {
	if t.Charge == nil || t.Charge.Schedule == "" {
		return "", "", false
	}
	switch t.State {
	case Paid, PartiallyCancelled, Cancelled:
		return t.Charge.Schedule, ScheduleSucceeded, true
	case Failed:
		return t.Charge.Schedule, ScheduleFailed, true
	case PayPending:
		return t.Charge.Schedule, SchedulePending, true
	case Ready, Issued:
	}
	return t.Charge.Schedule, ScheduleStarted, true
}

// Over reports whether nothing more comes of the schedule.
func (s ScheduleState) Over() bool {
	return s == ScheduleSucceeded || s == ScheduleFailed || s == ScheduleRevoked
}
