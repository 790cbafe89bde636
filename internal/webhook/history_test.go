package webhook

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/payment"
)

func TestSummarize(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 8, 1, 12, minute, 0, 0, time.UTC) }
	event := Event{Type: Paid, State: payment.Paid, Deposited: true}
	first := Delivery{ID: "a", Type: Paid, State: Waiting, Tries: 2, Schedule: PortOne, URL: "https://now", Body: []byte("{}"), CreatedAt: at(0)}
	again := Delivery{ID: "b", Original: "a", Type: Paid, State: Completed, Tries: 1, Schedule: Once, Manual: true, CreatedAt: at(10)}
	try := func(d DeliveryID, minute int) *Attempt {
		return &Attempt{Delivery: d, Webhook: "a", At: at(minute), URL: "https://then"}
	}
	tests := []struct {
		name string
		sent []Delivery
		last *Attempt
		want History
	}{
		{"never tried", []Delivery{first}, nil, History{Trigger: TriggerDeposit, TriggeredAt: at(0), State: Waiting, Tries: 2, MaxTries: 6, URL: "https://now"}},
		{"tried", []Delivery{first}, try("a", 1), History{Trigger: TriggerDeposit, TriggeredAt: at(0), State: Waiting, Tries: 2, MaxTries: 6, URL: "https://then", Last: try("a", 1)}},
		{"asked for again", []Delivery{first, again}, try("a", 1), History{Trigger: TriggerManual, TriggeredAt: at(10), State: Completed, Tries: 1, MaxTries: 1}},
		{"sent again", []Delivery{first, again}, try("b", 10), History{Trigger: TriggerManual, TriggeredAt: at(10), State: Completed, Tries: 1, MaxTries: 1, URL: "https://then", Last: try("b", 10)}},
		{"sent again, and then by the schedule", []Delivery{first, again}, try("a", 16), History{Trigger: TriggerDeposit, TriggeredAt: at(0), State: Waiting, Tries: 2, MaxTries: 6, URL: "https://then", Last: try("a", 16)}},
	}
	for _, test := range tests {
		test.want.ID, test.want.Type, test.want.PaymentState = "a", Paid, payment.Paid
		if test.want.Trigger == TriggerDeposit {
			test.want.Body = []byte("{}")
		}
		if diff := cmp.Diff(test.want, Summarize(event, test.sent, test.last)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
