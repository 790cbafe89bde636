package kicc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// TestExactTime: a date, or what cannot be read, is no midnight. It stays where
// a person sees it.
func TestExactTime(t *testing.T) {
	const base = "memb_id=T1&order_no=o-1&amount=10&pay_type=22&noti_type=30&cno=1&tlf_sno=9&tran_date="
	for text, want := range map[string]string{
		"20251105092752": "2025-11-05T09:27:52+09:00", "202511050927": "2025-11-05T09:27:00+09:00",
		"2025-11-05 09:27:52": "2025-11-05T09:27:52+09:00", "2025/11/05 09:27": "2025-11-05T09:27:00+09:00",
		"20251105": "", "2025-11-05": "", "soon": "", "2025-1-1 10:00:00": "", "20251305092752": "", "251105092752": "", "": "",
	} {
		for _, body := range []string{base + text, asJSON(t, base+text)} {
			n := decode(t, body)
			if got := n.At.Format(time.RFC3339); n.At.IsZero() != (want == "") || want != "" && got != want {
				t.Errorf("%s: at %s, want %q", body, got, want)
			}
			if kept := n.Fields["tran_date"] + n.Fields["transactionDate"]; want == "" && kept != text {
				t.Errorf("%s: kept %q", body, kept)
			}
		}
	}
	// The time of the transaction does not stand in for a cancellation's.
	if n := decode(t, strings.Replace(base, "=30", "=20&stat_cd=TS02&canc_date=20251106", 1)+"20251105092752"); !n.At.IsZero() {
		t.Errorf("a cancellation on a day is at %s", n.At)
	}
}

// TestCancellationWithoutItsTime: the old form's time of the transaction is no
// cancellation's, and a refund of ours that is told without its own is told all the
// same. It goes on to tell two such messages apart.
func TestCancellationWithoutItsTime(t *testing.T) {
	const form = "memb_id=T1&order_no=o-1&amount=11000&pay_type=22&noti_type=20&stat_cd=RF02&mgr_amt=3000&cno=9&tran_date=20251105092752"
	n := decode(t, form)
	if !n.At.IsZero() || n.Fields["tran_date"] != "20251105092752" {
		t.Errorf("at %s, kept %q", n.At, n.Fields["tran_date"])
	}
	if later := decode(t, strings.Replace(form, "092752", "092753", 1)); n.Key == later.Key || !strings.Contains(n.Key, "20251105092752") {
		t.Errorf("keys %q and %q", n.Key, later.Key)
	}
	if fresh := decode(t, asJSON(t, form)); fresh.At.IsZero() {
		t.Error("the new form's time of the transaction is the cancellation's, and is lost")
	}
	asked := time.Date(2025, 11, 20, 9, 0, 0, 0, wire.Seoul) // days after the issue
	p := payment.Payment{
		ID: "p", State: payment.PartiallyCancelled, Amount: payment.Won(11_000),
		Transactions:  []payment.Transaction{{ID: "t", Order: "o-1", PGTx: "9", State: payment.PartiallyCancelled, Account: &payment.Account{Number: "1109"}}},
		Deposits:      []payment.Deposit{{State: payment.DepositApplied, Amount: payment.Won(11_000), Transaction: "t"}},
		Cancellations: []payment.Cancellation{{ID: "ours", State: payment.CancelSucceeded, Amount: payment.Won(3000), PGID: "A", RequestedAt: asked, CancelledAt: asked}},
	}
	d := p.Decide(n.Report, payment.Env{Now: asked.Add(time.Minute), NewID: func() string { return "id" }})
	if d.Verdict != payment.Recorded || d.Payment.CancelledAmount() != 3000 {
		t.Errorf("the notice of our refund = %s (%s), %d given back", d.Verdict, d.Reason, d.Payment.CancelledAmount())
	}
}

// TestOtherMethodsLeaveKeysAlone: what calls itself a card's must not make the
// account's notice look like a resend.
func TestOtherMethodsLeaveKeysAlone(t *testing.T) {
	for _, fields := range []string{"noti_type=10", "noti_type=20&stat_cd=TS02&canc_date=20251106100000", "noti_type=20&mgr_amt=4&canc_date=20251106100000", "noti_type=50&mgr_seqno=1"} {
		form := "memb_id=T1&order_no=o-1&amount=10&cno=1&pay_type=22&" + fields
		for _, body := range []string{form, asJSON(t, form)} {
			card := strings.NewReplacer("pay_type=22", "pay_type=11", `TypeCode":"22"`, `TypeCode":"11"`).Replace(body)
			if a, b := decode(t, body), decode(t, card); a.Key == b.Key {
				t.Errorf("%s and a card's have key %q", body, a.Key)
			}
		}
	}
}

// TestOneCancellationInOtherWords: a cancellation has one key however its time
// and state are written, and another one only if it is another.
func TestOneCancellationInOtherWords(t *testing.T) {
	const part = "memb_id=T1&order_no=o-1&amount=30&pay_type=22&noti_type=20&stat_cd=RF02&mgr_amt=10&cno=9&mgr_seqno=1&canc_date=20251106100000"
	for name, c := range map[string]struct {
		old, fresh string
		same       bool
	}{
		"punctuation":      {"20251106100000", "2025-11-06 10:00:00", true},
		"another state":    {"RF02", "TS06", true},
		"no state":         {"RF02", "", true},
		"all of it":        {"RF02", "TS02", false},
		"a closed account": {"RF02", "ES17", false},
		"another second":   {"20251106100000", "2025-11-06 10:00:01", false},
	} {
		other := strings.Replace(part, c.old, c.fresh, 1)
		for _, body := range []string{other, asJSON(t, other)} {
			if a, b := decode(t, part), decode(t, body); (a.Key == b.Key) != c.same || b.Listed {
				t.Errorf("%s: keys %q and %q, listed %t", name, a.Key, b.Key, b.Listed)
			}
		}
	}
	closed, all := strings.Replace(part, "RF02", "ES17", 1), strings.Replace(part, "RF02", "TS02", 1)
	if a, b := decode(t, closed), decode(t, all); a.Key == b.Key {
		t.Errorf("a closed account and a cancellation have key %q", a.Key)
	}
	for _, vague := range []string{"202511061000", "20251106", "2025-11-06 10:00", "soon"} {
		a := strings.Replace(part, "20251106100000", vague, 1)
		one, two := decode(t, a), decode(t, strings.Replace(a, "seqno=1", "seqno=2", 1))
		if one.Event != payment.EventPartiallyCancelled || !one.Listed || !two.Listed || one.Key == two.Key {
			t.Errorf("%s: %s, listed %t and %t, keys %q and %q", vague, one.Event, one.Listed, two.Listed, one.Key, two.Key)
		}
	}
}
