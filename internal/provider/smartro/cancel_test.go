package smartro_test

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/smartro"
)

// TestCloses: only a cancelled issue says that there was nothing but an account.
func TestCloses(t *testing.T) {
	for fields, want := range map[string]bool{
		"PayMethod=VBANK&ResultCode=4100&StateCd=1": true,
		"PayMethod=VBANK&ResultCode=4100&StateCd=0": false,
		"PayMethod=VBANK&ResultCode=4110&StateCd=1": false,
		"PayMethod=VBANK&ResultCode=2001&StateCd=1": false,
	} {
		if got := decode(t, ids+fields).Closes; got != want {
			t.Errorf("%s: Closes = %t, want %t", fields, got, want)
		}
	}
}

// TestPartialCancels: a cancel that says it is of a part never takes back all
// that was paid.
func TestPartialCancels(t *testing.T) {
	for _, c := range []struct {
		name, fields string
		event        payment.Event
		amount       int64
	}{
		{"of a part", "PayMethod=VBANK&ResultCode=2001&StateCd=2&Amt=300&PartialCancelCode=1", payment.EventPartiallyCancelled, 300},
		{"of a part, by its state", "PayMethod=VBANK&ResultCode=4110&StateCd=2&Amt=300&PartialCancelCode=1", payment.EventPartiallyCancelled, 300},
		{"of a part that is told apart", "PayMethod=VBANK&ResultCode=2001&StateCd=2&Amt=1000&CancelAmt=300&PartialCancelCode=1", payment.EventPartiallyCancelled, 300},
		{"of a part in another case", "PayMethod=VBANK&ResultCode=2001&Amt=300&partialcancelcode=1", payment.EventPartiallyCancelled, 300},
		{"of a card's part", "PayMethod=CARD&ResultCode=2001&Amt=300&PartialCancelCode=1", payment.EventPartiallyCancelled, 300},
		{"of all", "PayMethod=VBANK&ResultCode=2001&StateCd=2&Amt=1000&PartialCancelCode=0", payment.EventCancelled, 1000},
		{"a deposit", "PayMethod=VBANK&ResultCode=4110&StateCd=0&Amt=1000&PartialCancelCode=1", payment.EventDeposited, 1000},
	} {
		n := decode(t, ids+c.fields)
		if n.Event != c.event || n.Amount != payment.Won(c.amount) {
			t.Errorf("%s: %s of %v, want %s of %d", c.name, n.Event, n.Amount, c.event, c.amount)
		}
		if n.Listed != (c.event == payment.EventPartiallyCancelled) || n.Closes {
			t.Errorf("%s: listed %t, closes %t", c.name, n.Listed, n.Closes)
		}
	}
	if n := decode(t, ids+"PayMethod=VBANK&ResultCode=2001&Amt=1000&CancelAmt=x&PartialCancelCode=1"); n.HasAmount || n.Fields["CancelAmt"] != "x" {
		t.Errorf("a part that cannot be read is %v of %v", n.Amount, n.Fields)
	}
	const part = ids + "PayMethod=VBANK&ResultCode=2001&AuthDate=260801120000&PartialCancelCode=1&Amt="
	if a, b := decode(t, part+"300"), decode(t, part+"200"); a.Key == b.Key {
		t.Errorf("two parts have the key %s", a.Key)
	}
	if _, err := smartro.V2.Decode(request(ids + "PayMethod=VBANK&ResultCode=2001&PartialCancelCode=1&partialcancelcode=0")); err == nil {
		t.Error("a cancel of all and of a part decodes")
	}
}

// TestCancelOfAnotherSum: a cancel of all whose own sum is not the payment's
// tells that sum, which the payment then refuses to take for all.
func TestCancelOfAnotherSum(t *testing.T) {
	for _, c := range []struct {
		sums   string
		amount int64
		listed bool
	}{
		{"Amt=1000&CancelAmt=300", 300, false},
		{"Amt=1000&CancelAmt=300&PartialCancelCode=0", 300, false},
		{"CancelAmt=300", 300, false},
		{"Amt=1000&CancelAmt=1000", 1000, false},
		{"Amt=1000&CancelAmt=0", 1000, false},
		{"Amt=1000&CancelAmt=", 1000, false},
		{"Amt=1000&CancelAmt=x", 1000, true},
	} {
		n := decode(t, ids+"PayMethod=VBANK&ResultCode=2001&StateCd=2&"+c.sums)
		if n.Event != payment.EventCancelled || !n.HasAmount || n.Amount != payment.Won(c.amount) || n.Listed != c.listed {
			t.Errorf("%s: %s of %v, listed %t; want %d, listed %t", c.sums, n.Event, n.Amount, n.Listed, c.amount, c.listed)
		}
	}
}

// TestOtherMethodsLeaveKeysAlone: a genuine notice with another method, which
// SignValue does not cover, must not make the real one look like a resend.
func TestOtherMethodsLeaveKeysAlone(t *testing.T) {
	for _, code := range []string{"4100", "4110", "2001"} {
		body := ids + "AuthDate=260801120000&StateCd=0&PayMethod=VBANK&ResultCode=" + code
		for _, method := range []string{"CASHRCPT", "CARD", "POINT"} {
			if k := decode(t, body).Key; decode(t, strings.Replace(body, "VBANK", method, 1)).Key == k {
				t.Errorf("%s of %s has the account's key %s", code, method, k)
			}
		}
	}
}
