package webhook

import (
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// A Trigger says what had a webhook sent, in PortOne's words. Most webhooks
// have none.
type Trigger string

// The triggers.
const (
	TriggerManual  Trigger = "MANUAL"                  // somebody asked to send it again
	TriggerDeposit Trigger = "VIRTUAL_ACCOUNT_DEPOSIT" // a deposit notice
)

// A History is what became of one webhook so far: of one webhook-id, with its
// resends by hand.
type History struct {
	ID           DeliveryID // the webhook-id, without its prefix
	Type         Type
	PaymentState payment.State // when the event happened
	Trigger      Trigger
	TriggeredAt  time.Time
	State        DeliveryState
	Tries        int    // made so far
	MaxTries     int    // that the schedule makes in all
	URL          string // of the last try, else where it will go; may be empty
	Body         []byte // the exact bytes of every try
	// Last is the latest try of what the history tells of; nil if none was
	// recorded yet.
	Last *Attempt
}

// Summarize makes the history of a webhook out of its event, its deliveries
// (the first one and resends by hand, oldest first; at least one) and its
// latest try, nil if there was none. It tells of the delivery that was active
// last: the newest one, unless another has made a try since.
func Summarize(e Event, sent []Delivery, last *Attempt) History {
	d := sent[len(sent)-1]
	if last != nil && !last.At.Before(d.CreatedAt) {
		for _, other := range sent {
			if other.ID == last.Delivery {
				d = other
			}
		}
	}
	if last != nil && last.Delivery != d.ID {
		last = nil
	}
	h := History{
		ID: sent[0].ID, Type: d.Type, PaymentState: e.State, TriggeredAt: d.CreatedAt,
		State: d.State, Tries: d.Tries, MaxTries: d.Schedule.Tries(), URL: d.URL, Body: d.Body, Last: last,
	}
	if d.Original != "" {
		h.ID = d.Original
	}
	switch {
	case d.Manual:
		h.Trigger = TriggerManual
	case e.Deposited:
		h.Trigger = TriggerDeposit
	}
	if last != nil && last.URL != "" {
		h.URL = last.URL
	}
	return h
}
