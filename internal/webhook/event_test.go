package webhook_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

func allTypes() []webhook.Type { return append(webhook.PortOneTypes(), webhook.OwnTypes()...) }

func TestWants(t *testing.T) {
	for _, c := range []struct {
		name string
		list []string
		want []webhook.Type
	}{
		{"nothing", nil, nil},
		{"a star is PortOne's types", []string{"*"}, webhook.PortOneTypes()},
		{"the payments' prefix", []string{"Transaction.*"}, webhook.PortOneTypes()[:8]},
		{"a narrower prefix", []string{"Transaction.Pa*"}, []webhook.Type{webhook.Paid, webhook.PartialCancelled, webhook.PayPending}},
		{"one by name", []string{"Transaction.Paid"}, []webhook.Type{webhook.Paid}},
		{"names are exact", []string{"Transaction.Pai", "transaction.paid", "Paid"}, nil},
		{"ours by name", []string{"tongbo.attention"}, []webhook.Type{webhook.Attention}},
		{"ours never by star", []string{"tongbo.*", "Transaction.VirtualAccountE*"}, nil},
		{"a star and ours", []string{"*", "Transaction.VirtualAccountExpired"}, append(webhook.PortOneTypes(), webhook.VirtualAccountExpired)},
		{"the billing keys' prefix", []string{"BillingKey.*"}, webhook.PortOneTypes()[8:]},
		{"another prefix", []string{"Identity.*"}, nil},
	} {
		for _, typ := range allTypes() {
			if got, want := webhook.Wants(c.list, typ), slices.Contains(c.want, typ); got != want {
				t.Errorf("%s: Wants(%q, %s) = %v, want %v", c.name, c.list, typ, got, want)
			}
		}
	}
}

// The channel of an event is that of its own transaction, since a payment may
// be tried in several.
func TestEventOfKnowsItsChannel(t *testing.T) {
	p := payment.Payment{Transactions: []payment.Transaction{{ID: "t1", Channel: "c1"}, {ID: "t2", Channel: "c2"}}}
	for tx, want := range map[payment.TransactionID]merchant.ChannelKey{"t1": "c1", "t2": "c2", "": ""} {
		e := webhook.EventOf(p, payment.Transition{Change: payment.ChangePaid, Transaction: tx}, time.Unix(0, 0), "e")
		if e.Channel != want {
			t.Errorf("the event of transaction %q is in channel %q, want %q", tx, e.Channel, want)
		}
	}
}

func TestTypeOfEveryChange(t *testing.T) {
	for _, c := range []payment.Change{
		payment.ChangeIssued, payment.ChangePaid, payment.ChangeFailed, payment.ChangeCancelled,
		payment.ChangePartiallyCancelled, payment.ChangeExpired, payment.ChangeCancelPending, payment.ChangePayPending,
	} {
		if got := webhook.TypeOf(c); !slices.Contains(allTypes(), got) {
			t.Errorf("TypeOf(%s) = %s, which is no type", c, got)
		}
	}
}
